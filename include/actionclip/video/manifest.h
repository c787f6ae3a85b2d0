// What a full decode of each video of a collection told: the file manifest.csv. Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actionclip/core/atomic_file.h"
#include "actionclip/video/video_hash.h"

namespace actionclip {

struct VideoFacts {
  std::string path;
  std::int64_t bytes = 0;     // of the file, or of all frames
  std::int64_t modified = 0;  // nanoseconds since 1970
  std::int64_t frames = 0;    // that decode
  double seconds = 0;         // from the first frame's presentation to the end of the last one's; 0: no times
  std::int64_t width = 0;     // upright
  std::int64_t height = 0;
  double fps = 0;  // frames / seconds
  std::string codec;
  std::string sha256;             // of the file's content
  std::optional<VideoHash> hash;  // none if the video does not decode
  bool decodable = false;
  std::string reason;  // why it does not decode
};

// manifest.csv: `path,bytes,modified,frames,seconds,width,height,fps,codec,sha256,hash,decodable,reason`.
std::string manifest_text(const std::vector<VideoFacts>& videos);

// Throws Error with file:line for what manifest_text() does not write.
std::vector<VideoFacts> read_manifest(const std::filesystem::path& file);

// The facts of an earlier run, and a journal of this one, so that a run which is stopped goes on.
class ManifestJournal {
 public:
  // Reads manifest.csv in `folder`, and the journal that a stopped run left there, and begins a new one. An
  // empty `folder`: nothing is known or kept.
  explicit ManifestJournal(const std::filesystem::path& folder);

  // What is known of a file, if it had this size and time then and could be decoded.
  const VideoFacts* find(const std::string& path, std::int64_t bytes, std::int64_t modified) const;

  void add(const VideoFacts& video);

  // Writes manifest.csv, and removes the journal.
  void finish(const std::vector<VideoFacts>& videos);

 private:
  void learn(std::vector<VideoFacts> videos);

  std::filesystem::path folder_;
  std::unordered_map<std::string, VideoFacts> known_;
  std::optional<OutputFile> journal_;
};

}  // namespace actionclip
