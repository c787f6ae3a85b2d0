#include "actionclip/eval/evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/progress.h"

namespace actionclip {
namespace {

constexpr double kSmallestProbability = 1e-30;  // keeps the loss finite when a softmax underflows

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

// Adds to `metrics` what the other ranks have counted.
template <typename Metrics>
void add_other_ranks(Metrics& metrics, ProcessGroup& group) {
  const at::Tensor own = at::tensor(metrics.counts(), at::kLong);
  at::Tensor others = own.clone();
  group.all_reduce_sum(others);
  others -= own;
  metrics.add_counts({others.const_data_ptr<std::int64_t>(), metrics.counts().size()});
}

// The failed videos of all ranks: each rank's are a part of the list, so theirs follow each other in its
// order.
void gather_failed(std::vector<UnscoredVideo>& failed, ProcessGroup& group) {
  auto own = nlohmann::json::array();
  for (const auto& video : failed) own.push_back({video.path, video.reason});
  failed.clear();
  for (const auto& text : group.gather_texts(json_text(own))) {
    for (const auto& video : nlohmann::json::parse(text)) failed.push_back({video.at(0), video.at(1)});
  }
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

  void add_ranks(ProcessGroup& group) {
    for (auto& [column, accuracy] : groups_) add_other_ranks(accuracy, group);
    if (pairs_) add_other_ranks(*pairs_, group);
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
void warn_of_scores_not_finite(const EvaluationReport& report) {
  const auto count = std::ranges::count(report.failed, kScoresNotFinite, &UnscoredVideo::reason);
  if (count > 0) spdlog::warn("the scores of {} videos are not finite: counted as wrong", count);
}

// Batches of the rank that has most videos.
std::int64_t most_batches(std::int64_t videos, const LoaderOptions& options) {
  const std::int64_t most = (videos + options.world_size - 1) / options.world_size;
  return (most + options.batch_size - 1) / options.batch_size;
}

// What the videos of this rank add up to, and then those of all.
struct Tally {
  EvaluationReport& report;
  ExtraMetrics extra;
  double loss_sum = 0;

  // scores [B, C] of the videos of a batch.
  void add(const Batch& batch, const ClipDataset& videos, const at::Tensor& scores) {
    for (std::size_t i = 0; i < batch.indices.size(); ++i) {
      const auto label_id = batch.label_ids[static_cast<std::int64_t>(i)].item<std::int64_t>();
      const std::span<const float> row(
          scores.const_data_ptr<float>() + static_cast<std::int64_t>(i) * scores.size(1),
          static_cast<std::size_t>(scores.size(1)));
      const auto failure = failure_of(batch.errors[i], row);
      if (!failure.empty()) {
        report.metrics.add_failed(label_id);
        extra.add_failed(label_id);
        report.failed.push_back({videos.list().entry(batch.indices[i]).path.string(), failure});
        continue;
      }
      report.metrics.add(row, label_id);
      extra.add(row, label_id);
      loss_sum -= std::log(std::max<double>(row[label_id], kSmallestProbability));
    }
  }

  void add_ranks(ProcessGroup& group) {
    add_other_ranks(report.metrics, group);
    extra.add_ranks(group);
    gather_failed(report.failed, group);
    loss_sum = sum_over_ranks(loss_sum, group);
    const auto scored = report.metrics.samples() - report.metrics.failed();
    report.loss =
        scored > 0 ? loss_sum / static_cast<double>(scored) : std::numeric_limits<double>::quiet_NaN();
    extra.report(report);
  }
};

}  // namespace

void check_label_columns(const LabelSet& labels, const EvalConfig& config) {
  [[maybe_unused]] const ExtraMetrics checked(labels, config);
}

EvaluationReport evaluate(Classifier& classifier, const ClipDataset& videos, const LabelSet& labels,
                          const EvalConfig& config, const DataConfig& data,
                          const std::shared_ptr<ProcessGroup>& group) {
  require_single_labels(videos.list(), "top-1 and top-5 evaluation");
  const auto options = loader_options(classifier, videos, config, data, *group);
  Loader loader(videos, options);
  EvaluationReport report{.metrics = ClassificationMetrics(labels.size()),
                          .views = config.clips * config.crops};
  Tally tally{.report = report, .extra = ExtraMetrics(labels, config)};
  loader.start_epoch(0);
  ProgressBar bar("evaluate", videos.size(), "videos");
  const std::int64_t batches = most_batches(videos.size(), options);
  for (std::int64_t i = 0; i < batches; ++i) {
    const auto batch = loader.next();
    if (batch) {
      tally.add(*batch, videos,
                classifier.classify(batch->clips, config.batch_size).probabilities.contiguous());
    }
    // In step, so that a rank that is lost is missed at once, and none waits long at the end.
    const double scored = sum_over_ranks(batch ? static_cast<double>(batch->indices.size()) : 0, *group);
    bar.advance(static_cast<std::int64_t>(scored));
  }
  warn_of_scores_not_finite(report);
  tally.add_ranks(*group);
  return report;
}

nlohmann::ordered_json to_json(const EvaluationReport& report) {
  nlohmann::ordered_json json = {
      {"top1", report.metrics.top1()},
      {"top5", report.metrics.top5()},
      {"samples", report.metrics.samples()},
      {"failed", report.metrics.failed()},
      {"loss", std::isfinite(report.loss) ? nlohmann::ordered_json(report.loss) : nullptr},
      {"views", report.views}};
  for (const auto& [column, top1] : report.group_top1) json["groups"][column] = top1;
  if (report.pair_accuracy) json["pairs"] = *report.pair_accuracy;
  for (const auto& [column, by_entry] : report.pair_accuracy_by) json["pairs_by"][column] = by_entry;
  return json;
}

std::string to_table(const EvaluationReport& report) {
  std::string table;
  const auto row = [&](const std::string& name, const std::string& value) {
    table += fmt::format("  {:<40}{:>10}\n", name, value);
  };
  row("top-1 (%)", fmt::format("{:.2f}", report.metrics.top1()));
  row("top-5 (%)", fmt::format("{:.2f}", report.metrics.top5()));
  for (const auto& [column, top1] : report.group_top1)
    row(column + " top-1 (%)", fmt::format("{:.2f}", top1));
  if (report.pair_accuracy) row("pairs (%)", fmt::format("{:.2f}", *report.pair_accuracy));
  for (const auto& [column, by_entry] : report.pair_accuracy_by) {
    for (const auto& [entry, percent] : by_entry) {
      row(fmt::format("  {} {} (%)", column, entry), fmt::format("{:.2f}", percent));
    }
  }
  row("loss", std::isfinite(report.loss) ? fmt::format("{:.4f}", report.loss) : "not known");
  row("videos", fmt::format("{}", report.metrics.samples()));
  row("failed (count as wrong)", fmt::format("{}", report.metrics.failed()));
  row("views a video", fmt::format("{}", report.views));
  return table;
}

}  // namespace actionclip
