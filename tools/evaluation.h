// What evaluate and zero-shot share: options, the model of the weights, and how reports are told.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "actionclip/eval/evaluator.h"
#include "actionclip/protocols/manifest.h"
#include "actionclip/train/experiment_data.h"

#include "tools/command.h"
#include "tools/text_cache_option.h"

namespace actionclip {

struct EvaluationOptions {
  ExperimentOptions experiment;
  std::string weights;
  std::string split = "test";
  ResultFolder output;
  TextCacheOption text_cache;
  bool json = false;

  void add_to(CLI::App& command);

  // Of the splits, only `read_splits` ("test") are read. Throws UsageError on overrides of the model's sizes,
  // which the weights give.
  Experiment load(const std::vector<std::string>& read_splits, UnreadPaths unread = {}) const;
};

// Throws Error if the experiment does not set its list.
const DatasetConfig& find_split(const Experiment& experiment, const std::string& name);

// The weights of the experiment (--weights, else model.weights). What they do not tell (as OpenAI's and
// published files do not) is the experiment's: frames, mean, std and heads. Throws UsageError on overrides,
// ConfigError on a mean or std in the experiment, that the weights contradict.
LoadedWeights load_whole(const EvaluationOptions& options, const Experiment& experiment);

// The model of the weights, with everything that scoring a split needs.
class SplitScorer {
 public:
  // Of load_whole().
  SplitScorer(const EvaluationOptions& options, const Experiment& experiment, const LabelSet& labels,
              c10::Device device, const std::shared_ptr<ProcessGroup>& group);

  // `experiment` and `labels` must outlive it. Throws Error if the weights end in a linear classifier of
  // other labels.
  SplitScorer(LoadedWeights weights, const Experiment& experiment, const LabelSet& labels, c10::Device device,
              std::shared_ptr<ProcessGroup> group, const TextCache& text_cache = {});

  // Each rank scores its part of the list; all get the whole report. Throws Error if the ranks do not have
  // the same in hand.
  EvaluationReport score(VideoList list) const;
  const LoadedWeights& weights() const { return weights_; }

  // Normalised embeddings [C, D] (CPU) of labels alone, without a template but with a learned context. None
  // of a model whose labels have no text of their own: a linear classifier's, or a class-specific context's.
  std::optional<at::Tensor> embed_names(const LabelSet& labels) const;
  // What score() is made of.
  void require_same_on_ranks(const VideoList& list) const;
  ClipDatasetOptions clips() const;  // how the videos of a list are cut
  Classifier& classifier() const { return *classifier_; }
  const TextInput& prompts() const { return *prompts_; }
  const std::vector<std::string>& templates() const { return templates_; }

  // Hexadecimal SHA-256 of the tensors, whatever file holds them.
  std::string tensors_sha256() const;

 private:
  const Experiment& experiment_;
  const LabelSet& labels_;
  std::shared_ptr<ProcessGroup> group_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  LoadedWeights weights_;
  ActionClip model_;
  std::vector<std::string> templates_;
  std::optional<TextInput> prompts_;  // of the labels
  TextCache text_cache_;
  std::unique_ptr<Classifier> classifier_;
};

// Runs `work` with the device and the group of ranks that `options` and the launcher say.
int run_evaluation(const EvaluationOptions& options, const Experiment& experiment,
                   const std::function<int(c10::Device, const std::shared_ptr<ProcessGroup>&)>& work);

// to_json(report) with "failed_videos": [{"path", "reason"}].
nlohmann::ordered_json describe(const EvaluationReport& report);

// The same of a split of the experiment, with its name, its list and, where one was asked for, the protocol.
nlohmann::ordered_json describe(const EvaluationReport& report, const std::string& split,
                                const DatasetConfig& source, const std::optional<ProtocolMatch>& protocol);

// Where the weights come from, for the scores' origin: the path of the file and the hash of its content.
void add_weights_origin(VideoScores& scores, const std::filesystem::path& weights);

// CSV: a row for each true label, a column for each that ranked first; failed videos are in no cell.
std::string confusion_csv(const EvaluationReport& report, const LabelSet& labels);

}  // namespace actionclip
