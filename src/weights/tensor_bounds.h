// Checks of sizes that come from a file: nothing here may overflow whatever the numbers are.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/weights/tensor_file.h"

namespace actionclip {

// PyTorch's own operators stop at 64 dimensions.
inline constexpr std::size_t kMaxDimensions = 64;

// Bytes of a contiguous tensor; nothing if a size is negative, there are too many dimensions, or the product,
// zeros counted as ones (so that the strides fit as well), does not fit in 63 bits.
std::optional<std::int64_t> checked_byte_count(DType dtype, const std::vector<std::int64_t>& shape);

// A name from a file as it may appear in a one-line message: quoted and cut to a readable length; control
// characters, line separators and bytes that are no UTF-8 are escaped.
std::string quoted_name(std::string_view name);

// A message that repeats what a file says, on one line: "; " for the ends of lines, the rest escaped as
// above.
std::string on_one_line(std::string_view message);

// A text for a message, cut to about `longest` bytes.
inline constexpr std::size_t kMaxItem = 120;
std::string shortened(std::string_view text, std::size_t longest = kMaxItem);

// Up to twenty items for a one-line message, each shortened: "a; b; and 3 more".
std::string listed(std::span<const std::string> items, std::string_view separator);

// Whether quoted_name would escape nothing but quotes and backslashes: valid UTF-8 on one line.
bool is_plain_text(std::string_view name);

}  // namespace actionclip
