// actionclip inspect samples: a picture of clips as training sees them.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/error.h"
#include "actionclip/train/experiment_data.h"
#include "actionclip/video/contact_sheet.h"
#include "actionclip/video/flip_labels.h"
#include "actionclip/video/frame_index_cache.h"
#include "actionclip/video/loader.h"
#include "actionclip/video/open_source.h"
#include "actionclip/video/png_file.h"

#include "tools/command.h"

namespace actionclip {
namespace {

struct Options {
  std::string config;
  std::vector<std::string> overrides;
  std::string split = "train";
  std::int64_t count = 8;
  std::int64_t epoch = 0;
  std::string output = "samples.png";
  bool raw = false;
};

// The frames of each clip before they were cut, in the order in which they were loaded.
using RawClips = std::vector<std::vector<Image>>;

std::optional<LabelSet> labels_of(const Experiment& experiment) {
  if (experiment.train.task == TrainTask::pretrain) return std::nullopt;
  if (experiment.data.labels.empty()) throw ConfigError("data.labels: is needed to name what the clips show");
  return read_labels(experiment.data.labels.path);
}

// As the trainer makes it, but for what it keeps beside the list.
ClipDataset make_dataset(const Experiment& experiment, bool train, const LabelSet* labels, RawClips& raw) {
  const auto& data = experiment.data;
  const auto& split = train ? data.train : data.val;
  if (split.list.empty()) throw ConfigError(fmt::format("data.{}.list: is not set", train ? "train" : "val"));
  const auto sizes = resolve(experiment.model);
  const std::int64_t frames = experiment.train.task == TrainTask::pretrain ? 1 : sizes.fusion.frames;
  auto options =
      clip_options(experiment, sizes.vision.image_size, frames, labels != nullptr ? labels->size() : 0);
  const auto& mirrored = data.transforms.flip_labels;
  if (labels != nullptr && train && !mirrored.empty()) {
    options.flip_labels = read_flip_labels(mirrored.path, *labels);
  }
  auto index = std::make_shared<FrameIndexCache>();
  const auto fetch = [&raw, index, config = split, limit = data.video_seconds](const VideoEntry& entry,
                                                                               const FrameChooser& choose) {
    auto chosen = fetch_frames(entry, config, *index, choose, limit);
    raw.push_back(chosen.frames);
    return chosen;
  };
  return ClipDataset(read_video_list(split, labels), std::move(options), fetch);
}

// The frames of `clip`, uint8 [T, 3, S, S].
std::vector<Image> images_of(const at::Tensor& clip) {
  const auto rows = clip.permute({0, 2, 3, 1}).contiguous();
  const auto bytes = static_cast<std::size_t>(rows[0].numel());
  const auto* rgb = rows.const_data_ptr<std::uint8_t>();
  std::vector<Image> images;
  for (std::int64_t t = 0; t < rows.size(0); ++t, rgb += bytes) {
    images.push_back({rows.size(2), rows.size(1), {rgb, rgb + bytes}});
  }
  return images;
}

// Of the frames that the clips of a test video share out among them, those of the first clip.
std::vector<Image> first_view(const std::vector<Image>& frames, std::int64_t T) {
  const std::size_t clips = std::max<std::size_t>(frames.size() / static_cast<std::size_t>(T), 1);
  std::vector<Image> view;
  for (std::size_t i = 0; i < frames.size(); i += clips) view.push_back(frames[i]);
  return view;
}

std::string text_of(const Batch& batch, std::int64_t i, const VideoList& list, const LabelSet* labels) {
  const auto row = static_cast<std::size_t>(i);
  const auto entry = list.entry(batch.indices[row]);
  std::string text = entry.caption;
  if (labels != nullptr) {
    const auto id = batch.label_ids[i].item<std::int64_t>();
    text = fmt::format("{} ({})", labels->name(id), id);
  }
  text += "   " + entry.path.filename().string();
  if (!batch.errors[row].empty()) text = "failed: " + batch.errors[row];
  return text;
}

std::vector<SheetRow> rows_of(const Batch& batch, const RawClips& raw, const ClipDataset& dataset,
                              const LabelSet* labels, bool show_raw) {
  std::vector<SheetRow> rows;
  std::size_t next_raw = 0;
  for (std::int64_t i = 0; i < batch.clips.size(0); ++i) {
    SheetRow row;
    // A video that failed has left no frames.
    const bool failed = !batch.errors[static_cast<std::size_t>(i)].empty();
    if (show_raw && !failed) row.strips.push_back(first_view(raw.at(next_raw++), batch.clips.size(2)));
    row.strips.push_back(images_of(batch.clips[i][0]));
    row.text = text_of(batch, i, dataset.list(), labels);
    rows.push_back(std::move(row));
  }
  return rows;
}

void inspect_samples(const Options& options) {
  if (std::filesystem::path(options.output).extension() != ".png")
    throw UsageError(fmt::format("--output: {} must end in .png", options.output));
  const auto experiment =
      load_experiment(options.config, options.overrides, /*unread=*/{"model.weights", "data.test"});
  const bool train = options.split == "train";
  const auto labels = labels_of(experiment);
  const LabelSet* label_set = labels ? &*labels : nullptr;
  RawClips raw;
  const ClipDataset dataset = make_dataset(experiment, train, label_set, raw);
  const std::int64_t repeats = dataset.repeats(train ? SampleMode::train : SampleMode::test);
  Loader loader(dataset, {.batch_size = (options.count + repeats - 1) / repeats * repeats,
                          .workers = 0,
                          .seed = static_cast<std::uint64_t>(experiment.seed),
                          .shuffle = train,
                          .mode = train ? SampleMode::train : SampleMode::test});
  loader.start_epoch(options.epoch);
  const auto batch = loader.next();
  if (!batch) throw Error(fmt::format("{}: holds no clip to show", dataset.list().file().string()));
  const auto rows = rows_of(*batch, raw, dataset, label_set, options.raw);
  const auto height = static_cast<int>(batch->clips.size(-1));
  const Image sheet = draw_contact_sheet(rows, height);
  write_png(options.output, sheet);
  fmt::print("{}: {} clips of {} frames of {}x{} pixels, {}x{}\n", options.output, rows.size(),
             batch->clips.size(2), height, height, sheet.width, sheet.height);
}

}  // namespace

void add_inspect_samples(CLI::App& inspect) {
  auto options = std::make_shared<Options>();
  auto* command = inspect.add_subcommand("samples", "a picture of clips as training sees them, a row each");
  command->add_option("--config", options->config, "the experiment's YAML file")->required();
  command->add_option("overrides", options->overrides,
                      "settings that replace the file's, e.g. data.transforms.flip=0");
  command->add_option("--split", options->split, "train (augmented) or val (the first view)")
      ->check(CLI::IsMember({"train", "val"}))
      ->capture_default_str();
  command->add_option("--count", options->count, "clips: the first of the epoch")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--epoch", options->epoch, "whose order and augmentation are shown")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->capture_default_str();
  command->add_option("--output", options->output, "the PNG file")->capture_default_str();
  command->add_flag("--raw", options->raw, "above each clip its frames as they were before");
  command->footer(
      "Example:\n  actionclip inspect samples --config configs/kinetics400/vit_b16_8f.yaml --raw --output "
      "samples.png\nWhat mixes clips of a batch with each other (train.mix) is not shown.");
  command->callback([options] { inspect_samples(*options); });
}

}  // namespace actionclip
