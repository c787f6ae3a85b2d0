#include "video/jpeg.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <new>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"

// Needs <cstdio> before it.
#include <jpeglib.h>

namespace actionclip {
namespace {

constexpr std::int64_t kMaxImageBytes = 256 << 20;
constexpr std::int64_t kReserve = 2;  // times the size that is asked for; below, fine patterns would differ

// Of the library's reductions those that it has vector code for; the others take longer than the full size.
constexpr std::array kReductions{8, 4, 2};

int reduction_of(Size size, std::int64_t resize) {
  for (const int reduction : kReductions) {
    const bool is_exact = size.width % reduction == 0 && size.height % reduction == 0;
    if (resize > 0 && is_exact && std::min(size.width, size.height) / reduction >= kReserve * resize) {
      return reduction;
    }
  }
  return 1;
}

// `part` with the columns beside it, whose chroma counts for its borders.
CropChoice with_margin(CropChoice part, Size size) {
  constexpr std::int64_t kMargin = 2;
  const auto right = std::min(size.width, part.x + part.width + kMargin);
  part.x = std::max<std::int64_t>(0, part.x - kMargin);
  part.width = right - part.x;
  return part;
}

}  // namespace

// The library leaves its functions by longjmp() when something is wrong; what calls them here has nothing to
// destroy.
struct JpegReader::Decoder {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  std::jmp_buf failed{};
  std::array<char, JMSG_LENGTH_MAX> message{};

  Decoder() {
    info.err = jpeg_std_error(&errors);
    errors.error_exit = leave;
    errors.emit_message = leave_on_warning;
    info.client_data = this;
    if (setjmp(failed) != 0) throw std::bad_alloc();
    jpeg_create_decompress(&info);
  }
  ~Decoder() { jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  [[noreturn]] static void leave(j_common_ptr common) {
    auto& decoder = *static_cast<Decoder*>(common->client_data);
    common->err->format_message(common, decoder.message.data());
    std::longjmp(decoder.failed, 1);
  }

  // The library only warns of data that end early or make no sense, and fills in grey; such a frame must not
  // be learned from.
  static void leave_on_warning(j_common_ptr common, int level) {
    if (level < 0) leave(common);
  }

  // Each returns false if the file is damaged, and leaves the reason in `message`.
  bool read_header(const std::vector<std::uint8_t>& bytes) {
    if (setjmp(failed) != 0) return false;
    jpeg_mem_src(&info, bytes.data(), bytes.size());
    jpeg_read_header(&info, TRUE);
    return true;
  }

  // Writes `part` and, beside it, what the library gives in addition; and the last row, which is decoded so
  // that everything before it was.
  bool decode(int reduction, const CropChoice& part, std::uint8_t* rgb) {
    if (setjmp(failed) != 0) return false;
    info.out_color_space = JCS_RGB;
    info.scale_num = 1;
    info.scale_denom = static_cast<unsigned>(reduction);
    jpeg_start_decompress(&info);
    const std::int64_t row_bytes = 3 * static_cast<std::int64_t>(info.output_width);
    auto left = static_cast<JDIMENSION>(part.x);
    auto width = static_cast<JDIMENSION>(part.width);
    if (width < info.output_width) jpeg_crop_scanline(&info, &left, &width);
    std::uint8_t* const first = rgb + 3 * static_cast<std::int64_t>(left);
    if (part.y > 0) jpeg_skip_scanlines(&info, static_cast<JDIMENSION>(part.y));
    const auto end = static_cast<JDIMENSION>(part.y + part.height);
    while (info.output_scanline < info.output_height) {
      if (info.output_scanline == end && end + 1 < info.output_height) {
        jpeg_skip_scanlines(&info, info.output_height - 1 - end);
      }
      JSAMPROW row = first + row_bytes * static_cast<std::int64_t>(info.output_scanline);
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    return true;
  }
};

JpegReader::JpegReader() = default;
JpegReader::~JpegReader() = default;

bool is_jpeg(RegularFile& file) { return file.starts_with(std::array<std::uint8_t, 3>{0xFF, 0xD8, 0xFF}); }

Image JpegReader::read(RegularFile& file, const TestView& view) {
  const auto bytes = file.read_all(kMaxImageBytes);
  if (decoder_ == nullptr) decoder_ = std::make_unique<Decoder>();
  auto& info = decoder_->info;
  jpeg_abort_decompress(&info);  // what the last image left, if it was damaged
  const auto fail = [&](const std::string& reason) {
    throw VideoError(fmt::format("{}: {}", file.path().string(), reason));
  };
  if (!decoder_->read_header(bytes)) fail(fmt::format("damaged JPEG: {}", decoder_->message.data()));
  Size size{.width = info.image_width, .height = info.image_height};
  if (size.width * size.height > kMaxImagePixels) {
    fail(fmt::format("{} x {} pixels, more than {} are refused", size.width, size.height, kMaxImagePixels));
  }
  if (info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK) {
    fail("is a CMYK JPEG; convert it to RGB");
  }
  const int reduction = reduction_of(size, view.resize);
  size = {.width = size.width / reduction, .height = size.height / reduction};
  Image image{size.width, size.height,
              std::vector<std::uint8_t>(static_cast<std::size_t>(3 * size.width * size.height))};
  const auto part = with_margin(seen_part(size, view), size);
  if (!decoder_->decode(reduction, part, image.rgb.data())) {
    fail(fmt::format("damaged JPEG: {}", decoder_->message.data()));
  }
  return image;
}

}  // namespace actionclip
