// A list of a test, and what reading it complains of.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/video_list.h"

#include "tests/temporary_folder.h"

namespace actionclip {

inline LabelSet numbered_labels(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(fmt::format("label {}", i));
  return LabelSet(std::move(names));
}

// Lists of one format, written to list.txt in a folder of the test's own.
class ListCase : public ::testing::Test {
 protected:
  explicit ListCase(ListFormat format, LabelSet labels) : format_(format), labels_(std::move(labels)) {}

  VideoList read(std::string_view text) const { return read(text, format_); }
  VideoList read(std::string_view text, ListFormat format) const {
    folder_.write("list.txt", text);
    DatasetConfig config;
    config.list.path = folder_ / "list.txt";
    config.root.path = root_;
    config.format = format;
    return read_video_list(config, labels_ ? &*labels_ : nullptr);
  }

  // What reading `text` complains of, after "<folder>/list.txt:".
  std::string complaint(std::string_view text) const { return complaint(text, format_); }
  std::string complaint(std::string_view text, ListFormat format) const {
    try {
      read(text, format);
    } catch (const Error& problem) {
      const std::string start = (folder_ / "list.txt").string() + ":";
      const std::string message = problem.what();
      return message.starts_with(start) ? message.substr(start.size()) : "without file: " + message;
    }
    return "accepted";
  }

  const TemporaryFolder folder_;
  ListFormat format_;
  std::optional<LabelSet> labels_;
  std::filesystem::path root_;
};

}  // namespace actionclip
