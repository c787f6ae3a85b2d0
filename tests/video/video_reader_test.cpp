#include "actionclip/video/video_reader.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/sampler.h"

#include "tests/places.h"
#include "tests/video/test_videos.h"

// The x265 encoder, which makes some videos of this program's tests, leaks; LeakSanitizer asks for this.
extern "C" const char* __lsan_default_suppressions() { return "leak:libx265"; }

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace actionclip::testing;

const std::filesystem::path kRealVideos = test_data_folder() / "videos";

std::vector<std::int64_t> up_to(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) indices[static_cast<std::size_t>(i)] = i;
  return indices;
}

std::vector<std::int64_t> numbers_of(const std::vector<Image>& images) {
  std::vector<std::int64_t> numbers;
  for (const auto& image : images) numbers.push_back(frame_number(image));
  return numbers;
}

std::vector<std::int64_t> all_numbers(const std::filesystem::path& path) {
  VideoReader reader(path);
  return numbers_of(reader.read(up_to(reader.frame_count())));
}

// The message of the VideoError that opening and decoding `path` to the end gives.
std::string failure(const std::filesystem::path& path) {
  try {
    VideoReader reader(path);
    return "decoded " + std::to_string(reader.frame_count()) + " frames";
  } catch (const VideoError& problem) {
    return problem.what();
  }
}

void expect_color(const Image& image, int quarter, Color expected, int tolerance) {
  const Color color = quarter_color(image, quarter);
  EXPECT_NEAR(color.red, expected.red, tolerance) << "quarter " << quarter;
  EXPECT_NEAR(color.green, expected.green, tolerance) << "quarter " << quarter;
  EXPECT_NEAR(color.blue, expected.blue, tolerance) << "quarter " << quarter;
}

constexpr Color kRed{200, 30, 30}, kBlue{30, 30, 200};

// --- What decodes ---

struct Kind {
  std::string name;
  std::string file;
  TestVideo video;
};

class VideoReaderKinds : public ::testing::TestWithParam<Kind> {};

TEST_P(VideoReaderKinds, EveryFrameIsItselfWithItsColours) {
  const TemporaryFolder folder;
  const auto& [name, file, video] = GetParam();
  encode_video(folder / file, video);
  VideoReader reader(folder / file);
  EXPECT_EQ(reader.frame_count(), video.frames);
  const auto images = reader.read(up_to(video.frames));
  EXPECT_EQ(numbers_of(images), up_to(video.frames));
  for (const auto& image : images) {
    ASSERT_EQ(image.width, video.width);
    ASSERT_EQ(image.height, video.height);
    ASSERT_EQ(image.rgb.size(), static_cast<std::size_t>(video.width * video.height * 3));
  }
  expect_color(images[0], 0, kRed, 6);
  expect_color(images[0], 1, kBlue, 6);
  expect_color(images[0], 3, {20, 20, 20}, 2);
}

