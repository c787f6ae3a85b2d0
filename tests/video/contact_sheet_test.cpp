// Clips side by side, and PNG files of them as Pillow reads them.

#include "actionclip/video/contact_sheet.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/video/image_file.h"
#include "actionclip/video/png_file.h"

#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

Image plain(std::int64_t width, std::int64_t height, std::uint8_t red) {
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height), 0)};
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) image.rgb[i] = red;
  return image;
}

TEST(ContactSheet, HasARowAClipWithItsFramesAndText) {
  const TemporaryFolder folder;
  const std::vector<Image> clip(4, plain(32, 32, 200)), raw(4, plain(80, 40, 100));
  const Image sheet = draw_contact_sheet({{{raw, clip}, "air drumming"}, {{clip}, "yoga \xc3\xa9"}}, 32);
  EXPECT_EQ(sheet.width, 4 + 4 * (64 + 4)) << "frames keep their shape";
  EXPECT_EQ(sheet.height, 4 + 3 * (32 + 4) + 2 * 22);
  write_png(folder / "sheet.png", sheet);
  const auto report = nlohmann::json::parse(run_python("picture_report.py", {folder / "sheet.png"}));
  EXPECT_EQ(report.at("format"), "PNG");
  EXPECT_EQ(report.at("size"), (std::vector<std::int64_t>{sheet.width, sheet.height}));
  EXPECT_GT(report.at("colours").get<int>(), 3) << "text has soft edges";
  EXPECT_GT(report.at("dark_rows").get<int>(), 10) << "of both lines of text";
  EXPECT_EQ(read_image(folder / "sheet.png").rgb, sheet.rgb) << "PNG keeps every byte";
}

// Whether a pixel of the sheet is dark.
bool is_ink(const Image& sheet, std::int64_t x, std::int64_t y) {
  return sheet.rgb[static_cast<std::size_t>(3 * (y * sheet.width + x))] < 128;
}

TEST(ContactSheet, ALongTextGoesOnInTheNextLineAndLosesNothing) {
  const std::vector<Image> clip(3, plain(32, 32, 200));
  const std::int64_t width = 4 + 3 * 36, one = 4 + 36 + 22;
  const auto height_with = [&](const std::string& text) {
    const Image sheet = draw_contact_sheet({{{clip}, text}}, 32);
    EXPECT_EQ(sheet.width, width);
    // No letter is cut by the right edge.
    for (std::int64_t y = 40; y < sheet.height; ++y) EXPECT_FALSE(is_ink(sheet, width - 1, y)) << text;
    return sheet.height;
  };
  EXPECT_EQ(height_with("yoga"), one);
  EXPECT_EQ(height_with(""), one);
  EXPECT_GE(height_with("air drumming (12)   drums.mp4"), one + 22);
  EXPECT_GT(height_with(std::string(100, 'w')), one + 3 * 22) << "a word that is longer than a line";
}

TEST(ContactSheet, OneThatIsTooLargeOrCannotBeWrittenIsRefused) {
  const std::vector<Image> clip(200, plain(4, 4, 0));
  EXPECT_THROW(draw_contact_sheet(std::vector<SheetRow>(100, {{clip}, ""}), 512), Error);
  const TemporaryFolder folder;
  EXPECT_THROW(write_png(folder / "gone/sheet.png", plain(8, 8, 0)), Error);
}

}  // namespace
}  // namespace actionclip
