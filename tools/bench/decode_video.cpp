// Times the way from a video file to a test clip in one thread: the frames of the test sampling, short side
// 256, centre crop 224, uint8 [T, 3, 224, 224]. Prints for each file one line of JSON: clips a second of the
// processor and of the clock, what was decoded for one, and the share of each step. Files are read --seconds
// long and lie in the page cache from the first read on. See compare_decoding.py.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/memory.h"
#include "actionclip/video/sampler.h"
#include "actionclip/video/transforms.h"
#include "actionclip/video/video_reader.h"

#include "tools/bench/run_benchmark.h"

namespace actionclip {
namespace {

constexpr std::int64_t kShortSide = 256;
constexpr std::int64_t kSide = 224;

struct DecodeOptions {
  std::vector<std::filesystem::path> files;
  double seconds = 1;
  std::int64_t frames = 8;
  std::filesystem::path save;  // for the clip of the last file; empty: not wanted
};

// Of this process; other programs on the machine do not count.
double processor_seconds() {
  timespec time{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) throw std::runtime_error("no processor clock");
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Measurement {
  double processor = 0;  // seconds, as the next two
  double clock = 0;
  double transform = 0;  // of the clock, as the reader's
  double clips = 0;
  ReadStatistics statistics;
};

at::Tensor read_clip(const std::filesystem::path& path, std::int64_t frames, Measurement& sum) {
  VideoReader reader(path);
  const auto chosen = reader.read_chosen([frames](std::int64_t n) { return sample_test_frames(n, frames); });
  sum.statistics += reader.statistics();
  const auto start = std::chrono::steady_clock::now();
  auto clip = test_transform(chosen.frames, kShortSide, kSide, 1);
  sum.transform += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ++sum.clips;
  return clip;
}

nlohmann::ordered_json as_json(const std::filesystem::path& path, const Measurement& sum) {
  const ReadStatistics& all = sum.statistics;
  const auto per_clip = [&](std::int64_t number) { return static_cast<double>(number) / sum.clips; };
  const auto share = [&](double seconds) { return seconds / sum.clock; };
  return {{"file", path.string()},
          {"clips_per_processor_second", sum.clips / sum.processor},
          {"clips_per_second", sum.clips / sum.clock},
          {"packets_decoded", per_clip(all.packets_decoded)},
          {"seeks", per_clip(all.seeks)},
          {"full_passes", per_clip(all.full_passes)},
          {"shares",
           {{"open", share(all.open_seconds)},
            {"read packets", share(all.demux_seconds)},
            {"decode", share(all.decode_seconds)},
            {"convert", share(all.convert_seconds)},
            {"transform", share(sum.transform)}}}};
}

void measure(const DecodeOptions& options) {
  at::set_num_threads(1);
  for (const auto& path : options.files) {
    Measurement warm_up, sum;
    auto clip = read_clip(path, options.frames, warm_up);
    const double processor_start = processor_seconds();
    const auto start = std::chrono::steady_clock::now();
    while (sum.processor < options.seconds) {
      clip = read_clip(path, options.frames, sum);
      sum.processor = processor_seconds() - processor_start;
    }
    sum.clock = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    fmt::print("{}\n", as_json(path, sum).dump());
    if (!options.save.empty() && path == options.files.back()) {
      clip = clip.contiguous();
      write_file_atomically(
          options.save, std::string_view(reinterpret_cast<const char*>(clip.const_data_ptr<std::uint8_t>()),
                                         static_cast<std::size_t>(clip.numel())));
    }
  }
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  using namespace actionclip;
  keep_freed_memory();  // as the program
  CLI::App program("Times the reading of test clips from video files; prints a line of JSON for each.",
                   "decode_video_benchmark");
  DecodeOptions options;
  program.add_option("files", options.files, "the videos")->check(CLI::ExistingFile)->required();
  program.add_option("--seconds", options.seconds, "of the processor, for each file")
      ->check(CLI::PositiveNumber);
  program.add_option("--frames", options.frames, "of a clip")->check(CLI::Range(1, 4096));
  program.add_option("--save", options.save, "the file for the last video's clip: its bytes");
  return run_benchmark(program, [&] {
    program.parse(argc, argv);
    measure(options);
  });
}
