// Times what becomes of decoded frames: the transforms beside libtorch's antialiased resize, which they took
// the place of, on clips of 8 frames; and, for each folder given, its frames from the JPEG files to the
// planes of a test clip (short side 256, centre crop 224). One thread, as a loader worker; `frames` a second
// of processor time. See frame_folder.py.
//
//   transform_frames_benchmark [--benchmark_...] [FOLDER...]

#include <benchmark/benchmark.h>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include "actionclip/core/memory.h"
#include "actionclip/core/random.h"
#include "actionclip/video/frame_folder.h"
#include "actionclip/video/frame_transform.h"

namespace actionclip {
namespace {

constexpr std::int64_t kFrames = 8;
constexpr std::int64_t kResize = 256;
constexpr std::int64_t kSide = 224;
constexpr std::int64_t kPlane = kSide * kSide;
constexpr TestView kView{.resize = kResize, .input_size = kSide, .crops = 1};

std::vector<Image> decoded_frames(Size size) {
  RandomStream random(1, RandomPurpose::kSynthetic);
  Image image{.width = size.width, .height = size.height, .rgb = {}};
  for (std::int64_t i = 0; i < 3 * size.width * size.height; ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>(random.next()));
  }
  return std::vector<Image>(kFrames, image);
}

// The planes of a clip.
class Clip {
 public:
  PlanarView frame(std::int64_t i) {
    return {.data = planes_.data() + 3 * kPlane * i, .row_stride = kSide, .plane_stride = kPlane};
  }

 private:
  std::vector<std::uint8_t> planes_ = std::vector<std::uint8_t>(kFrames * 3 * kPlane);
};

void count_frames(benchmark::State& state) {
  state.counters["frames"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kFrames), benchmark::Counter::kIsRate);
}

void transform_test_clip(const std::vector<Image>& images, Clip& clip) {
  TestTransform transform(kView);
  for (std::int64_t i = 0; i < kFrames; ++i) {
    const auto view = clip.frame(i);
    transform.apply(images[static_cast<std::size_t>(i)], {&view, 1});
  }
  benchmark::DoNotOptimize(clip.frame(0).data);
}

void run_test(benchmark::State& state, Size size) {
  const auto images = decoded_frames(size);
  Clip clip;
  for (auto _ : state) transform_test_clip(images, clip);
  count_frames(state);
}

void run_training(benchmark::State& state, Size size, const CropChoice& choice, Interpolation interpolation) {
  const auto images = decoded_frames(size);
  Clip clip;
  for (auto _ : state) {
    TrainingTransform transform(choice, interpolation, kSide);
    for (std::int64_t i = 0; i < kFrames; ++i) {
      transform.apply(images[static_cast<std::size_t>(i)], clip.frame(i));
    }
    benchmark::DoNotOptimize(clip.frame(0).data);
  }
  count_frames(state);
}

// The resize alone, of the whole frame, from and to rows of RGB triples.
void run_libtorch(benchmark::State& state, Size from, Size to, Interpolation interpolation) {
  auto images = decoded_frames(from);
  for (auto _ : state) {
    for (auto& image : images) {
      const auto pixels = at::from_blob(image.rgb.data(), {1, 3, from.height, from.width},
                                        {3 * from.width * from.height, 1, 3 * from.width, 3}, at::kByte);
      const std::vector<std::int64_t> size{to.height, to.width};
      const auto resized = interpolation == Interpolation::bicubic
                               ? at::_upsample_bicubic2d_aa(pixels, size, false)
                               : at::_upsample_bilinear2d_aa(pixels, size, false);
      benchmark::DoNotOptimize(resized.const_data_ptr());
    }
  }
  count_frames(state);
}

void run_folder(benchmark::State& state, const std::filesystem::path& path) {
  std::vector<std::int64_t> indices(kFrames);
  std::iota(indices.begin(), indices.end(), 0);
  Clip clip;
  for (auto _ : state) {
    FrameFolder folder(image_files(path));
    folder.set_view(kView);
    transform_test_clip(folder.read(indices), clip);
  }
  count_frames(state);
}

void register_transforms() {
  for (const Size size : {Size{340, 256}, {320, 240}, {682, 512}, {1280, 720}}) {
    const auto name = fmt::format("{}x{}", size.width, size.height);
    benchmark::RegisterBenchmark(("test/" + name).c_str(),
                                 [size](benchmark::State& state) { run_test(state, size); });
    const auto resized = resized_size(size.width, size.height, kResize);
    if (resized != size) {
      benchmark::RegisterBenchmark(("test_libtorch/" + name).c_str(), [=](benchmark::State& state) {
        run_libtorch(state, size, resized, Interpolation::bicubic);
      });
    }
  }
  for (const auto interpolation : {Interpolation::bilinear, Interpolation::bicubic}) {
    const std::string name = interpolation == Interpolation::bilinear ? "bilinear" : "bicubic";
    for (const std::int64_t side : {168, 256}) {
      const auto crop = fmt::format("{}/{}", name, side);
      benchmark::RegisterBenchmark(("training/" + crop).c_str(), [=](benchmark::State& state) {
        run_training(state, {340, 256}, {.x = 60, .y = 0, .width = side, .height = side, .flip = true},
                     interpolation);
      });
      benchmark::RegisterBenchmark(("training_libtorch/" + crop).c_str(), [=](benchmark::State& state) {
        run_libtorch(state, {side, side}, {kSide, kSide}, interpolation);
      });
    }
  }
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  actionclip::keep_freed_memory();  // as the program
  at::set_num_threads(1);
  benchmark::Initialize(&argc, argv);
  actionclip::register_transforms();
  for (int i = 1; i < argc; ++i) {
    const std::filesystem::path folder = argv[i];
    if (!std::filesystem::is_directory(folder)) {
      fmt::print(stderr, "transform_frames_benchmark: {} is neither an option nor a folder\n", argv[i]);
      return 2;
    }
    benchmark::RegisterBenchmark(
        ("folder/" + folder.filename().string()).c_str(),
        [folder](benchmark::State& state) { actionclip::run_folder(state, folder); });
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
