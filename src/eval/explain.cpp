#include "actionclip/eval/explain.h"

#include <optional>
#include <tuple>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sort.h>

#include "actionclip/core/error.h"
#include "actionclip/model/action_clip.h"

namespace actionclip {
namespace {

// The two labels that a decision is between.
struct Rivals {
  std::int64_t first, second;  // label ids

  // Of similarities [..., C].
  at::Tensor margins(const at::Tensor& similarities) const {
    return similarities.select(-1, first) - similarities.select(-1, second);
  }
};

// A clip on its way through the model.
struct Pass {
  Classifier& classifier;
  ActionClip model;
  at::Tensor clips;           // [1, T, 3, S, S]
  at::Tensor frame_features;  // [1, T, D]; [1, 1, D] with joint attention
  at::Tensor video_feature;   // [1, D]

  std::int64_t frames() const { return clips.size(1); }
  bool is_joint() const { return model->config().vision.joint_frames > 0; }
  FusionType fusion() const { return model->config().fusion.type; }
};

// Of the frames alone: [T, C] on the CPU.
at::Tensor similarities_of_frames(Pass& pass) {
  const auto alone = pass.is_joint() ? pass.model->encode_frames(pass.clips.transpose(0, 1))
                                     : pass.frame_features.transpose(0, 1);
  return pass.classifier.score(alone).similarities;
}

// ExplainedFrame::contribution: [T] on the CPU, if there is such.
std::optional<at::Tensor> contributions(Pass& pass, const Rivals& rivals) {
  if (pass.is_joint() || pass.fusion() == FusionType::Transf_cls) return std::nullopt;
  const auto direction = rivals.margins(pass.classifier.label_directions().t());
  const auto shares =
      at::matmul(pass.frame_features[0].to(at::kFloat), direction) / static_cast<double>(pass.frames());
  return (pass.classifier.is_linear() ? shares : shares / pass.video_feature.to(at::kFloat).norm()).cpu();
}

// ExplainedFrame::leave_one_out: [T] on the CPU, if there is such. Only the head is run again.
std::optional<at::Tensor> leave_one_out(Pass& pass, const Rivals& rivals, double margin) {
  if (pass.fusion() == FusionType::meanP || pass.frames() < 2) return std::nullopt;
  std::vector<at::Tensor> videos;
  for (std::int64_t t = 0; t < pass.frames(); ++t) {
    auto features = pass.frame_features.clone();
    features.select(1, t).copy_(pass.frame_features.select(1, t > 0 ? t - 1 : 1));
    videos.push_back(pass.model->fusion->forward(features));
  }
  const auto scores = pass.classifier.score(at::cat(videos).unsqueeze(1));
  return margin - rivals.margins(scores.similarities);
}

// ExplainedFrame::attention of maps [T, G, G], if there is such.
std::optional<at::Tensor> attention_shares(const ActionClipConfig& config, const at::Tensor& maps) {
  if (config.vision.joint_frames == 0 && !config.vision.temporal_shift) return std::nullopt;
  const auto sums = maps.sum({1, 2});
  return sums / sums.sum();
}

using Member = std::optional<double> ExplainedFrame::*;

void set(std::vector<ExplainedFrame>& frames, Member member, const std::optional<at::Tensor>& values) {
  if (!values) return;
  for (std::size_t i = 0; i < frames.size(); ++i)
    frames[i].*member = (*values)[static_cast<std::int64_t>(i)].item<double>();
}

std::vector<ExplainedFrame> frames_of(const TestClip& clip, const at::Tensor& similarities) {
  std::vector<ExplainedFrame> frames(clip.indices.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    frames[i].index = clip.indices[i];
    if (!clip.seconds.empty()) frames[i].seconds = clip.seconds[i];
    const auto row = similarities[static_cast<std::int64_t>(i)].to(at::kDouble).contiguous();
    frames[i].similarities.assign(row.const_data_ptr<double>(), row.const_data_ptr<double>() + row.numel());
  }
  return frames;
}

// The ids of the labels in the order of rank_labels().
at::Tensor ranked_ids(const ClassScores& scores) {
  return std::get<1>(at::sort(scores.probabilities[0], /*stable=*/true, /*dim=*/0, /*descending=*/true));
}

void explain_decision(Pass& pass, const at::Tensor& ids, Explanation& explanation) {
  const auto& labels = explanation.labels;
  if (labels.size() < 2) return;
  const Rivals rivals{ids[0].item<std::int64_t>(), ids[1].item<std::int64_t>()};
  explanation.decision = Decision{.margin = labels[0].similarity - labels[1].similarity};
  set(explanation.frames, &ExplainedFrame::contribution, contributions(pass, rivals));
  set(explanation.frames, &ExplainedFrame::leave_one_out,
      leave_one_out(pass, rivals, explanation.decision->margin));
}

}  // namespace

ExplainedPrediction explain(Classifier& classifier, const std::vector<std::string>& labels,
                            std::int64_t test_resize, const std::filesystem::path& video) {
  ExplainedPrediction result;
  Pass pass{.classifier = classifier, .model = classifier.model()};
  const auto& config = pass.model->config();
  try {
    result.clip = load_test_clip(video, config, test_resize);
  } catch (const VideoError& problem) {
    result.prediction = {.video = video.string(), .error = problem.what()};
    return result;
  }
  const at::NoGradGuard no_grad;
  pass.model->eval();
  pass.clips = result.clip.frames.unsqueeze(0);
  pass.frame_features = pass.model->encode_frames(pass.clips);
  pass.video_feature = pass.model->fusion->forward(pass.frame_features);
  const auto scores = classifier.score(pass.video_feature.unsqueeze(1));
  result.prediction = rank_labels(video, labels, scores);
  if (!result.prediction.error.empty()) return result;

  auto& explanation = result.explanation;
  explanation.video = video.string();
  explanation.frame_count = result.clip.frame_count;
  explanation.encoded_alone = pass.is_joint();
  explanation.attention = pass.model->visual->attention_method();
  for (const auto& [label, probability, similarity] : result.prediction.predictions)
    explanation.labels.push_back({label, probability, similarity});
  const auto ids = ranked_ids(scores);
  explanation.frames = frames_of(result.clip, similarities_of_frames(pass).index_select(1, ids));
  explain_decision(pass, ids, explanation);
  result.attention = pass.model->attention_maps(pass.clips)[0];
  set(explanation.frames, &ExplainedFrame::attention, attention_shares(config, result.attention));
  find_moments(explanation);
  return result;
}

}  // namespace actionclip
