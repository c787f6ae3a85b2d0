// Damaged and absurd video files: each is refused by path and reason or gives what was asked, in bounded time
// and memory. Suites Soak/... take many more changes (tests/soak.h).
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/open_source.h"
#include "actionclip/video/sampler.h"

#include "tests/child_process.h"
#include "tests/log_capture.h"
#include "tests/soak.h"
#include "tests/video/damage.h"

namespace actionclip {
namespace {

using namespace actionclip::testing;
namespace fs = std::filesystem;

constexpr double kVideoSeconds = 5;             // data.video_seconds
constexpr double kSlackSeconds = 20;            // for a machine that does much else
constexpr std::int64_t kMaxMemory = 256 << 20;  // of a process that reads some dozens of small files
constexpr std::int64_t kFrames = 8;

// What is wrong with what `read` does to `path`, else nothing. `refused` counts the refusals.
std::string fault_of(const fs::path& path, const std::function<void()>& read, int& refused) {
  try {
    read();
    return {};
  } catch (const VideoError& error) {
    ++refused;
    const std::string message = error.what();
    if (message.find('\n') != std::string::npos) return "a refusal of several lines: " + message;
    if (message.find(path.string()) == std::string::npos) return "a refusal without the path: " + message;
    return message.size() < path.string().size() + 5 ? "a refusal without a reason: " + message : "";
  } catch (const std::exception& error) {
    return std::string("no VideoError, but: ") + error.what();
  }
}

// Reads as the loader does, then to the end.
std::string fault(const fs::path& path, int& refused) {
  const auto start = std::chrono::steady_clock::now();
  const VideoEntry entry{.path = path};
  std::string found = fault_of(
      path,
      [&] {
        const auto source = open_frames(entry, {}, kVideoSeconds);
        const auto chosen =
            source->read_chosen([](std::int64_t count) { return sample_test_frames(count, kFrames); });
        if (chosen.frame_count < 1 || std::ssize(chosen.frames) != kFrames)
          throw std::logic_error("too few frames");
        for (const auto& image : chosen.frames) {
          if (image.width < 1 || image.width != chosen.frames[0].width ||
              image.height != chosen.frames[0].height ||
              std::ssize(image.rgb) != 3 * image.width * image.height)
            throw std::logic_error("frames of different sizes");
        }
      },
      refused);
  int refused_whole = 0;
  found += fault_of(
      path, [&] { open_frames(entry, {}, kVideoSeconds)->frame_count(); }, refused_whole);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (took.count() > 2 * kVideoSeconds + kSlackSeconds) found += fmt::format("took {} s", took.count());
  return found;
}

enum class Wanted { anything, refusal };

// Reads the files in a process of their own.
void expect_harmless(const TemporaryFolder& folder, const std::vector<NamedBytes>& files,
                     Wanted wanted = Wanted::anything) {
  const auto report = run_in_child(folder.path(), [&] {
    const LogCapture log;
    std::string faults;
    for (const auto& [name, bytes] : files) {
      write_text("begun", name);
      write_text(folder / "clip.mp4", bytes);
      int refused = 0;
      std::string found = fault(folder / "clip.mp4", refused);
      if (wanted == Wanted::refusal && refused == 0) found += "was not refused";
      if (!found.empty()) faults += fmt::format("{}: {}; ", name, found);
    }
    return faults;
  });
  EXPECT_EQ(report.status, 0) << "killed by: " << read_text(folder / "begun");
  EXPECT_EQ(report.text, "");
  if (kMemoryTells) {
    EXPECT_LE(report.memory, kMaxMemory);
  }
}

std::string bytes_of_video(const TemporaryFolder& folder, const std::string& file, const TestVideo& video) {
  encode_video(folder / file, video);
  return read_text(folder / file);
}

// --- Damage ---

class DamagedVideos : public ::testing::TestWithParam<SmallVideo> {};

TEST_P(DamagedVideos, AreRefusedByPathAndReasonOrGiveWhatWasAsked) {
  const TemporaryFolder folder;
  const std::string good = bytes_of_video(folder, GetParam().file, GetParam().video);
  expect_harmless(folder, damaged_copies(good));
}

INSTANTIATE_TEST_SUITE_P(Kinds, DamagedVideos, ::testing::ValuesIn(small_videos()),
                         [](const auto& info) { return info.param.name; });

class ChangedVideos : public ::testing::TestWithParam<Moments> {};

TEST_P(ChangedVideos, AreRefusedByPathAndReasonOrGiveWhatWasAsked) {
  const TemporaryFolder folder;
  const std::uint64_t seed = seed_of(GetParam());
  std::vector<std::string> good;
  for (const auto& small : small_videos()) good.push_back(bytes_of_video(folder, small.file, small.video));
  constexpr int kBatch = 50;
  for (int first = 0; first < GetParam().count; first += kBatch) {
    std::vector<NamedBytes> files;
    for (int i = first; i < std::min(first + kBatch, GetParam().count); ++i) {
      const auto& bytes = good[static_cast<std::size_t>(i) % good.size()];
      files.push_back({fmt::format("file {} of seed {}", i, seed),
                       Damage(seed * 1'000'000 + static_cast<std::uint64_t>(i)).changed(bytes)});
    }
    expect_harmless(folder, files);
  }
}

INSTANTIATE_TEST_SUITE_P(Ci, ChangedVideos, ::testing::Values(Moments{.count = 100, .fixed_seed = true}));
INSTANTIATE_TEST_SUITE_P(Soak, ChangedVideos,
                         ::testing::Values(Moments{.count = 20'000, .fixed_seed = false}));

// --- Absurd headers ---

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}

std::string little_endian(std::uint64_t value, int bytes) {
  std::string text = big_endian(value, bytes);
  return {text.rbegin(), text.rend()};
}

// Replaces what stands `offset` bytes behind the first `mark` in `bytes`.
std::string patched(std::string bytes, std::string_view mark, std::int64_t offset, std::string_view value) {
  const auto place = bytes.find(mark);
  if (place == std::string::npos) throw std::runtime_error("no " + std::string(mark) + " to be patched");
  return bytes.replace(static_cast<std::size_t>(static_cast<std::int64_t>(place) + offset), value.size(),
                       value);
}

TEST(AbsurdVideos, NumbersInTheBoxesOfMp4AreRefusedOrGiveWhatWasAsked) {
  const TemporaryFolder folder;
  const std::string good = bytes_of_video(folder, "a.mp4", small_videos().front().video);
  struct Field {
    const char* box;
    std::int64_t offset;
    int bytes = 4;
  };
  // Sizes of boxes, counts of entries, units of time, a picture's width.
  const Field fields[] = {{"moov", -4}, {"trak", -4}, {"mdat", -4},    {"stsd", -4}, {"avcC", -4},
                          {"stsd", 8},  {"stsz", 8},  {"stsz", 12},    {"stco", 8},  {"stco", 12},
                          {"stsc", 8},  {"stsc", 12}, {"stts", 8},     {"stts", 12}, {"ctts", 8},
                          {"ctts", 16}, {"stss", 8},  {"elst", 8},     {"elst", 12}, {"mvhd", 16},
                          {"mdhd", 16}, {"mdhd", 20}, {"avc1", 28, 2}, {"tkhd", 88}};
  std::vector<NamedBytes> files;
  for (const auto& [box, offset, bytes] : fields) {
    for (const std::uint64_t value : {0x0ull, 0x1ull, 0x7FFFFFFFull, 0x80000000ull, 0xFFFFFFFFull}) {
      files.push_back({fmt::format("{}+{} = {:x}", box, offset, value),
                       patched(good, box, offset, big_endian(value, bytes))});
    }
  }
  expect_harmless(folder, files);
}

TEST(AbsurdVideos, EndlessNestingAndCountlessStreamsAreRefused) {
  const TemporaryFolder folder;
  const std::string start = bytes_of_video(folder, "a.mp4", small_videos().front().video).substr(0, 32);
  std::string nested, many;
  for (int depth = 0; depth < 20'000; ++depth)
    nested = nested + big_endian(8u * (20'000u - depth), 4) + "moov";
  for (int stream = 0; stream < 100'000; ++stream)
    many += big_endian(16, 4) + "trak" + big_endian(8, 4) + "mdia";
  many = big_endian(8 + many.size(), 4) + "moov" + many;
  std::string lists = "RIFF" + little_endian(0x7FFFFFFF, 4) + "AVI ";
  for (int depth = 0; depth < 20'000; ++depth) lists += "LIST" + little_endian(0x7FFFFFF0, 4) + "hdrl";
  std::string elements = "\x1A\x45\xDF\xA3\x8B\x42\x82\x88matroska";
  for (int depth = 0; depth < 20'000; ++depth)
    elements += std::string("\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12);
  expect_harmless(folder,
                  {{"boxes in boxes", start + nested},
                   {"a hundred thousand tracks", start + many},
                   {"lists in lists", lists},
                   {"segments in segments", elements}},
                  Wanted::refusal);
}

// Writes single bits and the numbers of H.264's headers (ue(v) of its section 9.1).
class BitWriter {
 public:
  BitWriter& bits(std::uint32_t value, int count) {
    for (int i = count - 1; i >= 0; --i) bits_.push_back((value >> i & 1u) != 0);
    return *this;
  }
  BitWriter& number(std::uint32_t value) {
    int length = 0;
    while ((value + 1) >> (length + 1) != 0) ++length;
    return bits(0, length).bits(value + 1, length + 1);
  }
  std::string bytes() {
    bits(1, 1);
    while (bits_.size() % 8 != 0) bits(0, 1);
    std::string text(bits_.size() / 8, '\0');
    for (std::size_t i = 0; i < bits_.size(); ++i) {
      if (bits_[i]) text[i / 8] = static_cast<char>(text[i / 8] | 1 << (7 - i % 8));
    }
    return text;
  }

 private:
  std::vector<bool> bits_;
};

// H.264 whose pictures are said to have 16384 x 16384 pixels, and the pictures of a small video.
std::string large_h264(const TemporaryFolder& folder) {
  TestVideo video{.encoder_options = {{"x264-params", "cabac=0:8x8dct=0"}}};
  video.b_frames = 0;
  const std::string small = bytes_of_video(folder, "a.h264", video);
  BitWriter header;  // seq_parameter_set_data of section 7.3.2.1.1
  header.bits(66, 8).bits(0, 8).bits(62, 8).number(0).number(0).number(2).number(1).bits(0, 1);
  header.number(1023).number(1023).bits(1, 1).bits(0, 1).bits(0, 1).bits(0, 1);
  const std::string_view start("\0\0\0\1", 4);
  const auto next = small.find(start, small.find(std::string("\0\0\0\1\x67", 5)) + 4);
  return std::string(start) + "\x67" + header.bytes() + small.substr(next);
}

TEST(AbsurdVideos, HeadersOf16KBy16KAreRefusedWithoutTheirMemory) {
  const TemporaryFolder folder;
  constexpr std::uint64_t kSide = 16384;
  const auto of = [&](const char* file, const char* encoder, AVPixelFormat format) {
    TestVideo video{.encoder = encoder, .pixel_format = format, .width = 320, .height = 256, .frames = 3};
    video.b_frames = 0;
    return bytes_of_video(folder, file, video);
  };
  const auto image = [&](const char* encoder, AVPixelFormat format) {
    encode_image(folder / "image", encoder, format, moving_frame(0, 64, 48));
    return read_text(folder / "image");
  };
  const std::string wide = big_endian(kSide, 2), wide_little = little_endian(kSide, 2);
  const std::string jpeg_size("\xFF\xC0\x00\x11\x08", 5),
      png_size = big_endian(kSide, 4) + big_endian(kSide, 4);
  const auto ffv1 = patched(patched(of("a.mkv", "ffv1", AV_PIX_FMT_YUV420P), "\xB0\x82\x01\x40", 2, wide),
                            std::string("\xBA\x82\x01\x00", 4), 2, wide);
  expect_harmless(
      folder,
      {{"H.264", large_h264(folder)},
       {"JPEG", patched(image("mjpeg", AV_PIX_FMT_YUVJ420P), jpeg_size, 5, wide + wide)},
       {"PNG", patched(image("png", AV_PIX_FMT_RGB24), "IHDR", 4, png_size)},
       {"BMP",
        patched(image("bmp", AV_PIX_FMT_BGR24), "BM", 18, little_endian(kSide, 4) + little_endian(kSide, 4))},
       {"GIF", patched(of("a.gif", "gif", AV_PIX_FMT_RGB8), "GIF89a", 6, wide_little + wide_little)},
       {"motion JPEG", patched(of("a.avi", "mjpeg", AV_PIX_FMT_YUVJ420P), jpeg_size, 5, wide + wide)},
       {"VP8", patched(of("a.webm", "libvpx", AV_PIX_FMT_YUV420P), "\x9D\x01\x2A", 3, "\xFF\x3F\xFF\x3F")},
       {"FFV1", ffv1},
       {"raw", patched(of("b.avi", "rawvideo", AV_PIX_FMT_BGR24), "strf", 12,
                       little_endian(kSide, 4) + little_endian(kSide, 4))},
       {"YUV4MPEG2", "YUV4MPEG2 W16384 H16384 F25:1 Ip C420jpeg\nFRAME\n" + std::string(5000, '\x40')}},
      Wanted::refusal);
}

// --- What is no video ---

TEST(AbsurdVideos, FilesWithoutAVideoStreamAreRefused) {
  const TemporaryFolder folder;
  std::vector<NamedBytes> files;
  for (const char* name : {"a.mkv", "a.mov", "a.avi", "a.nut", "a.wav", "a.asf"}) {
    encode_silence(folder / name);
    files.push_back({name, read_text(folder / name)});
  }
  expect_harmless(folder, files, Wanted::refusal);
}

TEST(AbsurdVideos, OtherKindsOfFilesNamedMp4AreRefused) {
  const TemporaryFolder folder;
  const std::string filling(20'000, 'x');
  expect_harmless(
      folder,
      {{"text", filling},
       {"HTML", "<!DOCTYPE html><html><body>404 Not Found</body></html>" + filling},
       {"XML error", "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"},
       {"JSON", "{\"error\": \"quota exceeded\"}"},
       {"ZIP", std::string("PK\3\4\x14\0\0\0\0\0", 10) + filling},
       {"GZIP", std::string("\x1F\x8B\x08\0\0\0\0\0", 8) + filling},
       {"PDF", "%PDF-1.7\n" + filling},
       {"ELF", read_text("/proc/self/exe").substr(0, 100'000)},
       {"pickle", std::string("\x80\x02}q\0.", 6) + filling},
       {"one byte", "x"},
       {"a megabyte of zeros", std::string(1 << 20, '\0')},
       {"a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"}},
      Wanted::refusal);
}

TEST(AbsurdVideos, AnyNameGivesTheVideoThatTheFileHolds) {
  const TemporaryFolder folder;
  const LogCapture log;
  constexpr const char* kNames[] = {"a.mp4",    "a.txt", "a.m3u8",     "a.jpg",
                                    "%05d.png", "a.sdp", "a.ffconcat", "a"};
  std::size_t next = 0;
  for (const auto& small : small_videos()) {
    const auto path = folder / kNames[next++ % std::size(kNames)];
    encode_video(folder / ("good." + small.file), small.video);
    fs::rename(folder / ("good." + small.file), path);
    int refused = 0;
    EXPECT_EQ(fault(path, refused), "") << path << " holds " << small.name;
    EXPECT_EQ(refused, 0) << path << " holds " << small.name;
  }
}

}  // namespace
}  // namespace actionclip