std::vector<Kind> kinds() {
  const auto lossless = [](const char* encoder, AVPixelFormat format, int width, int height) {
    TestVideo video{.encoder = encoder, .pixel_format = format, .width = width, .height = height};
    video.b_frames = 0;
    return video;
  };
  const auto odd = [](AVPixelFormat format) {
    return TestVideo{.pixel_format = format, .width = 67, .height = 45};
  };
  auto full_range = odd(AV_PIX_FMT_YUV444P);
  full_range.color_range = AVCOL_RANGE_JPEG;
  auto high_definition = odd(AV_PIX_FMT_YUV444P);
  high_definition.color_space = AVCOL_SPC_BT709;
  auto mpeg4 = lossless("mpeg4", AV_PIX_FMT_YUV420P, 67, 45);
  mpeg4.b_frames = 2;
  auto vp9 = lossless("libvpx-vp9", AV_PIX_FMT_YUV420P, 64, 48);
  vp9.encoder_options = {{"deadline", "realtime"}, {"cpu-used", "8"}};
  TestVideo hevc{.encoder = "libx265"};
  hevc.encoder_options = {{"x265-params", "log-level=none"}};
  auto av1 = lossless("libaom-av1", AV_PIX_FMT_YUV420P, 64, 48);
  av1.encoder_options = {
      {"usage", "realtime"}, {"cpu-used", "8"}, {"lag-in-frames", "0"}, {"aom-params", "lossless=1"}};
  auto dv = lossless("dvvideo", AV_PIX_FMT_YUV411P, 720, 480);
  dv.rate = 30;
  return {{"H264Mp4", "a.mp4", {}},
          {"H264Mkv", "a.mkv", {}},
          {"H264Flv", "a.flv", {}},
          {"H264Ts", "a.ts", {}},
          {"H264Stream", "a.h264", {}},
          {"H264OddSize", "a.mp4", odd(AV_PIX_FMT_YUV444P)},
          {"HevcMp4", "a.mp4", hevc},
          {"H264TenBit", "a.mp4", {.pixel_format = AV_PIX_FMT_YUV420P10}},
          {"FullRange", "a.mp4", full_range},
          {"Bt709", "a.mp4", high_definition},
          {"Mpeg4Avi", "a.avi", mpeg4},
          {"Mpeg2Ps", "a.mpg", {.encoder = "mpeg2video"}},
          {"Mpeg2Mxf", "a.mxf", lossless("mpeg2video", AV_PIX_FMT_YUV420P, 64, 48)},
          {"Rv20Rm", "a.rm", lossless("rv20", AV_PIX_FMT_YUV420P, 64, 48)},
          {"H264Nut", "a.nut", {}},
          {"DvStream", "a.dv", dv},
          {"MjpegStream", "a.mjpeg", lossless("mjpeg", AV_PIX_FMT_YUVJ444P, 67, 45)},
          {"Av1Stream", "a.obu", av1},
          {"Wmv2Asf", "a.wmv", lossless("wmv2", AV_PIX_FMT_YUV420P, 64, 48)},
          {"Vp9Webm", "a.webm", vp9},
          {"TheoraOgg", "a.ogg", lossless("libtheora", AV_PIX_FMT_YUV420P, 64, 48)},
          {"MjpegAvi", "a.avi", lossless("mjpeg", AV_PIX_FMT_YUVJ444P, 67, 45)},
          {"RawAvi", "a.avi", lossless("rawvideo", AV_PIX_FMT_BGR24, 67, 45)},
          {"Ffv1Rgb", "a.mkv", lossless("ffv1", AV_PIX_FMT_BGR0, 67, 45)},
          {"Ffv1Yuv422", "a.mkv", lossless("ffv1", AV_PIX_FMT_YUV422P, 67, 45)},
          {"Gif", "a.gif", lossless("gif", AV_PIX_FMT_RGB8, 67, 45)},
          {"Y4m", "a.y4m", lossless("wrapped_avframe", AV_PIX_FMT_YUV444P, 67, 45)}};
}

INSTANTIATE_TEST_SUITE_P(Kinds, VideoReaderKinds, ::testing::ValuesIn(kinds()),
                         [](const auto& info) { return info.param.name; });

TEST(VideoReader, ReadsSingleFramesAsAFullReadDoes) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {});
  VideoReader whole(folder / "a.mp4");
  const auto images = whole.read(up_to(20));
  for (const std::int64_t index : {0, 1, 7, 8, 9, 15, 19}) {
    VideoReader reader(folder / "a.mp4");
    const std::vector<std::int64_t> indices{index};
    EXPECT_EQ(reader.read(indices).at(0).rgb, images[static_cast<std::size_t>(index)].rgb) << index;
  }
}

TEST(VideoReader, ReadsForwardBackwardAndRepeatedly) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {});
  VideoReader reader(folder / "a.mp4");
  EXPECT_THAT(numbers_of(reader.read(std::vector<std::int64_t>{3, 3, 7})), ElementsAre(3, 3, 7));
  EXPECT_THAT(numbers_of(reader.read(std::vector<std::int64_t>{8, 19, 19})), ElementsAre(8, 19, 19));
  EXPECT_THAT(numbers_of(reader.read(std::vector<std::int64_t>{0, 0, 5})), ElementsAre(0, 0, 5));
  EXPECT_EQ(reader.frame_count(), 20);
  EXPECT_THAT(numbers_of(reader.read(std::vector<std::int64_t>{19})), ElementsAre(19));
  EXPECT_TRUE(reader.read({}).empty());
}

