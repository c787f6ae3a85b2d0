#include "actionclip/eval/evaluator.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ops/from_blob.h>
#include <boost/describe.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/progress.h"

namespace actionclip {
namespace {

// The extra column that the setting `key` names. Throws Error if the labels lack it.
const std::vector<std::string>& label_column(const LabelSet& labels, const std::string& column,
                                             const char* key) {
  try {
    return labels.column(column);
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {} ({}= asks for none)", key, error.what(), key));
  }
}

// The counterpart of each label, -1 where the column names the label itself. Throws Error for an entry that
// is no label id.
std::vector<std::int64_t> counterparts(const LabelSet& labels, const std::string& column) {
  std::vector<std::int64_t> ids;
  for (const auto& text : label_column(labels, column, "eval.pair_by")) {
    const bool digits =
        !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    const std::int64_t id = digits && text.size() < 10 ? std::stoll(text) : -1;
    if (id < 0 || id >= labels.size()) {
      throw Error(fmt::format("eval.pair_by: {}: column \"{}\" holds '{}', which is no label id",
                              labels.source(), column, text));
    }
    ids.push_back(id == static_cast<std::int64_t>(ids.size()) ? -1 : id);
  }
  return ids;
}

// Group and pair figures beside top-1 and top-5.
class ExtraMetrics {
 public:
  ExtraMetrics(const LabelSet& labels, const EvalConfig& config) : labels_(labels) {
    for (const auto& column : config.group_by) {
      groups_.emplace_back(column, GroupAccuracy(label_column(labels, column, "eval.group_by")));
    }
    if (!config.pair_by.empty()) pairs_.emplace(counterparts(labels, config.pair_by));
  }

  void add(std::span<const float> scores, std::int64_t label_id) {
    for (auto& [column, accuracy] : groups_) accuracy.add(scores, label_id);
    if (pairs_) pairs_->add(scores, label_id);
  }

  void add_failed(std::int64_t label_id) {
    for (auto& [column, accuracy] : groups_) accuracy.add_failed(label_id);
    if (pairs_) pairs_->add_failed(label_id);
  }

  void report(EvaluationReport& report) const {
    for (const auto& [column, accuracy] : groups_) report.group_top1[column] = accuracy.percent();
    if (!pairs_) return;
    report.pair_accuracy = pairs_->percent();
    for (const auto& [column, accuracy] : groups_) {
      report.pair_accuracy_by[column] = pairs_->percent_by(labels_.column(column));
    }
  }

 private:
  const LabelSet& labels_;
  std::vector<std::pair<std::string, GroupAccuracy>> groups_;
  std::optional<PairAccuracy> pairs_;
};

// Batches of as many videos as fill one forward with their views.
LoaderOptions loader_options(const Classifier& classifier, const ClipDataset& videos,
                             const EvalConfig& config, const DataConfig& data, const ProcessGroup& group) {
  const auto views = videos.clip_shape(SampleMode::test)[0];
  const auto batch_size = std::max<std::int64_t>(1, config.batch_size / views);
  return {.batch_size = batch_size,
          .workers = data.num_workers,
          // Where a batch is one video or two, more batches, so that every worker has one to decode.
          .prefetch = std::max(data.prefetch, (data.num_workers + batch_size - 1) / batch_size),
          .rank = group.rank(),
          .world_size = group.world_size(),
          .mode = SampleMode::test,
          .pin_memory = classifier.device().is_cuda()};
}

// Why a video counts as failed; empty if it does not.
std::string failure_of(const std::string& decoding_error, std::span<const float> scores) {
  if (!decoding_error.empty()) return decoding_error;
  const bool finite =
      std::all_of(scores.begin(), scores.end(), [](float score) { return std::isfinite(score); });
  return finite ? "" : kScoresNotFinite;
}

// Undecodable videos were logged one by one; these come by the thousand, when a model has diverged.
void warn_of_scores_not_finite(const VideoScores& scores) {
  const auto count = std::ranges::count(scores.videos, kScoresNotFinite, &ScoredVideo::failure);
  if (count > 0) spdlog::warn("the scores of {} videos are not finite: counted as wrong", count);
}

// Batches of the rank that has most videos.
std::int64_t most_batches(std::int64_t videos, const LoaderOptions& options) {
  const std::int64_t most = (videos + options.world_size - 1) / options.world_size;
  return (most + options.batch_size - 1) / options.batch_size;
}

// As the list has it where the path is not below the list's root.
std::string path_below(const std::filesystem::path& root, const std::filesystem::path& path) {
  const auto below = path.lexically_relative(root);
  return below.empty() || *below.begin() == ".." ? path.string() : below.string();
}

// The list's videos, without any scores.
VideoScores unscored(const ClipDataset& videos, const LabelSet& labels, const EvalConfig& config) {
  const auto& list = videos.list();
  VideoScores scores{.labels = labels.names()};
  scores.multi_label = videos.target_classes() > 0;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    auto entry = list.entry(i);
    if (entry.label_ids.empty() && !scores.multi_label) {
      throw Error(fmt::format("{}:{}: a video without a label cannot be scored; give a list with labels",
                              list.file().string(), entry.line));
    }
    scores.videos.push_back({path_below(list.root(), entry.path), std::move(entry.label_ids), ""});
  }
  scores.probabilities.resize(scores.videos.size() * scores.labels.size());
  scores.origin = {{"list", list.file().string()},
                   {"views", std::to_string(config.clips * config.crops)},
                   {"average", boost::describe::enum_to_string(config.average, "")}};
  if (!list.fingerprint().empty()) scores.origin["list_sha256"] = list.fingerprint();
  return scores;
}

// probabilities [B, C].
void add_batch(VideoScores& scores, const Batch& batch, const at::Tensor& probabilities) {
  const auto classes = scores.labels.size();
  const std::span<const float> all(probabilities.const_data_ptr<float>(), batch.indices.size() * classes);
  for (std::size_t i = 0; i < batch.indices.size(); ++i) {
    const auto video = static_cast<std::size_t>(batch.indices[i]);
    const auto row = all.subspan(i * classes, classes);
    const auto own = std::span(scores.probabilities).subspan(video * classes, classes);
    auto& failure = scores.videos[video].failure;
    failure = failure_of(batch.errors[i], row);
    if (failure.empty()) {
      std::ranges::copy(row, own.begin());
    } else {
      std::ranges::fill(own, std::numeric_limits<float>::quiet_NaN());
    }
  }
}

// Every rank's rows to all: where one has scores the others have zeros, so their sum is exact.
void gather_ranks(VideoScores& scores, ProcessGroup& group) {
  auto values = at::from_blob(scores.probabilities.data(),
                              {static_cast<std::int64_t>(scores.probabilities.size())}, at::kFloat);
  group.all_reduce_sum(values);
  auto own = nlohmann::json::array();
  for (std::size_t i = 0; i < scores.videos.size(); ++i) {
    if (!scores.videos[i].failure.empty()) own.push_back({i, scores.videos[i].failure});
  }
  for (const auto& text : group.gather_texts(json_text(own, -1))) {
    for (const auto& failed : nlohmann::json::parse(text))
      scores.videos.at(failed.at(0).get<std::size_t>()).failure = failed.at(1).get<std::string>();
  }
}

// The whole paths, by which people find their files.
void name_failed_files(EvaluationReport& report, const VideoList& list) {
  report.failed.clear();
  for (std::size_t i = 0; i < report.scores.videos.size(); ++i) {
    const auto& failure = report.scores.videos[i].failure;
    if (!failure.empty())
      report.failed.push_back({list.entry(static_cast<std::int64_t>(i)).path.string(), failure});
  }
}

void add_extra(EvaluationReport& report, ExtraMetrics extra) {
  const auto& scores = report.scores;
  for (std::size_t i = 0; i < scores.videos.size(); ++i) {
    const auto& video = scores.videos[i];
    if (video.failure.empty()) {
      extra.add(scores.row(i), video.label_ids.at(0));
    } else {
      extra.add_failed(video.label_ids.at(0));
    }
  }
  extra.report(report);
}

}  // namespace

