// The frames of a video kept as JPEG or PNG files in a folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "actionclip/video/frame_source.h"

namespace actionclip {

class ImageReader;

class FrameFolder : public FrameSource {
 public:
  // Frame i is the file that `pattern` (fmt's syntax with one number, "img_{:05d}.jpg") names for the number
  // i + index_bias. frame_count -1: as many as the folder holds. Throws Error for a pattern that cannot be
  // used; VideoError if a folder to be counted is missing, holds no frame, or lacks one in between.
  FrameFolder(const std::filesystem::path& folder, const std::string& pattern, std::int64_t index_bias,
              std::int64_t frame_count);

  // Frame i is the i-th of `files`.
  explicit FrameFolder(std::vector<std::filesystem::path> files);
  ~FrameFolder() override;

  std::int64_t frame_count() override { return frame_count_; }
  // Of frame `index`, from 0 on, whether it is there or not.
  std::filesystem::path file(std::int64_t index) const;
  // JPEG frames may come 2, 4 or 8 times smaller, if their short side stays at least twice `view.resize`.
  void set_view(const TestView& view) override { view_ = view; }
  // VideoError names the file that is missing or damaged. Reading follows read_image(): the orientation in
  // EXIF data is ignored.
  std::vector<Image> read(std::span<const std::int64_t> indices) override;
  // Frames in a folder have no times: Error for a range.
  ChosenFrames read_chosen(const FrameChooser& choose, const FrameIndex& known = {},
                           const TimeRange& range = {}) override;

 private:
  std::filesystem::path folder_;
  std::string pattern_;
  std::int64_t index_bias_ = 0;
  std::int64_t frame_count_ = 0;
  std::vector<std::filesystem::path> files_;  // if not named by pattern_
  TestView view_;
  std::unique_ptr<ImageReader> reader_;
};

// The *.jpg, *.jpeg and *.png files of a folder, with numbers in their names in numerical order.
// Throws VideoError if the folder cannot be read or holds none.
std::vector<std::filesystem::path> image_files(const std::filesystem::path& folder);

}  // namespace actionclip
