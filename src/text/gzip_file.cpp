#include "text/gzip_file.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>
#include <zlib.h>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip::detail {

std::string read_gzip_file(const std::filesystem::path& path, std::size_t limit) {
  struct Closer {
    void operator()(gzFile file) const { gzclose(file); }
  };
  errno = 0;
  const std::unique_ptr<std::remove_pointer_t<gzFile>, Closer> file(gzopen(path.c_str(), "rb"));
  if (!file) throw Error(fmt::format("{}: cannot open: {}", path.string(), std::strerror(errno)));

  std::string text;
  std::vector<char> chunk(1u << 16);
  for (;;) {
    errno = 0;
    const int size = gzread(file.get(), chunk.data(), static_cast<unsigned>(chunk.size()));
    if (size > 0) text.append(chunk.data(), static_cast<std::size_t>(size));
    // A file that is cut off still gives the bytes before the cut; only gzerror tells.
    int status = Z_OK;
    const char* reason = gzerror(file.get(), &status);
    if (status != Z_OK && status != Z_STREAM_END) {
      throw Error(fmt::format("{}: cannot read: {}", path.string(),
                              status == Z_ERRNO ? std::strerror(errno) : reason));
    }
    if (text.size() > limit) {
      throw Error(fmt::format("{}: holds more than {} bytes decompressed; not the expected file",
                              path.string(), limit));
    }
    if (size <= 0) return text;
  }
}

}  // namespace actionclip::detail
