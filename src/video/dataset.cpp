#include "actionclip/video/dataset.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/video/augmentation.h"
#include "actionclip/video/frame_index_cache.h"
#include "actionclip/video/frame_transform.h"
#include "actionclip/video/open_source.h"
#include "actionclip/video/photometric.h"
#include "actionclip/video/sampler.h"
#include "actionclip/video/transforms.h"

#include "video/stopwatch.h"

namespace actionclip {
namespace {

constexpr int kMaxReplacements = 10;
constexpr std::size_t kNamedFailures = 5;

auto fetch_from_disk(const VideoList& list, const ClipDatasetOptions& options) {
  auto cache = options.keep_frame_counts ? std::make_shared<FrameIndexCache>(frame_index_file(list.file()))
                                         : std::make_shared<FrameIndexCache>();
  return [cache, config = list.config(), limit = options.video_seconds](
             const VideoEntry& entry, const FrameChooser& choose, const TestView& view) {
    return fetch_frames(entry, config, *cache, choose, limit, view);
  };
}

void check_options(const VideoList& list, const ClipDatasetOptions& options) {
  const auto input_size = options.transforms.input_size, test_resize = options.transforms.test_resize;
  const auto require = [](bool fine, const std::string& message) {
    if (!fine) throw Error(message);
  };
  require(!list.empty(), fmt::format("{}: the list is empty", list.file().string()));
  require(options.frames >= 1, fmt::format("a clip of {} frames: at least 1 is needed", options.frames));
  require(options.clips >= 1, fmt::format("{} clips of a video: at least 1 is needed", options.clips));
  require(is_crop_count(options.crops),
          fmt::format("{} crops of a clip: 1, 3, 5 or 10 are possible", options.crops));
  require(options.sampling.repeats >= 1,
          fmt::format("data.sampling.repeats is {}: it must be positive", options.sampling.repeats));
  require(input_size >= 1, fmt::format("data.transforms.input_size is {}: it must be positive", input_size));
  require(
      test_resize >= input_size,
      fmt::format("data.transforms.test_resize {} is smaller than the crop of {}", test_resize, input_size));
  require(list.config().format != ListFormat::captions || options.frames == 1,
          fmt::format("{}: a list of captions gives clips of 1 frame, but the model takes {}",
                      list.file().string(), options.frames));
}

// Whether a video of the list has more than one label.
bool is_multi_label(const VideoList& list) {
  for (std::int64_t i = 0; i < list.size(); ++i) {
    if (list.label_count(i) > 1) return true;
  }
  return false;
}

void check_frame_count(const VideoEntry& entry, std::int64_t n) {
  if (n < 1) throw VideoError(fmt::format("{}: it has no frames", entry.path.string()));
}

// A crop chosen for the first frame must show the same part of all.
void check_one_size(const VideoEntry& entry, const std::vector<Image>& images) {
  for (const auto& image : images) {
    if (image.width != images[0].width || image.height != images[0].height) {
      throw VideoError(fmt::format("{}: its frames differ in size: {}x{} and {}x{} pixels",
                                   entry.path.string(), images[0].width, images[0].height, image.width,
                                   image.height));
    }
  }
}

}  // namespace

ClipDataset::ClipDataset(VideoList list, ClipDatasetOptions options, const FetchFrames& fetch)
    : list_(std::move(list)), options_(std::move(options)) {
  check_options(list_, options_);
  if (options_.classes > 0 && is_multi_label(list_)) target_classes_ = options_.classes;
  if (!fetch) {
    fetch_ = fetch_from_disk(list_, options_);
    return;
  }
  fetch_ = [fetch](const VideoEntry& entry, const FrameChooser& choose, const TestView& /*view*/) {
    return fetch(entry, choose);
  };
}

std::array<std::int64_t, 5> ClipDataset::clip_shape(SampleMode mode) const {
  const auto side = options_.transforms.input_size;
  return {mode == SampleMode::train ? 1 : options_.clips * options_.crops, options_.frames, 3, side, side};
}

Sample ClipDataset::load(std::int64_t epoch, std::int64_t index, SampleMode mode, at::Tensor clip,
                         std::int64_t repeat) const {
  Sample sample;
  sample.clip = clip.defined() ? std::move(clip) : at::empty(clip_shape(mode), at::kByte);
  sample.index = index;
  const Place place{.epoch = epoch, .index = index, .repeat = repeat};
  auto replacements = random(RandomPurpose::kReplacement, {.epoch = epoch, .index = index, .repeat = 0});
  for (int tried = 0;; ++tried) {
    const auto entry = list_.entry(sample.index);
    sample.label_ids = entry.label_ids;
    sample.label_id = entry.label_id();
    sample.caption = entry.caption;
    try {
      if (mode == SampleMode::train) {
        load_training_clip(place, entry, sample);
      } else {
        load_test_clips(entry, sample);
      }
      return sample;
    } catch (const VideoError& error) {
      sample.failed.push_back({sample.index, error.what()});
    }
    if (mode == SampleMode::test) {
      sample.error = sample.failed.back().reason;
      std::memset(sample.clip.mutable_data_ptr(), 0, sample.clip.nbytes());
      return sample;
    }
    if (tried == kMaxReplacements) {
      throw Error(fmt::format("{}, and neither could {} videos drawn in its place: check the list's paths",
                              describe(sample.failed.front()), kMaxReplacements));
    }
    sample.index = replacements.below(size());
  }
}

// The repeats lie beyond any index, so that the first draws what it does where it is the only one.
RandomStream ClipDataset::random(RandomPurpose purpose, const Place& place) const {
  constexpr int kIndexBits = 48;
  const auto clip = static_cast<std::uint64_t>(place.index) | static_cast<std::uint64_t>(place.repeat)
                                                                  << kIndexBits;
  return {options_.seed, purpose, static_cast<std::uint64_t>(place.epoch), clip};
}

void ClipDataset::load_training_clip(const Place& place, const VideoEntry& entry, Sample& sample) const {
  const auto choose = [&](std::int64_t n) {
    check_frame_count(entry, n);
    auto frames = random(RandomPurpose::kFrames, place);
    return sample_training_frames(n, options_.frames, options_.sampling, frames);
  };
  // Crops that are drawn, and RandAugment, are to see frames as large as they are.
  const bool sees_as_a_test = takes_test_crop() && options_.transforms.rand_augment.operations == 0;
  auto chosen = fetch_(entry, choose, sees_as_a_test ? test_view(/*crops=*/1) : TestView());
  sample.load += {.read = chosen.seconds.read, .decode = chosen.seconds.decode};
  const Stopwatch stopwatch(sample.load.transform);
  const auto& transforms = options_.transforms;
  auto operations = random(RandomPurpose::kRandAugment, place);
  const auto images = rand_augment(std::move(chosen.frames), transforms.rand_augment, operations);
  const auto frames = sample.clip[0];
  const bool flipped = cut_training_clip(place, entry, images, frames);
  auto colors = random(RandomPurpose::kColor, place);
  color_augment(frames, transforms, colors);
  auto erasing = random(RandomPurpose::kErasing, place);
  random_erase(frames, transforms.erasing, erasing);

  if (flipped) {
    for (auto& label_id : sample.label_ids)
      label_id = static_cast<std::int32_t>(options_.flip_labels.mirrored(label_id));
  }
  if (sample.label_ids.empty()) return;
  const auto labels = static_cast<std::int64_t>(sample.label_ids.size());
  sample.label_id = sample.label_ids[random(RandomPurpose::kSampleLabel, place).below(labels)];
}

TestView ClipDataset::test_view(std::int64_t crops) const {
  const auto& transforms = options_.transforms;
  return {.resize = transforms.test_resize, .input_size = transforms.input_size, .crops = crops};
}

// Whether a training clip shows what a test does, without a crop that is drawn.
bool ClipDataset::takes_test_crop() const {
  return options_.transforms.crop == CropKind::multi_scale && options_.transforms.scales.empty();
}

// Crops, resizes and flips the images to frames [T, 3, S, S]. Whether they are flipped.
bool ClipDataset::cut_training_clip(const Place& place, const VideoEntry& entry,
                                    const std::vector<Image>& images, const at::Tensor& frames) const {
  const auto& transforms = options_.transforms;
  auto stream = random(RandomPurpose::kAugmentation, place);
  if (takes_test_crop()) {
    const bool flip = stream.chance(transforms.flip);
    TestTransform transform(test_view(/*crops=*/1), flip);
    for (std::int64_t i = 0; i < options_.frames; ++i)
      transform.apply(images[i], std::array{planes_of(frames[i])});
    return flip;
  }
  check_one_size(entry, images);
  const auto choice = choose_crop(images[0].width, images[0].height, transforms, stream);
  TrainingTransform transform(choice, transforms.interpolation, transforms.input_size);
  for (std::int64_t i = 0; i < options_.frames; ++i) transform.apply(images[i], planes_of(frames[i]));
  return choice.flip;
}

void ClipDataset::load_test_clips(const VideoEntry& entry, Sample& sample) const {
  // An image's place in the views.
  struct Wanted {
    std::int64_t index;  // in the video
    std::int64_t clip;
    std::int64_t frame;  // of the clip
  };
  const auto [T, clips] = std::pair(options_.frames, options_.clips);
  std::vector<Wanted> wanted;
  const auto choose = [&](std::int64_t n) {
    check_frame_count(entry, n);
    wanted.clear();
    for (std::int64_t j = 0; j < clips; ++j) {
      const auto frames = sample_test_frames(n, T, j, clips, options_.sampling);
      for (std::int64_t i = 0; i < T; ++i) wanted.push_back({frames[i], j, i});
    }
    std::ranges::stable_sort(wanted, {}, &Wanted::index);  // the order of the video, which is read once
    std::vector<std::int64_t> indices;
    for (const auto& image : wanted) indices.push_back(image.index);
    return indices;
  };
  const auto view = test_view(options_.crops);
  const auto chosen = fetch_(entry, choose, view);
  sample.load += {.read = chosen.seconds.read, .decode = chosen.seconds.decode};
  const Stopwatch stopwatch(sample.load.transform);
  const auto views = sample.clip.view({clips, view.crops, T, 3, view.input_size, view.input_size});
  TestTransform transform(view);
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    const auto& [index, j, i] = wanted[k];
    transform.apply(chosen.frames[k], planes_of_all(views[j].select(1, i)));
  }
}

