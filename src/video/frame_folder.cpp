#include "actionclip/video/frame_folder.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"

#include "video/file_ending.h"
#include "video/image_reader.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> names_in(const fs::path& folder) {
  std::vector<fs::path> names;
  std::error_code code;
  fs::directory_iterator entry(folder, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code))
    names.push_back(entry->path().filename());
  if (code)
    throw VideoError(fmt::format("cannot read the frame folder {}: {}", folder.string(), code.message()));
  return names;
}

std::string name_of(const std::string& pattern, std::int64_t number) {
  return fmt::format(fmt::runtime(pattern), number);
}

void check_pattern(const std::string& pattern) {
  try {
    const std::string one = name_of(pattern, 1);
    const bool is_name = one.find('/') == std::string::npos && !one.empty();
    if (is_name && one != name_of(pattern, 2)) return;
  } catch (const fmt::format_error&) {
  }
  throw Error(fmt::format(
      "frame pattern '{}' cannot be used: it must name a file by one number, as in img_{{:05d}}.jpg",
      pattern));
}

// The number in `name` if `pattern` gives that name.
std::optional<std::int64_t> number_in(const std::string& name, const std::string& pattern) {
  const std::size_t start = pattern.find('{');
  const std::size_t length_after = pattern.size() - 1 - pattern.rfind('}');
  if (name.size() <= start + length_after) return std::nullopt;
  const char* first = name.data() + start;
  const char* last = name.data() + name.size() - length_after;
  while (first < last && *first == ' ') ++first;  // patterns may pad with spaces
  const auto number = parse_integer({first, last});
  return number && name_of(pattern, *number) == name ? number : std::nullopt;
}

std::int64_t count_frames(const fs::path& folder, const std::string& pattern, std::int64_t index_bias) {
  std::set<std::int64_t> numbers;
  for (const auto& name : names_in(folder)) {
    const auto number = number_in(name.string(), pattern);
    if (number && *number >= index_bias) numbers.insert(*number);
  }
  if (numbers.empty()) {
    throw VideoError(fmt::format("{}: holds no frame; the first should be {}", folder.string(),
                                 name_of(pattern, index_bias)));
  }
  std::int64_t expected = index_bias;
  for (const std::int64_t number : numbers) {
    if (number != expected) {
      throw VideoError(fmt::format("{}: frame {} is missing, though {} is there", folder.string(),
                                   name_of(pattern, expected), name_of(pattern, number)));
    }
    ++expected;
  }
  return expected - index_bias;
}

}  // namespace

FrameFolder::FrameFolder(const fs::path& folder, const std::string& pattern, std::int64_t index_bias,
                         std::int64_t frame_count)
    : folder_(folder), pattern_(pattern), index_bias_(index_bias), reader_(std::make_unique<ImageReader>()) {
  check_pattern(pattern);
  frame_count_ = frame_count >= 0 ? frame_count : count_frames(folder, pattern, index_bias);
}

FrameFolder::FrameFolder(std::vector<fs::path> files)
    : folder_(files.empty() ? fs::path() : files.front().parent_path()),
      frame_count_(static_cast<std::int64_t>(files.size())),
      files_(std::move(files)),
      reader_(std::make_unique<ImageReader>()) {}

FrameFolder::~FrameFolder() = default;

fs::path FrameFolder::file(std::int64_t index) const {
  return pattern_.empty() ? files_[static_cast<std::size_t>(index)]
                          : folder_ / name_of(pattern_, index + index_bias_);
}

std::vector<Image> FrameFolder::read(std::span<const std::int64_t> indices) {
  std::vector<Image> images;
  images.reserve(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] < 0 || indices[i] >= frame_count_) {
      throw VideoError(
          fmt::format("{}: frame {} was asked for, of {}", folder_.string(), indices[i], frame_count_));
    }
    if (i > 0 && indices[i] == indices[i - 1]) {
      images.push_back(images.back());
    } else {
      images.push_back(reader_->read(file(indices[i]), view_));
    }
  }
  return images;
}

ChosenFrames FrameFolder::read_chosen(const FrameChooser& choose, const FrameIndex&, const TimeRange& range) {
  if (!range.whole()) {
    throw Error(
        fmt::format("{}: frames in a folder have no times, so seconds {} to {} cannot be taken from it; use "
                    "the video file",
                    folder_.string(), range.start, range.end));
  }
  return {.frame_count = frame_count_, .frames = read(choose(frame_count_))};
}

std::vector<fs::path> image_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& name : names_in(folder)) {
    if (is_frame_name(name)) files.push_back(folder / name);
  }
  if (files.empty())
    throw VideoError(fmt::format("{}: the folder holds no JPEG or PNG frames", folder.string()));
  std::sort(files.begin(), files.end(),
            [](const fs::path& a, const fs::path& b) { return strverscmp(a.c_str(), b.c_str()) < 0; });
  return files;
}

}  // namespace actionclip
