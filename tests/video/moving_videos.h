// Moving videos of many kinds, and choices of their frames.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <numeric>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/video/frame_source.h"

#include "tests/video/test_videos.h"

namespace actionclip::testing {

inline constexpr int kMovingFrames = 44;

inline std::vector<std::int64_t> up_to(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

// Of `count` frames: each alone, pairs near and far, and spreads of eight.
inline std::vector<std::vector<std::int64_t>> choices_of(std::int64_t count) {
  std::vector<std::vector<std::int64_t>> choices;
  for (std::int64_t i = 0; i < count; ++i) {
    choices.push_back({i});
    if (i % 3 == 0) choices.push_back({i, std::min(i + 1 + i % 5, count - 1)});
    if (i % 7 == 0) choices.push_back({i / 2, count - 1 - i / 3});
  }
  for (std::int64_t start = 0; start < 5 && start < count; ++start) {
    std::vector<std::int64_t> spread;
    for (std::int64_t i = 0; i < 8; ++i) spread.push_back(start + (count - 1 - start) * i / 7);
    choices.push_back(spread);
  }
  return choices;
}

// The numbers of those images that are not the ones of `whole`.
inline std::string differing(const std::vector<Image>& images, const std::vector<std::int64_t>& indices,
                             const std::vector<Image>& whole) {
  if (images.size() != indices.size()) return std::to_string(images.size()) + " images";
  std::string list;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const Image& expected = whole[static_cast<std::size_t>(indices[i])];
    if (images[i].rgb != expected.rgb || images[i].width != expected.width)
      list += std::to_string(indices[i]) + " ";
  }
  return list;
}

inline FrameChooser always(const std::vector<std::int64_t>& indices) {
  return [indices](std::int64_t) { return indices; };
}

inline TestVideo moving(const char* encoder, const char* parameters = "", int keyframe_interval = 12,
                        int b_frames = 3) {
  TestVideo video{.encoder = encoder, .width = 96, .height = 80, .frames = kMovingFrames};
  video.keyframe_interval = keyframe_interval;
  video.b_frames = b_frames;
  video.paint = moving_frame;
  const std::string name = encoder;
  const std::string all =
      std::string(name == "libx265" ? "log-level=none:" : "") + "scenecut=0:" + parameters;
  if (name == "libx264") video.encoder_options = {{"x264-params", all}};
  if (name == "libx265") video.encoder_options = {{"x265-params", all}};
  if (name == "libvpx-vp9" || name == "libvpx")
    video.encoder_options = {
        {"deadline", "good"}, {"cpu-used", "5"}, {"auto-alt-ref", "1"}, {"lag-in-frames", "12"}};
  if (name == "libaom-av1") video.encoder_options = {{"cpu-used", "8"}, {"lag-in-frames", "12"}};
  if (name == "libsvtav1") video.encoder_options = {{"preset", "12"}};
  if (name == "mjpeg") video.pixel_format = AV_PIX_FMT_YUVJ420P;
  return video;
}

struct VideoKind {
  std::string name;
  std::string file;
  TestVideo video;
  bool selective = true;  // no full decode is needed
  void (*write)(const std::filesystem::path& path, const TestVideo& video) = encode_video;
};

inline std::ostream& operator<<(std::ostream& stream, const VideoKind& kind) { return stream << kind.name; }

// MPEG-4 as DivX put it into AVI files: a B-frame shares the packet of the frame that is decoded before it,
// and a packet that says "not coded" takes its place.
inline void encode_packed(const std::filesystem::path& path, const TestVideo& video) {
  const std::filesystem::path plain = path.string() + ".plain.avi", unused = path.string() + ".unused.avi";
  encode_video(plain, video);
  const auto is_b_frame = [](std::string_view bytes) {
    const auto start =
        bytes.find(std::string_view("\0\0\1\xB6", 4));  // vop_start_code, then its type in 2 bits
    return start != std::string_view::npos && (static_cast<unsigned char>(bytes[start + 4]) >> 6) == 2;
  };
  const std::string_view user_data(
      "\0\0\1\xB2"
      "DivX503b1393p",
      17),
      not_coded("\0\0\1\xB6\x51\x00\x00", 7);
  std::vector<std::string> packets;
  copy_packets(plain, unused, [&packets](const AVPacket& packet, int) {
    packets.emplace_back(reinterpret_cast<const char*>(packet.data), static_cast<std::size_t>(packet.size));
    return true;
  });
  for (std::size_t i = 0; i + 1 < packets.size(); ++i) {
    if (!is_b_frame(packets[i + 1])) continue;
    packets[i] = packets[i] + packets[i + 1];
    packets[++i] = not_coded;
  }
  packets.front() = std::string(user_data) + packets.front();
  copy_packets(plain, path, [&packets](AVPacket& packet, int number) {
    const std::string& bytes = packets[static_cast<std::size_t>(number)];
    detail::require(av_grow_packet(&packet, static_cast<int>(bytes.size())), "a packet");
    std::memcpy(packet.data, bytes.data(), bytes.size());
    av_shrink_packet(&packet, static_cast<int>(bytes.size()));
    return true;
  });
}

namespace detail {

template <typename Change>
TestVideo with(TestVideo video, const Change& change) {
  change(video);
  return video;
}

inline TestVideo formatted(const char* encoder, AVPixelFormat pixel_format, int width, int height) {
  return with(moving(encoder, "", 12, std::string_view(encoder).starts_with("libx26") ? 3 : 0),
              [=](TestVideo& video) {
                video.pixel_format = pixel_format;
                video.width = width;
                video.height = height;
              });
}

inline std::vector<VideoKind> h264_kinds() {
  const char* open_gop = "open-gop=1:b-adapt=0:b-pyramid=2";
  return {{"H264", "a.mp4", moving("libx264")},
          {"H264Mkv", "a.mkv", moving("libx264")},
          {"H264OneKeyFrame", "a.mp4", moving("libx264", "", 250)},
          {"H264NoBFrames", "a.mp4", moving("libx264", "ref=3", 12, 0)},
          {"H264DeepPyramid", "a.mp4",
           moving("libx264", "b-pyramid=2:b-adapt=0:ref=8:weightp=2:direct=temporal", 20, 8)},
          {"H264StrictPyramid", "a.mkv", moving("libx264", "b-pyramid=1:b-adapt=0", 9, 4)},
          {"H264OpenGop", "a.mp4", moving("libx264", open_gop)},
          {"H264OpenGopMkv", "a.mkv", moving("libx264", open_gop)},
          {"H264IntraRefresh", "a.mp4", moving("libx264", "intra-refresh=1")},
          {"H264KeyFramesOnly", "a.mp4", moving("libx264", "", 1, 0)},
          {"H264Baseline", "a.mp4", moving("libx264", "cabac=0:8x8dct=0:weightp=0", 15, 0)},
          {"H264Slices", "a.mp4", moving("libx264", "slices=4")},
          {"H264Interlaced", "a.mp4", moving("libx264", "interlaced=1")},
          {"H264InterlacedMkv", "a.mkv", moving("libx264", "bff=1:open-gop=1")},
          {"H264TenBit", "a.mp4", formatted("libx264", AV_PIX_FMT_YUV420P10, 96, 80)},
          {"H264OddSize", "a.mp4", formatted("libx264", AV_PIX_FMT_YUV444P, 97, 81)},
          {"H264Cropped", "a.mp4", formatted("libx264", AV_PIX_FMT_YUV420P, 90, 70)},
          {"H264Yuv422", "a.mp4", formatted("libx264", AV_PIX_FMT_YUV422P, 96, 80)},
          {"H264InBandHeaders", "a.mkv", moving("libx264", "repeat-headers=1")},
          {"H264Avi", "a.avi", moving("libx264", "", 12, 0), false},
          {"H264Ts", "a.ts", moving("libx264"), false},
          {"H264TsOpenGop", "a.ts", moving("libx264", open_gop), false},
          {"H264Flv", "a.flv", moving("libx264"), false}};
}

// What containers do with times, counts and orientation.
inline std::vector<VideoKind> container_kinds() {
  const auto h264 = [](const auto& change) { return with(moving("libx264"), change); };
  const auto at_times = [&](auto time) {
    return h264([&](TestVideo& video) {
      for (int i = 0; i < kMovingFrames; ++i) video.timestamps.push_back(time(i));
    });
  };
  const auto in_mp4 = [&](const char* flags) {
    return h264([&](TestVideo& video) { video.container_options = {{"movflags", flags}}; });
  };
  const auto turned = [&](int degrees) { return h264([=](TestVideo& video) { video.rotation = degrees; }); };
  const auto uneven = at_times([](int i) { return i + i / 5 * 3 + (i > 20 ? 40 : 0); });
  const auto hidden = at_times([](int i) { return i - 7; });  // MP4 hides what is before 0
  const auto delayed = at_times([](int i) { return i + 31; });
  const auto live = h264([](TestVideo& video) { video.container_options = {{"live", "1"}}; });
  const auto single = [](const char* encoder) {
    return with(moving(encoder, "", 12, 0), [](TestVideo& video) { video.frames = 1; });
  };
  return {{"Fragmented", "a.mp4", in_mp4("frag_keyframe+empty_moov")},
          {"FragmentedFrameByFrame", "a.mp4", in_mp4("frag_every_frame+empty_moov+default_base_moof")},
          {"FastStart", "a.mp4", in_mp4("faststart")},
          {"Mov", "a.mov", moving("libx264")},
          {"EditListHidesFrames", "a.mp4", hidden},
          {"EditListDelays", "a.mp4", delayed},
          {"Uneven", "a.mp4", uneven},
          {"UnevenMkv", "a.mkv", uneven},
          {"LiveMkv", "a.mkv", live},
          {"Turned90", "a.mp4", turned(90)},
          {"Turned180", "a.mp4", turned(180)},
          {"Turned270", "a.mov", turned(270)},
          {"OneFrameH264", "a.mp4", single("libx264")},
          {"OneFrameHevc", "a.mkv", single("libx265")},
          {"OneFrameVp9", "a.webm", single("libvpx-vp9")},
          {"OneFrameTs", "a.ts", single("libx264"), false}};
}

inline std::vector<VideoKind> hevc_kinds() {
  const char* open_gop = "open-gop=1:keyint=12:min-keyint=12:bframes=4:b-adapt=0";
  const char* layers = "temporal-layers=1:keyint=20:min-keyint=20:bframes=3:b-adapt=0";
  return {{"Hevc", "a.mp4", moving("libx265", "open-gop=0:keyint=12:min-keyint=12")},
          {"HevcOpenGop", "a.mp4", moving("libx265", open_gop)},
          {"HevcOpenGopMkv", "a.mkv", moving("libx265", open_gop)},
          {"HevcLayers", "a.mp4", moving("libx265", layers)},
          {"HevcTenBit", "a.mkv", formatted("libx265", AV_PIX_FMT_YUV420P10, 96, 80)},
          {"HevcCropped", "a.mp4", formatted("libx265", AV_PIX_FMT_YUV420P, 90, 70)},
          {"HevcTs", "a.ts", moving("libx265", open_gop), false}};
}

inline std::vector<VideoKind> other_kinds() {
  const auto interlaced = [](const char* encoder) {
    return with(moving(encoder, "", 12, 2), [](TestVideo& video) {
      video.encoder_options = {{"flags", "+ildct+ilme"}};
    });
  };
  return {{"Vp9AltRef", "a.webm", moving("libvpx-vp9")},
          {"Vp9Mp4", "a.mp4", moving("libvpx-vp9")},
          {"Vp9TenBit", "a.webm", formatted("libvpx-vp9", AV_PIX_FMT_YUV420P10, 96, 80)},
          {"Vp9OddSize", "a.mkv", formatted("libvpx-vp9", AV_PIX_FMT_YUV420P, 97, 81)},
          {"Vp8", "a.webm", moving("libvpx")},
          {"Av1", "a.mkv", moving("libaom-av1")},
          {"Av1Mp4", "a.mp4", moving("libaom-av1")},
          {"Av1TenBit", "a.mp4", formatted("libaom-av1", AV_PIX_FMT_YUV420P10, 96, 80)},
          {"Av1OddSize", "a.webm", formatted("libaom-av1", AV_PIX_FMT_YUV420P, 97, 81)},
          {"Av1Svt", "a.mp4", formatted("libsvtav1", AV_PIX_FMT_YUV420P, 96, 80)},
          {"Mpeg4", "a.mp4", moving("mpeg4", "", 12, 0)},
          {"Mpeg4Mkv", "a.mkv", moving("mpeg4", "", 12, 0)},
          {"Mpeg4OddSize", "a.mp4", formatted("mpeg4", AV_PIX_FMT_YUV420P, 97, 81)},
          {"Mpeg4BFrames", "a.mp4", moving("mpeg4", "", 12, 2), false},
          {"Mpeg4Avi", "a.avi", moving("mpeg4", "", 12, 2), false},
          {"Mpeg4Packed", "a.avi", moving("mpeg4", "", 12, 1), false, encode_packed},
          {"Mpeg4Interlaced", "a.avi", interlaced("mpeg4"), false},
          {"Mjpeg", "a.mkv", moving("mjpeg", "", 1, 0)},
          {"MjpegOddSizeAvi", "a.avi", formatted("mjpeg", AV_PIX_FMT_YUVJ422P, 97, 81), false},
          {"Mpeg2Mkv", "a.mkv", moving("mpeg2video", "", 12, 2), false},
          {"Mpeg2Interlaced", "a.ts", interlaced("mpeg2video"), false}};
}

}  // namespace detail

inline std::vector<VideoKind> moving_kinds() {
  auto kinds = detail::h264_kinds();
  for (const auto& more : {detail::container_kinds(), detail::hevc_kinds(), detail::other_kinds()})
    kinds.insert(kinds.end(), more.begin(), more.end());
  return kinds;
}

}  // namespace actionclip::testing
