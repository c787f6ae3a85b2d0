#include "actionclip/video/dataset.h"

#include <cstring>
#include <memory>
#include <utility>

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/random.h"
#include "actionclip/video/frame_index_cache.h"
#include "actionclip/video/open_source.h"
#include "actionclip/video/sampler.h"
#include "actionclip/video/transforms.h"

namespace actionclip {
namespace {

constexpr int kMaxReplacements = 10;
constexpr std::size_t kNamedFailures = 5;

ClipDataset::FetchFrames fetch_from_disk(const VideoList& list, bool keep_frame_counts) {
  auto cache = keep_frame_counts ? std::make_shared<FrameIndexCache>(frame_index_file(list.file()))
                                 : std::make_shared<FrameIndexCache>();
  return [cache, config = list.config()](const VideoEntry& entry, const FrameChooser& choose) {
    return fetch_frames(entry, config, *cache, choose).frames;
  };
}

void check_options(const VideoList& list, const ClipDatasetOptions& options) {
  const auto& [input_size, scales, flip, test_resize] = options.transforms;
  const auto require = [](bool fine, const std::string& message) {
    if (!fine) throw Error(message);
  };
  require(!list.empty(), fmt::format("{}: the list is empty", list.file().string()));
  require(options.frames >= 1, fmt::format("a clip of {} frames: at least 1 is needed", options.frames));
  require(options.clips >= 1, fmt::format("{} clips of a video: at least 1 is needed", options.clips));
  require(options.crops == 1 || options.crops == 3,
          fmt::format("{} crops of a clip: 1 or 3 are possible", options.crops));
  require(input_size >= 1, fmt::format("data.transforms.input_size is {}: it must be positive", input_size));
  require(
      test_resize >= input_size,
      fmt::format("data.transforms.test_resize {} is smaller than the crop of {}", test_resize, input_size));
  require(list.config().format != ListFormat::captions || options.frames == 1,
          fmt::format("{}: a list of captions gives clips of 1 frame, but the model takes {}",
                      list.file().string(), options.frames));
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

ClipDataset::ClipDataset(VideoList list, ClipDatasetOptions options)
    : ClipDataset(std::move(list), std::move(options), nullptr) {
  fetch_ = fetch_from_disk(list_, options_.keep_frame_counts);
}

ClipDataset::ClipDataset(VideoList list, ClipDatasetOptions options, FetchFrames fetch)
    : list_(std::move(list)), options_(std::move(options)), fetch_(std::move(fetch)) {
  check_options(list_, options_);
}

std::array<std::int64_t, 5> ClipDataset::clip_shape(SampleMode mode) const {
  const auto side = options_.transforms.input_size;
  return {mode == SampleMode::train ? 1 : options_.clips * options_.crops, options_.frames, 3, side, side};
}

Sample ClipDataset::load(std::int64_t epoch, std::int64_t index, SampleMode mode, at::Tensor clip) const {
  if (!clip.defined()) clip = at::empty(clip_shape(mode), at::kByte);
  Sample sample{.clip = clip, .index = index, .label_id = -1, .caption = {}, .error = {}, .failed = {}};
  RandomStream replacements(options_.seed, RandomPurpose::kReplacement, epoch, index);
  for (int tried = 0;; ++tried) {
    const auto entry = list_.entry(sample.index);
    sample.label_id = entry.label_id();
    sample.caption = entry.caption;
    try {
      if (mode == SampleMode::train) {
        load_training_clip(epoch, index, entry, clip);
      } else {
        load_test_clips(entry, clip);
      }
      return sample;
    } catch (const VideoError& error) {
      sample.failed.push_back({sample.index, error.what()});
    }
    if (mode == SampleMode::test) {
      sample.error = sample.failed.back().reason;
      std::memset(clip.mutable_data_ptr(), 0, clip.nbytes());
      return sample;
    }
    if (tried == kMaxReplacements) {
      throw Error(fmt::format("{}, and neither could {} videos drawn in its place: check the list's paths",
                              describe(sample.failed.front()), kMaxReplacements));
    }
    sample.index = replacements.below(size());
  }
}

// `index` is the place in the epoch, also for a replacement, whose clip thus differs from the one it gives at
// its own place.
void ClipDataset::load_training_clip(std::int64_t epoch, std::int64_t index, const VideoEntry& entry,
                                     const at::Tensor& clip) const {
  const auto images = fetch_(entry, [&](std::int64_t n) {
    check_frame_count(entry, n);
    RandomStream random(options_.seed, RandomPurpose::kFrames, epoch, index);
    return sample_training_frames(n, options_.frames, random);
  });
  RandomStream random(options_.seed, RandomPurpose::kAugmentation, epoch, index);
  const auto& transforms = options_.transforms;
  const auto frames = clip[0];
  if (transforms.scales.empty()) {
    const bool flip = random.chance(transforms.flip);
    for (std::int64_t i = 0; i < options_.frames; ++i) {
      transform_test_frame(images[i], transforms.test_resize, frames[i].unsqueeze(0), flip);
    }
    return;
  }
  check_one_size(entry, images);
  const auto choice = choose_crop(images[0].width, images[0].height, transforms.input_size, transforms.scales,
                                  transforms.flip, random);
  for (std::int64_t i = 0; i < options_.frames; ++i) transform_training_frame(images[i], choice, frames[i]);
}

void ClipDataset::load_test_clips(const VideoEntry& entry, const at::Tensor& clip) const {
  const auto [T, clips] = std::pair(options_.frames, options_.clips);
  const auto images = fetch_(entry, [&](std::int64_t n) {
    check_frame_count(entry, n);
    // Frame i of every clip before frame i + 1 of any: the order of the video, which is read once.
    std::vector<std::int64_t> indices(T * clips);
    for (std::int64_t j = 0; j < clips; ++j) {
      const auto frames = sample_test_frames(n, T, j, clips);
      for (std::int64_t i = 0; i < T; ++i) indices[i * clips + j] = frames[i];
    }
    return indices;
  });
  const auto views = clip.view({clips, options_.crops, T, 3, clip.size(3), clip.size(4)});
  for (std::int64_t i = 0; i < T; ++i) {
    for (std::int64_t j = 0; j < clips; ++j) {
      transform_test_frame(images[i * clips + j], options_.transforms.test_resize, views[j].select(1, i));
    }
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
