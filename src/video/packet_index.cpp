#include "video/packet_index.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "actionclip/core/error.h"

#include "video/picture_parser.h"
#include "video/varint.h"

namespace actionclip {
namespace {

// A video of more packets (39 hours at 30 a second) is decoded in full, without a table of them.
constexpr std::size_t kMaxPackets = std::size_t{1} << 22;

bool is_believable(const IndexedPacket& packet) {
  const auto fits = [](std::int64_t value) {
    return value > -FrameTimes::kMaxStamp && value < FrameTimes::kMaxStamp;
  };
  return fits(packet.pts) && (packet.dts == AV_NOPTS_VALUE || fits(packet.dts)) && packet.position >= 0 &&
         fits(packet.position) && packet.size > 0;
}

// What tells the order of pictures apart from their times.
struct Numbering {
  std::int64_t period = 0;  // restarts before
  std::int64_t order = 0;

  auto operator<=>(const Numbering&) const = default;
};

// How many pictures a decoder must hold back to give them in the order `ranks`, listed as they are decoded.
// None if it is more than any decoder does.
std::optional<int> needed_depth(const std::vector<std::size_t>& ranks) {
  constexpr std::size_t kMost = 16;
  std::vector<std::size_t> early;  // decoded before one that is shown before them; increasing
  std::size_t next = 0;            // all ranks below have come
  std::size_t depth = 0;
  for (const std::size_t rank : ranks) {
    const auto place = std::lower_bound(early.begin(), early.end(), rank);
    depth = std::max(depth, static_cast<std::size_t>(early.end() - place));
    early.insert(place, rank);
    std::size_t done = 0;
    while (done < early.size() && early[done] == next) {
      ++done;
      ++next;
    }
    early.erase(early.begin(), early.begin() + static_cast<std::ptrdiff_t>(done));
    if (early.size() > 4 * kMost) return std::nullopt;
  }
  return depth <= kMost ? std::optional(static_cast<int>(depth)) : std::nullopt;
}

// Positions of `values` in increasing order.
template <typename Value>
std::vector<std::size_t> sorted_order(const std::vector<Value>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  return order;
}

std::int64_t wrapping_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// Collects what packets say, and what speaks against predicting their frames.
class Scan {
 public:
  explicit Scan(const VideoStream& stream)
      : parameters_(stream.parameters()), parser_(make_picture_parser(parameters_)) {}

  // nullptr, or what speaks against it.
  const char* add(const AVPacket& packet) {
    if (packets_.size() == kMaxPackets) return "it has too many packets";
    for (int i = 0; i < packet.side_data_elems; ++i) {
      const auto type = packet.side_data[i].type;
      if (type == AV_PKT_DATA_NEW_EXTRADATA || type == AV_PKT_DATA_PARAM_CHANGE)
        return "its parameters change";
    }
    const PictureFacts facts = parser_->parse(packet);
    if (facts.objection != nullptr) return facts.objection;
    const bool is_hidden = (packet.flags & AV_PKT_FLAG_DISCARD) != 0;
    // Other decoders show such frames all the same.
    if (is_hidden && !parser_->has_order()) return "an edit list hides frames";
    if (const char* objection = add_headers(facts)) return objection;
    if (facts.restart) ++period_;
    numbers_.push_back({period_, facts.order});
    layers_.push_back(facts.layer);
    packets_.push_back({packet.pts, packet.dts, packet.pos, packet.size, facts.seek_point, facts.reference,
                        facts.presented && !is_hidden});
    return is_believable(packets_.back()) ? nullptr : "a packet has no time or no place";
  }