void check_label_columns(const LabelSet& labels, const EvalConfig& config, bool multi_label) {
  const bool asked = !config.group_by.empty() || !config.pair_by.empty();
  if (multi_label && asked) {
    throw Error(fmt::format(
        "{} is of videos of one label each, but the list has videos of several: leave it out ({}=)",
        config.group_by.empty() ? "eval.pair_by" : "eval.group_by",
        config.group_by.empty() ? "eval.pair_by" : "eval.group_by"));
  }
  [[maybe_unused]] const ExtraMetrics checked(labels, config);
}

EvaluationReport evaluate(Classifier& classifier, const ClipDataset& videos, const LabelSet& labels,
                          const EvalConfig& config, const DataConfig& data,
                          const std::shared_ptr<ProcessGroup>& group) {
  auto scores = unscored(videos, labels, config);
  check_label_columns(labels, config, scores.multi_label);
  const auto options = loader_options(classifier, videos, config, data, *group);
  Loader loader(videos, options);
  loader.start_epoch(0);
  ProgressBar bar("evaluate", videos.size(), "videos");
  const std::int64_t batches = most_batches(videos.size(), options);
  for (std::int64_t i = 0; i < batches; ++i) {
    const auto batch = loader.next();
    if (batch) {
      add_batch(
          scores, *batch,
          classifier.classify(batch->clips, config.batch_size, config.average).probabilities.contiguous());
    }
    // In step, so that a rank that is lost is missed at once, and none waits long at the end.
    const double scored = sum_over_ranks(batch ? static_cast<double>(batch->indices.size()) : 0, *group);
    bar.advance(static_cast<std::int64_t>(scored));
  }
  warn_of_scores_not_finite(scores);
  gather_ranks(scores, *group);
  auto report = report_of(std::move(scores));
  name_failed_files(report, videos.list());
  if (!report.scores.multi_label) add_extra(report, ExtraMetrics(labels, config));
  return report;
}

void require_finite_scores(const VideoScores& scores, double share) {
  const auto count = std::ranges::count(scores.videos, kScoresNotFinite, &ScoredVideo::failure);
  if (static_cast<double>(count) <= std::ceil(share * static_cast<double>(scores.videos.size()))) return;
  throw Error(fmt::format(
      "the scores of {} of {} videos are not finite, more than data.max_failed_share {} allows: the "
      "weights are damaged, or train.precision is too narrow for them (fp32 is not)",
      count, scores.videos.size(), share));
}

}  // namespace actionclip
