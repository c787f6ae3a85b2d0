#include "actionclip/video/video_reader.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"

#include "video/frame_converter.h"
#include "video/regular_file.h"
#include "video/video_decoder.h"

namespace actionclip {

VideoReader::VideoReader(const std::filesystem::path& path)
    : VideoReader(std::make_unique<RegularFile>(path)) {}

VideoReader::VideoReader(std::unique_ptr<RegularFile> file)
    : file_(std::move(file)), decoder_(std::make_unique<VideoDecoder>(*file_)) {
  claimed_frame_count_ = decoder_->claimed_frame_count();
}

VideoReader::~VideoReader() = default;

std::int64_t VideoReader::frame_count() {
  if (frame_count_ < 0) decode({}, true);
  return frame_count_;
}

std::vector<Image> VideoReader::read(std::span<const std::int64_t> indices) {
  auto images = decode(indices, false);
  if (images.size() < indices.size()) {
    throw VideoError(fmt::format("{}: frame {} was asked for, but only {} decode", file_->path().string(),
                                 indices[images.size()], frame_count_));
  }
  return images;
}

ChosenFrames VideoReader::read_chosen(const FrameChooser& choose, std::int64_t known_count) {
  if (known_count < 0) known_count = frame_count_;
  if (known_count >= 0) return {known_count, read(choose(known_count))};
  if (claimed_frame_count_ < 0) return FrameSource::read_chosen(choose, -1);

  auto images = decode(choose(claimed_frame_count_), true);
  if (frame_count_ == claimed_frame_count_) return {frame_count_, std::move(images)};
  spdlog::info("{}: the container says {} frames, {} decode", file_->path().string(), claimed_frame_count_,
               frame_count_);
  return {frame_count_, read(choose(frame_count_))};
}

// The images of `indices`, fewer if the video ends before; goes on to the end if `to_end`, and knows the
// frame count there.
std::vector<Image> VideoReader::decode(std::span<const std::int64_t> indices, bool to_end) {
  if (!std::is_sorted(indices.begin(), indices.end()) || (!indices.empty() && indices.front() < 0)) {
    throw std::invalid_argument("VideoReader: frame indices must not be negative or decrease");
  }
  // Taken out while it works, so that after an exception a half-used decoder is not used again.
  auto decoder = std::move(decoder_);
  if (decoder == nullptr || (!indices.empty() && indices.front() < next_index_)) {
    decoder = std::make_unique<VideoDecoder>(*file_);
    next_index_ = 0;
  }
  std::vector<Image> images;
  while (images.size() < indices.size() || to_end) {
    const AVFrame* frame = decoder->next();
    if (frame == nullptr) {
      frame_count_ = next_index_;
      break;
    }
    if (next_index_ == 0) {
      converter_ = std::make_unique<FrameConverter>(*frame, orientation_of(decoder->display_matrix(*frame)));
    }
    const auto repeats = std::count(indices.begin() + images.size(), indices.end(), next_index_);
    ++next_index_;
    if (repeats == 0) continue;
    try {
      images.insert(images.end(), static_cast<std::size_t>(repeats), converter_->convert(*frame));
    } catch (const VideoError& problem) {
      throw VideoError(fmt::format("{}: {}", file_->path().string(), problem.what()));
    }
  }
  if (frame_count_ == 0) throw VideoError(fmt::format("{}: no frame decodes", file_->path().string()));
  decoder_ = std::move(decoder);
  return images;
}

}  // namespace actionclip