  // The same about the whole.
  const char* finish() {
    if (packets_.empty() || !packets_[0].seek_point) return "it does not start with a key picture";
    if (!parser_->has_order()) return times_increase() ? nullptr : "its times do not increase";
    std::vector<std::int64_t> times(packets_.size());
    std::transform(packets_.begin(), packets_.end(), times.begin(), [](const auto& p) { return p.pts; });
    const auto order = sorted_order(times);
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (times[order[i]] == times[order[i - 1]]) return "two packets have one time";
    }
    if (order != sorted_order(numbers_)) return "the times and the numbers of its pictures disagree";
    if (order[0] != 0) return "frames before its first key picture are shown";
    std::vector<std::size_t> ranks(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) ranks[order[i]] = i;
    const auto depth = needed_depth(ranks);
    if (!depth) return "its pictures are too far out of order";
    reorder_depth_ = *depth;
    // Only what is on the highest layer is referred to by none.
    const int highest = *std::max_element(layers_.begin(), layers_.end());
    for (std::size_t i = 0; i < packets_.size(); ++i) {
      if (layers_[i] < highest) packets_[i].reference = true;
    }
    return nullptr;
  }

  bool needs_first() const { return !parser_->can_skip_first() || only_first_has_headers_; }
  int reorder_depth() const { return reorder_depth_; }
  std::vector<IndexedPacket>& packets() { return packets_; }

 private:
  // Hidden pictures may have the time of the next one that is shown.
  bool times_increase() const {
    for (std::size_t i = 1, shown = 0; i < packets_.size(); ++i) {
      const bool is_later = packets_[i].presented ? packets_[i].pts > packets_[shown].pts
                                                  : packets_[i].pts >= packets_[shown].pts;
      if (!is_later) return false;
      if (packets_[i].presented) shown = i;
    }
    return packets_[0].presented;
  }

  // Parameter sets in packets do no harm if all seek points bring the same ones, or the first packet alone
  // does.
  const char* add_headers(const PictureFacts& facts) {
    constexpr const char* kChange = "parameters change between its packets";
    if (packets_.empty()) {
      first_headers_ = facts.headers;
    } else if (!facts.seek_point) {
      if (facts.headers != 0) return kChange;
    } else if (facts.headers == 0 && first_headers_ != 0) {
      only_first_has_headers_ = true;
    } else if (facts.headers != first_headers_ || only_first_has_headers_) {
      return kChange;
    } else {
      later_have_headers_ = facts.headers != 0;
    }
    return only_first_has_headers_ && later_have_headers_ ? kChange : nullptr;
  }

  const AVCodecParameters& parameters_;
  std::unique_ptr<PictureParser> parser_;
  std::vector<IndexedPacket> packets_;
  std::vector<Numbering> numbers_;
  std::vector<int> layers_;
  std::int64_t period_ = 0;
  int reorder_depth_ = 0;
  std::uint64_t first_headers_ = 0;
  bool only_first_has_headers_ = false;
  bool later_have_headers_ = false;
};

}  // namespace

std::optional<PacketIndex> PacketIndex::scan(VideoStream& stream, std::string& objection,
                                             const TakePacket& take) {
  Scan scan(stream);
  const auto packet = owned<UniquePacket>(av_packet_alloc());
  while (true) {
    const auto outcome = stream.read(*packet);
    if (outcome == VideoStream::Outcome::end) break;
    if (outcome == VideoStream::Outcome::damaged) {
      objection = stream.damage();
      return std::nullopt;
    }
    if (const char* reason = scan.add(*packet)) {
      objection = reason;
      return std::nullopt;
    }
    take(*packet);
  }
  if (const char* reason = scan.finish()) {
    objection = reason;
    return std::nullopt;
  }
  PacketIndex index;
  index.packets_ = std::move(scan.packets());
  index.unit_ = stream.stream().time_base;
  index.needs_first_ = scan.needs_first();
  index.reorder_depth_ = scan.reorder_depth();
  if (index.arrange()) return index;
  objection = "none of its frames is shown";
  return std::nullopt;
}

bool PacketIndex::arrange() {
  for (std::size_t i = 0; i < packets_.size(); ++i) {
    if (packets_[i].seek_point) seek_points_.push_back(i);
    if (packets_[i].presented) by_time_.push_back(i);
  }
  std::sort(by_time_.begin(), by_time_.end(),
            [this](std::size_t a, std::size_t b) { return packets_[a].pts < packets_[b].pts; });
  times_.unit = unit_;
  times_.stamps.reserve(by_time_.size());
  for (const std::size_t packet : by_time_) times_.stamps.push_back(packets_[packet].pts);
  return !by_time_.empty() && !seek_points_.empty() && seek_points_[0] == 0 && unit_.num > 0 && unit_.den > 0;
}

