#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/protocols/report.h"
#include "actionclip/text/labels.h"
#include "actionclip/train/experiment.h"
#include "actionclip/video/frame_index_cache.h"
#include "actionclip/video/image_file.h"
#include "actionclip/video/open_source.h"
#include "actionclip/video/sampler.h"
#include "actionclip/video/video_list.h"

#include "choose_examples.h"
#include "class_results.h"
#include "video/resize_image.h"

namespace actionclip {
namespace {

using detail::Candidate;

constexpr std::size_t kExamples = 6;        // of either kind
constexpr std::size_t kCandidates = 24;     // that may have to stand in for others
constexpr std::int64_t kMostFrames = 8;     // of a clip that are shown
constexpr std::int64_t kFrameHeight = 112;  // pixels
constexpr std::int64_t kGap = 2;            // pixels between frames
constexpr std::uint8_t kGapShade = 128;
constexpr int kQuality = 78;

// The settings and the list that the scores are of.
struct ScoredSplit {
  Experiment experiment;
  DatasetConfig config;
  VideoList list;
};

// Whether the entries of `list` are the videos that were scored, as far as can be seen.
bool is_scored(const VideoList& list, const VideoScores& scores) {
  if (list.size() != std::ssize(scores.videos)) return false;
  const auto hash = scores.origin.find("list_sha256");
  if (hash != scores.origin.end() && !hash->second.empty() && !list.fingerprint().empty())
    return hash->second == list.fingerprint();
  return list.entry(0).path.string().ends_with(scores.videos.front().path);
}

struct Settings {
  std::string name;  // of their file
  std::string text;
};

// The run's; of zero-shot's videos those of zero-shot, which may lie beside others that come first.
Settings settings_of(const RunRecord& run) {
  const auto own = run.folder / kZeroShotConfigName;
  if (detail::shows_zero_shot(run) && run.config_name != kZeroShotConfigName && std::filesystem::exists(own))
    return {kZeroShotConfigName, read_text_file(own)};
  return {run.config_name, run.config};
}

// Throws Error if the settings name no list of these videos.
ScoredSplit find_split(const Settings& settings, const VideoScores& scores) {
  if (settings.text.empty()) throw Error("the folder holds no settings, which say where the videos lie");
  ScoredSplit split{.experiment = read_config<Experiment>(parse_yaml(settings.text, settings.name), {""}),
                    .config = {},
                    .list = VideoList()};
  const auto& data = split.experiment.data;
  const LabelSet labels(scores.labels);
  std::string reason = "it names no list";
  for (const auto* config : {&data.test, &data.val, &data.train}) {
    if (config->list.empty()) continue;
    try {
      split.list = read_video_list(*config, &labels);
      split.config = *config;
      if (is_scored(split.list, scores)) return split;
      reason = "its lists are not of the videos that were scored";
    } catch (const Error& problem) {
      reason = problem.what();
    }
  }
  throw Error(fmt::format("{}: {}", settings.name, reason));
}

std::int64_t short_side_of(const Image& frame) {
  const auto side = frame.width < frame.height ? kFrameHeight * frame.width / frame.height : kFrameHeight;
  return std::max<std::int64_t>(side, 1);
}

// Frames of one size, side by side.
Image strip_of(const std::vector<Image>& frames) {
  std::vector<Image> small;
  for (const auto& frame : frames) small.push_back(resize_short_side(frame, short_side_of(frame)));
  Image strip{.width = -kGap, .height = 0};
  for (const auto& frame : small) {
    strip.width += frame.width + kGap;
    strip.height = std::max(strip.height, frame.height);
  }
  if (strip.width * strip.height > kMaxImagePixels) throw VideoError("its frames are too wide to be shown");
  strip.rgb.assign(static_cast<std::size_t>(3 * strip.width * strip.height), kGapShade);
  std::int64_t left = 0;
  for (const auto& frame : small) {
    for (std::int64_t y = 0; y < frame.height; ++y) {
      std::memcpy(strip.rgb.data() + 3 * (y * strip.width + left), frame.rgb.data() + 3 * y * frame.width,
                  static_cast<std::size_t>(3 * frame.width));
    }
    left += frame.width + kGap;
  }
  return strip;
}

// Of a test clip's T frames, at most kMostFrames at equal distances.
std::vector<std::int64_t> shown_frames(std::int64_t n, const Experiment& experiment) {
  const auto frames = sample_test_frames(n, std::max<std::int64_t>(experiment.model.frames, 1), 0, 1,
                                         experiment.data.sampling);
  const auto count = std::ssize(frames);
  const auto shown = std::min<std::int64_t>(count, kMostFrames);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < shown; ++i)
    indices.push_back(frames[static_cast<std::size_t>(i * count / shown)]);
  return indices;
}

// Throws Error or VideoError if its frames cannot be read.
Image picture_of(const ScoredSplit& split, std::size_t video) {
  FrameIndexCache cache;
  const auto entry = split.list.entry(static_cast<std::int64_t>(video));
  const auto chosen = fetch_frames(
      entry, split.config, cache, [&](std::int64_t n) { return shown_frames(n, split.experiment); },
      split.experiment.data.video_seconds);
  if (chosen.frames.empty()) throw VideoError(fmt::format("{}: has no frames", entry.path.string()));
  return strip_of(chosen.frames);
}

ExampleClip describe(const VideoScores& scores, const Candidate& candidate, bool right) {
  const auto& video = scores.videos[candidate.video];
  ExampleClip clip{.path = video.path,
                   .predicted = scores.labels[static_cast<std::size_t>(candidate.predicted)],
                   .probability = candidate.probability,
                   .truth_probability = candidate.truth_probability,
                   .right = right};
  for (const auto id : video.label_ids)
    clip.truth += (clip.truth.empty() ? "" : ", ") + scores.labels[static_cast<std::size_t>(id)];
  return clip;
}

void add_clips(const ScoredSplit& split, const VideoScores& scores, const std::vector<Candidate>& candidates,
               bool right, ExampleClips& examples) {
  std::size_t added = 0;
  for (const auto& candidate : candidates) {
    if (added == kExamples) return;
    auto clip = describe(scores, candidate, right);
    try {
      const auto picture = picture_of(split, candidate.video);
      clip.width = picture.width;
      clip.jpeg = encode_jpeg(picture, kQuality);
    } catch (const Error& problem) {
      examples.absence = fmt::format("Some could not be shown: {}", problem.what());
      continue;
    }
    examples.clips.push_back(std::move(clip));
    ++added;
  }
}

}  // namespace

ExampleClips find_examples(const RunRecord& run) {
  const auto* scores = detail::shown_scores(run);
  if (scores == nullptr)
    return {.clips = {}, .absence = "None, as the folder holds no scores of videos (scores.safetensors)."};
  ExampleClips examples;
  try {
    const auto split = find_split(settings_of(run), *scores);
    const auto candidates = detail::choose_examples(*scores, kCandidates);
    add_clips(split, *scores, candidates.wrong, false, examples);
    add_clips(split, *scores, candidates.right, true, examples);
  } catch (const std::exception& problem) {
    return {.clips = {}, .absence = fmt::format("None: {}", problem.what())};
  }
  if (examples.clips.empty() && examples.absence.empty()) examples.absence = "None: no video has scores.";
  return examples;
}

}  // namespace actionclip
