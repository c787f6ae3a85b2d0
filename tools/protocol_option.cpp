#include "tools/protocol_option.h"

#include <filesystem>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

namespace actionclip {
namespace {

// The one that the settings name.
std::optional<Protocol> protocol_of(const DatasetConfig& list) {
  if (list.protocol.empty()) return std::nullopt;
  try {
    return read_protocol(list.protocol);
  } catch (const UsageError& error) {  // nobody typed it here
    throw ConfigError(fmt::format("protocol of {}: {}", list.list.string(), error.what()));
  }
}

// A name of a split, or of a manifest, of the name of a file.
std::string plain_name(std::string name) {
  for (char& c : name) c = c == ':' || c == ' ' || c == '\t' || c == '\n' ? '_' : c;
  return name;
}

// The split that a list is recorded as.
std::string record_name(const DatasetConfig& split, const std::optional<ProtocolMatch>& match) {
  if (match && !match->split.empty()) return match->split;
  const auto& path = split.list.path;
  return plain_name((path.has_filename() ? path : path.parent_path()).stem().string());
}

}  // namespace

void ProtocolOptions::add_to(CLI::App& command) {
  command
      .add_option("--protocol", names,
                  "NAME or FILE.yaml of a benchmark, with :SPLIT where its lists cannot be told apart: says "
                  "whether the list is the benchmark's, and is kept with the scores; default: "
                  "data.SPLIT.protocol, of a whole split")
      ->allow_extra_args(false);  // the word behind it is an override
  command.add_option("--record", record,
                     "writes FILE.yaml, a protocol that pins the list at hand: its counts and its hash");
}

ProtocolCheck::ProtocolCheck(const ProtocolOptions& options, const std::vector<DatasetConfig>& lists)
    : lists_(lists), record_(options.record) {
  const auto& names = options.names;
  if (names.size() > 1 && names.size() != lists.size()) {
    throw UsageError(fmt::format("--protocol: {} given for {} list(s): give one for all of them, or one each",
                                 names.size(), lists.size()));
  }
  for (std::size_t i = 0; i < lists.size(); ++i) {
    protocols_.push_back(names.empty() ? protocol_of(lists[i])
                                       : read_protocol(names[names.size() == 1 ? 0 : i]));
  }
}

std::optional<ProtocolMatch> ProtocolCheck::check(std::size_t index, const VideoList& list,
                                                  const LabelSet& labels) {
  const auto& protocol = protocols_.at(index);
  if (!protocol && record_.empty()) return std::nullopt;  // a long list takes time to be hashed
  return check(protocol, facts_of(list, labels), lists_.at(index), "");
}

std::vector<ProtocolMatch> ProtocolCheck::check(const std::vector<ScoredList>& parts) {
  std::vector<ProtocolMatch> matches;
  for (const auto& part : parts) {
    auto protocol = protocols_.front();
    if (protocol && !part.split.empty()) protocol = split_of(*protocol, part.split);
    if (const auto match = check(protocol, part.facts, lists_.front(), part.split)) matches.push_back(*match);
  }
  return matches;
}

std::optional<ProtocolMatch> ProtocolCheck::check(const std::optional<Protocol>& protocol,
                                                  const ListFacts& facts, const DatasetConfig& source,
                                                  const std::string& split) {
  std::optional<ProtocolMatch> match;
  if (protocol) {
    match = match_protocol(*protocol, facts);
    if (!match->matches()) spdlog::warn("{}: {}", source.list.string(), to_text(*match));
  }
  if (record_.empty()) return match;
  const auto name = split.empty() ? record_name(source, match) : split;
  if (!recorded_.emplace(name, facts).second)
    throw UsageError(
        fmt::format("--record {}: two lists would be its split '{}'; record them one by one, or "
                    "say which they are (--protocol NAME:SPLIT)",
                    record_, name));
  return match;
}

void ProtocolCheck::record() const {
  if (record_.empty()) return;
  ProtocolManifest origin;
  if (protocols_.front()) origin = protocols_.front()->manifest;
  origin.name = plain_name(std::filesystem::path(record_).stem().string());
  const auto manifest = record_manifest(origin, recorded_);
  if (std::filesystem::exists(record_)) {  // a call that goes on with a stopped one pins the same
    if (read_text_file(record_) == write_config(manifest)) return;
    throw UsageError(
        fmt::format("--record {}: is there already, with something else; name another file", record_));
  }
  write_manifest(record_, manifest);
  spdlog::info("--record: {} pins {} list(s)", record_, recorded_.size());
}

void note_protocol(const std::optional<ProtocolMatch>& match, VideoScores& scores) {
  if (!match) return;
  scores.origin["protocol"] = to_text(*match);
  scores.origin["protocol_name"] = match->name();
  scores.origin["protocol_list_sha256"] = match->list.sha256;
  scores.origin["protocol_manifest_sha256"] = match->manifest_sha256;
  scores.origin["protocol_matches"] = match->matches() ? "true" : "false";
}

}  // namespace actionclip