// The last one from which the packet's frame is reached: before it in the file and not after it in time.
std::size_t PacketIndex::seek_point_of(std::size_t packet) const {
  auto point = std::upper_bound(seek_points_.begin(), seek_points_.end(), packet) - 1;
  while (point != seek_points_.begin() && packets_[*point].pts > packets_[packet].pts) --point;
  return *point;
}

std::vector<DecodeRun> PacketIndex::plan(std::span<const std::size_t> packets) const {
  std::vector<std::pair<std::size_t, std::size_t>> stretches;  // first and last packet
  const auto add = [&stretches](std::size_t first, std::size_t last) {
    // What leads back to an earlier seek point joins all that lies in between.
    while (!stretches.empty() && stretches.back().second >= first) {
      first = std::min(first, stretches.back().first);
      last = std::max(last, stretches.back().second);
      stretches.pop_back();
    }
    stretches.emplace_back(first, last);
  };
  if (needs_first_ && !packets.empty()) add(0, 0);
  for (const std::size_t packet : packets) add(seek_point_of(packet), packet);

  std::vector<DecodeRun> runs;
  for (const auto& [first, last] : stretches) {
    DecodeRun run{first, {}};
    for (std::size_t i = first; i <= last; ++i) {
      // What is shown before the seek point may refer to what was left out.
      const bool is_decodable = packets_[i].pts >= packets_[first].pts;
      const bool is_needed =
          i == first || packets_[i].reference || std::binary_search(packets.begin(), packets.end(), i);
      if (is_decodable && is_needed) run.packets.push_back(i);
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

// What is said of the whole, then the packets: what little differs from the one before.
std::string PacketIndex::to_bytes() const {
  std::string bytes;
  put_number(bytes, unit_.num);
  put_number(bytes, unit_.den);
  put_number(bytes, needs_first_ ? 1 : 0);
  put_number(bytes, reorder_depth_);
  put_number(bytes, static_cast<std::int64_t>(packets_.size()));
  IndexedPacket before;
  for (const auto& packet : packets_) {
    const bool has_dts = packet.dts != AV_NOPTS_VALUE;
    put_number(bytes, (packet.seek_point ? 1 : 0) | (packet.reference ? 2 : 0) | (packet.presented ? 4 : 0) |
                          (has_dts ? 8 : 0));
    put_number(bytes, packet.pts - before.pts);
    if (has_dts) put_number(bytes, packet.dts - packet.pts);
    put_number(bytes, packet.position - before.position - before.size);
    put_number(bytes, packet.size);
    before = packet;
  }
  return bytes;
}

std::optional<PacketIndex> PacketIndex::from_bytes(std::string_view bytes) {
  PacketIndex index;
  index.unit_.num = static_cast<int>(take_number(bytes));
  index.unit_.den = static_cast<int>(take_number(bytes));
  index.needs_first_ = take_number(bytes) != 0;
  index.reorder_depth_ = static_cast<int>(take_number(bytes));
  const std::int64_t count = take_number(bytes);
  if (count < 1 || static_cast<std::size_t>(count) > std::min(kMaxPackets, bytes.size())) return std::nullopt;
  index.packets_.reserve(static_cast<std::size_t>(count));
  IndexedPacket before;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t flags = take_number(bytes);
    IndexedPacket packet;
    packet.seek_point = (flags & 1) != 0;
    packet.reference = (flags & 2) != 0;
    packet.presented = (flags & 4) != 0;
    packet.pts = wrapping_sum(before.pts, take_number(bytes));
    packet.dts = (flags & 8) != 0 ? wrapping_sum(packet.pts, take_number(bytes)) : AV_NOPTS_VALUE;
    packet.position = wrapping_sum(wrapping_sum(before.position, before.size), take_number(bytes));
    packet.size = take_number(bytes);
    if (!is_believable(packet)) return std::nullopt;
    index.packets_.push_back(before = packet);
  }
  if (!bytes.empty() || !index.arrange()) return std::nullopt;
  return index;
}

}  // namespace actionclip