TEST(VideoReader, RefusesIndicesThatDecreaseOrDoNotExist) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {});
  VideoReader reader(folder / "a.mp4");
  EXPECT_THROW(reader.read(std::vector<std::int64_t>{3, 2}), std::invalid_argument);
  EXPECT_THROW(reader.read(std::vector<std::int64_t>{-1}), std::invalid_argument);
  try {
    reader.read(std::vector<std::int64_t>{4, 20, 21});
    FAIL() << "no error";
  } catch (const VideoError& problem) {
    EXPECT_THAT(problem.what(), HasSubstr("a.mp4: frame 20 was asked for, but only 20 decode"));
  }
  EXPECT_THAT(numbers_of(reader.read(std::vector<std::int64_t>{4})), ElementsAre(4));
}

TEST(VideoReader, VariableFrameRateNeitherDoublesNorDropsFrames) {
  const TemporaryFolder folder;
  TestVideo video{.frames = 8};
  video.timestamps = {0, 1, 5, 6, 7, 40, 41, 90};
  encode_video(folder / "a.mp4", video);
  encode_video(folder / "a.mkv", video);
  EXPECT_EQ(all_numbers(folder / "a.mp4"), up_to(8));
  EXPECT_EQ(all_numbers(folder / "a.mkv"), up_to(8));
}

TEST(VideoReader, FramesThatAnEditListHidesAreNotPresented) {
  const TemporaryFolder folder;
  TestVideo video{.frames = 12};
  video.b_frames = 0;
  for (int i = 0; i < 12; ++i) video.timestamps.push_back(i - 4);  // the first four lie before time 0
  encode_video(folder / "a.mp4", video);
  EXPECT_THAT(all_numbers(folder / "a.mp4"), ElementsAre(4, 5, 6, 7, 8, 9, 10, 11));
}

TEST(VideoReader, FramesThatReferToBeforeTheCutAreLeftOut) {
  const TemporaryFolder folder;
  TestVideo h264{.frames = 40, .keyframe_interval = 10};
  h264.encoder_options = {{"x264-params", "open-gop=1:scenecut=0:bframes=3:b-adapt=0"}};
  TestVideo hevc{.encoder = "libx265", .frames = 40, .keyframe_interval = 10};
  hevc.encoder_options = {{"x265-params", "open-gop=1:scenecut=0:bframes=3:b-adapt=0:log-level=none"}};
  const TestVideo mpeg2{.encoder = "mpeg2video", .frames = 40, .keyframe_interval = 10};
  for (const auto& video : {h264, hevc, mpeg2}) {
    encode_video(folder / "whole.mp4", video);
    for (const char* name : {"cut.mp4", "cut.mkv"}) {
      cut_at_second_keyframe(folder / "whole.mp4", folder / name);
      const auto numbers = all_numbers(folder / name);
      ASSERT_GE(numbers.size(), 28u) << name << ' ' << video.encoder;
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        EXPECT_EQ(numbers[i], 40 - static_cast<std::int64_t>(numbers.size() - i))
            << name << ' ' << video.encoder;
      }
    }
  }
}

class VideoReaderRotation : public ::testing::TestWithParam<int> {};

TEST_P(VideoReaderRotation, FramesStandUpright) {
  const TemporaryFolder folder;
  TestVideo video{.frames = 3};
  video.rotation = GetParam();
  encode_video(folder / "a.mp4", video);
  VideoReader reader(folder / "a.mp4");
  const Image image = reader.read(std::vector<std::int64_t>{1}).front();
  const bool lies = GetParam() % 180 != 0;
  EXPECT_EQ(image.width, lies ? 48 : 64);
  EXPECT_EQ(image.height, lies ? 64 : 48);
  // Where the stored top left (red) and top right (blue) quarters are after turning clockwise.
  constexpr int kRedAt[] = {0, 1, 3, 2}, kBlueAt[] = {1, 3, 2, 0};
  expect_color(image, kRedAt[GetParam() / 90], kRed, 6);
  expect_color(image, kBlueAt[GetParam() / 90], kBlue, 6);
}

