#include "actionclip/video/video_reader.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"

#include "video/deadline.h"
#include "video/full_reader.h"
#include "video/regular_file.h"
#include "video/selective_reader.h"
#include "video/stopwatch.h"

namespace actionclip {
namespace {

// A shorter file's packets are looked at faster than an index of them is found and read.
constexpr std::int64_t kLongFileBytes = 16 << 20;

// What FrameIndex::details starts with.
constexpr char kPackets = 'p';  // PacketIndex::to_bytes()
constexpr char kTimes = 't';    // FrameTimes::to_bytes(): must be decoded in full

void check_indices(std::span<const std::int64_t> indices) {
  if (!std::is_sorted(indices.begin(), indices.end()) || (!indices.empty() && indices.front() < 0))
    throw std::invalid_argument("VideoReader: frame indices must not be negative or decrease");
}

std::vector<std::int64_t> shifted(std::vector<std::int64_t> indices, std::int64_t by) {
  for (auto& index : indices) index += by;
  return indices;
}

// The frames of the video at `path` in `range`. Throws VideoError if it begins behind them all.
FrameSpan frames_in(const FrameTimes& times, const TimeRange& range, const std::filesystem::path& path) {
  constexpr double kTolerance = 1;  // seconds: annotations are rounded
  if (const double last = times.last_seconds(); range.start > last + kTolerance) {
    throw VideoError(fmt::format("{}: the part begins at {} seconds, but the last frame is shown at {:.2f}",
                                 path.string(), range.start, last));
  }
  return times.within(range);
}

}  // namespace

ReadStatistics& ReadStatistics::operator+=(const ReadStatistics& other) {
  packets_decoded += other.packets_decoded;
  packets_read += other.packets_read;
  seeks += other.seeks;
  full_passes += other.full_passes;
  open_seconds += other.open_seconds;
  demux_seconds += other.demux_seconds;
  decode_seconds += other.decode_seconds;
  convert_seconds += other.convert_seconds;
  return *this;
}

VideoReader::VideoReader(const std::filesystem::path& path, double seconds_limit)
    : VideoReader(std::make_unique<RegularFile>(path), seconds_limit) {}

VideoReader::VideoReader(std::unique_ptr<RegularFile> file, double seconds_limit)
    : file_(std::move(file)),
      deadline_(std::make_unique<Deadline>(seconds_limit)),
      full_(std::make_unique<FullReader>(*file_, *deadline_)) {
  const Stopwatch watch(statistics_.open_seconds);
  stream_ = std::make_unique<VideoStream>(*file_, *deadline_, VideoStream::Analysis::if_needed);
  claimed_frame_count_ = stream_->claimed_frame_count();
  if (stream_->simple()) return;
  is_decided_ = true;
  full_->use(std::move(stream_));
}

VideoReader::~VideoReader() = default;

// Finds out which way the file can be read.
void VideoReader::decide(const FrameIndex& known) {
  const bool knows_kind = known.frame_count > 0 && !known.details.empty();
  if (knows_kind && known.details.front() == kTimes && !full_->knows_frame_count()) {
    if (auto times = FrameTimes::from_bytes(std::string_view(known.details).substr(1), known.frame_count)) {
      full_->know(known.frame_count, *std::move(times));
      is_decided_ = true;
    }
  }
  if (is_decided_) return;
  is_decided_ = true;
  const Stopwatch watch(statistics_.open_seconds);
  const bool knows_packets = knows_kind && known.details.front() == kPackets;
  std::string objection;
  selective_ = SelectiveReader::make(*file_, *deadline_, std::move(stream_),
                                     knows_packets ? known.details.substr(1) : std::string(), objection);
  if (selective_ == nullptr) spdlog::debug("{}: is decoded in full: {}", file_->path().string(), objection);
}

void VideoReader::stop_selecting(const std::string& reason) {
  spdlog::info("{}: is decoded in full, as its packets are not what they look like ({})",
               file_->path().string(), reason);
  statistics_ += selective_->statistics();
  selective_.reset();
  is_mispredicted_ = true;
}

// None if all must be decoded.
std::optional<std::vector<Image>> VideoReader::read_selected(std::span<const std::int64_t> indices) {
  check_indices(indices);
  const std::int64_t count = selective_->index().frame_count();
  if (!indices.empty() && indices.back() >= count) {
    const std::int64_t beyond = *std::lower_bound(indices.begin(), indices.end(), count);
    throw VideoError(
        fmt::format("{}: frame {} was asked for, but only {} decode", file_->path().string(), beyond, count));
  }
  // Who reads on and on, every frame, is better served by a decoder that goes on where it stands.
  if (!indices.empty()) {
    const bool reads_on = last_index_ >= 0 && indices.front() > last_index_;
    const std::int64_t distance = indices.back() - std::exchange(last_index_, indices.back());
    if (reads_on && distance <= selective_->cost(indices)) return full_->read(indices);
  }
  try {
    return selective_->read(indices);
  } catch (const Misprediction& surprise) {
    stop_selecting(surprise.what());
    return std::nullopt;
  }
}

std::int64_t VideoReader::frame_count() {
  const std::int64_t count = full_->frame_count();
  if (selective_ != nullptr && selective_->index().frame_count() != count)
    stop_selecting(fmt::format("{} frames decode", count));
  return count;
}

std::vector<Image> VideoReader::read(std::span<const std::int64_t> indices) {
  check_indices(indices);
  decide({});
  if (selective_ != nullptr) {
    if (auto images = read_selected(indices)) return *std::move(images);
  }
  return full_->read(indices);
}

std::vector<double> VideoReader::seconds_of(std::span<const std::int64_t> indices) {
  decide({});
  const FrameTimes& times = selective_ != nullptr ? selective_->index().times() : full_->times();
  std::vector<double> seconds;
  if (times.stamps.empty()) return seconds;
  for (const std::int64_t index : indices) seconds.push_back(times.seconds_at(index));
  return seconds;
}

ChosenFrames VideoReader::read_chosen(const FrameChooser& choose, const FrameIndex& known,
                                      const TimeRange& range) {
  decide(known);
  if (selective_ != nullptr) {
    const PacketIndex& index = selective_->index();
    const FrameSpan span =
        range.whole() ? FrameSpan{0, index.frame_count()} : frames_in(index.times(), range, file_->path());
    std::optional<FrameIndex> found;
    if (known.details.empty() && file_->size() >= kLongFileBytes)
      found = FrameIndex(index.frame_count(), kPackets + index.to_bytes());
    if (auto images = read_selected(shifted(choose(span.count), span.first)))
      return {.frame_count = span.count, .frames = *std::move(images), .index = std::move(found)};
  }
  return choose_in_full(choose, known, range);
}

ChosenFrames VideoReader::choose_in_full(const FrameChooser& choose, const FrameIndex& known,
                                         const TimeRange& range) {
  const bool is_new = !full_->knows_frame_count() && !is_mispredicted_;
  if (is_new && known.frame_count > 0) full_->know(known.frame_count);
  ChosenFrames chosen;
  std::optional<std::vector<Image>> guessed;
  const std::int64_t claim = claimed_frame_count_;
  if (range.whole() && claim > 0 && !full_->knows_frame_count()) {
    const auto indices = choose(claim);
    check_indices(indices);
    guessed = full_->read_to_end(indices);
    if (full_->frame_count() != claim) {
      spdlog::info("{}: the container says {} frames, {} decode", file_->path().string(), claim,
                   full_->frame_count());
      guessed.reset();
    }
  }
  FrameSpan span{0, 0};
  if (range.whole()) {
    span.count = full_->frame_count();
  } else if (full_->times().stamps.empty()) {
    throw VideoError(
        fmt::format("{}: has neither times nor a frame rate, so seconds {} to {} cannot be found",
                    file_->path().string(), range.start, range.end));
  } else {
    span = frames_in(full_->times(), range, file_->path());
  }
  chosen.frame_count = span.count;
  if (guessed) {
    chosen.frames = *std::move(guessed);
  } else {
    const auto indices = shifted(choose(span.count), span.first);
    check_indices(indices);
    chosen.frames = full_->read(indices);
  }
  // Where frames were predicted wrongly, the next reader must find that out for its own choice.
  if (is_new && full_->knows_times())
    chosen.index = FrameIndex(full_->frame_count(), kTimes + full_->times().to_bytes());
  return chosen;
}

ReadStatistics VideoReader::statistics() const {
  ReadStatistics all = statistics_;
  all += full_->statistics();
  if (selective_ != nullptr) all += selective_->statistics();
  return all;
}

}  // namespace actionclip
