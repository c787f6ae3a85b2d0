#include "actionclip/protocols/list_leaks.h"

#include <algorithm>
#include <optional>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/error.h"
#include "actionclip/video/manifest.h"

namespace actionclip {
namespace {

constexpr std::size_t kNamed = 10;

std::string normal_path(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

// What tells a file from all others on this machine, whatever it is called; none if there is no such file.
std::optional<std::string> file_number(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

bool overlap(const TimeRange& a, const TimeRange& b) { return a.start < b.end && b.start < a.end; }

// The key of a video for each LeakKind, as far as it is known.
std::vector<std::pair<LeakKind, std::string>> keys_of(const VideoEntry& entry, const ContentHashes& hashes) {
  std::vector<std::pair<LeakKind, std::string>> keys;
  keys.emplace_back(LeakKind::path, "path " + normal_path(entry.path));
  if (const auto number = file_number(entry.path)) keys.emplace_back(LeakKind::file, "file " + *number);
  if (const auto* hash = hashes.find(entry.path)) keys.emplace_back(LeakKind::content, "content " + *hash);
  return keys;
}

// Finds the entries of a list by what they are.
class EntryIndex {
 public:
  EntryIndex(const VideoList& list, const ContentHashes& hashes) : hashes_(hashes) {
    for (std::int64_t i = 0; i < list.size(); ++i) {
      const auto entry = list.entry(i);
      for (auto& [kind, key] : keys_of(entry, hashes)) places_[std::move(key)].push_back({i, entry.range});
    }
  }

  // None if no entry is the same as this one.
  std::optional<ListLeak> find(const VideoEntry& entry, std::int64_t index) const {
    for (const auto& [kind, key] : keys_of(entry, hashes_)) {
      const auto found = places_.find(key);
      if (found == places_.end()) continue;
      for (const auto& place : found->second) {
        if (overlap(place.range, entry.range)) return ListLeak{place.index, index, kind};
      }
    }
    return std::nullopt;
  }

 private:
  struct Place {
    std::int64_t index;
    TimeRange range;
  };

  const ContentHashes& hashes_;
  std::unordered_map<std::string, std::vector<Place>> places_;
};

// "a.mp4 (train.txt:3) = b.mp4 (test.txt:7, same content)"
std::string in_words(const ListLeak& leak, const VideoList& left, const VideoList& right) {
  return fmt::format("{} ({}:{}) = {} ({}:{}, same {})", left.entry(leak.left).path.string(),
                     left.file().string(), left.line(leak.left), right.entry(leak.right).path.string(),
                     right.file().string(), right.line(leak.right),
                     boost::describe::enum_to_string(leak.kind, "video"));
}

}  // namespace

ContentHashes::ContentHashes(const std::vector<std::filesystem::path>& manifests) {
  for (const auto& manifest : manifests) {
    for (const auto& video : read_manifest(manifest)) {
      if (!video.sha256.empty()) by_path_.insert_or_assign(normal_path(video.path), video.sha256);
    }
  }
}

const std::string* ContentHashes::find(const std::filesystem::path& video) const {
  if (empty()) return nullptr;
  const auto found = by_path_.find(normal_path(video));
  return found == by_path_.end() ? nullptr : &found->second;
}

std::vector<ListLeak> find_leaks(const VideoList& left, const VideoList& right, const ContentHashes& hashes) {
  const EntryIndex index(left, hashes);
  std::vector<ListLeak> leaks;
  for (std::int64_t i = 0; i < right.size(); ++i) {
    if (const auto leak = index.find(right.entry(i), i)) leaks.push_back(*leak);
  }
  return leaks;
}

void require_no_leaks(const VideoList& left, const std::string& left_name, const VideoList& right,
                      const std::string& right_name, const ContentHashes& hashes) {
  const auto leaks = find_leaks(left, right, hashes);
  if (leaks.empty()) return;
  std::vector<std::string> named;
  for (std::size_t i = 0; i < std::min(leaks.size(), kNamed); ++i)
    named.push_back(in_words(leaks[i], left, right));
  throw Error(fmt::format("{} of {} are among {} too: {}{}; take them out of one of the lists", leaks.size(),
                          right_name, left_name, fmt::join(named, "; "),
                          leaks.size() > kNamed ? fmt::format("; and {} more", leaks.size() - kNamed) : ""));
}

std::int64_t count_unknown(const VideoList& list, const ContentHashes& hashes) {
  std::int64_t unknown = 0;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    if (hashes.find(list.entry(i).path) == nullptr) ++unknown;
  }
  return unknown;
}

}  // namespace actionclip