INSTANTIATE_TEST_SUITE_P(QuarterTurns, VideoReaderRotation, ::testing::Values(0, 90, 180, 270));

TEST(VideoReader, FramesOfAnotherSizeMidwayGetTheSizeOfTheFirst) {
  const TemporaryFolder folder;
  encode_video(folder / "a.h264", {.frames = 4});
  encode_video(folder / "b.h264", {.width = 96, .height = 80, .frames = 4, .first_number = 4});
  write_text(folder / "both.h264", read_text(folder / "a.h264") + read_text(folder / "b.h264"));
  VideoReader reader(folder / "both.h264");
  ASSERT_EQ(reader.frame_count(), 8);
  const auto images = reader.read(up_to(8));
  EXPECT_EQ(numbers_of(images), up_to(8));
  for (const auto& image : images) {
    EXPECT_EQ(image.width, 64);
    EXPECT_EQ(image.height, 48);
  }
  expect_color(images[7], 0, kRed, 6);
}

TEST(VideoReader, NameSaysNothingAboutTheContent) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mkv", {.frames = 5});
  for (const char* name : {"http:a.mp4", "concat:a|b.txt", "%05d.png", "a b'\"\n.m3u8"}) {
    std::filesystem::copy_file(folder / "a.mkv", folder / name);
    EXPECT_EQ(all_numbers(folder / name), up_to(5)) << name;
  }
}

// --- Parts of videos ---

TEST(VideoReader, ATimeRangeHoldsTheFramesShownInIt) {
  const TemporaryFolder folder;
  TestVideo video{.frames = 8};
  video.timestamps = {0, 1, 5, 6, 7, 40, 41, 90};
  const auto in_range = [&](const std::filesystem::path& path, double start, double end) {
    VideoReader reader(path);
    const auto chosen = reader.read_chosen(up_to, {}, {start / video.rate, end / video.rate});
    EXPECT_EQ(chosen.frame_count, std::ssize(chosen.frames));
    return numbers_of(chosen.frames);
  };
  for (const char* name : {"a.mp4", "a.mkv", "a.ts", "a.flv"}) {  // the last two are decoded in full
    encode_video(folder / name, video);
    EXPECT_THAT(in_range(folder / name, 0, 2), ElementsAre(0, 1)) << name;
    EXPECT_THAT(in_range(folder / name, 4.5, 40.5), ElementsAre(2, 3, 4, 5)) << name;
    EXPECT_THAT(in_range(folder / name, 20, 30), ElementsAre(4)) << name;
    EXPECT_THAT(in_range(folder / name, 50, 1000), ElementsAre(7)) << name;
    EXPECT_THAT(in_range(folder / name, 100, 2000), ElementsAre(7)) << name;
    EXPECT_THROW(in_range(folder / name, 1000, 2000), VideoError) << name;
  }
}

TEST(VideoReader, TellsWhenFramesAreShownFromTheFirstOn) {
  const TemporaryFolder folder;
  TestVideo video{.frames = 5};
  video.timestamps = {0, 1, 5, 6, 40};
  for (const char* name : {"a.mp4", "a.mkv", "a.ts"}) {  // the last one is decoded in full
    encode_video(folder / name, video);
    VideoReader reader(folder / name);
    const std::vector<std::int64_t> indices = {0, 2, 2, 4};
    const auto seconds = reader.seconds_of(indices);
    ASSERT_EQ(seconds.size(), 4u) << name;
    EXPECT_EQ(seconds[0], 0) << name;
    EXPECT_NEAR(seconds[1], 0.2, 2e-3) << name;
    EXPECT_EQ(seconds[2], seconds[1]) << name;
    EXPECT_NEAR(seconds[3], 1.6, 2e-3) << name;
    EXPECT_EQ(reader.frame_count(), 5) << name;
    EXPECT_EQ(reader.seconds_of(indices), seconds) << name << " does not depend on what was read";
  }
}

