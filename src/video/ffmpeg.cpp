#include "video/ffmpeg.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include <fmt/format.h>

namespace actionclip {
namespace {

// A video is demuxed and decoded by one thread alone (thread_count 1), so what FFmpeg says meanwhile is about
// that video.
thread_local std::string kept_message;

void keep_message(void* object, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_ERROR || !kept_message.empty()) return;
  std::array<char, 512> buffer{};
  std::vsnprintf(buffer.data(), buffer.size(), format, arguments);
  std::string_view text = buffer.data();
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '.'))
    text.remove_suffix(1);
  if (text.empty()) return;
  const AVClass* description = object != nullptr ? *static_cast<AVClass**>(object) : nullptr;
  const std::string_view source = description != nullptr ? description->item_name(object) : "NULL";
  kept_message = source != "NULL" ? fmt::format("{}: {}", source, text) : std::string(text);
  for (char& character : kept_message) {
    if (static_cast<unsigned char>(character) < ' ') character = ' ';
  }
}

}  // namespace

void capture_ffmpeg_messages() {
  static const bool done = (av_log_set_callback(keep_message), true);
  static_cast<void>(done);
}

void clear_ffmpeg_message() { kept_message.clear(); }

bool has_ffmpeg_message() { return !kept_message.empty(); }

std::string ffmpeg_error_text(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> buffer{};
  av_strerror(code, buffer.data(), buffer.size());
  const std::string text = buffer.data();
  return kept_message.empty() ? text : fmt::format("{} ({})", text, kept_message);
}

}  // namespace actionclip
