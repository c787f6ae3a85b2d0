#include "actionclip/protocols/manifest.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actionclip/config/reader.h"
#include "actionclip/config/suggestion.h"
#include "actionclip/core/atomic_file.h"
#include "actionclip/core/data_file.h"
#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr const char* kEnding = ".yaml";
constexpr std::size_t kHashDigits = 64;

std::array<std::filesystem::path, 2> manifest_folders() {
  return {share_folder() / "protocols", std::filesystem::path(ACTIONCLIP_PROTOCOLS_FOLDER)};
}

bool is_hash(const std::string& text) {
  return text.size() == kHashDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Names stand before a ':' on the command line, and in the names of files.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name.find_first_of(":/ \t\n") == std::string::npos;
}

void check_count(ConfigChecker& checker, std::string_view key, const std::optional<std::int64_t>& count) {
  if (count) checker.at_least(key, static_cast<double>(*count), 1);
}

bool is_file_name(std::string_view text) {
  return text.ends_with(kEnding) || text.find('/') != std::string_view::npos;
}

std::filesystem::path find_manifest(const std::string& name) {
  if (is_file_name(name)) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(name, ignored)) return name;
    throw UsageError(fmt::format("protocol {}: no such file", name));
  }
  const auto folders = manifest_folders();
  const std::array<std::filesystem::path, 2> places{folders[0] / (name + kEnding),
                                                    folders[1] / (name + kEnding)};
  if (const auto found = first_file(places)) return *found;
  const auto known = known_protocols();
  const auto nearest = nearest_name(name, known);
  throw UsageError(fmt::format(
      "protocol {}: there is no such one{}; those that come with the program "
      "are {}, and a YAML file can be named",
      name, nearest.empty() ? "" : fmt::format(" (nearest: {})", nearest), fmt::join(known, ", ")));
}

std::vector<std::string> names_of(const std::map<std::string, ProtocolSplit>& splits) {
  std::vector<std::string> names;
  for (const auto& split : splits) names.push_back(split.first);
  return names;
}

// Names of the splits that `is_wanted` says.
template <typename IsWanted>
std::vector<std::string> choose(const ProtocolManifest& manifest, const IsWanted& is_wanted) {
  std::vector<std::string> names;
  for (const auto& [name, split] : manifest.splits) {
    if (is_wanted(split)) names.push_back(name);
  }
  return names;
}

// `asked`: how it was asked for.
void require_split(const Protocol& protocol, const std::string& asked) {
  const auto& splits = protocol.manifest.splits;
  if (splits.contains(protocol.split)) return;
  throw UsageError(fmt::format("protocol {}: {} has no such split; it has {}", asked, protocol.manifest.name,
                               fmt::join(names_of(splits), ", ")));
}

// The list's split, or why there is none.
std::string find_split_of(const Protocol& protocol, const ListFacts& list,
                          std::vector<std::string>& differences) {
  const auto& manifest = protocol.manifest;
  if (!protocol.split.empty()) return protocol.split;
  if (manifest.splits.size() == 1) return manifest.splits.begin()->first;
  const auto same = choose(manifest, [&](const auto& split) { return split.sha256 == list.sha256; });
  if (!same.empty()) return same.front();
  const auto as_many = choose(manifest, [&](const auto& split) { return split.videos == list.videos; });
  if (as_many.size() == 1) return as_many.front();
  // One whose number is not pinned could have any.
  const auto open =
      choose(manifest, [&](const auto& split) { return !split.videos || split.videos == list.videos; });
  differences.push_back(
      open.empty() ? fmt::format("videos: {}, which no split of the protocol has ({})", list.videos,
                                 fmt::join(names_of(manifest.splits), ", "))
                   : fmt::format("split: by its {} videos the list could be {}; say which (--protocol {}:{})",
                                 list.videos, fmt::join(open, " or "), manifest.name, open.front()));
  return {};
}

class Comparison {
 public:
  explicit Comparison(ProtocolMatch& match) : match_(match) {}

  // `has_hash`: is pinned, which says more than the classes that have a video. Some labels may have none.
  void classes(const std::optional<std::int64_t>& pinned, bool has_hash) {
    const auto& list = match_.list;
    if (!is_pinned("classes", pinned.has_value())) return;
    if (list.labels != *pinned) differ("labels: {} are ranked, the protocol has {}", list.labels, *pinned);
    if (!has_hash && list.classes != *pinned)
      differ("classes: {} have a video, the protocol has {}", list.classes, *pinned);
  }

  void videos(const std::optional<std::int64_t>& pinned) {
    if (!is_pinned("videos", pinned.has_value())) return;
    if (match_.list.videos != *pinned) differ("videos: {}, the protocol has {}", match_.list.videos, *pinned);
  }

  void hash(const std::optional<std::string>& pinned) {
    if (!is_pinned("sha256", pinned.has_value())) return;
    if (match_.list.sha256 != *pinned)
      differ("sha256: {}, the protocol's is {}", match_.list.sha256, *pinned);
  }

 private:
  bool is_pinned(const char* what, bool pinned) {
    if (!pinned) match_.unpinned.emplace_back(what);
    return pinned;
  }

