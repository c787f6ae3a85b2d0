// What the ending of a file's name says it is.
#pragma once

#include <filesystem>
#include <string>

namespace actionclip {

// With the dot and in lower case: ".mp4" of "A.MP4"; empty if it has none.
std::string ending_of(const std::filesystem::path& file);

// Whether a file of this name is a video's, when a folder is searched.
bool is_video_name(const std::filesystem::path& file);

// The same of a frame: JPEG or PNG.
bool is_frame_name(const std::filesystem::path& file);

}  // namespace actionclip
