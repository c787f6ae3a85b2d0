#include "actionclip/video/image_file.h"

#include <filesystem>
#include <sstream>
#include <string>
#include <turbojpeg.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/parity/run_python.h"
#include "tests/video/test_videos.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using namespace actionclip::testing;

int largest_difference(const Image& a, const Image& b) {
  int largest = a.width == b.width && a.height == b.height && a.rgb.size() == b.rgb.size() ? 0 : 1000;
  for (std::size_t i = 0; largest < 1000 && i < a.rgb.size(); ++i)
    largest = std::max(largest, std::abs(a.rgb[i] - b.rgb[i]));
  return largest;
}

std::string failure(const std::filesystem::path& path) {
  try {
    read_image(path);
    return "no error";
  } catch (const VideoError& problem) {
    return problem.what();
  }
}

// A JPEG of one grey or four CMYK components, as write_jpeg() does not write it.
void write_special_jpeg(const std::filesystem::path& path, int pixel_format, int subsampling,
                        const std::vector<std::uint8_t>& pixels, int width, int height) {
  tjhandle turbo = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  ASSERT_EQ(
      tjCompress2(turbo, pixels.data(), width, 0, height, pixel_format, &bytes, &size, subsampling, 95, 0),
      0);
  write_text(path, std::string(reinterpret_cast<char*>(bytes), size));
  tjFree(bytes);
  tjDestroy(turbo);
}

TEST(ReadImage, LosslessFormatsGiveTheExactPixels) {
  const TemporaryFolder folder;
  const Image image = test_frame(7, 67, 45);
  encode_image(folder / "a.png", "png", AV_PIX_FMT_RGB24, image);
  encode_image(folder / "b.png", "png", AV_PIX_FMT_RGBA, image);
  encode_image(folder / "a.bmp", "bmp", AV_PIX_FMT_BGR24, image);
  for (const char* name : {"a.png", "b.png", "a.bmp"})
    EXPECT_EQ(largest_difference(read_image(folder / name), image), 0) << name;
}

TEST(ReadImage, PngFilesOfEveryKindGiveThePixelsThatPillowGives) {
  const TemporaryFolder folder;
  std::istringstream reference(run_python("png_reference.py", {folder.path().string()}));
  std::string name;
  Image expected;
  int files = 0;
  for (; reference >> name >> expected.width >> expected.height; ++files) {
    const std::string pixels = read_text(folder / (name + ".rgb"));
    expected.rgb.assign(pixels.begin(), pixels.end());
    EXPECT_EQ(largest_difference(read_image(folder / (name + ".png")), expected), 0) << name;
  }
  EXPECT_EQ(files, 12);
}

TEST(ReadImage, APngWithAFlippedBitOrALostChunkIsDamaged) {
  const TemporaryFolder folder;
  encode_image(folder / "a.png", "png", AV_PIX_FMT_RGB24, test_frame(7, 64, 48));
  const std::string bytes = read_text(folder / "a.png");
  for (const std::size_t place : {std::size_t{20}, bytes.size() / 2, bytes.size() - 20}) {
    std::string damaged = bytes;
    damaged[place] = static_cast<char>(damaged[place] ^ 4);
    write_text(folder / "a.png", damaged);
    EXPECT_THAT(failure(folder / "a.png"), HasSubstr("a.png: damaged PNG: ")) << place;
  }
  constexpr std::size_t kEndChunk = 12;
  write_text(folder / "a.png", bytes.substr(0, bytes.size() - kEndChunk));
  EXPECT_THAT(failure(folder / "a.png"), HasSubstr("a.png: damaged PNG: "));
  write_text(folder / "a.png", bytes.substr(0, 8));
  EXPECT_THAT(failure(folder / "a.png"), HasSubstr("a.png: damaged PNG: "));
}

