// Times the augmentations of pixels on one clip: RandAugment's operations on 8 frames of 340x256 (packed, as
// decoded), the colour stage's on 8 frames of 224x224 (planes, as the model takes them). One thread, as a
// loader worker; `frames` a second of processor time.

#include "actionclip/video/photometric.h"

#include <benchmark/benchmark.h>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <boost/mp11.hpp>

namespace actionclip {
namespace {

constexpr std::int64_t kFrames = 8;
constexpr std::int64_t kWidth = 340;  // of decoded frames
constexpr std::int64_t kHeight = 256;
constexpr std::int64_t kSide = 224;
constexpr std::int64_t kMagnitude = 9;

std::vector<std::uint8_t> random_bytes(std::int64_t count) {
  RandomStream random(1, RandomPurpose::kSynthetic);
  std::vector<std::uint8_t> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
  return bytes;
}

std::vector<Image> decoded_frames() {
  return std::vector<Image>(kFrames,
                            {.width = kWidth, .height = kHeight, .rgb = random_bytes(3 * kWidth * kHeight)});
}

void count_frames(benchmark::State& state) {
  state.counters["frames"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kFrames), benchmark::Counter::kIsRate);
}

void run_operation(benchmark::State& state, const DrawnOperation& operation) {
  auto frames = decoded_frames();
  for (auto _ : state) {
    for (auto& frame : frames) apply(operation, view_of(frame));
    benchmark::DoNotOptimize(frames.data());
  }
  count_frames(state);
}

void run_rand_augment(benchmark::State& state, bool per_frame) {
  auto frames = decoded_frames();
  RandomStream random(1, RandomPurpose::kRandAugment);
  for (auto _ : state) {
    frames = rand_augment(std::move(frames),
                          {.operations = 2, .magnitude = kMagnitude, .per_frame = per_frame}, random);
    benchmark::DoNotOptimize(frames.data());
  }
  count_frames(state);
}

void run_color(benchmark::State& state, const DrawnColor& drawn) {
  auto bytes = random_bytes(kFrames * 3 * kSide * kSide);
  const ClipView clip{.data = bytes.data(), .frames = kFrames, .height = kSide, .width = kSide};
  for (auto _ : state) {
    apply(drawn, 128, clip);
    benchmark::DoNotOptimize(bytes.data());
  }
  count_frames(state);
}

void run_erasing(benchmark::State& state, bool noise) {
  auto bytes = random_bytes(kFrames * 3 * kSide * kSide);
  const ClipView clip{.data = bytes.data(), .frames = kFrames, .height = kSide, .width = kSide};
  RandomStream random(1, RandomPurpose::kErasing);
  for (auto _ : state) {
    const auto drawn = draw_erasing({.probability = 1, .noise = noise}, {}, kSide, kSide, random);
    if (drawn) apply(*drawn, clip);
    benchmark::DoNotOptimize(bytes.data());
  }
  count_frames(state);
}

void register_operations() {
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<AugmentOperation>>([](auto described) {
    const DrawnOperation drawn{.operation = described.value,
                               .magnitude = augment_magnitude(described.value, kMagnitude, kWidth, kHeight)};
    benchmark::RegisterBenchmark((std::string("operation/") + described.name).c_str(),
                                 [drawn](benchmark::State& state) { run_operation(state, drawn); });
  });
  for (const bool per_frame : {false, true}) {
    benchmark::RegisterBenchmark(
        per_frame ? "rand_augment/per_frame" : "rand_augment/clip",
        [per_frame](benchmark::State& state) { run_rand_augment(state, per_frame); });
  }
}

void register_colors() {
  const auto add = [](const std::string& name, const DrawnColor& drawn) {
    benchmark::RegisterBenchmark(("color/" + name).c_str(),
                                 [drawn](benchmark::State& state) { run_color(state, drawn); });
  };
  add("brightness", {.jitter = {{.order = {JitterStep::brightness}, .brightness = 1.2}}});
  add("contrast", {.jitter = {{.order = {JitterStep::contrast}, .contrast = 1.2}}});
  add("saturation", {.jitter = {{.order = {JitterStep::saturation}, .saturation = 1.2}}});
  add("hue", {.jitter = {{.order = {JitterStep::hue}, .hue = 0.08}}});
  add("grayscale", {.grayscale = true});
  add("blur", {.blur_sigma = 1.0});
  add("blur_widest", {.blur_sigma = 2.0});
  add("solarize", {.solarize = true});
  for (const bool noise : {false, true}) {
    benchmark::RegisterBenchmark(noise ? "erasing/noise" : "erasing/mean",
                                 [noise](benchmark::State& state) { run_erasing(state, noise); });
  }
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  actionclip::register_operations();
  actionclip::register_colors();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
