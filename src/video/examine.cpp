#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/video/frame_folder.h"
#include "actionclip/video/image_file.h"
#include "actionclip/video/verify.h"

#include "video/deadline.h"
#include "video/file_stamp.h"
#include "video/frame_converter.h"
#include "video/frame_entry.h"
#include "video/jpeg.h"
#include "video/regular_file.h"
#include "video/video_decoder.h"
#include "video/video_stream.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace actionclip {
namespace {

// Luma of frames of any pixel format.
class LumaReader {
 public:
  // Valid until the next call. Throws VideoError (without a path) if the pixel format cannot be converted.
  LumaPlane read(const AVFrame& frame) {
    const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
    constexpr std::uint64_t kOthers =
        AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL;
    const auto& luma = format->comp[0];
    // A difference hash asks which cells are lighter, so that the range of the levels does not matter.
    if ((format->flags & kOthers) == 0 && luma.depth == 8 && luma.step == 1 && luma.offset == 0) {
      return {frame.data[luma.plane], frame.width, frame.height, frame.linesize[luma.plane]};
    }
    scaler_.reset(sws_getCachedContext(scaler_.release(), frame.width, frame.height,
                                       static_cast<AVPixelFormat>(frame.format), frame.width, frame.height,
                                       AV_PIX_FMT_GRAY8, SWS_POINT, nullptr, nullptr, nullptr));
    const int row_bytes = FFALIGN(frame.width, kRowAlignment) + kRowAlignment;
    grey_.resize(static_cast<std::size_t>(row_bytes) * static_cast<std::size_t>(frame.height) +
                 kRowAlignment);
    std::uint8_t* const planes[] = {grey_.data()};
    const int strides[] = {row_bytes};
    if (scaler_ == nullptr || sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, planes,
                                        strides) != frame.height) {
      throw VideoError(fmt::format("its pixel format '{}' cannot be converted to grey", format->name));
    }
    return {grey_.data(), frame.width, frame.height, row_bytes};
  }

 private:
  static constexpr int kRowAlignment = 64;  // libswscale writes whole blocks

  UniqueScaler scaler_;
  std::vector<std::uint8_t> grey_;
};

// From the first frame's presentation to the end of the last one's.
class Duration {
 public:
  void add(const AVFrame& frame) {
    const std::int64_t time = frame.best_effort_timestamp;
    if (time == AV_NOPTS_VALUE) return;
    if (first_ == AV_NOPTS_VALUE) first_ = time;
    if (last_ != AV_NOPTS_VALUE && time > last_) step_ = time - last_;
    last_ = std::max(last_, time);
    own_ = frame.pkt_duration;
  }

  double seconds(AVRational unit) const {
    if (first_ == AV_NOPTS_VALUE) return 0;
    const std::int64_t of_last = own_ > 0 ? own_ : step_;
    return static_cast<double>(last_ - first_ + of_last) * av_q2d(unit);
  }

 private:
  std::int64_t first_ = AV_NOPTS_VALUE;
  std::int64_t last_ = AV_NOPTS_VALUE;  // the smallest number there is
  std::int64_t step_ = 0;               // between the last two
  std::int64_t own_ = 0;                // how long the last one says it is shown
};

Turn turn_of(const Orientation& orientation) {
  return {orientation.transpose, orientation.flip_x, orientation.flip_y};
}

void examine_frames(RegularFile& file, const Deadline& deadline, VideoFacts& facts) {
  VideoDecoder decoder(std::make_unique<VideoStream>(file, deadline, VideoStream::Analysis::always));
  VideoHasher hasher;
  LumaReader luma;
  Duration duration;
  while (const AVFrame* frame = decoder.next()) {
    const Orientation orientation = orientation_of(decoder.stream().display_matrix(*frame));
    if (hasher.frame_count() == 0) {
      facts.width = orientation.transpose ? frame->height : frame->width;
      facts.height = orientation.transpose ? frame->width : frame->height;
    }
    duration.add(*frame);
    hasher.add(luma.read(*frame), turn_of(orientation));
  }
  if (hasher.frame_count() == 0) throw VideoError("no frame decodes");
  const AVStream& stream = decoder.stream().stream();
  facts.codec = avcodec_get_name(stream.codecpar->codec_id);
  facts.frames = hasher.frame_count();
  facts.seconds = duration.seconds(stream.time_base);
  facts.fps = facts.seconds > 0 ? static_cast<double>(facts.frames) / facts.seconds : 0;
  facts.hash = hasher.hash();
}

void add_image(const Image& image, VideoHasher& hasher) {
  std::vector<std::uint8_t> grey(image.rgb.size() / 3);
  for (std::size_t i = 0; i < grey.size(); ++i) {
    const auto* pixel = &image.rgb[3 * i];
    // Weights of BT.601, as the luma of most videos has them.
    grey[i] = static_cast<std::uint8_t>((299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2] + 500) / 1000);
  }
  hasher.add({grey.data(), image.width, image.height, image.width});
}

std::vector<std::filesystem::path> frame_files(const VideoEntry& entry, const DatasetConfig& config) {
  const auto folder = open_frame_folder(entry, config);
  std::vector<std::filesystem::path> files;
  for (std::int64_t i = 0; i < folder->frame_count(); ++i) files.push_back(folder->file(i));
  return files;
}

void examine_images(const std::vector<std::filesystem::path>& files, const Deadline& deadline,
                    VideoFacts& facts) {
  VideoHasher hasher;
  std::string contents;  // SHA-256 of each file
  for (const auto& file : files) {
    if (deadline.passed()) throw VideoError(fmt::format("not read within {} seconds", deadline.seconds()));
    const Image image = read_image(file);
    if (hasher.frame_count() == 0) {
      facts.width = image.width;
      facts.height = image.height;
    }
    add_image(image, hasher);
    contents += sha256_of_file(file);
  }
  facts.codec = "images";
  facts.frames = hasher.frame_count();
  facts.hash = hasher.hash();
  facts.sha256 = files.size() == 1 ? contents : sha256_of(contents);
}

void examine_into(const VideoEntry& entry, const DatasetConfig& config, double seconds, VideoFacts& facts) {
  const Deadline deadline(seconds);
  std::error_code unknown;
  // A folder by itself, which no list names, is one of frames too.
  if (is_frame_folder(entry, config.format) || std::filesystem::is_directory(entry.path, unknown)) {
    examine_images(frame_files(entry, config), deadline, facts);
    return;
  }
  RegularFile file(entry.path);
  if (is_jpeg(file)) {
    examine_images({entry.path}, deadline, facts);
    return;
  }
  facts.sha256 = sha256_of_file(entry.path);
  examine_frames(file, deadline, facts);
}

}  // namespace

VideoFacts examine_video(const VideoEntry& entry, const DatasetConfig& config, double seconds) {
  VideoFacts facts;
  facts.path = entry.path.string();
  const FileStamp stamp = stamp_of(entry.path);
  facts.bytes = stamp.bytes;
  facts.modified = stamp.modified;
  try {
    examine_into(entry, config, seconds, facts);
    facts.decodable = true;
  } catch (const Error& problem) {
    facts.reason = problem.what() + format_hint(entry, config.format);
  } catch (const std::bad_alloc&) {
    facts.reason = "not enough memory";
  }
  std::ranges::replace_if(
      facts.reason, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return facts;
}

}  // namespace actionclip
