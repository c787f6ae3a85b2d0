// Times the reading of a few frames of videos, those of the test sampling, in one thread. Prints for each
// file lines "key value": videos a second of the clock and of the processor, and the shares of the steps.
//   decode_video_benchmark [--reads N] [--frames T] FILE...
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "actionclip/core/exit_code.h"
#include "actionclip/video/sampler.h"
#include "actionclip/video/video_reader.h"

namespace actionclip {
namespace {

// Of this process; other programs on the machine do not count.
double processor_seconds() {
  timespec time{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) throw std::runtime_error("no processor clock");
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void measure(const std::filesystem::path& path, std::int64_t reads, std::int64_t frames) {
  ReadStatistics sum;
  std::int64_t frame_count = 0;
  const double processor_start = processor_seconds();
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t i = 0; i < reads; ++i) {
    VideoReader reader(path);
    frame_count =
        reader.read_chosen([frames](std::int64_t n) { return sample_test_frames(n, frames); }).frame_count;
    sum += reader.statistics();
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const double processor = processor_seconds() - processor_start;
  const auto times = static_cast<double>(reads);
  const auto share = [&](double part) { return part / seconds.count(); };
  fmt::print("file {}\nframes {}\nvideos_per_second {:.2f}\nvideos_per_processor_second {:.2f}\n",
             path.string(), frame_count, times / seconds.count(), times / processor);
  fmt::print("packets_decoded {:.1f}\nseeks {:.1f}\nfull_passes {:.1f}\n",
             static_cast<double>(sum.packets_decoded) / times, static_cast<double>(sum.seeks) / times,
             static_cast<double>(sum.full_passes) / times);
  fmt::print("open_share {:.3f}\ndemux_share {:.3f}\ndecode_share {:.3f}\nconvert_share {:.3f}\n",
             share(sum.open_seconds), share(sum.demux_seconds), share(sum.decode_seconds),
             share(sum.convert_seconds));
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  using namespace actionclip;
  CLI::App program("Times the reading of test-sampled frames of video files; prints lines `key value`.",
                   "decode_video_benchmark");
  std::vector<std::filesystem::path> files;
  std::int64_t reads = 20, frames = 8;
  program.add_option("files", files, "the videos")->required();
  program.add_option("--reads", reads, "reads of each video")->check(CLI::PositiveNumber);
  program.add_option("--frames", frames, "frames of a read")->check(CLI::PositiveNumber);
  try {
    program.parse(argc, argv);
    for (const auto& file : files) measure(file, reads, frames);
    return kExitDone;
  } catch (const CLI::ParseError& problem) {
    return program.exit(problem) == 0 ? kExitDone : kExitUsage;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "decode_video_benchmark: {}\n", problem.what());
  }
  return kExitError;
}
