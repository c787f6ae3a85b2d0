#include "video/file_ending.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace actionclip {
namespace {

constexpr std::array<std::string_view, 16> kVideos = {".3gp", ".avi", ".flv",  ".m2ts", ".m4v", ".mkv",
                                                      ".mov", ".mp4", ".mpeg", ".mpg",  ".mts", ".ogv",
                                                      ".ts",  ".vob", ".webm", ".wmv"};

}  // namespace

std::string ending_of(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return ending;
}

bool is_video_name(const std::filesystem::path& file) {
  return std::ranges::find(kVideos, ending_of(file)) != kVideos.end();
}

bool is_frame_name(const std::filesystem::path& file) {
  const std::string ending = ending_of(file);
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

}  // namespace actionclip
