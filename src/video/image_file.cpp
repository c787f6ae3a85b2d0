#include "actionclip/video/image_file.h"

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <turbojpeg.h>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

#include "video/image_reader.h"

namespace actionclip {
namespace {

struct DestroyTurbo {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using UniqueTurbo = std::unique_ptr<void, DestroyTurbo>;

struct FreeTurbo {
  void operator()(unsigned char* bytes) const { tjFree(bytes); }
};

}  // namespace

Image read_image(const std::filesystem::path& path) { return ImageReader().read(path); }

std::string encode_jpeg(const Image& image, int quality) {
  if (image.width <= 0 || image.height <= 0 ||
      image.rgb.size() !=
          static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3) {
    throw std::invalid_argument("encode_jpeg: the image's size does not fit its pixels");
  }
  const UniqueTurbo turbo(tjInitCompress());
  if (turbo == nullptr) throw std::bad_alloc();
  unsigned char* raw = nullptr;
  unsigned long size = 0;
  const int subsampling = quality >= 90 ? TJSAMP_444 : TJSAMP_420;
  const int code = tjCompress2(turbo.get(), image.rgb.data(), static_cast<int>(image.width), 0,
                               static_cast<int>(image.height), TJPF_RGB, &raw, &size, subsampling, quality,
                               TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, FreeTurbo> bytes(raw);
  if (code != 0) throw Error(fmt::format("cannot make a JPEG: {}", tjGetErrorStr2(turbo.get())));
  return {reinterpret_cast<const char*>(bytes.get()), size};
}

void write_jpeg(const std::filesystem::path& path, const Image& image, int quality) {
  std::string bytes;  // before there is a file: none is left of an image that is refused
  try {
    bytes = encode_jpeg(image, quality);
  } catch (const Error& problem) {
    throw Error(fmt::format("cannot write {}: {}", path.string(), problem.what()));
  }
  OutputFile(path).write(bytes);
}

}  // namespace actionclip
