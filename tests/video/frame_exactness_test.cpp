// The frames that are picked out of a video are those of a full decode by FFmpeg's own libraries: bit for bit
// before their colours are converted, and in RGB as PyAV gives them.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "actionclip/video/sampler.h"
#include "actionclip/video/video_reader.h"

#include "tests/parity/run_python.h"
#include "tests/video/moving_videos.h"
#include "video/frame_converter.h"
#include "video/packet_index.h"
#include "video/selective_decoder.h"
#include "video/video_decoder.h"
extern "C" {
#include <libavutil/imgutils.h>
}

namespace actionclip {
namespace {

using namespace actionclip::testing;

// Size, format and all bytes of a frame as its decoder gave them.
std::string planes_of(const AVFrame& frame) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const int size = av_image_get_buffer_size(format, frame.width, frame.height, 1);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  av_image_copy_to_buffer(reinterpret_cast<std::uint8_t*>(bytes.data()), size, frame.data, frame.linesize,
                          format, frame.width, frame.height, 1);
  return std::to_string(frame.width) + "x" + std::to_string(frame.height) + av_get_pix_fmt_name(format) +
         bytes;
}

struct PlainDecode {
  std::vector<UniqueFrame> frames;
  std::vector<std::string> planes;
  std::vector<Image> images;
};

// Every frame of a file as FFmpeg's examples decode one, with nothing of the library but its colours.
PlainDecode decode_plainly(const std::filesystem::path& path) {
  AVFormatContext* raw = nullptr;
  detail::require(avformat_open_input(&raw, path.c_str(), nullptr, nullptr), "opening");
  const detail::Input input(raw);
  detail::require(avformat_find_stream_info(input.get(), nullptr), "looking for streams");
  const AVCodec* decoder = nullptr;
  const int number = av_find_best_stream(input.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  detail::require(number, "finding the pictures");
  const AVStream& stream = *input->streams[number];
  const detail::Codec codec(avcodec_alloc_context3(decoder));
  detail::require(avcodec_parameters_to_context(codec.get(), stream.codecpar), "stream parameters");
  codec->pkt_timebase = stream.time_base;
  detail::require(avcodec_open2(codec.get(), decoder, nullptr), "opening the decoder");

  PlainDecode all;
  const auto send = [&](const AVPacket* packet) {
    detail::require(avcodec_send_packet(codec.get(), packet), "decoding");
    UniqueFrame frame(av_frame_alloc());
    while (avcodec_receive_frame(codec.get(), frame.get()) >= 0) {
      all.planes.push_back(planes_of(*frame));
      all.frames.push_back(std::move(frame));
      frame.reset(av_frame_alloc());
    }
  };
  const detail::Packet packet(av_packet_alloc());
  while (av_read_frame(input.get(), packet.get()) >= 0) {
    if (packet->stream_index == number && packet->size > 0) send(packet.get());
    av_packet_unref(packet.get());
  }
  send(nullptr);
  const auto* matrix = reinterpret_cast<const std::int32_t*>(
      av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr));
  FrameConverter converter(*all.frames.at(0), orientation_of(matrix), path);
  for (const auto& frame : all.frames) all.images.push_back(converter.convert(*frame));
  return all;
}

// The same choices as in training and tests besides those of choices_of().
std::vector<std::vector<std::int64_t>> all_choices(std::int64_t count) {
  auto choices = choices_of(count);
  const SamplingConfig sparse, dense{.strategy = FrameSampling::dense, .stride = 3},
      even{.strategy = FrameSampling::uniform};
  for (const std::int64_t frames : {1, 8, 16}) {
    for (const auto& sampling : {sparse, dense, even}) {
      choices.push_back(sample_test_frames(count, frames, 1, 3, sampling));
      RandomStream random(1, RandomPurpose::kFrames, 0, static_cast<std::uint64_t>(frames));
      for (int draw = 0; draw < 3; ++draw)
        choices.push_back(sample_training_frames(count, frames, sampling, random));
    }
  }
  choices.push_back(up_to(count));
  return choices;
}

// Decodes as SelectiveReader does, up to the point where it converts colours.
class PlaneReader {
 public:
  explicit PlaneReader(const std::filesystem::path& path) : file_(path) {
    auto stream = open();
    if (!stream->simple()) return;
    decoder_.emplace(std::move(stream), [this] { return open(); });
    std::string objection;
    index_ = PacketIndex::scan(decoder_->stream(), objection,
                               [this](AVPacket& packet) { decoder_->keep(packet); });
    if (index_ && !decoder_->restores_order(*index_)) index_.reset();
  }

  bool is_selective() const { return index_.has_value(); }
  std::int64_t frame_count() const { return index_->frame_count(); }