std::string ClipDataset::describe(const FailedVideo& failed) const {
  return fmt::format("{}:{}: cannot be decoded: {}", list_.file().string(), list_.line(failed.index),
                     failed.reason);
}

void ClipDataset::count_failures(const Sample& sample) const {
  if (sample.failed.empty()) return;
  const std::lock_guard lock(failures_mutex_);
  for (const auto& failed : sample.failed) {
    if (!failures_.emplace(failed.index, failed.reason).second) continue;
    spdlog::warn("{} ({})", describe(failed),
                 sample.error.empty() ? "another sample takes its place" : "counted as wrong");
  }
  constexpr double kRounding = 1e-9;  // of the product
  const double limit = options_.max_failed_share * static_cast<double>(size()) + 1 - kRounding;
  if (static_cast<double>(failures_.size()) < limit) return;
  std::vector<std::string> names;
  for (const auto& [index, reason] : failures_) {
    if (names.size() < kNamedFailures) names.push_back(list_.entry(index).path.string());
  }
  throw Error(
      fmt::format("{}: {} of {} videos cannot be decoded, more than data.max_failed_share {} allows: {}{}; "
                  "mend or remove them",
                  list_.file().string(), failures_.size(), size(), options_.max_failed_share,
                  fmt::join(names, ", "), failures_.size() > names.size() ? " ..." : ""));
}

std::int64_t ClipDataset::failed_count() const {
  const std::lock_guard lock(failures_mutex_);
  return static_cast<std::int64_t>(failures_.size());
}

}  // namespace actionclip
