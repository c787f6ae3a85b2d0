// Times normalize_frames() beside libtorch's operations that do the same, on frames that are on the device
// already, and prints one line of JSON: for each type of pixel, and for whole frames and mirrored crops,
// medians over rounds in which both take turns. gigabytes_per_second counts the bytes of a pixel read once
// and written once, whatever else the operations move.

#include "actionclip/video/normalize.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/DeviceAccelerator.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "actionclip/core/error.h"
#include "actionclip/core/statistics.h"
#include "actionclip/model/config.h"

#include "tools/bench/run_benchmark.h"
#include "tools/device_option.h"

namespace actionclip {
namespace {

struct Options {
  std::int64_t frames = 64;
  std::int64_t size = 224;  // of the output's sides
  std::int64_t rounds = 20;
  std::string device = "auto";
};

ChannelStatistics statistics_of(const ActionClipConfig& config) {
  ChannelStatistics statistics;
  std::copy(config.mean.begin(), config.mean.end(), statistics.mean.begin());
  std::copy(config.std.begin(), config.std.end(), statistics.std.begin());
  return statistics;
}

at::Tensor by_operations(const at::Tensor& frames, const at::Tensor& mean, const at::Tensor& std,
                         const NormalizeOptions& options) {
  auto pixels = frames;
  if (!options.crops.empty()) {
    const auto& crop = options.crops.front();
    pixels = frames.narrow(2, crop.y, crop.height).narrow(3, crop.x, crop.width).flip(3);
  }
  return pixels.to(at::kFloat).div_(255).sub_(mean).div_(std).to(options.type);
}

// Of one call. On a GPU calls are queued, many at a time, so that its waiting for the CPU counts little.
double seconds_of(c10::Device device, const std::function<void()>& work) {
  const int calls = device.is_cuda() ? 20 : 1;
  const auto synchronize = [&] {
    if (device.is_cuda()) at::accelerator::synchronizeDevice(device.index());
  };
  synchronize();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) work();
  synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / calls;
}

// Frames with a border around the crop, all mirrored.
nlohmann::ordered_json measure(const Options& options, c10::Device device, at::ScalarType type, bool crops) {
  constexpr std::int64_t kBorder = 16;
  const std::int64_t side = options.size + (crops ? 2 * kBorder : 0);
  const auto frames = at::randint(0, 256, {options.frames, 3, side, side}, at::kByte).to(device);
  NormalizeOptions wanted{.type = type};
  if (crops)
    wanted.crops = {
        {.x = kBorder - 1, .y = kBorder, .width = options.size, .height = options.size, .flip = true}};
  const auto statistics = statistics_of({});
  const auto constant = [&](const std::array<float, 3>& values) {
    return at::tensor(at::ArrayRef<float>(values), at::kFloat).view({1, 3, 1, 1}).to(device);
  };
  const auto mean = constant(statistics.mean), std = constant(statistics.std);
  at::Tensor result;
  std::vector<double> ours, theirs;
  for (std::int64_t round = 0; round <= options.rounds; ++round) {
    const double one = seconds_of(device, [&] { result = normalize_frames(frames, statistics, wanted); });
    const double other = seconds_of(device, [&] { result = by_operations(frames, mean, std, wanted); });
    if (round == 0) continue;  // warms up
    ours.push_back(one);
    theirs.push_back(other);
  }
  const double bytes = static_cast<double>(result.numel()) * static_cast<double>(1 + result.element_size());
  return {{"type", c10::toString(type)},
          {"crops", crops},
          {"seconds", median_of(ours)},
          {"seconds_of_operations", median_of(theirs)},
          {"gigabytes_per_second", bytes / median_of(ours) * 1e-9},
          {"gigabytes_per_second_of_operations", bytes / median_of(theirs) * 1e-9}};
}

nlohmann::ordered_json run(const Options& options) {
  const c10::Device device = choose_device(options.device);
  auto results = nlohmann::ordered_json::array();
  for (const bool crops : {false, true})
    for (const auto type : {at::kFloat, at::kHalf, at::kBFloat16})
      results.push_back(measure(options, device, type, crops));
  return {{"torch", TORCH_VERSION},       {"device", device.str()}, {"threads", at::get_num_threads()},
          {"frames", options.frames},     {"size", options.size},   {"rounds", options.rounds},
          {"results", std::move(results)}};
}

Options parse(CLI::App& program, int argc, char** argv) {
  Options options;
  const auto add = [&](const char* name, std::int64_t& value, const char* help) {
    program.add_option(name, value, help)->check(CLI::Range(1, 1'000'000))->capture_default_str();
  };
  add("--frames", options.frames, "frames at a time");
  add("--size", options.size, "pixels of a side of what comes out");
  add("--rounds", options.rounds, "timed rounds");
  add_device_option(program, options.device);
  program.parse(argc, argv);
  return options;
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  using namespace actionclip;
  CLI::App program("Times the normalising of frames beside libtorch's operations; prints one line of JSON.",
                   "normalize_benchmark");
  return run_benchmark(program, [&] { fmt::print("{}\n", run(parse(program, argc, argv)).dump()); });
}
