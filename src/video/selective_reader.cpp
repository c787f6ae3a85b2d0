#include "video/selective_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "video/stopwatch.h"

namespace actionclip {

std::unique_ptr<SelectiveReader> SelectiveReader::make(RegularFile& file, const Deadline& deadline,
                                                       std::unique_ptr<VideoStream> stream,
                                                       const std::string& known, std::string& objection) {
  const auto open_anew = [&file, &deadline] {
    return std::make_unique<VideoStream>(file, deadline, VideoStream::Analysis::if_needed);
  };
  SelectiveDecoder decoder(std::move(stream), open_anew);
  std::optional<PacketIndex> index;
  if (!known.empty()) index = PacketIndex::from_bytes(known);
  try {
    const auto keep = [&decoder](AVPacket& packet) { decoder.keep(packet); };
    if (!index) index = PacketIndex::scan(decoder.stream(), objection, keep);
    if (!index) return nullptr;
    if (!decoder.restores_order(*index)) {
      objection = "its decoder would not restore the order of its pictures";
      return nullptr;
    }
  } catch (const Misprediction& surprise) {
    objection = surprise.what();
    return nullptr;
  }
  return std::unique_ptr<SelectiveReader>(new SelectiveReader(file, std::move(decoder), *std::move(index)));
}

SelectiveReader::SelectiveReader(RegularFile& file, SelectiveDecoder decoder, PacketIndex index)
    : file_(file), decoder_(std::move(decoder)), index_(std::move(index)) {}

std::vector<DecodeRun> SelectiveReader::plan(std::span<const std::int64_t> indices) const {
  std::vector<std::size_t> packets;
  packets.reserve(indices.size());
  for (const std::int64_t i : indices) packets.push_back(index_.by_time()[static_cast<std::size_t>(i)]);
  std::sort(packets.begin(), packets.end());
  packets.erase(std::unique(packets.begin(), packets.end()), packets.end());
  return index_.plan(packets);
}

std::int64_t SelectiveReader::cost(std::span<const std::int64_t> indices) const {
  std::int64_t packets = 0;
  for (const auto& run : plan(indices)) packets += std::ssize(run.packets);
  return packets;
}

std::vector<Image> SelectiveReader::read(std::span<const std::int64_t> indices) {
  std::vector<Image> images(indices.size());
  const auto& stamps = index_.times().stamps;
  const auto take = [&](const AVFrame& frame, std::size_t) {
    prepare_converter(frame);
    const auto index = std::lower_bound(stamps.begin(), stamps.end(), frame.pts) - stamps.begin();
    const auto [first, end] = std::equal_range(indices.begin(), indices.end(), index);
    if (first == end) return;
    const Stopwatch watch(convert_seconds_);
    Image image = converter_->convert(frame);
    auto place = images.begin() + (first - indices.begin());
    for (auto repeat = end - first; repeat > 1; --repeat) *place++ = image;
    *place = std::move(image);
  };
  decoder_.decode(index_, plan(indices), take);
  return images;
}

void SelectiveReader::prepare_converter(const AVFrame& frame) {
  if (converter_ == nullptr) {
    converter_ = std::make_unique<FrameConverter>(
        frame, orientation_of(decoder_.stream().display_matrix(frame)), file_.path());
    width_ = frame.width;
    height_ = frame.height;
  }
  if (frame.width != width_ || frame.height != height_) throw Misprediction("its frames change their size");
}

ReadStatistics SelectiveReader::statistics() const {
  const DecodeCounters& counters = decoder_.counters();
  return {.packets_decoded = counters.packets_decoded,
          .packets_read = counters.packets_read,
          .seeks = counters.seeks,
          .demux_seconds = counters.demux_seconds,
          .decode_seconds = counters.decode_seconds,
          .convert_seconds = convert_seconds_};
}

}  // namespace actionclip
