// Decodes those packets of a video file that some of its frames need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "video/ffmpeg.h"
#include "video/packet_index.h"
#include "video/video_stream.h"

namespace actionclip {

// The file does not give what its index predicts: damage, or a stream that keeps to no standard. A full
// decode tells which.
class Misprediction : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What decoding took, for tests and benchmarks.
struct DecodeCounters {
  std::int64_t packets_read = 0;
  std::int64_t packets_decoded = 0;
  std::int64_t seeks = 0;
  double demux_seconds = 0;
  double decode_seconds = 0;
};

class SelectiveDecoder {
 public:
  using OpenStream = std::function<std::unique_ptr<VideoStream>()>;
  // Called with frames in the order they are shown, and their packets.
  using TakeFrame = std::function<void(const AVFrame& frame, std::size_t packet)>;

  // `stream` stands anywhere; `open_stream` gives it anew, at its start. Throws VideoError if it has no
  // decoder.
  SelectiveDecoder(std::unique_ptr<VideoStream> stream, OpenStream open_stream);

  // Moves from a packet, the one after the last kept, so that it need not be read again. Short files are kept
  // whole, others not at all.
  void keep(AVPacket& packet);

  // Whether the decoder holds back enough pictures to put them in order. Throws as decode().
  bool restores_order(const PacketIndex& index);

  VideoStream& stream() { return *stream_; }

  // Decodes the runs and gives all frames that come out of them. Throws Misprediction; VideoError if the
  // deadline passes.
  void decode(const PacketIndex& index, const std::vector<DecodeRun>& runs, const TakeFrame& take);

  const DecodeCounters& counters() const { return counters_; }

 private:
  void decode_run(const PacketIndex& index, const DecodeRun& run, const TakeFrame& take);
  const AVPacket& packet(const PacketIndex& index, std::size_t number);
  void go_to(const PacketIndex& index, std::size_t number);
  bool seek(const PacketIndex& index, std::size_t number);
  void next_packet();

  std::unique_ptr<VideoStream> stream_;
  OpenStream open_stream_;
  UniqueCodec codec_;
  UniquePacket packet_;
  UniqueFrame frame_;
  std::int64_t current_ = kNowhere;  // number of the packet in packet_, which stream_ has given last
  bool may_seek_ = true;
  std::vector<UniquePacket> kept_;
  std::int64_t kept_bytes_ = 0;
  DecodeCounters counters_;

  static constexpr std::int64_t kStart = -1, kNowhere = -2;
};

}  // namespace actionclip