TEST(VideoReader, WithoutTimesARangeGoesByTheFrameRate) {
  const TemporaryFolder folder;
  encode_video(folder / "a.h264", {.frames = 20});
  VideoReader reader(folder / "a.h264");
  const auto chosen = reader.read_chosen(up_to, {}, {0.19, 0.33});
  EXPECT_THAT(numbers_of(chosen.frames), ElementsAre(5, 6, 7, 8));
  ASSERT_TRUE(chosen.index);
  VideoReader next(folder / "a.h264");
  EXPECT_THAT(numbers_of(next.read_chosen(up_to, *chosen.index, {0.19, 0.33}).frames),
              ElementsAre(5, 6, 7, 8));
  EXPECT_LT(next.statistics().packets_decoded, 20) << "what is remembered spares the rest";
}

TEST(VideoReader, ReadingStopsAtTheTimeLimit) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {});
  VideoReader reader(folder / "a.mp4", /*seconds_limit=*/0.2);
  std::this_thread::sleep_for(std::chrono::milliseconds(210));
  for (int i = 0; i < 2; ++i) {
    try {
      reader.read(std::vector<std::int64_t>{3});
      FAIL() << "no error";
    } catch (const VideoError& problem) {
      EXPECT_THAT(problem.what(), HasSubstr("a.mp4: took longer than 0.2 s"));
    }
  }
}

// --- Frame counts ---

TEST(VideoReader, ReadChosenGivesWhatTheTrueCountChooses) {
  const TemporaryFolder folder;
  TestVideo hidden{.frames = 12};
  hidden.b_frames = 0;
  for (int i = 0; i < 12; ++i) hidden.timestamps.push_back(i - 4);
  encode_video(folder / "hidden.mp4", hidden);
  encode_video(folder / "plain.mkv", {.frames = 8});
  encode_video(folder / "no_claim.h264", {.frames = 8});
  const FrameChooser last_two = [](std::int64_t count) {
    return std::vector<std::int64_t>{count - 2, count - 1};
  };
  for (const char* name : {"hidden.mp4", "plain.mkv", "no_claim.h264"}) {
    VideoReader unknown(folder / name), known(folder / name);
    const auto first = unknown.read_chosen(last_two, -1);
    const auto second = known.read_chosen(last_two, 8);
    EXPECT_EQ(first.frame_count, 8) << name;
    EXPECT_EQ(second.frame_count, 8) << name;
    ASSERT_EQ(first.frames.size(), 2u) << name;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(first.frames[i].rgb, second.frames[i].rgb) << name;
  }
  EXPECT_NE(VideoReader(folder / "hidden.mp4").estimated_frame_count(), 8);
}

TEST(VideoReader, AContainersAbsurdClaimCountsAsNone) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mkv", {});
  std::string bytes = read_text(folder / "a.mkv");
  const auto duration = bytes.find("\x44\x89\x88");  // Matroska's Duration, a double of 8 bytes
  ASSERT_NE(duration, std::string::npos);
  constexpr std::string_view kPetaseconds("\x43\x0C\x6B\xF5\x26\x34\x00\x00", 8);  // 1e15 ms
  bytes.replace(duration + 3, kPetaseconds.size(), kPetaseconds);
  write_text(folder / "a.mkv", bytes);
  VideoReader reader(folder / "a.mkv");
  EXPECT_EQ(reader.estimated_frame_count(), -1);
  const auto chosen = reader.read_chosen([](std::int64_t n) { return sample_test_frames(n, 4, 9, 10); }, -1);
  EXPECT_EQ(chosen.frame_count, 20);
  EXPECT_EQ(chosen.frames.size(), 4u);
}

TEST(VideoReader, EstimatesComeFromTheContainer) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {});
  encode_video(folder / "a.mkv", {});
  encode_video(folder / "a.h264", {});
  EXPECT_EQ(VideoReader(folder / "a.mp4").estimated_frame_count(), 20);
  EXPECT_NEAR(static_cast<double>(VideoReader(folder / "a.mkv").estimated_frame_count()), 20, 2);
  EXPECT_EQ(VideoReader(folder / "a.h264").estimated_frame_count(), -1);
}

