#include "video/full_reader.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "video/stopwatch.h"

namespace actionclip {

std::vector<Image> FullReader::read(std::span<const std::int64_t> indices) {
  auto images = decode(indices, false);
  if (images.size() < indices.size()) {
    throw VideoError(fmt::format("{}: frame {} was asked for, but only {} decode", file_.path().string(),
                                 indices[images.size()], frame_count_));
  }
  return images;
}

std::int64_t FullReader::frame_count() {
  if (frame_count_ < 0) decode({}, true);
  return frame_count_;
}

const FrameTimes& FullReader::times() {
  if (!knows_times_) decode({}, true);
  return times_;
}

void FullReader::know(std::int64_t frame_count, FrameTimes times) {
  frame_count_ = frame_count;
  times_ = std::move(times);
  knows_times_ = true;
}

void FullReader::start() {
  const Stopwatch watch(statistics_.open_seconds);
  if (stream_ == nullptr)
    stream_ = std::make_unique<VideoStream>(file_, deadline_, VideoStream::Analysis::always);
  decoder_ = std::make_unique<VideoDecoder>(std::move(stream_));
  next_index_ = 0;
  ++statistics_.full_passes;
}

std::vector<Image> FullReader::decode(std::span<const std::int64_t> indices, bool to_end) {
  // Taken out while it works, so that after an exception a half-used decoder is not used again.
  if (decoder_ == nullptr || (!indices.empty() && indices.front() < next_index_)) start();
  auto decoder = std::move(decoder_);
  std::vector<Image> images;
  while (images.size() < indices.size() || to_end) {
    const AVFrame* frame = nullptr;
    {
      const Stopwatch watch(statistics_.decode_seconds);
      const std::int64_t sent_before = decoder->packets_sent();
      frame = decoder->next();
      statistics_.packets_decoded += decoder->packets_sent() - sent_before;
    }
    if (frame == nullptr) {
      finish(*decoder);
      break;
    }
    if (next_index_ == 0) {
      converter_ = std::make_unique<FrameConverter>(
          *frame, orientation_of(decoder->stream().display_matrix(*frame)), file_.path());
    }
    if (!knows_times_ && next_index_ == std::ssize(times_.stamps))
      times_.stamps.push_back(frame->best_effort_timestamp);
    const auto repeats = std::count(indices.begin() + std::ssize(images), indices.end(), next_index_);
    ++next_index_;
    if (repeats == 0) continue;
    const Stopwatch watch(statistics_.convert_seconds);
    images.insert(images.end(), static_cast<std::size_t>(repeats), converter_->convert(*frame));
  }
  if (frame_count_ == 0) throw VideoError(fmt::format("{}: no frame decodes", file_.path().string()));
  decoder_ = std::move(decoder);
  return images;
}

// The end has been reached.
void FullReader::finish(const VideoDecoder& decoder) {
  frame_count_ = next_index_;
  if (knows_times_) return;
  knows_times_ = true;
  auto& stamps = times_.stamps;
  const AVStream& stream = decoder.stream().stream();
  times_.unit = stream.time_base;
  if (times_.are_sound()) return;
  times_.unit = av_inv_q(stream.avg_frame_rate);
  if (stream.avg_frame_rate.num <= 0 || stream.avg_frame_rate.den <= 0) {
    stamps.clear();
  } else {
    std::iota(stamps.begin(), stamps.end(), std::int64_t{0});
  }
}

}  // namespace actionclip
