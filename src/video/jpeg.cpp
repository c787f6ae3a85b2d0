#include "video/jpeg.h"

#include <algorithm>
#include <array>
#include <new>
#include <turbojpeg.h>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr std::int64_t kMaxImageBytes = 256 << 20;
constexpr std::int64_t kReserve = 2;  // times the size that is asked for; below, fine patterns would differ

// Of the library's reductions those that it has vector code for; the others take longer than the full
// size.
constexpr std::array kReductions{8, 4, 2};

int reduction_of(int width, int height, std::int64_t resize_to) {
  for (const int reduction : kReductions) {
    const bool is_exact = width % reduction == 0 && height % reduction == 0;
    if (resize_to > 0 && is_exact && std::min(width, height) / reduction >= kReserve * resize_to) {
      return reduction;
    }
  }
  return 1;
}

}  // namespace

void JpegReader::Destroy::operator()(void* turbo) const { tjDestroy(turbo); }

bool is_jpeg(RegularFile& file) { return file.starts_with(std::array<std::uint8_t, 3>{0xFF, 0xD8, 0xFF}); }

Image JpegReader::read(RegularFile& file, std::int64_t resize_to) {
  const auto bytes = file.read_all(kMaxImageBytes);
  if (turbo_ == nullptr) turbo_.reset(tjInitDecompress());
  if (turbo_ == nullptr) throw std::bad_alloc();
  const auto fail = [&]() {
    throw VideoError(fmt::format("{}: damaged JPEG: {}", file.path().string(), tjGetErrorStr2(turbo_.get())));
  };
  int width = 0, height = 0, subsampling = 0, color_space = 0;
  if (tjDecompressHeader3(turbo_.get(), bytes.data(), bytes.size(), &width, &height, &subsampling,
                          &color_space) != 0)
    fail();
  if (static_cast<std::int64_t>(width) * height > kMaxImagePixels) {
    throw VideoError(fmt::format("{}: {} x {} pixels, more than {} are refused", file.path().string(), width,
                                 height, kMaxImagePixels));
  }
  if (color_space == TJCS_CMYK || color_space == TJCS_YCCK) {
    throw VideoError(fmt::format("{}: is a CMYK JPEG; convert it to RGB", file.path().string()));
  }
  const int reduction = reduction_of(width, height, resize_to);
  width /= reduction;
  height /= reduction;
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
  // The library only warns of data that end early or make no sense, and fills in grey; such a frame must not
  // be learned from.
  const int flags = TJFLAG_STOPONWARNING | TJFLAG_ACCURATEDCT;
  if (tjDecompress2(turbo_.get(), bytes.data(), bytes.size(), image.rgb.data(), width, 0, height, TJPF_RGB,
                    flags) != 0) {
    fail();
  }
  return image;
}

}  // namespace actionclip
