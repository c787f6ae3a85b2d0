// What becomes of a file that was made to do harm: one line that names it, and little memory.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/child_process.h"
#include "tests/temporary_folder.h"
#include "tests/weights/crafted_file.h"
#include "weights/tensor_bounds.h"

namespace actionclip {

using Reader = std::function<void(const std::filesystem::path&)>;

inline constexpr std::size_t kLongestRefusal = 3000;

// "refused: MESSAGE", "loaded", or what else became of it.
inline std::string attempt(const Reader& read, const std::filesystem::path& file) {
  try {
    read(file);
    return "loaded";
  } catch (const Error& error) {
    return fmt::format("refused: {}", error.what());
  } catch (const std::exception& error) {
    return fmt::format("no Error, but: {}", error.what());
  }
}

inline double allowed_memory(std::size_t file_size) {
  return 1.1 * static_cast<double>(file_size) + static_cast<double>(64u << 20);
}

// `message`: whether the refusal must say the file's. `before_it`: as in run_in_child().
inline void expect_refusal(const Reader& read, const CraftedFile& crafted, bool message,
                           const std::function<void()>& before_it = {}) {
  const TemporaryFolder folder;
  const auto file = folder / "weights.pt", work = folder / "work";
  write_text(file, crafted.bytes);
  std::filesystem::create_directory(work);
  const ChildReport report = run_in_child(
      work, [&] { return attempt(read, file); }, before_it);
  EXPECT_EQ(report.status, 0) << "the process was killed";
  EXPECT_THAT(report.text, testing::StartsWith("refused: "));
  EXPECT_THAT(report.text, testing::HasSubstr(file.string()));
  EXPECT_TRUE(is_plain_text(report.text)) << report.text;
  EXPECT_LT(report.text.size(), kLongestRefusal);
  if (message) {
    EXPECT_THAT(report.text, testing::HasSubstr(crafted.message));
  }
  EXPECT_TRUE(std::filesystem::is_empty(work)) << "something of it ran";
  if (kMemoryTells) {
    EXPECT_LE(static_cast<double>(report.memory), allowed_memory(crafted.bytes.size()));
  }
}

}  // namespace actionclip
