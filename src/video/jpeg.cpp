#include "video/jpeg.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <turbojpeg.h>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr std::int64_t kMaxImageBytes = 256 << 20;

struct DestroyTurbo {
  void operator()(void* handle) const { tjDestroy(handle); }
};

}  // namespace

bool is_jpeg(RegularFile& file) {
  std::array<std::uint8_t, 3> start{};
  const std::int64_t count = file.read(start);
  const std::int64_t position = count < 0 ? count : file.seek(0, SEEK_SET);
  if (position < 0) {
    throw VideoError(
        fmt::format("cannot read {}: {}", file.path().string(), std::strerror(static_cast<int>(-position))));
  }
  return start == std::array<std::uint8_t, 3>{0xFF, 0xD8, 0xFF};
}

Image read_jpeg(RegularFile& file) {
  const auto bytes = file.read_all(kMaxImageBytes);
  const std::unique_ptr<void, DestroyTurbo> turbo(tjInitDecompress());
  if (turbo == nullptr) throw std::bad_alloc();
  const auto fail = [&]() {
    throw VideoError(fmt::format("{}: damaged JPEG: {}", file.path().string(), tjGetErrorStr2(turbo.get())));
  };
  int width = 0, height = 0, subsampling = 0, color_space = 0;
  if (tjDecompressHeader3(turbo.get(), bytes.data(), bytes.size(), &width, &height, &subsampling,
                          &color_space) != 0)
    fail();
  if (static_cast<std::int64_t>(width) * height > kMaxImagePixels) {
    throw VideoError(fmt::format("{}: {} x {} pixels, more than {} are refused", file.path().string(), width,
                                 height, kMaxImagePixels));
  }
  if (color_space == TJCS_CMYK || color_space == TJCS_YCCK) {
    throw VideoError(fmt::format("{}: is a CMYK JPEG; convert it to RGB", file.path().string()));
  }
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
  // The library only warns of data that end early or make no sense, and fills in grey; such a frame must not
  // be learned from.
  const int flags = TJFLAG_STOPONWARNING | TJFLAG_ACCURATEDCT;
  if (tjDecompress2(turbo.get(), bytes.data(), bytes.size(), image.rgb.data(), width, 0, height, TJPF_RGB,
                    flags) != 0) {
    fail();
  }
  return image;
}

}  // namespace actionclip
