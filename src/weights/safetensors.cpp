#include "actionclip/weights/safetensors.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

#include "weights/byte_source.h"
#include "weights/safetensors_header.h"
#include "weights/safetensors_reader.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

constexpr std::size_t kPrefixSize = 8;

std::uint64_t read_little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

// The tensors must lie one after the other and fill the data section: no hole, no overlap, nothing behind the
// last.
void check_layout(const SafetensorsHeader& header, std::uint64_t data_size, std::string_view source) {
  std::vector<std::pair<std::string_view, const SafetensorsEntry*>> order;
  for (const auto& [name, entry] : header.entries) order.emplace_back(name, &entry);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second->begin, a.second->end) < std::pair(b.second->begin, b.second->end);
  });
  std::uint64_t position = 0;
  for (const auto& [name, entry] : order) {
    const auto fail = [&, name = name](const std::string& what) {
      throw WeightsError(fmt::format("{}: tensor {}: {}", source, quoted_name(name), what));
    };
    const auto bytes = checked_byte_count(entry->dtype, entry->shape);
    if (!bytes) fail(fmt::format("shape {} is too large", shape_string(entry->shape)));
    if (entry->end < entry->begin || entry->end - entry->begin != static_cast<std::uint64_t>(*bytes)) {
      fail(fmt::format("{} {} needs {} bytes, but data_offsets are [{}, {}]", dtype_name(entry->dtype),
                       shape_string(entry->shape), *bytes, entry->begin, entry->end));
    }
    if (entry->end > data_size) {
      fail(fmt::format(
          "its data ends at byte {}, but the file holds {} bytes of data: it is truncated or damaged",
          entry->end, data_size));
    }
    if (entry->begin != position) {
      fail(fmt::format("its data starts at byte {}, but byte {} is next: the tensors overlap or leave a hole",
                       entry->begin, position));
    }
    position = entry->end;
  }
  if (position != data_size) {
    throw WeightsError(fmt::format("{}: {} bytes behind the last tensor", source, data_size - position));
  }
}

void check_writable(const NamedTensorData& tensors) {
  std::set<std::string_view> names;
  for (const auto& [name, tensor] : tensors) {
    const auto fail = [&, name = std::string_view(name)](const std::string& what) {
      throw std::invalid_argument(fmt::format("write_safetensors: tensor {}: {}", quoted_name(name), what));
    };
    if (name == kSafetensorsMetadataKey) fail("the format reserves this name");
    if (!names.insert(name).second) fail("the name repeats");
    const auto bytes = checked_byte_count(tensor.dtype, tensor.shape);
    if (!bytes) fail(fmt::format("shape {} is too large", shape_string(tensor.shape)));
    if (static_cast<std::uint64_t>(*bytes) != tensor.bytes.size()) {
      fail(fmt::format("{} bytes given, {} needed", tensor.bytes.size(), *bytes));
    }
    const auto contiguous = contiguous_strides(tensor.shape);
    if (tensor.strides.size() != tensor.shape.size()) fail("it needs a stride for each dimension");
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      // The stride of a dimension of one is never used, so any will do.
      if (*bytes > 0 && tensor.shape[i] > 1 && tensor.strides[i] != contiguous[i])
        fail("it is not contiguous");
    }
  }
}

// Length, JSON and padding, so that the data starts at a multiple of 8.
std::string header_bytes(const NamedTensorData& tensors, const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[std::string(kSafetensorsMetadataKey)] = metadata;
  std::uint64_t position = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t end = position + tensor.bytes.size();
    // emplace_back, not operator[]: ordered_json looks keys up one by one, and names are known to differ.
    header.get_ref<nlohmann::ordered_json::object_t&>().emplace_back(
        name,
        nlohmann::ordered_json{
            {"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {position, end}}});
    position = end;
  }
  std::string json;
  try {
    json = header.dump();
  } catch (const nlohmann::json::type_error&) {
    throw std::invalid_argument("write_safetensors: a tensor's name or the metadata is not valid UTF-8");
  }
  json.append((kPrefixSize - json.size() % kPrefixSize) % kPrefixSize, ' ');
  if (json.size() > kMaxSafetensorsHeader) {
    throw Error(fmt::format("safetensors header of {} bytes: the format allows {}", json.size(),
                            kMaxSafetensorsHeader));
  }
  std::string prefix;
  for (std::size_t i = 0; i < kPrefixSize; ++i) prefix += static_cast<char>(json.size() >> (8 * i) & 0xff);
  return prefix + json;
}

}  // namespace

TensorFile parse_safetensors(const ByteSource& file) {
  const std::string& source = file.name();
  if (file.size() < kPrefixSize)
    throw WeightsError(fmt::format("{}: too short for a safetensors file", source));
  std::array<std::byte, kPrefixSize> prefix{};
  file.read(0, prefix);
  const std::uint64_t length = read_little_endian(prefix);
  if (length > kMaxSafetensorsHeader || length > file.size() - kPrefixSize) {
    throw WeightsError(
        fmt::format("{}: header of {} bytes in a file of {}: damaged, or not a safetensors file", source,
                    length, file.size()));
  }
  std::string text(length, '\0');
  file.read(kPrefixSize, std::as_writable_bytes(std::span(text)));
  auto header = parse_safetensors_header(text, source);
  const std::uint64_t data = kPrefixSize + length;
  check_layout(header, file.size() - data, source);

  TensorFile result{
      .format = WeightsFormat::safetensors, .tensors = {}, .metadata = std::move(header.metadata)};
  for (auto& [name, entry] : header.entries) {
    const std::uint64_t size = entry.end - entry.begin;
    const auto memory = allocate_tensor_memory(size, source);
    file.read(data + entry.begin, {memory.get(), size});
    auto strides = contiguous_strides(entry.shape);
    result.tensors.emplace(name, TensorData{entry.dtype,
                                            std::move(entry.shape),
                                            std::move(strides),
                                            {memory.get(), size},
                                            memory,
                                            /*owns_bytes=*/true});
  }
  return result;
}

TensorFile read_safetensors(const std::filesystem::path& path) { return parse_safetensors(FileSource(path)); }

void write_safetensors(const std::filesystem::path& path, const NamedTensorData& tensors,
                       const std::map<std::string, std::string>& metadata) {
  check_writable(tensors);
  const std::string header = header_bytes(tensors, metadata);
  const auto temporary = temporary_sibling(path);
  try {
    OutputFile file(temporary);
    file.write(header);
    for (const auto& [name, tensor] : tensors) file.write(tensor.bytes);
    file.finish();
    rename_durably(temporary, path);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

}  // namespace actionclip
