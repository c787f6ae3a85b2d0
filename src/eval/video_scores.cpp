#include "actionclip/eval/video_scores.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/weights/safetensors.h"

namespace actionclip {
namespace {

constexpr const char* kVersionKey = "actionclip.scores";
constexpr const char* kVersion = "1";
constexpr const char* kLabels = "actionclip.labels";
constexpr const char* kMultiLabel = "actionclip.multi_label";
constexpr const char* kOrigin = "actionclip.origin";
constexpr float kLargestProbability = 1.001F;  // a mean of softmaxes, with its rounding

bool is_probability(float value) { return value >= 0 && value <= kLargestProbability; }

// What is wrong with a video's labels; empty: nothing.
std::string label_fault(const VideoScores& scores, const ScoredVideo& video) {
  for (const auto id : video.label_ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= scores.labels.size())
      return fmt::format("label id {} is outside 0..{}", id, scores.labels.size() - 1);
  }
  const auto& ids = video.label_ids;
  if (std::set(ids.begin(), ids.end()).size() != ids.size()) return "it has a label twice";
  if (!scores.multi_label && ids.size() != 1) return fmt::format("it has {} labels, not one", ids.size());
  return "";
}

std::string row_fault(const VideoScores& scores, std::size_t video) {
  const auto row = scores.row(video);
  if (scores.videos[video].failure.empty()) {
    return std::ranges::all_of(row, is_probability) ? "" : "a score is no probability";
  }
  const bool none = std::ranges::all_of(row, [](float value) { return std::isnan(value); });
  return none ? "" : "it has failed, yet it has scores";
}

// What does not fit in `scores`; empty: nothing.
std::string fault_of(const VideoScores& scores) {
  if (scores.labels.empty()) return "there are no labels";
  if (std::set(scores.labels.begin(), scores.labels.end()).size() != scores.labels.size())
    return "a label is there twice";
  if (scores.probabilities.size() != scores.videos.size() * scores.labels.size()) {
    return fmt::format("{} scores of {} videos and {} labels", scores.probabilities.size(),
                       scores.videos.size(), scores.labels.size());
  }
  for (std::size_t i = 0; i < scores.videos.size(); ++i) {
    auto fault = label_fault(scores, scores.videos[i]);
    if (fault.empty()) fault = row_fault(scores, i);
    if (!fault.empty()) return fmt::format("video {} ({}): {}", i, scores.videos[i].path, fault);
  }
  return "";
}

// Its memory is the caller's.
template <typename T>
TensorData view_of(DType dtype, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  TensorData data{.dtype = dtype, .shape = std::move(shape)};
  data.strides = contiguous_strides(data.shape);
  data.bytes = std::as_bytes(std::span(values));
  return data;
}

template <typename T>
TensorData view_of(DType dtype, const std::vector<T>& values) {
  return view_of(dtype, {static_cast<std::int64_t>(values.size())}, values);
}

void append_text(std::vector<char>& texts, std::string_view text) {
  for (const char c : text) texts.push_back(c == '\0' ? ' ' : c);
  texts.push_back('\0');
}

// The parts of a file, each checked as it is taken.
class ScoreFile {
 public:
  explicit ScoreFile(const std::filesystem::path& path) : path_(path), file_(read_safetensors(path)) {
    const auto version = file_.metadata.find(kVersionKey);
    if (version == file_.metadata.end())
      fail("it holds no scores: give a scores.safetensors that `actionclip evaluate --output` wrote");
    if (version->second != kVersion)
      fail(fmt::format("its layout is version '{}' and this program reads {}", version->second, kVersion));
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw WeightsError(fmt::format("{}: {}", path_.string(), what));
  }

  const std::string& metadata(const char* key) const {
    const auto found = file_.metadata.find(key);
    if (found == file_.metadata.end()) fail(fmt::format("its metadata lack {}", key));
    return found->second;
  }

  // JSON of the type of `Value`.
  template <typename Value>
  Value metadata_json(const char* key) const {
    const auto& text = metadata(key);
    try {
      return nlohmann::json::parse(text).get<Value>();
    } catch (const nlohmann::json::exception&) {
      fail(fmt::format("its metadata have {} in a form that does not fit", key));
    }
  }