TEST(ReadImage, GreyKeepsBlackAndWhite) {
  const TemporaryFolder folder;
  Image image{16, 16, std::vector<std::uint8_t>(16 * 16 * 3, 0)};
  std::fill(image.rgb.begin() + 8 * 16 * 3, image.rgb.end(), std::uint8_t{255});
  encode_image(folder / "a.png", "png", AV_PIX_FMT_GRAY8, image);
  const Image read = read_image(folder / "a.png");
  EXPECT_LE(read.rgb.front(), 1);
  EXPECT_GE(read.rgb.back(), 254);
  std::vector<std::uint8_t> grey(256, 0);
  std::fill(grey.begin() + 128, grey.end(), std::uint8_t{255});
  write_special_jpeg(folder / "a.jpg", TJPF_GRAY, TJSAMP_GRAY, grey, 16, 16);
  EXPECT_LE(largest_difference(read_image(folder / "a.jpg"), image), 1);
}

TEST(ReadImage, WebpAndJpegAreCloseToTheOriginal) {
  const TemporaryFolder folder;
  const Image image = test_frame(7, 64, 48);
  encode_image(folder / "a.webp", "libwebp", AV_PIX_FMT_YUV420P, image);
  write_jpeg(folder / "a.jpg", image, 95);
  for (const char* name : {"a.webp", "a.jpg"}) {
    const Image read = read_image(folder / name);
    EXPECT_EQ(frame_number(read), 7) << name;
    EXPECT_NEAR(quarter_color(read, 0).red, 200, 6) << name;
    EXPECT_NEAR(quarter_color(read, 1).blue, 200, 6) << name;
  }
}

TEST(ReadImage, ContentDecidesNotTheName) {
  const TemporaryFolder folder;
  encode_image(folder / "a.jpg", "png", AV_PIX_FMT_RGB24, test_frame(3, 64, 48));
  write_jpeg(folder / "a.png", test_frame(4, 64, 48), 95);
  EXPECT_EQ(frame_number(read_image(folder / "a.jpg")), 3);
  EXPECT_EQ(frame_number(read_image(folder / "a.png")), 4);
}

TEST(ReadImage, DamagedOrUnusableImagesAreNamed) {
  const TemporaryFolder folder;
  const Image image = test_frame(7, 64, 48);
  encode_image(folder / "cut.png", "png", AV_PIX_FMT_RGB24, image);
  encode_image(folder / "cut.webp", "libwebp", AV_PIX_FMT_YUV420P, image);
  encode_image(folder / "cut.bmp", "bmp", AV_PIX_FMT_BGR24, image);
  write_jpeg(folder / "cut.jpg", image, 90);
  for (const char* name : {"cut.png", "cut.webp", "cut.bmp", "cut.jpg"}) {
    const std::string bytes = read_text(folder / name);
    for (const double share : {0.8, 0.5, 0.2}) {
      write_text(folder / name,
                 bytes.substr(0, static_cast<std::size_t>(static_cast<double>(bytes.size()) * share)));
      EXPECT_THAT(failure(folder / name), HasSubstr(name)) << share;
    }
  }
  write_special_jpeg(folder / "cmyk.jpg", TJPF_CMYK, TJSAMP_444, std::vector<std::uint8_t>(16 * 16 * 4, 9),
                     16, 16);
  EXPECT_THAT(failure(folder / "cmyk.jpg"), HasSubstr("cmyk.jpg: is a CMYK JPEG"));
  EXPECT_THAT(failure(folder / "missing.png"), HasSubstr("missing.png"));
  EXPECT_THAT(failure(folder.path()), HasSubstr("is a folder"));
}

TEST(WriteJpeg, RefusesWhatCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_jpeg(folder / "none" / "a.jpg", test_frame(0, 8, 8), 90), Error);
  EXPECT_THROW(write_jpeg(folder / "a.jpg", test_frame(0, 8, 8), 101), Error);
  EXPECT_THROW(write_jpeg(folder / "a.jpg", Image{8, 8, {}}, 90), std::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.jpg"));
}

}  // namespace
}  // namespace actionclip
