// Runs the Python side of a comparison, and folders for the files it exchanges.
#pragma once

#include <array>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

namespace actionclip {

// An empty folder of this test and process.
inline std::filesystem::path fresh_folder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder =
      std::filesystem::path(testing::TempDir()) /
      (std::string(test->test_suite_name()) + "." + test->name() + "." + std::to_string(getpid()));
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

// What tests/parity/`script` prints. Throws if it fails; its error output is the test's.
inline std::string run_reference(const std::string& script, const std::vector<std::string>& arguments) {
  std::string command =
      "'" ACTIONCLIP_TEST_PYTHON "' '" ACTIONCLIP_SOURCE_DIR "/tests/parity/" + script + "'";
  for (const auto& argument : arguments) command += " '" + argument + "'";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string output;
  std::array<char, 4096> buffer{};
  while (const auto count = std::fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), count);
  if (const int status = pclose(pipe); status != 0)
    throw std::runtime_error("failed: " + command + "\n" + output);
  return output;
}

}  // namespace actionclip
