// Bytes of weights files and of their tensors, for tests and for fuzz targets (which have no GoogleTest).
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/weights/tensor_file.h"

namespace actionclip {

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

// Calls `visit` with the bytes of each element in row-major order. Throws std::logic_error if the reader
// promised bytes it did not give.
template <class Visit>
void for_each_element(const TensorData& tensor, Visit visit) {
  for (std::int64_t i = 0; i < tensor.element_count(); ++i) {
    std::int64_t rest = i, offset = 0;
    for (std::size_t d = tensor.shape.size(); d-- > 0;) {
      offset += rest % tensor.shape[d] * tensor.strides[d];
      rest /= tensor.shape[d];
    }
    const std::size_t size = item_size(tensor.dtype);
    // subspan's bounds are not checked in release builds, so check them here.
    if ((static_cast<std::size_t>(offset) + 1) * size > tensor.bytes.size())
      throw std::logic_error("an element lies outside of its bytes");
    visit(tensor.bytes.subspan(static_cast<std::size_t>(offset) * size, size));
  }
}

// Touches every byte a reader promises, so that AddressSanitizer sees a promise that does not hold.
inline std::uint64_t sum_of_bytes(const TensorFile& file) {
  std::uint64_t sum = 0;
  for (const auto& [name, tensor] : file.tensors) {
    for (const std::byte byte : tensor.bytes) sum += std::to_integer<std::uint64_t>(byte);
    for_each_element(tensor, [&](std::span<const std::byte> element) {
      sum += std::to_integer<std::uint64_t>(element[0]);
    });
  }
  return sum;
}

}  // namespace actionclip