// --- What is refused ---

TEST(VideoReader, WhatIsNotAVideoFileIsRefusedByPathAndReason) {
  const TemporaryFolder folder;
  write_text(folder / "empty.mp4", "");
  write_text(folder / "text.mp4", std::string(5000, 'x'));
  write_text(folder / "box.mp4", "size" + std::string("ftypisom") + std::string(5000, 'x'));
  std::filesystem::create_directory(folder / "folder.mp4");
  EXPECT_THAT(failure(folder / "missing.mp4"), AllOf(HasSubstr("missing.mp4"), HasSubstr("No such file")));
  EXPECT_THAT(failure(folder / "empty.mp4"), HasSubstr("empty.mp4: is empty"));
  EXPECT_THAT(failure(folder / "text.mp4"), HasSubstr("text.mp4: is not a video"));
  EXPECT_THAT(failure(folder / "box.mp4"), HasSubstr("box.mp4: cannot be opened as 'mov"));
  EXPECT_THAT(failure(folder / "folder.mp4"), HasSubstr("folder.mp4: is a folder"));
}

TEST(VideoReader, PipesAndDevicesAreRefusedWithoutWaiting) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe.mp4").c_str(), 0600), 0);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(failure(folder / "pipe.mp4"), HasSubstr("is not a regular file"));
  EXPECT_THAT(failure("/dev/zero"), HasSubstr("is not a regular file"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(VideoReader, PlaylistsAndScriptsNamedLikeVideosAreRefused) {
  const TemporaryFolder folder;
  encode_video(folder / "a.ts", {.frames = 5});
  const std::string target = (folder / "a.ts").string();
  const std::pair<const char*, std::string> scripts[] = {
      {"concat.mp4", "ffconcat version 1.0\nfile '" + target + "'\n"},
      {"hls.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + target + "\n#EXT-X-ENDLIST\n"},
      {"hls.avi", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + target + "\n#EXT-X-ENDLIST\n"},
      {"sdp.mp4",
       "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 "
       "H264/90000\n"},
      {"dash.mp4",
       "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
       "profiles=\"urn:mpeg:dash:profile:isoff-main:2011\" "
       "type=\"static\"><Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\"><BaseURL>" +
           target + "</BaseURL></Representation></AdaptationSet></Period></MPD>\n"}};
  for (const auto& [name, text] : scripts) {
    write_text(folder / name, text);
    EXPECT_THAT(failure(folder / name), AllOf(HasSubstr(name), ::testing::Not(StartsWith("decoded"))))
        << name;
  }
}

TEST(VideoReader, AudioAloneIsRefused) {
  const TemporaryFolder folder;
  // A WAVE file of 0.1 s of silence, and an Ogg file without video.
  std::string wave = "RIFF";
  const auto put = [&wave](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) wave += static_cast<char>(value >> (8 * i) & 0xFF);
  };
  put(36 + 1600, 4);
  wave += "WAVEfmt ";
  put(16, 4), put(1, 2), put(1, 2), put(8000, 4), put(16000, 4), put(2, 2), put(16, 2);
  wave += "data";
  put(1600, 4);
  wave += std::string(1600, '\0');
  write_text(folder / "sound.mp4", wave);
  EXPECT_THAT(failure(folder / "sound.mp4"), HasSubstr("is 'wav'"));
  encode_silence(folder / "sound.mkv");
  EXPECT_THAT(failure(folder / "sound.mkv"), HasSubstr("holds no video stream"));
}

TEST(VideoReader, FramesOfTooManyPixelsAreRefused) {
  const TemporaryFolder folder;
  TestVideo video{
      .encoder = "ffv1", .pixel_format = AV_PIX_FMT_GRAY8, .width = 16384, .height = 4160, .frames = 1};
  video.b_frames = 0;
  encode_video(folder / "large.mkv", video);
  EXPECT_THAT(failure(folder / "large.mkv"),
              AllOf(HasSubstr("large.mkv"), ::testing::Not(StartsWith("decoded"))));
}

// --- What is damaged ---

TEST(VideoReader, CutFilesAreDamaged) {
  const TemporaryFolder folder;
  TestVideo fast_start;
  fast_start.container_options = {{"movflags", "+faststart"}};
  encode_video(folder / "index_first.mp4", fast_start);
  encode_video(folder / "index_last.mp4", {});
  encode_video(folder / "a.mkv", {});
  encode_video(folder / "a.avi", {.encoder = "mpeg4"});
  for (const char* name : {"index_first.mp4", "index_last.mp4", "a.mkv", "a.avi"}) {
    const std::string bytes = read_text(folder / name);
    for (const double share : {0.9, 0.7, 0.5, 0.3}) {
      write_text(folder / name,
                 bytes.substr(0, static_cast<std::size_t>(static_cast<double>(bytes.size()) * share)));
      EXPECT_THAT(failure(folder / name), AllOf(HasSubstr(name), ::testing::Not(StartsWith("decoded"))))
          << share;
    }
  }
}

TEST(VideoReader, DamageInTheMiddleIsReportedAndFramesBeforeItAreReadable) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mkv", {.frames = 40});
  std::string bytes = read_text(folder / "a.mkv");
  for (std::size_t i = bytes.size() * 6 / 10; i < bytes.size() * 8 / 10; i += 3)
    bytes[i] = static_cast<char>(bytes[i] ^ 0x5A);
  write_text(folder / "a.mkv", bytes);
  VideoReader reader(folder / "a.mkv");
  EXPECT_THROW(reader.frame_count(), VideoError);
  EXPECT_THAT(numbers_of(reader.read(std::vector<std::int64_t>{0, 2})), ElementsAre(0, 2));
  EXPECT_THROW(reader.frame_count(), VideoError);
}

TEST(VideoReader, MutatedFilesNeverCrash) {
  const TemporaryFolder folder;
  encode_video(folder / "a.mp4", {.frames = 6});
  encode_video(folder / "a.mkv", {.frames = 6});
  encode_video(folder / "a.avi", {.encoder = "mpeg4", .frames = 6});
  std::uint32_t state = 1;
  const auto random = [&state](std::size_t below) {
    return (state = state * 1664525u + 1013904223u) / 65536u % below;
  };
  for (const char* name : {"a.mp4", "a.mkv", "a.avi"}) {
    const std::string good = read_text(folder / name);
    for (int round = 0; round < 60; ++round) {
      std::string bytes = good;
      for (int i = 0; i < 8; ++i) bytes[random(bytes.size())] = static_cast<char>(random(256));
      write_text(folder / "mutant", bytes);
      failure(folder / "mutant");  // any outcome but a crash, a hang or another exception
    }
  }
}

// --- Real files ---

TEST(VideoReader, RealVideosHaveTheirKnownCounts) {
  if (!std::filesystem::exists(kRealVideos)) GTEST_SKIP() << "no " << kRealVideos;
  VideoReader mp4(kRealVideos / "arm_wrestling.mp4");
  EXPECT_EQ(mp4.frame_count(), 280);
  const Image image = mp4.read(std::vector<std::int64_t>{279}).front();
  EXPECT_EQ(image.width, 340);
  EXPECT_EQ(image.height, 256);
  EXPECT_EQ(VideoReader(kRealVideos / "flipping_a_pancake.mkv").frame_count(), 310);
  EXPECT_EQ(VideoReader(kRealVideos / "mpeg4_25fps.avi").frame_count(), 164);
}

TEST(VideoReader, RealDamagedVideoIsReported) {
  if (!std::filesystem::exists(kRealVideos)) GTEST_SKIP() << "no " << kRealVideos;
  EXPECT_THAT(failure(kRealVideos / "corrupted.mp4"),
              AllOf(HasSubstr("corrupted.mp4: damaged at frame "), HasSubstr("Invalid NAL unit size")));
}

}  // namespace
}  // namespace actionclip
