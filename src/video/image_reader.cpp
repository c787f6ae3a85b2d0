#include "video/image_reader.h"

#include <memory>
#include <utility>

#include "actionclip/video/video_reader.h"

#include "video/png.h"
#include "video/regular_file.h"

namespace actionclip {

Image ImageReader::read(const std::filesystem::path& path, const TestView& view) {
  auto file = std::make_unique<RegularFile>(path);
  if (is_jpeg(*file)) return jpeg_.read(*file, view);
  if (is_png(*file)) return read_png(*file);
  constexpr std::int64_t kFirst[] = {0};
  return std::move(VideoReader(std::move(file)).read(kFirst).front());
}

}  // namespace actionclip