  // Takes a tensor out of the file; `columns`: of a matrix.
  template <typename T>
  std::vector<T> take(const char* name, DType dtype, std::optional<std::size_t> columns = std::nullopt) {
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) fail(fmt::format("tensor {} is missing", name));
    const TensorData data = std::move(found->second);
    file_.tensors.erase(found);
    const bool fits = data.dtype == dtype && data.shape.size() == (columns ? 2U : 1U) &&
                      (!columns || static_cast<std::size_t>(data.shape[1]) == *columns);
    if (!fits) {
      fail(fmt::format("tensor {} is {} {}, which does not fit", name, dtype_name(data.dtype),
                       shape_string(data.shape)));
    }
    std::vector<T> values(static_cast<std::size_t>(data.element_count()));
    if (!values.empty()) std::memcpy(values.data(), data.bytes.data(), data.bytes.size());
    return values;
  }

  std::vector<std::string> take_texts(const char* name) {
    std::vector<std::string> texts;
    std::string text;
    for (const char c : take<char>(name, DType::kUInt8)) {
      if (c != '\0') {
        text += c;
        continue;
      }
      texts.push_back(std::exchange(text, ""));
    }
    if (!text.empty()) fail(fmt::format("tensor {} does not end in a zero byte", name));
    return texts;
  }

  void require_nothing_left() const {
    if (!file_.tensors.empty()) fail(fmt::format("tensor {} is not of scores", file_.tensors.begin()->first));
  }

 private:
  std::filesystem::path path_;
  TensorFile file_;
};

std::vector<ScoredVideo> take_videos(ScoreFile& file) {
  auto paths = file.take_texts("paths"), failures = file.take_texts("failures");
  const auto counts = file.take<std::int32_t>("label_counts", DType::kInt32);
  const auto ids = file.take<std::int32_t>("label_ids", DType::kInt32);
  if (paths.size() != counts.size() || failures.size() != counts.size()) {
    file.fail(fmt::format("{} paths, {} failures and {} label counts: they must be as many", paths.size(),
                          failures.size(), counts.size()));
  }
  std::vector<ScoredVideo> videos;
  std::size_t next = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0 || static_cast<std::size_t>(counts[i]) > ids.size() - next)
      file.fail(fmt::format("video {} has {} labels, and {} are left", i, counts[i], ids.size() - next));
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(next);
    videos.push_back({std::move(paths[i]), {first, first + counts[i]}, std::move(failures[i])});
    next += static_cast<std::size_t>(counts[i]);
  }
  if (next != ids.size()) file.fail(fmt::format("{} label ids are of no video", ids.size() - next));
  return videos;
}

}  // namespace

void save_scores(const VideoScores& scores, const std::filesystem::path& path) {
  if (const auto fault = fault_of(scores); !fault.empty())
    throw std::invalid_argument(fmt::format("save_scores: {}", fault));
  std::vector<std::int32_t> counts, ids;
  std::vector<char> paths, failures;
  for (const auto& video : scores.videos) {
    counts.push_back(static_cast<std::int32_t>(video.label_ids.size()));
    ids.insert(ids.end(), video.label_ids.begin(), video.label_ids.end());
    append_text(paths, video.path);
    append_text(failures, video.failure);
  }
  const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(scores.videos.size()),
                                           static_cast<std::int64_t>(scores.labels.size())};
  write_safetensors(path,
                    {{"probabilities", view_of(DType::kFloat32, shape, scores.probabilities)},
                     {"label_counts", view_of(DType::kInt32, counts)},
                     {"label_ids", view_of(DType::kInt32, ids)},
                     {"paths", view_of(DType::kUInt8, paths)},
                     {"failures", view_of(DType::kUInt8, failures)}},
                    {{kVersionKey, kVersion},
                     {kLabels, json_text(nlohmann::json(scores.labels), -1)},
                     {kMultiLabel, scores.multi_label ? "true" : "false"},
                     {kOrigin, json_text(nlohmann::json(scores.origin), -1)}});
}

VideoScores load_scores(const std::filesystem::path& path) {
  ScoreFile file(path);
  VideoScores scores;
  scores.labels = file.metadata_json<std::vector<std::string>>(kLabels);
  scores.multi_label = file.metadata_json<bool>(kMultiLabel);
  scores.origin = file.metadata_json<std::map<std::string, std::string>>(kOrigin);
  scores.videos = take_videos(file);
  scores.probabilities = file.take<float>("probabilities", DType::kFloat32, scores.labels.size());
  file.require_nothing_left();
  if (const auto fault = fault_of(scores); !fault.empty()) file.fail(fault);
  return scores;
}

}  // namespace actionclip
