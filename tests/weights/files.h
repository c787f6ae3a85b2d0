// What the tests of weights files share: a temporary folder, files as strings, and tensors compared with a
// reference's dump.
#pragma once

#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/weights/tensor_file.h"

namespace actionclip {

// A fresh folder of the running test, removed at its end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = fmt::format("actionclip_{}_{}_{}", test->test_suite_name(), test->name(), getpid());
    for (char& c : name) c = c == '/' ? '_' : c;
    path_ = std::filesystem::path(testing::TempDir()) / name;
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

// Calls `visit` with the bytes of each element in row-major order.
template <class Visit>
void for_each_element(const TensorData& tensor, Visit visit) {
  std::vector<std::int64_t> index(tensor.shape.size());
  for (std::int64_t i = 0; i < tensor.element_count(); ++i) {
    std::int64_t rest = i, offset = 0;
    for (std::size_t d = tensor.shape.size(); d-- > 0;) {
      offset += rest % tensor.shape[d] * tensor.strides[d];
      rest /= tensor.shape[d];
    }
    const std::size_t size = item_size(tensor.dtype);
    // subspan's bounds are not checked in release builds, so check them here.
    ASSERT_LE((static_cast<std::size_t>(offset) + 1) * size, tensor.bytes.size());
    visit(tensor.bytes.subspan(static_cast<std::size_t>(offset) * size, size));
  }
}

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
