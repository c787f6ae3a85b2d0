#include "actionclip/protocols/head_sweep.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/progress.h"
#include "actionclip/eval/similarity.h"
#include "actionclip/model/action_clip.h"
#include "actionclip/protocols/shot_draw.h"
#include "actionclip/video/video_list.h"

namespace actionclip {
namespace {

constexpr const char* kWho = "a head on features";

void require_same_model(const CachedFeatures& train, const CachedFeatures& test) {
  const auto refuse = [&](const std::string& what) {
    throw Error(
        fmt::format("{} and {} {}: encode both alike", train.folder.string(), test.folder.string(), what));
  };
  if (train.labels != test.labels) refuse("have other labels");
  if (train.video_features.size(2) != test.video_features.size(2)) refuse("have features of another width");
  const auto weights = [](const CachedFeatures& features) {
    const auto entry = features.identity.origin.find("tensors_sha256");
    return entry == features.identity.origin.end() ? std::string() : entry->second;
  };
  if (weights(train) != weights(test)) refuse("are of other weights");
}

// As the list had them, so that the same clips are drawn as from the list.
VideoList list_of(const CachedFeatures& features) {
  DatasetConfig config;
  config.list.path = features.folder / "index.json";
  VideoList list(config);
  std::int64_t line = 0;
  for (const auto& video : features.videos)
    list.add(VideoEntry{.path = video.path, .label_ids = video.label_ids, .line = ++line});
  return list;
}

// What heads are made of and scored on.
class HeadScorer {
 public:
  HeadScorer(const CachedFeatures& train, const CachedFeatures& test)
      : train_(train),
        test_(test),
        classes_(std::ssize(train.labels)),
        train_labels_(single_labels(train, kWho)),
        test_labels_(single_labels(test, kWho)),
        train_embeddings_(l2_normalize(train.video_features)),
        test_embeddings_(l2_normalize(test.video_features)) {}

  // Of some training clips, but for those that failed.
  HeadExamples examples(const std::vector<std::int64_t>& indices) const {
    std::vector<std::int64_t> kept;
    for (const auto index : indices) {
      if (train_.videos[static_cast<std::size_t>(index)].failure.empty()) kept.push_back(index);
    }
    if (kept.empty()) throw Error(fmt::format("{}: all clips to learn from failed", train_.folder.string()));
    if (kept.size() < indices.size())
      spdlog::warn("{} of {} training clips failed: left out", indices.size() - kept.size(), indices.size());
    const auto rows = at::tensor(kept, at::kLong);
    const auto views = train_embeddings_.size(1);
    return {.embeddings = train_embeddings_.index_select(0, rows).flatten(0, 1),
            .label_ids = train_labels_.index_select(0, rows).repeat_interleave(views),
            .classes = classes_};
  }

  TopAccuracy score(const FeatureHead& head) const {
    constexpr std::int64_t kVideosAtOnce = 512;
    TopAccuracy accuracy;
    for (std::int64_t begin = 0; begin < test_embeddings_.size(0); begin += kVideosAtOnce) {
      const auto scores = head(test_embeddings_.slice(0, begin, begin + kVideosAtOnce)).contiguous();
      add(begin, scores, accuracy);
    }
    return accuracy;
  }

 private:
  void add(std::int64_t begin, const at::Tensor& scores, TopAccuracy& accuracy) const {
    const auto* values = scores.const_data_ptr<float>();
    for (std::int64_t row = 0; row < scores.size(0); ++row) {
      if (!test_.videos[static_cast<std::size_t>(begin + row)].failure.empty()) {
        accuracy.add_failed();
      } else {
        accuracy.add({values + row * classes_, static_cast<std::size_t>(classes_)},
                     test_labels_.const_data_ptr<std::int64_t>()[begin + row]);
      }
    }
  }

  const CachedFeatures& train_;
  const CachedFeatures& test_;
  const std::int64_t classes_;
  const at::Tensor train_labels_, test_labels_;
  const at::Tensor train_embeddings_, test_embeddings_;  // [N, V, D]
};

std::vector<std::int64_t> all_of(const CachedFeatures& features) {
  std::vector<std::int64_t> indices(features.videos.size());
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::int64_t>(i);
  return indices;
}

std::vector<HeadRow> rows_of_shots(std::int64_t shots, bool texts, const HeadSweepOptions& options) {
  std::vector<HeadRow> rows = {{.head = "nearest_mean", .shots = shots, .accuracies = {}}};
  if (texts) rows.push_back({.head = "tip_adapter", .shots = shots, .accuracies = {}});
  for (const double l2 : options.l2)
    rows.push_back({.head = "linear_probe", .shots = shots, .l2 = l2, .accuracies = {}});
  return rows;
}

}  // namespace

std::vector<HeadRow> sweep_heads(const CachedFeatures& train, const CachedFeatures& test,
                                 const HeadSweepOptions& options) {
  const at::NoGradGuard no_grad;
  require_same_model(train, test);
  const HeadScorer scorer(train, test);
  const auto list = list_of(train);
  const auto& texts = test.texts;
  const auto text = texts.empty() ? at::Tensor() : mean_embedding(texts.embeddings, texts.tokens)[0];
  const auto head_of = [&](const HeadRow& row, const HeadExamples& examples) {
    if (row.head == "nearest_mean") return nearest_mean_head(examples);
    if (row.head == "tip_adapter") return tip_adapter_head(examples, text, options.tip);
    return linear_probe_head(examples, row.l2);
  };
  // Before the first head, that there are enough clips for each K.
  for (const auto shots : options.shots) choose_shots(list, std::ssize(train.labels), shots, /*seed=*/0);
  std::vector<HeadRow> results;
  ProgressBar bar("heads", std::ssize(options.l2) + std::ssize(options.shots) * std::ssize(options.seeds),
                  "fits");
  const auto everything = scorer.examples(all_of(train));
  for (const double l2 : options.l2) {
    HeadRow row{.head = "linear_probe", .shots = 0, .l2 = l2, .accuracies = {}};
    row.accuracies.push_back(scorer.score(head_of(row, everything)));
    results.push_back(std::move(row));
    bar.advance(1);
  }
  for (const auto shots : options.shots) {
    auto rows = rows_of_shots(shots, text.defined(), options);
    for (const auto seed : options.seeds) {
      const auto examples = scorer.examples(choose_shots(list, std::ssize(train.labels), shots, seed));
      for (auto& row : rows) row.accuracies.push_back(scorer.score(head_of(row, examples)));
      bar.advance(1);
    }
    std::ranges::move(rows, std::back_inserter(results));
  }
  return results;
}

}  // namespace actionclip