  template <typename Found, typename Pinned>
  void differ(const char* text, const Found& found, const Pinned& pinned) {
    match_.differences.push_back(fmt::format(fmt::runtime(text), found, pinned));
  }

  ProtocolMatch& match_;
};

std::string verdict_of(const ProtocolMatch& match) {
  if (!match.matches()) return fmt::format("the list is ANOTHER ONE: {}", fmt::join(match.differences, "; "));
  const auto facts = fmt::format("{} videos, {} classes", match.list.videos, match.list.classes);
  if (match.is_proven()) return fmt::format("the list matches ({})", facts);
  return fmt::format("nothing tells the list from it ({}), but not pinned: {}", facts,
                     fmt::join(match.unpinned, ", "));
}

}  // namespace

void ProtocolSplit::check(ConfigChecker& checker) const {
  check_count(checker, "classes", classes);
  check_count(checker, "videos", videos);
  if (sha256 && !is_hash(*sha256))
    checker.error("sha256", fmt::format("must be {} lower-case hexadecimal digits", kHashDigits));
}

void ProtocolManifest::check(ConfigChecker& checker) const {
  if (!is_plain_name(name)) checker.error("name", "must be given, without blanks, ':' and '/'");
  check_count(checker, "classes", classes);
  if (splits.empty()) checker.error("splits", "at least one is needed, e.g. `val: {videos: 20000}`");
  for (const auto& split : splits) {
    if (!is_plain_name(split.first))
      checker.error("splits", fmt::format("'{}': a name without blanks, ':' and '/' is needed", split.first));
  }
}

Protocol read_protocol(const std::string& text) {
  Protocol protocol;
  std::string name = text;
  if (const auto colon = text.rfind(':'); colon != std::string::npos && !text.ends_with(kEnding)) {
    name = text.substr(0, colon);
    protocol.split = text.substr(colon + 1);
  }
  protocol.manifest = read_config<ProtocolManifest>(load_yaml(find_manifest(name)));
  protocol.sha256 = sha256_of(write_config(protocol.manifest));
  if (name.size() != text.size()) require_split(protocol, text);
  return protocol;
}

Protocol split_of(Protocol protocol, const std::string& split) {
  const auto asked = fmt::format("{}:{}", protocol.manifest.name, split);
  if (!protocol.split.empty() && protocol.split != split) {
    throw UsageError(fmt::format("protocol {}:{}: {} is scored too; leave the split out",
                                 protocol.manifest.name, protocol.split, asked));
  }
  protocol.split = split;
  require_split(protocol, asked);
  return protocol;
}

std::vector<std::string> known_protocols() {
  std::set<std::string> names;
  for (const auto& folder : manifest_folders()) {
    std::error_code missing;
    for (const auto& file : std::filesystem::directory_iterator(folder, missing)) {
      if (file.path().extension() == kEnding) names.insert(file.path().stem().string());
    }
  }
  return {names.begin(), names.end()};
}

ProtocolMatch match_protocol(const Protocol& protocol, const ListFacts& list) {
  ProtocolMatch match{.protocol = protocol.manifest.name, .list = list, .manifest_sha256 = protocol.sha256};
  match.split = find_split_of(protocol, list, match.differences);
  Comparison comparison(match);
  const auto& manifest = protocol.manifest;
  if (match.split.empty()) {
    comparison.classes(manifest.classes, /*has_hash=*/false);
    return match;
  }
  const auto& split = manifest.splits.at(match.split);
  comparison.classes(split.classes ? split.classes : manifest.classes, split.sha256.has_value());
  comparison.videos(split.videos);
  comparison.hash(split.sha256);
  return match;
}

nlohmann::ordered_json to_json(const ProtocolMatch& match) {
  return {{"name", match.name()},
          {"sha256", match.list.sha256},
          {"matches", match.matches()},
          {"proven", match.is_proven()},
          {"differences", match.differences},
          {"unpinned", match.unpinned},
          {"videos", match.list.videos},
          {"classes", match.list.classes},
          {"labels", match.list.labels},
          {"manifest_sha256", match.manifest_sha256}};
}

std::string to_text(const ProtocolMatch& match) {
  return fmt::format("protocol {}: {}; sha256 of the list {}, of the manifest {}", match.name(),
                     verdict_of(match), match.list.sha256, match.manifest_sha256);
}

ProtocolManifest record_manifest(const ProtocolManifest& origin,
                                 const std::map<std::string, ListFacts>& lists) {
  ProtocolManifest manifest = origin;
  manifest.classes.reset();
  manifest.splits.clear();
  for (const auto& [name, facts] : lists) {
    manifest.splits[name] = {.classes = facts.labels, .videos = facts.videos, .sha256 = facts.sha256};
  }
  return manifest;
}

void write_manifest(const std::filesystem::path& file, const ProtocolManifest& manifest) {
  if (std::filesystem::exists(file))
    throw Error(fmt::format("{}: is there already; name another file for the manifest", file.string()));
  write_file_atomically(file, write_config(manifest));
}

}  // namespace actionclip