  std::map<std::int64_t, std::string> read(const std::vector<std::int64_t>& indices) {
    std::map<std::size_t, std::int64_t> index_of;
    std::vector<std::size_t> packets;
    for (const auto index : indices)
      index_of.emplace(index_->by_time().at(static_cast<std::size_t>(index)), index);
    for (const auto& [packet, index] : index_of) packets.push_back(packet);
    std::map<std::int64_t, std::string> planes;
    decoder_->decode(*index_, index_->plan(packets), [&](const AVFrame& frame, std::size_t packet) {
      if (index_of.contains(packet)) planes.emplace(index_of.at(packet), planes_of(frame));
    });
    return planes;
  }

  // All frames of a file that is decoded in full.
  std::vector<std::string> read_all() {
    VideoDecoder decoder(std::make_unique<VideoStream>(file_, never_, VideoStream::Analysis::always));
    std::vector<std::string> planes;
    while (const AVFrame* frame = decoder.next()) planes.push_back(planes_of(*frame));
    return planes;
  }

 private:
  std::unique_ptr<VideoStream> open() {
    return std::make_unique<VideoStream>(file_, never_, VideoStream::Analysis::if_needed);
  }

  RegularFile file_;
  const Deadline never_{0};
  std::optional<SelectiveDecoder> decoder_;
  std::optional<PacketIndex> index_;
};

class FrameExactness : public ::testing::TestWithParam<VideoKind> {
 protected:
  void SetUp() override {
    path_ = folder_ / GetParam().file;
    GetParam().write(path_, GetParam().video);
  }

  const TemporaryFolder folder_;
  std::filesystem::path path_;
};

TEST_P(FrameExactness, TheDecodedPlanesAreThoseOfAFullDecodeBitForBit) {
  const PlainDecode plain = decode_plainly(path_);
  PlaneReader reader(path_);
  ASSERT_EQ(reader.is_selective(), GetParam().selective);
  EXPECT_TRUE(reader.read_all() == plain.planes);
  if (!reader.is_selective()) return;
  ASSERT_EQ(reader.frame_count(), std::ssize(plain.planes));
  for (const auto& choice : all_choices(reader.frame_count())) {
    const auto planes = reader.read(choice);
    for (const auto index : choice) {
      ASSERT_TRUE(planes.contains(index)) << "frame " << index;
      EXPECT_TRUE(planes.at(index) == plain.planes[static_cast<std::size_t>(index)]) << "frame " << index;
    }
  }
}

TEST_P(FrameExactness, EveryChoiceOfFramesGivesTheImagesOfAFullDecode) {
  const PlainDecode plain = decode_plainly(path_);
  const bool is_selective = GetParam().selective;
  const auto count = std::ssize(plain.images);
  VideoReader reused(path_);
  const auto choices = all_choices(count);
  // A full decode gives the same whatever is chosen: a few are enough.
  for (std::size_t i = 0; i < choices.size(); i += is_selective ? 1 : 13) {
    const auto& choice = choices[i];
    VideoReader fresh(path_);
    const auto chosen = fresh.read_chosen(always(choice));
    EXPECT_EQ(chosen.frame_count, count);
    EXPECT_EQ(differing(chosen.frames, choice, plain.images), "");
    EXPECT_EQ(fresh.statistics().full_passes > 0, !is_selective);
    EXPECT_EQ(differing(reused.read(choice), choice, plain.images), "") << "whatever was read before";
  }
  EXPECT_EQ(VideoReader(path_).frame_count(), count);
}

TEST_P(FrameExactness, ImagesAreWithinTwoOfPyAv) {
  const auto raw = folder_ / "frames.rgb";
  std::istringstream report(run_python("video_reference.py", {path_.string(), raw.string()}));
  std::int64_t count = 0, height = 0, width = 0;
  report >> count >> height >> width;
  VideoReader reader(path_);
  ASSERT_EQ(reader.frame_count(), count);
  const std::string expected = read_text(raw);
  const std::size_t bytes = static_cast<std::size_t>(width * height * 3);
  ASSERT_EQ(expected.size(), static_cast<std::size_t>(count) * bytes);
  const auto images = reader.read(up_to(count));
  for (std::size_t i = 0; i < images.size(); ++i) {
    ASSERT_EQ(images[i].width, width);
    ASSERT_EQ(images[i].height, height);
    int largest = 0;
    for (std::size_t at = 0; at < bytes; ++at) {
      const int theirs = static_cast<unsigned char>(expected[i * bytes + at]);
      largest = std::max(largest, std::abs(images[i].rgb[at] - theirs));
    }
    EXPECT_LE(largest, 2) << "frame " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, FrameExactness, ::testing::ValuesIn(moving_kinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace actionclip
