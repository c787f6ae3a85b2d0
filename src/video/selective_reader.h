// Frames of a video file by decoding what they need and no more.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "actionclip/video/image.h"
#include "actionclip/video/video_reader.h"

#include "video/deadline.h"
#include "video/frame_converter.h"
#include "video/packet_index.h"
#include "video/regular_file.h"
#include "video/selective_decoder.h"

namespace actionclip {

class SelectiveReader {
 public:
  // For a file whose frames can be predicted; `stream` is simple() and stands at its start. `known`: what
  // index_bytes() gave for the file, or nothing. nullptr, with the reason in `objection`, if its frames
  // cannot be predicted. `file` and `deadline` must outlive the reader. Throws VideoError if the deadline
  // passes or there is no decoder.
  static std::unique_ptr<SelectiveReader> make(RegularFile& file, const Deadline& deadline,
                                               std::unique_ptr<VideoStream> stream, const std::string& known,
                                               std::string& objection);

  const PacketIndex& index() const { return index_; }

  // Packets that must be decoded for the frames at `indices`, which do not decrease and exist.
  std::int64_t cost(std::span<const std::int64_t> indices) const;

  // The images of `indices`. Throws Misprediction if all must be decoded instead; VideoError if the deadline
  // passes.
  std::vector<Image> read(std::span<const std::int64_t> indices);

  ReadStatistics statistics() const;

 private:
  SelectiveReader(RegularFile& file, SelectiveDecoder decoder, PacketIndex index);
  std::vector<DecodeRun> plan(std::span<const std::int64_t> indices) const;
  void prepare_converter(const AVFrame& frame);

  RegularFile& file_;
  SelectiveDecoder decoder_;
  PacketIndex index_;
  std::unique_ptr<FrameConverter> converter_;
  int width_ = 0;  // of the first frame, as stored
  int height_ = 0;
  double convert_seconds_ = 0;
};

}  // namespace actionclip
