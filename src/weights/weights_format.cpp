#include "weights/weights_format.h"

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr std::string_view kSave =
    "load it with Python and save it again: torch.save(torch.load(old, weights_only=True), new)";

// What a file that is neither container seems to be, and what to do.
std::string explain(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const std::string_view visible = first == std::string_view::npos ? "" : text.substr(first);
  if (text.empty()) return "the file is empty";
  if (text.starts_with("version https://git-lfs"))
    return "a git-lfs pointer, not the weights themselves: run `git lfs pull`";
  if (visible.starts_with("<!") || visible.starts_with("<html") || visible.starts_with("<?xml")) {
    return "a web page, not weights: the download failed, fetch the file again";
  }
  // Pickle protocols 2 to 5; before version 1.6 torch.save wrote such files, and tar archives before that.
  if (text.starts_with('\x80') && text.size() > 1 && text[1] >= 2 && text[1] <= 5) {
    return fmt::format("written in PyTorch's old format, which is not read: {}", kSave);
  }
  if (text.size() > 262 && text.substr(257, 5) == "ustar") {
    return fmt::format("a tar archive, PyTorch's oldest format, which is not read: {}", kSave);
  }
  return "neither a safetensors file nor a zip archive of PyTorch";
}

}  // namespace

WeightsContainer detect_weights_container(std::span<const std::byte> beginning, std::string_view source) {
  const std::string_view text(reinterpret_cast<const char*>(beginning.data()), beginning.size());
  if (text.starts_with(std::string_view("PK\x03\x04"))) return WeightsContainer::kZip;
  // safetensors: 8 bytes of length, then JSON.
  if (text.size() > 8 && text[8] == '{') return WeightsContainer::kSafetensors;
  throw WeightsError(fmt::format("{}: {}", source, explain(text)));
}

}  // namespace actionclip
