// Small videos of many containers and codecs, and what may happen to a file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/video/test_videos.h"

namespace actionclip::testing {

struct SmallVideo {
  std::string name;
  std::string file;
  TestVideo video;
};

inline std::ostream& operator<<(std::ostream& stream, const SmallVideo& small) {
  return stream << small.name;
}

inline std::vector<SmallVideo> small_videos() {
  const auto by = [](const char* encoder, int b_frames = 0, AVPixelFormat format = AV_PIX_FMT_YUV420P) {
    TestVideo video{.encoder = encoder, .pixel_format = format, .frames = 8};
    video.keyframe_interval = 4;
    video.b_frames = b_frames;
    video.paint = moving_frame;
    const std::string name = encoder;
    if (name == "libx265") video.encoder_options = {{"x265-params", "log-level=none"}};
    if (name == "libvpx-vp9") video.encoder_options = {{"deadline", "good"}, {"cpu-used", "5"}};
    if (name == "libaom-av1") video.encoder_options = {{"cpu-used", "8"}};
    return video;
  };
  auto fragmented = by("libx264", 2);
  fragmented.container_options = {{"movflags", "frag_keyframe+empty_moov"}};
  auto index_first = by("libx264", 2);
  index_first.container_options = {{"movflags", "faststart"}};
  const auto full_range = AV_PIX_FMT_YUVJ420P;
  return {{"H264Mp4", "a.mp4", index_first},
          {"H264FragmentedMp4", "a.mp4", fragmented},
          {"H264Mkv", "a.mkv", by("libx264", 2)},
          {"H264Ts", "a.ts", by("libx264", 2)},
          {"H264Flv", "a.flv", by("libx264", 2)},
          {"HevcMp4", "a.mp4", by("libx265", 2)},
          {"HevcMkv", "a.mkv", by("libx265", 2)},
          {"Vp9Webm", "a.webm", by("libvpx-vp9")},
          {"Vp9Mp4", "a.mp4", by("libvpx-vp9")},
          {"Av1Mp4", "a.mp4", by("libaom-av1")},
          {"Av1Mkv", "a.mkv", by("libaom-av1")},
          {"Mpeg4Avi", "a.avi", by("mpeg4", 2)},
          {"Mpeg4Mp4", "a.mp4", by("mpeg4")},
          {"MjpegAvi", "a.avi", by("mjpeg", 0, full_range)},
          {"MjpegMov", "a.mov", by("mjpeg", 0, full_range)},
          {"Mpeg2Ps", "a.mpg", by("mpeg2video", 2)},
          {"Wmv2Asf", "a.wmv", by("wmv2")},
          {"TheoraOgg", "a.ogg", by("libtheora")}};
}

struct NamedBytes {
  std::string name;
  std::string bytes;
};

// Random changes. One number decides everything, so that any can be made again.
class Damage {
 public:
  explicit Damage(std::uint64_t seed) : random_(seed) {}

  std::string flipped(std::string bytes, std::size_t bits) {
    for (; bits > 0; --bits) bytes[below(bytes.size())] ^= static_cast<char>(1u << below(8));
    return bytes;
  }

  std::string changed(std::string bytes) {
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) change(bytes);
    return bytes;
  }

 private:
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

  // Headers are a small part of a file and its most fragile one.
  std::size_t place_in(const std::string& bytes) {
    return below(2) == 0 ? below(bytes.size()) : below(std::min<std::size_t>(bytes.size(), 1000));
  }

  void change(std::string& bytes) {
    if (bytes.empty()) return;
    constexpr std::string_view kOdd[] = {{"\0\0\0\0", 4},   {"\xFF\xFF\xFF\xFF", 4}, {"\x7F\xFF\xFF\xFF", 4},
                                         {"\x80\0\0\0", 4}, {"\0\0\0\1", 4},         {"\xFF\xFF\xFF\x7F", 4}};
    const std::size_t place = place_in(bytes);
    const std::size_t length = std::min(bytes.size() - place, 1 + below(64));
    switch (below(7)) {
      case 0:
        bytes[place] ^= static_cast<char>(1u << below(8));
        break;
      case 1:
        bytes[place] = static_cast<char>(below(256));
        break;
      case 2:
        bytes.erase(place, length);
        break;
      case 3:
        bytes.insert(place_in(bytes), bytes.substr(place, length));
        break;
      case 4:
        bytes.replace(place, length, length, '\0');
        break;
      case 5:
        if (below(4) == 0) bytes.resize(place);
        break;
      default:
        bytes.replace(place, std::min<std::size_t>(length, 4), kOdd[below(std::size(kOdd))]);
    }
  }

  std::mt19937_64 random_;
};

// 30 ways in which a copy of `good` goes wrong.
inline std::vector<NamedBytes> damaged_copies(const std::string& good) {
  std::vector<NamedBytes> copies;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    copies.push_back({"bits flipped, seed " + std::to_string(seed),
                      Damage(seed).flipped(good, std::size_t{1} << seed % 5)});
  }
  for (const std::size_t size : {std::size_t{1}, std::size_t{16}, std::size_t{100}, good.size() - 1})
    copies.push_back({"cut to " + std::to_string(size), good.substr(0, size)});
  for (std::size_t eighth = 1; eighth < 8; ++eighth) {
    const std::size_t place = good.size() * eighth / 8;
    copies.push_back({"cut at " + std::to_string(eighth) + "/8", good.substr(0, place)});
  }
  for (std::size_t quarter = 0; quarter < 4; ++quarter) {
    std::string bytes = good;
    bytes.replace(good.size() * quarter / 4, good.size() / 8, good.size() / 8, '\0');
    copies.push_back({"zeros at " + std::to_string(quarter) + "/4", bytes});
  }
  const std::size_t half = good.size() / 2;
  copies.push_back({"nothing but zeros", std::string(good.size(), '\0')});
  copies.push_back({"without its first byte", good.substr(1)});
  copies.push_back({"halves swapped", good.substr(half) + good.substr(0, half)});
  copies.push_back({"first half twice", good.substr(0, half) + good});
  copies.push_back({"zeros behind", good + std::string(100'000, '\0')});
  return copies;
}

}  // namespace actionclip::testing
