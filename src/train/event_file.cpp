#include "event_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <pb_encode.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "tensorboard_event.pb.h"

namespace actionclip {
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";

static_assert(std::endian::native == std::endian::little, "records are little-endian");

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Readers take the files of a folder in the order of their names, so a clock that stood still or went back
// must not show.
std::int64_t seconds_for_new_file(const std::filesystem::path& folder) {
  std::int64_t seconds = seconds_now();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    std::int64_t earlier = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), earlier);
    seconds = std::max(seconds, earlier + 1);
  }
  return seconds;
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "localhost";
}

std::uint32_t masked_crc(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return std::rotr(static_cast<std::uint32_t>(crc.checksum()), 15) + 0xa282ead8u;
}

tensorboard_Event event_at(std::int64_t step) {
  tensorboard_Event event = tensorboard_Event_init_zero;
  event.wall_time =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  event.step = step;
  return event;
}

std::string encode(const tensorboard_Event& event) {
  std::size_t size = 0;
  if (!pb_get_encoded_size(&size, tensorboard_Event_fields, &event))
    throw Error("a TensorBoard event cannot be encoded");
  std::string bytes(size, '\0');
  auto stream = pb_ostream_from_buffer(reinterpret_cast<pb_byte_t*>(bytes.data()), bytes.size());
  if (!pb_encode(&stream, tensorboard_Event_fields, &event)) {
    throw Error(fmt::format("a TensorBoard event cannot be encoded: {}", PB_GET_ERROR(&stream)));
  }
  return bytes;
}

template <typename T>
void append_number(std::string& bytes, T number) {
  const auto raw = std::bit_cast<std::array<char, sizeof(T)>>(number);
  bytes.append(raw.data(), raw.size());
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& folder, std::int64_t first_step)
    : path_(folder / fmt::format("{}{:010}.{}", kPrefix, seconds_for_new_file(folder), host_name())),
      stream_(path_, std::ios::binary) {
  if (!stream_) throw Error(fmt::format("cannot create {}: {}", path_.string(), std::strerror(errno)));

  std::string version = "brain.Event:2";
  auto header = event_at(0);
  header.which_what = tensorboard_Event_file_version_tag;
  header.what.file_version = version.data();
  write_record(encode(header));

  auto start = event_at(first_step);
  start.which_what = tensorboard_Event_session_log_tag;
  start.what.session_log.status = tensorboard_SessionLog_Status_START;
  write_record(encode(start));
}

void EventFile::write_scalars(std::int64_t step, const std::vector<std::pair<std::string, float>>& scalars) {
  std::vector<std::string> tags;
  std::vector<tensorboard_Summary_Value> values;
  tags.reserve(scalars.size());  // values point into it
  for (const auto& [tag, number] : scalars) {
    tensorboard_Summary_Value value = tensorboard_Summary_Value_init_zero;
    value.tag = tags.emplace_back(tag).data();
    value.which_value = tensorboard_Summary_Value_simple_value_tag;
    value.value.simple_value = number;
    values.push_back(value);
  }
  auto event = event_at(step);
  event.which_what = tensorboard_Event_summary_tag;
  event.what.summary.value_count = static_cast<pb_size_t>(values.size());
  event.what.summary.value = values.data();
  write_record(encode(event));
}

void EventFile::write_record(std::string_view event) {
  std::string record;
  append_number(record, static_cast<std::uint64_t>(event.size()));
  append_number(record, masked_crc(record));
  record += event;
  append_number(record, masked_crc(event));
  stream_ << record << std::flush;
  if (!stream_)
    throw Error(fmt::format("cannot write {} ({} bytes needed): {}", path_.string(), record.size(),
                            std::strerror(errno)));
}

}  // namespace actionclip
