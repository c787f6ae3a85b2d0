#include "actionclip/video/verify.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "actionclip/core/ordered_work.h"
#include "actionclip/core/progress.h"
#include "actionclip/video/near_duplicates.h"

#include "video/file_stamp.h"
#include "video/prepare/video_tree.h"

namespace actionclip {
namespace {

constexpr std::size_t kAheadOfWorker = 64;  // results that may wait behind one slow video
constexpr std::int64_t kMostPairs = 5;      // of a video

auto order(const DuplicatePair& pair) {
  return std::tuple(pair.right, !pair.same_content, pair.distance, pair.left);
}

std::vector<VideoHash> hashes_of(const std::vector<VideoFacts>& videos) {
  std::vector<VideoHash> hashes;
  hashes.reserve(videos.size());
  // One without a hash gets a blank one, which has no neighbours.
  for (const auto& video : videos) hashes.push_back(video.hash.value_or(VideoHash{}));
  return hashes;
}

std::vector<DuplicatePair> same_content(const std::vector<VideoFacts>& left,
                                        const std::vector<VideoFacts>& right) {
  std::unordered_multimap<std::string_view, std::int64_t> by_content;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i].decodable) by_content.emplace(left[i].sha256, static_cast<std::int64_t>(i));
  }
  std::vector<DuplicatePair> pairs;
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (!right[i].decodable) continue;  // neither list can use it
    const auto [first, last] = by_content.equal_range(right[i].sha256);
    std::int64_t of_right = 0;
    for (auto match = first; match != last && of_right < kMostPairs; ++match, ++of_right) {
      pairs.push_back({match->second, static_cast<std::int64_t>(i), 0, true});
    }
  }
  return pairs;
}

}  // namespace

std::vector<VideoToVerify> videos_at(const std::filesystem::path& path) {
  std::vector<VideoToVerify> videos;
  const auto add = [&](const std::filesystem::path& video) {
    videos.emplace_back();
    videos.back().entry.path = video;
  };
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) {
    const VideoTree tree(path);
    for (const auto* found : {&tree.videos(), &tree.frame_folders()}) {
      for (const auto& video : *found) add(path / video);
    }
  }
  if (videos.empty()) add(path);
  return videos;
}

std::vector<VideoFacts> verify_videos(const std::vector<VideoToVerify>& videos, const VerifyOptions& options,
                                      ManifestJournal& journal) {
  struct Result {
    VideoFacts facts;
    bool is_new = true;
  };
  const auto verify = [&](std::int64_t i) -> Result {
    const auto& [entry, config] = videos[static_cast<std::size_t>(i)];
    const FileStamp stamp = stamp_of(entry.path);
    const VideoFacts* known = journal.find(entry.path.string(), stamp.bytes, stamp.modified);
    if (known != nullptr) return {*known, false};
    return {examine_video(entry, config, options.seconds), true};
  };
  std::vector<VideoFacts> facts;
  facts.reserve(videos.size());
  ProgressBar progress("verify", std::ssize(videos), "videos");
  const std::size_t ahead = kAheadOfWorker * static_cast<std::size_t>(std::max(options.workers, 1));
  work_in_order(std::ssize(videos), options.workers, ahead, verify, [&](std::int64_t, Result result) {
    if (result.is_new) journal.add(result.facts);
    facts.push_back(std::move(result.facts));
    progress.advance(1);
  });
  return facts;
}

std::vector<DuplicatePair> find_duplicates(const std::vector<VideoFacts>& left,
                                           const std::vector<VideoFacts>& right) {
  auto pairs = same_content(left, right);
  std::set<std::pair<std::int64_t, std::int64_t>> same;
  for (const auto& pair : pairs) same.emplace(pair.left, pair.right);
  const auto left_hashes = hashes_of(left), right_hashes = hashes_of(right);
  for (const auto& near : find_near_pairs(left_hashes, right_hashes, kNearDistance, kMostPairs)) {
    if (!same.contains({near.left, near.right})) {
      pairs.push_back({near.left, near.right, near.distance, false});
    }
  }
  std::ranges::sort(pairs, {}, order);
  return pairs;
}

std::vector<DuplicatePair> find_duplicates_within(const std::vector<VideoFacts>& videos) {
  auto pairs = find_duplicates(videos, videos);
  std::erase_if(pairs, [](const DuplicatePair& pair) { return pair.left == pair.right; });
  for (auto& pair : pairs) {
    // Of the five nearest of only one of the two, it may have come either way round.
    if (pair.left > pair.right) std::swap(pair.left, pair.right);
  }
  std::ranges::sort(pairs, {}, order);
  const auto repeated = std::ranges::unique(pairs, {}, order);
  pairs.erase(repeated.begin(), repeated.end());
  return pairs;
}

}  // namespace actionclip
