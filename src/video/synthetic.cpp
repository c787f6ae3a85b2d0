#include "actionclip/video/synthetic.h"

#include <array>
#include <cmath>
#include <deque>
#include <future>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/made_folder.h"
#include "actionclip/core/progress.h"
#include "actionclip/core/random.h"
#include "actionclip/core/worker_pool.h"
#include "actionclip/video/image_file.h"

#include "video/synthetic_labels.h"
#include "video/synthetic_motion.h"
#include "video/synthetic_scene.h"
#include "video/video_writer.h"

namespace actionclip {
namespace {

constexpr int kFormatVersion = 2;  // raise it when the same settings give other pictures
constexpr int kJpegQuality = 92;

// The numbers are part of the random streams' keys (0 is the grain's).
enum class Part : std::uint64_t {
  kTrain = 1,
  kVal = 2,
  kTest = 3,
  kZeroShot = 4,
  kFewShotTrain = 5,
  kFewShotTest = 6,
  kStills = 7,
};

struct ClipSplit {
  Part part;
  std::string name;  // of the list and of the videos' folder
  std::vector<SyntheticLabel> labels;
  std::int64_t clips;
};

std::vector<ClipSplit> clip_splits(const SyntheticConfig& config) {
  const auto known = synthetic_train_labels();
  const auto few_shot = synthetic_few_shot_labels();
  const auto few_shot_classes = static_cast<std::int64_t>(few_shot.size());
  return {
      {Part::kTrain, "train", known, config.train_clips},
      {Part::kVal, "val", known, config.val_clips},
      {Part::kTest, "test", known, config.test_clips},
      {Part::kZeroShot, "zero_shot", synthetic_zero_shot_labels(), config.zero_shot_clips},
      {Part::kFewShotTrain, "few_shot_train", few_shot, config.few_shot_train_clips * few_shot_classes},
      {Part::kFewShotTest, "few_shot_test", few_shot, config.few_shot_test_clips * few_shot_classes},
  };
}

std::string settings_text(const SyntheticConfig& config) {
  const nlohmann::ordered_json settings = {
      {"format_version", kFormatVersion},
      {"seed", config.seed},
      {"train_clips", config.train_clips},
      {"val_clips", config.val_clips},
      {"test_clips", config.test_clips},
      {"zero_shot_clips", config.zero_shot_clips},
      {"few_shot_train_clips", config.few_shot_train_clips},
      {"few_shot_test_clips", config.few_shot_test_clips},
      {"stills", config.stills},
      {"frame_size", config.frame_size},
      {"frames_per_clip", config.frames_per_clip},
  };
  return settings.dump(2) + "\n";
}

std::string readme_text(const SyntheticConfig& config) {
  std::string text = fmt::format(
      "Synthetic data, drawn by a program (actionclip dataset synthesize, seed {}): coloured shapes in "
      "motion.\n"
      "Nothing here was filmed; results on it say that the method works, not how well it does on real "
      "videos.\n\n"
      "{} stills of {}x{} pixels with captions: captions.csv\n"
      "Clips (H.264, {} frames each), one list a split, lines PATH LABEL_ID:\n",
      config.seed, config.stills, config.frame_size, config.frame_size, config.frames_per_clip);
  for (const auto& split : clip_splits(config)) {
    text += fmt::format("  {:<20}{:>6} clips, {} classes\n", split.name + ".txt", split.clips,
                        split.labels.size());
  }
  return text +
         "labels.csv names the classes of train, val and test;\n"
         "zero_shot_labels.csv sentences that occur in none of these;\n"
         "few_shot_labels.csv motions that occur nowhere else.\n"
         "Column pair: the class of the clip played backwards.\n";
}

std::string file_name(std::int64_t index, const char* extension) {
  return fmt::format("{:05}.{}", index, extension);
}

// Classes take turns, so that any split is as balanced as its size allows.
std::int64_t label_id_of(const ClipSplit& split, std::int64_t index) {
  return index % static_cast<std::int64_t>(split.labels.size());
}

void write_clip(const SyntheticConfig& config, const ClipSplit& split, std::int64_t index,
                const cv::Mat& grain, const std::filesystem::path& path) {
  const SyntheticLabel& label = split.labels[static_cast<std::size_t>(label_id_of(split, index))];
  RandomStream random(config.seed, RandomPurpose::kSynthetic, static_cast<std::uint64_t>(split.part),
                      static_cast<std::uint64_t>(index));
  const auto poses = random_motion(label.motion, config.frames_per_clip, random);
  const SyntheticScene scene(label.colour, label.shape, static_cast<int>(config.frame_size), grain, random);
  VideoWriter writer(path, {.width = config.frame_size, .height = config.frame_size});
  for (const Pose& pose : poses) writer.write(scene.draw(pose, random));
  writer.finish();
}

struct Still {
  SyntheticColour colour;
  SyntheticShape shape;
  Pose pose;
};

Still random_still(RandomStream& random) {
  const auto colour = static_cast<SyntheticColour>(random.below(kSyntheticColours));
  const auto shape = static_cast<SyntheticShape>(random.below(kSyntheticShapes));
  // Clips of growing and fading show sizes and opacities beyond the usual ones.
  Pose pose = random_pose(random.chance(0.3) ? random.uniform(0.1, 0.32) : random_size(random), random);
  if (random.chance(0.3)) pose.opacity = random.uniform(0.1, 1.0);
  if (random.chance(0.3)) pose.angle = random.uniform(0, 2 * std::numbers::pi);
  return {colour, shape, pose};
}

RandomStream still_stream(const SyntheticConfig& config, std::int64_t index) {
  return {config.seed, RandomPurpose::kSynthetic, static_cast<std::uint64_t>(Part::kStills),
          static_cast<std::uint64_t>(index)};
}

// "a small faint red arrow at the top left": what the picture shows, in words that most motions change.
std::string caption_of(const Still& still) {
  constexpr double kSmall = 0.17, kLarge = 0.25, kFaint = 0.55;
  constexpr std::array<const char*, 9> kPlaces = {
      "at the top left", "at the top",         "at the top right", "at the left",        "in the middle",
      "at the right",    "at the bottom left", "at the bottom",    "at the bottom right"};
  const auto third = [](double position) -> std::size_t {
    return position < 0.4 ? 0 : position < 0.6 ? 1 : 2;
  };
  return fmt::format("a {}{}{} {} {}",
                     still.pose.size < kSmall   ? "small "
                     : still.pose.size > kLarge ? "large "
                                                : "",
                     still.pose.opacity < kFaint ? "faint " : "", word(still.colour), word(still.shape),
                     kPlaces.at(3 * third(still.pose.y) + third(still.pose.x)));
}

void write_still(const SyntheticConfig& config, std::int64_t index, const cv::Mat& grain,
                 const std::filesystem::path& path) {
  RandomStream random = still_stream(config, index);
  const Still still = random_still(random);
  const SyntheticScene scene(still.colour, still.shape, static_cast<int>(config.frame_size), grain, random);
  write_jpeg(path, scene.draw(still.pose, random), kJpegQuality);
}

// Without fsync: make_folder_once() does it for all files at once.
void write_text(const std::filesystem::path& path, const std::string& text) { OutputFile(path).write(text); }

void write_labels(const std::vector<SyntheticLabel>& labels, const std::filesystem::path& path) {
  std::string text = "id,name,motion,pair\n";
  for (std::size_t id = 0; id < labels.size(); ++id) {
    text +=
        fmt::format("{},{},{},{}\n", id, labels[id].sentence(), words(labels[id].motion), labels[id].pair);
  }
  write_text(path, text);
}

void write_lists(const SyntheticConfig& config, const std::filesystem::path& folder) {
  write_labels(synthetic_train_labels(), folder / "labels.csv");
  write_labels(synthetic_zero_shot_labels(), folder / "zero_shot_labels.csv");
  write_labels(synthetic_few_shot_labels(), folder / "few_shot_labels.csv");
  for (const auto& split : clip_splits(config)) {
    std::string text;
    for (std::int64_t index = 0; index < split.clips; ++index) {
      text +=
          fmt::format("videos/{}/{} {}\n", split.name, file_name(index, "mp4"), label_id_of(split, index));
    }
    write_text(folder / (split.name + ".txt"), text);
  }
  std::string captions = "path,caption\n";
  for (std::int64_t index = 0; index < config.stills; ++index) {
    RandomStream random = still_stream(config, index);
    captions += fmt::format("stills/{},{}\n", file_name(index, "jpg"), caption_of(random_still(random)));
  }
  write_text(folder / "captions.csv", captions);
}

// Every picture's numbers depend on the seed and its own place alone, so threads may take them in any order.
// The first that cannot be written stops the work.
void write_pictures(const SyntheticConfig& config, const std::filesystem::path& folder) {
  const auto splits = clip_splits(config);
  std::int64_t total = config.stills;
  for (const auto& split : splits) total += split.clips;
  const cv::Mat grain = random_grain(config.seed);
  ProgressBar progress("synthesize", total, "files");
  std::deque<std::future<void>> under_way;
  // Few, so that a full disk is noticed after a few files and not after thousands.
  const std::size_t most = 4 * static_cast<std::size_t>(config.threads) + 1;
  WorkerPool pool(config.threads);  // last, as it finishes its tasks when it goes, and they use what is above
  const auto finish_oldest = [&] {
    under_way.front().get();
    under_way.pop_front();
    progress.advance(1);
  };
  const auto submit = [&](auto task) {
    if (under_way.size() == most) finish_oldest();
    under_way.push_back(pool.submit(std::move(task)));
  };
  for (const auto& split : splits) {
    const auto videos = folder / "videos" / split.name;
    std::filesystem::create_directories(videos);
    for (std::int64_t index = 0; index < split.clips; ++index) {
      submit([&config, &split, &grain, path = videos / file_name(index, "mp4"), index] {
        write_clip(config, split, index, grain, path);
      });
    }
  }
  const auto stills = folder / "stills";
  std::filesystem::create_directories(stills);
  for (std::int64_t index = 0; index < config.stills; ++index) {
    submit([&config, &grain, path = stills / file_name(index, "jpg"), index] {
      write_still(config, index, grain, path);
    });
  }
  while (!under_way.empty()) finish_oldest();
}

void fill(const SyntheticConfig& config, const std::filesystem::path& folder) {
  write_pictures(config, folder);
  write_lists(config, folder);
  write_text(folder / "README.txt", readme_text(config));
}

}  // namespace

void SyntheticConfig::check() const {
  const auto need = [](bool fine, const char* name, std::int64_t value, const char* rule) {
    if (!fine) throw Error(fmt::format("synthetic data: {} is {}, must be {}", name, value, rule));
  };
  constexpr std::int64_t kMost = 100000;  // five digits in a file's name
  const std::array<std::pair<const char*, std::int64_t>, 5> counts = {{{"train_clips", train_clips},
                                                                       {"val_clips", val_clips},
                                                                       {"test_clips", test_clips},
                                                                       {"zero_shot_clips", zero_shot_clips},
                                                                       {"stills", stills}}};
  for (const auto& [name, count] : counts) need(count >= 0 && count <= kMost, name, count, "in [0, 100000]");
  const std::array<std::pair<const char*, std::int64_t>, 2> few = {
      {{"few_shot_train_clips", few_shot_train_clips}, {"few_shot_test_clips", few_shot_test_clips}}};
  for (const auto& [name, count] : few) need(count >= 0 && count <= kMost / 10, name, count, "in [0, 10000]");
  need(frame_size >= 32 && frame_size <= 1024 && frame_size % 2 == 0, "frame_size", frame_size,
       "even and in [32, 1024]");
  need(frames_per_clip >= 2 && frames_per_clip <= 1024, "frames_per_clip", frames_per_clip, "in [2, 1024]");
  need(threads >= 0 && threads <= 256, "threads", threads, "in [0, 256]");
}

void synthesize(const SyntheticConfig& config, const std::filesystem::path& output) {
  config.check();
  const auto make = [&](const std::filesystem::path& folder) { fill(config, folder); };
  if (!make_folder_once(output, settings_text(config), make)) {
    spdlog::info("{}: already made with these settings", output.string());
  }
}

}  // namespace actionclip
