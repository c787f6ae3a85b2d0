#include "video/selective_decoder.h"

#include <algorithm>
#include <span>
#include <utility>

#include "video/stopwatch.h"

namespace actionclip {
namespace {

// Reading on costs less than a seek up to here.
constexpr std::int64_t kSeekBytes = 256 << 10;

// Of a file of fewer bytes all packets are kept: ten seconds of 340 x 256 are one of these.
constexpr std::int64_t kKeptBytes = 2 << 20;

bool is_packet(const AVPacket& packet, const IndexedPacket& expected) {
  return packet.pts == expected.pts && packet.pos == expected.position && packet.size == expected.size;
}

// The frames that come out of a run, in the order they do.
std::vector<std::size_t> frames_of(const PacketIndex& index, const DecodeRun& run) {
  const auto& packets = index.packets();
  std::vector<std::size_t> frames;
  for (const std::size_t number : run.packets) {
    if (packets[number].presented) frames.push_back(number);
  }
  std::sort(frames.begin(), frames.end(),
            [&](std::size_t a, std::size_t b) { return packets[a].pts < packets[b].pts; });
  return frames;
}

}  // namespace

SelectiveDecoder::SelectiveDecoder(std::unique_ptr<VideoStream> stream, OpenStream open_stream)
    : stream_(std::move(stream)),
      open_stream_(std::move(open_stream)),
      codec_(stream_->open_decoder()),
      packet_(owned<UniquePacket>(av_packet_alloc())),
      frame_(owned<UniqueFrame>(av_frame_alloc())) {}

void SelectiveDecoder::keep(AVPacket& packet) {
  kept_bytes_ += packet.size;
  if (kept_bytes_ > kKeptBytes) {
    kept_.clear();
  } else {
    kept_.push_back(owned<UniquePacket>(av_packet_alloc()));
    av_packet_move_ref(kept_.back().get(), &packet);
  }
}

bool SelectiveDecoder::restores_order(const PacketIndex& index) {
  // Where the container does not tell, H.264's decoder knows from the first picture on; what it guesses
  // later, where the stream does not tell either, comes too late for frames that it has dropped by then.
  if (codec_->has_b_frames < index.reorder_depth())
    decode(index, {DecodeRun{0, {0}}}, [](const AVFrame&, std::size_t) {});
  return codec_->has_b_frames >= index.reorder_depth();
}

void SelectiveDecoder::decode(const PacketIndex& index, const std::vector<DecodeRun>& runs,
                              const TakeFrame& take) {
  for (const auto& run : runs) {
    go_to(index, run.first);
    decode_run(index, run, take);
  }
}

void SelectiveDecoder::decode_run(const PacketIndex& index, const DecodeRun& run, const TakeFrame& take) {
  const auto frames = frames_of(index, run);
  std::size_t done = 0;
  const auto receive = [&] {
    while (true) {
      int code = 0;
      {
        const Stopwatch watch(counters_.decode_seconds);
        code = avcodec_receive_frame(codec_.get(), frame_.get());
      }
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
      if (code < 0 || is_concealed(*frame_)) throw Misprediction(ffmpeg_error_text(code));
      if (done == frames.size() || frame_->pts != index.packets()[frames[done]].pts)
        throw Misprediction("a frame came that was not expected");
      take(*frame_, frames[done++]);
    }
  };
  const auto send = [&](const AVPacket* packet) {
    const Stopwatch watch(counters_.decode_seconds);
    const int code = avcodec_send_packet(codec_.get(), packet);
    if (code < 0) throw Misprediction(ffmpeg_error_text(code));
  };
  for (const std::size_t number : run.packets) {
    send(&packet(index, number));
    ++counters_.packets_decoded;
    receive();
  }
  send(nullptr);  // gives what is held back
  receive();
  avcodec_flush_buffers(codec_.get());
  if (done < frames.size()) throw Misprediction("a frame did not come");
}

// The packet of a number, for which the stream is read on.
const AVPacket& SelectiveDecoder::packet(const PacketIndex& index, std::size_t number) {
  if (!kept_.empty()) return *kept_[number];
  while (current_ < static_cast<std::int64_t>(number)) {
    next_packet();
    if (!is_packet(*packet_, index.packets()[static_cast<std::size_t>(++current_)]))
      throw Misprediction("a packet has changed its place");
  }
  return *packet_;
}

// Brings the stream to a packet, a seek point, or somewhere before.
void SelectiveDecoder::go_to(const PacketIndex& index, std::size_t number) {
  if (!kept_.empty()) return;
  const auto& packets = index.packets();
  const bool is_ahead = current_ != kNowhere && current_ <= static_cast<std::int64_t>(number);
  const std::int64_t position = current_ >= 0 ? packets[static_cast<std::size_t>(current_)].position : 0;
  if (is_ahead && (!may_seek_ || packets[number].position - position < kSeekBytes)) return;
  if (may_seek_ && seek(index, number)) return;
  // Once a seek has gone astray, the file is read from its start.
  may_seek_ = false;
  stream_ = open_stream_();
  current_ = kStart;
}

// False if the stream was lost on the way.
bool SelectiveDecoder::seek(const PacketIndex& index, std::size_t number) {
  const Stopwatch watch(counters_.demux_seconds);
  ++counters_.seeks;
  current_ = kNowhere;
  if (!stream_->seek(index.packets()[number].pts, index.packets()[number].dts)) return false;
  if (stream_->read(*packet_) != VideoStream::Outcome::packet) return false;
  ++counters_.packets_read;
  for (auto found = static_cast<std::int64_t>(number); found >= 0 && current_ == kNowhere; --found) {
    if (is_packet(*packet_, index.packets()[static_cast<std::size_t>(found)])) current_ = found;
  }
  return current_ != kNowhere;
}

void SelectiveDecoder::next_packet() {
  const Stopwatch watch(counters_.demux_seconds);
  if (stream_->read(*packet_) != VideoStream::Outcome::packet) throw Misprediction("a packet is missing");
  ++counters_.packets_read;
}

}  // namespace actionclip
