// Pickles op code by op code.
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/weights/bytes.h"

namespace actionclip::pickles {

inline std::string program(const std::string& ops) { return fmt::format("\x80\x02{}.", ops); }
inline std::string text(const std::string& value) {
  return fmt::format("X{}{}", little_endian(value.size(), 4), value);
}
inline std::string integer(std::int64_t value) {
  return fmt::format("\x8a\x08{}", little_endian(static_cast<std::uint64_t>(value), 8));
}
inline std::string global(const std::string& module, const std::string& name) {
  return fmt::format("c{}\n{}\n", module, name);
}

inline std::string tuple(const std::vector<std::string>& items) {
  std::string ops = "(";
  for (const std::string& item : items) ops += item;
  return ops + "t";
}

inline std::string integers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const std::int64_t value : values) items.push_back(integer(value));
  return tuple(items);
}

// Keys and values in turn.
inline std::string dict(const std::vector<std::string>& items) {
  std::string ops = "}(";
  for (const std::string& item : items) ops += item;
  return ops + "u";
}

inline std::string storage(const std::string& key, const std::string& type, std::int64_t count) {
  return tuple({text("storage"), global("torch", type), text(key), text("cpu"), integer(count)}) + "Q";
}

inline std::string tensor(const std::string& storage_ops, std::int64_t offset,
                          const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage_ops, integer(offset), integers(shape), integers(strides), "\x89",
                global("collections", "OrderedDict") + ")R"}) +
         "R";
}

// A view into a storage of twelve numbers.
inline std::string floats(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                          std::int64_t offset = 0) {
  return tensor(storage("0", "FloatStorage", 12), offset, shape, strides);
}

}  // namespace actionclip::pickles
