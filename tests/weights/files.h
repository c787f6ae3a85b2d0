// What the tests of weights files share: a temporary folder, files as strings, and tensors compared with a
// reference's dump.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/weights/tensor_file.h"

#include "tests/temporary_folder.h"
#include "tests/weights/bytes.h"

namespace actionclip {

inline std::string hex_of(const TensorData& tensor) {
  std::string text;
  for_each_element(tensor, [&](std::span<const std::byte> element) {
    for (const std::byte byte : element) text += fmt::format("{:02x}", std::to_integer<int>(byte));
  });
  return text;
}

// `expected`: {name: {dtype, shape, hex}}.
inline void expect_same_tensors(const TensorFile& file, const nlohmann::json& expected) {
  for (const auto& [name, tensor] : file.tensors)
    EXPECT_TRUE(expected.contains(name)) << name << " is not in the reference";
  for (const auto& [name, entry] : expected.items()) {
    ASSERT_TRUE(file.tensors.contains(name)) << name << " is missing";
    const TensorData& tensor = file.tensors.at(name);
    EXPECT_EQ(dtype_name(tensor.dtype), entry.at("dtype").get<std::string>()) << name;
    EXPECT_EQ(tensor.shape, entry.at("shape").get<std::vector<std::int64_t>>()) << name;
    EXPECT_EQ(hex_of(tensor), entry.at("hex").get<std::string>()) << name;
  }
}

// The message of the WeightsError that `call` throws; fails the test if it throws none.
template <class Call>
std::string weights_error(Call call) {
  try {
    call();
  } catch (const WeightsError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no WeightsError was thrown";
  return {};
}

}  // namespace actionclip
