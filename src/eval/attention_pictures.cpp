#include "eval/attention_pictures.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/contact_sheet.h"
#include "actionclip/video/heat_map.h"

#include "video/video_writer.h"

namespace actionclip {
namespace {

constexpr std::size_t kFramesSideBySide = 8;
constexpr int kSheetHeight = 168;  // pixels, of a frame
constexpr int kRateWithoutTimes = 2, kHighestRate = 30;

// Of frames uint8 [T, 3, S, S].
std::vector<Image> images_of(const at::Tensor& frames) {
  const auto rows = frames.permute({0, 2, 3, 1}).contiguous();
  const auto bytes = static_cast<std::size_t>(rows[0].numel());
  const auto* rgb = rows.const_data_ptr<std::uint8_t>();
  std::vector<Image> images;
  for (std::int64_t t = 0; t < rows.size(0); ++t, rgb += bytes)
    images.push_back({rows.size(2), rows.size(1), {rgb, rgb + bytes}});
  return images;
}

std::vector<HeatMap> heat_maps_of(const at::Tensor& attention) {
  const auto rows = attention.contiguous();
  const auto places = static_cast<std::size_t>(rows[0].numel());
  const auto* values = rows.const_data_ptr<float>();
  std::vector<HeatMap> maps;
  for (std::int64_t t = 0; t < rows.size(0); ++t, values += places)
    maps.push_back({rows.size(1), rows.size(2), {values, values + places}});
  return maps;
}

std::string text_of(const Explanation& explanation, std::size_t first, std::size_t last) {
  const auto& from = explanation.frames[first];
  const auto& to = explanation.frames[last];
  const auto time = from.seconds && to.seconds
                        ? fmt::format(", {:.2f} to {:.2f} s", *from.seconds, *to.seconds)
                        : std::string();
  const auto& label = explanation.labels.front();
  return fmt::format("frames {} to {}{}: {} {:.1f} % ({})", from.index, to.index, time, label.label,
                     100 * label.probability, explanation.attention);
}

// Sides of H.264's pictures are even.
Image with_even_sides(const Image& image) {
  const std::int64_t width = image.width / 2 * 2, height = image.height / 2 * 2;
  if (width == image.width && height == image.height) return image;
  const auto row_bytes = static_cast<std::size_t>(3 * width);
  Image even{width, height, std::vector<std::uint8_t>(row_bytes * static_cast<std::size_t>(height))};
  for (std::int64_t y = 0; y < height; ++y) {
    std::memcpy(even.rgb.data() + static_cast<std::size_t>(y) * row_bytes,
                image.rgb.data() + static_cast<std::size_t>(3 * y * image.width), row_bytes);
  }
  return even;
}

}  // namespace

std::vector<Image> draw_attention(const ExplainedPrediction& explained) {
  const auto frames = images_of(explained.clip.frames);
  const auto maps = heat_maps_of(explained.attention);
  const auto range = heat_range(maps);
  std::vector<Image> pictures;
  for (std::size_t i = 0; i < frames.size(); ++i)
    pictures.push_back(draw_heat_map(frames[i], maps[i], range));
  return pictures;
}

Image draw_attention_sheet(const ExplainedPrediction& explained, const std::vector<Image>& pictures) {
  const auto frames = images_of(explained.clip.frames);
  std::vector<SheetRow> rows;
  for (std::size_t first = 0; first < frames.size(); first += kFramesSideBySide) {
    const std::size_t end = std::min(first + kFramesSideBySide, frames.size());
    const auto part = [&](const std::vector<Image>& images) {
      return std::vector<Image>(images.begin() + static_cast<std::ptrdiff_t>(first),
                                images.begin() + static_cast<std::ptrdiff_t>(end));
    };
    rows.push_back({{part(frames), part(pictures)}, text_of(explained.explanation, first, end - 1)});
  }
  return draw_contact_sheet(rows, kSheetHeight);
}

int playing_rate(const std::vector<double>& seconds) {
  if (seconds.size() < 2 || seconds.back() <= seconds.front()) return kRateWithoutTimes;
  const double rate = static_cast<double>(seconds.size() - 1) / (seconds.back() - seconds.front());
  return static_cast<int>(std::lround(std::clamp(rate, 1., static_cast<double>(kHighestRate))));
}

void write_attention_video(const std::filesystem::path& path, const std::vector<Image>& pictures,
                           int frames_per_second) {
  try {
    const Image first = with_even_sides(pictures.front());
    VideoWriter writer(
        path, {.width = first.width, .height = first.height, .frames_per_second = frames_per_second});
    for (const auto& picture : pictures) writer.write(with_even_sides(picture));
    writer.finish();
  } catch (const VideoError& problem) {
    throw Error(problem.what());  // no video that was given is at fault
  }
}

}  // namespace actionclip
