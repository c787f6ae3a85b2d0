// Decoding every frame of videos, to know that they are whole, what they are, and which of them are the same.
// Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "actionclip/video/config.h"
#include "actionclip/video/manifest.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

// Decodes all of a video, image, or folder of frames, and hashes its content. What keeps it from being
// decoded is in the result, as is taking more than `seconds` (0: no limit). Thread-safe.
VideoFacts examine_video(const VideoEntry& entry, const DatasetConfig& config, double seconds);

struct VideoToVerify {
  VideoEntry entry;
  DatasetConfig config;
};

// What is at a path that comes with no list: a video or image; all videos and folders of frames below a
// folder; or, of a folder without any, its frames. Throws Error if a folder cannot be read.
std::vector<VideoToVerify> videos_at(const std::filesystem::path& path);

struct VerifyOptions {
  int workers = 2;      // threads; 0: this one
  double seconds = 60;  // that a video may take; 0: any number
};

// examine_video() of each, in their order, with a progress bar. What `journal` knows of a file that has not
// changed since is taken from there.
std::vector<VideoFacts> verify_videos(const std::vector<VideoToVerify>& videos, const VerifyOptions& options,
                                      ManifestJournal& journal);

// Videos of two collections that are the same.
struct DuplicatePair {
  std::int64_t left = 0;   // index in the first collection
  std::int64_t right = 0;  // in the second
  int distance = 0;        // bits of kHashBits that differ
  bool same_content = false;
};

// Bits of kHashBits up to which videos count as near-duplicates. Measured on the project's real and synthetic
// test videos (verify_test.cpp keeps watch over it): encoded anew at down to x264's CRF 45, at half the size
// or one and a half times it, at another shape, half the frame rate, or as MPEG-4 they differ in at most 23
// bits; one without its first and last two frames in 32; other videos in more than twice this. Below 64,
// find_near_pairs() has 17 buckets a band to look into.
inline constexpr int kNearDistance = 63;

// Pairs of decodable videos of equal content, and those whose hashes are at most kNearDistance bits apart;
// for each of `right` at most five of either kind, the nearest. A file that both name is a pair too.
std::vector<DuplicatePair> find_duplicates(const std::vector<VideoFacts>& left,
                                           const std::vector<VideoFacts>& right);

// The same of one collection with itself: each pair once, left before right.
std::vector<DuplicatePair> find_duplicates_within(const std::vector<VideoFacts>& videos);

}  // namespace actionclip
