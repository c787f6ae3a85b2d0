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
constexpr int kNarrowest = 64;  // of a sheet, for its text
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

// A row with its text as it is drawn.
struct Layout {
  std::vector<std::string> lines;
  std::int64_t height = 0;
};

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

bool fits(const std::string& text, std::int64_t width) {
  int baseline = 0;
  return cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, kTextScale, 1, &baseline).width <= width;
}

// How many characters of `text` fit into `width` pixels, at least one; up to a blank where there is one.
std::size_t line_length(const std::string& text, std::int64_t width) {
  if (fits(text, width)) return text.size();
  std::size_t length = 1;
  while (fits(text.substr(0, length + 1), width)) ++length;
  const auto blank = text.rfind(' ', length);
  return blank == std::string::npos || blank == 0 ? length : blank;
}

std::vector<std::string> wrapped(std::string text, std::int64_t width) {
  std::vector<std::string> lines;
  do {
    const auto length = line_length(text, width);
    lines.push_back(text.substr(0, length));
    text.erase(0, std::min(text.find_first_not_of(' ', length), text.size()));
  } while (!text.empty());
  return lines;
}

Layout layout_of(const SheetRow& row, std::int64_t width, int frame_height) {
  Layout layout{.lines = wrapped(printable(row.text), width - std::int64_t{2} * kGap), .height = 0};
  layout.height = std::ssize(row.strips) * (frame_height + kGap) + std::ssize(layout.lines) * kTextHeight;
  return layout;
}

void draw_lines(const std::vector<std::string>& lines, int y, cv::Mat& sheet) {
  for (const auto& line : lines) {
    cv::putText(sheet, line, {kGap, y + kTextHeight - 3 * kGap / 2 - 1}, cv::FONT_HERSHEY_SIMPLEX, kTextScale,
                kInk, 1, cv::LINE_AA);
    y += kTextHeight;
  }
}

}  // namespace

Image draw_contact_sheet(const std::vector<SheetRow>& rows, int frame_height) {
  std::int64_t width = kNarrowest, height = kGap;
  for (const auto& row : rows) {
    for (const auto& strip : row.strips) width = std::max(width, width_of(strip, frame_height));
  }
  std::vector<Layout> layouts;
  for (const auto& row : rows) {
    layouts.push_back(layout_of(row, width, frame_height));
    height += layouts.back().height;
  }
  if (width * height > kMaxImagePixels) {
    throw Error(fmt::format("a sheet of {}x{} pixels is too large; show fewer clips", width, height));
  }
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height))};
  cv::Mat sheet(static_cast<int>(height), static_cast<int>(width), CV_8UC3, image.rgb.data());
  sheet.setTo(kPaper);
  int y = kGap;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    int strip_y = y;
    for (const auto& strip : rows[i].strips) {
      draw_strip(strip, strip_y, frame_height, sheet);
      strip_y += frame_height + kGap;
    }
    draw_lines(layouts[i].lines, strip_y, sheet);
    y += static_cast<int>(layouts[i].height);
  }
  return image;
}

}  // namespace actionclip
