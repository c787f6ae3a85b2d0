#include "actionclip/video/contact_sheet.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr int kGap = 4;          // pixels, between frames and around them
constexpr int kTextHeight = 22;  // of a line of text
constexpr double kTextScale = 0.45;
const cv::Scalar kPaper(255, 255, 255);
const cv::Scalar kInk(20, 20, 20);

int scaled_width(const Image& image, int height) {
  const double width = static_cast<double>(image.width) * height / static_cast<double>(image.height);
  return std::max(1, static_cast<int>(std::lround(width)));
}

std::int64_t width_of(const std::vector<Image>& strip, int height) {
  std::int64_t width = kGap;
  for (const auto& image : strip) width += scaled_width(image, height) + kGap;
  return width;
}

std::int64_t height_of(const SheetRow& row, int height) {
  return std::ssize(row.strips) * (height + kGap) + kTextHeight;
}

void draw_strip(const std::vector<Image>& strip, int y, int height, cv::Mat& sheet) {
  int x = kGap;
  for (const auto& image : strip) {
    // cv::Mat has no form for bytes that are only read.
    const cv::Mat frame(static_cast<int>(image.height), static_cast<int>(image.width), CV_8UC3,
                        const_cast<std::uint8_t*>(image.rgb.data()));
    cv::Mat place = sheet(cv::Rect(x, y, scaled_width(image, height), height));
    cv::resize(frame, place, place.size(), 0, 0, cv::INTER_AREA);
    x += place.cols + kGap;
  }
}

// The font has ASCII alone.
std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

}  // namespace

Image draw_contact_sheet(const std::vector<SheetRow>& rows, int frame_height) {
  std::int64_t width = 1, height = kGap;
  for (const auto& row : rows) {
    for (const auto& strip : row.strips) width = std::max(width, width_of(strip, frame_height));
    height += height_of(row, frame_height);
  }
  if (width * height > kMaxImagePixels) {
    throw Error(fmt::format("a sheet of {}x{} pixels is too large; show fewer clips", width, height));
  }
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height))};
  cv::Mat sheet(static_cast<int>(height), static_cast<int>(width), CV_8UC3, image.rgb.data());
  sheet.setTo(kPaper);
  int y = kGap;
  for (const auto& row : rows) {
    for (const auto& strip : row.strips) {
      draw_strip(strip, y, frame_height, sheet);
      y += frame_height + kGap;
    }
    cv::putText(sheet, printable(row.text), {kGap, y + kTextHeight - 3 * kGap / 2 - 1},
                cv::FONT_HERSHEY_SIMPLEX, kTextScale, kInk, 1, cv::LINE_AA);
    y += kTextHeight;
  }
  return image;
}

}  // namespace actionclip
