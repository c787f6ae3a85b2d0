// Scores every video of a split exactly once.
#pragma once

#include <memory>

#include "actionclip/distributed/process_group.h"
#include "actionclip/eval/classifier.h"
#include "actionclip/eval/config.h"
#include "actionclip/eval/evaluation_report.h"
#include "actionclip/text/labels.h"
#include "actionclip/video/loader.h"

namespace actionclip {

// Throws Error if the label file lacks a column that `config` names, or one of them does not serve, or
// `config` names any for a multi-label list: what evaluate() would find, before there is a model.
void check_label_columns(const LabelSet& labels, const EvalConfig& config, bool multi_label = false);

// Each rank of `group` scores its share of the videos; the scores are gathered, so that all report the same.
// Of a list whose videos can have several labels the figure is mAP, else top-1, top-5 and what goes with
// them. Throws Error if too many videos fail (DataConfig::max_failed_share), or as check_label_columns()
// does.
EvaluationReport evaluate(Classifier& classifier, const ClipDataset& videos, const LabelSet& labels,
                          const EvalConfig& config, const DataConfig& data,
                          const std::shared_ptr<ProcessGroup>& group = std::make_shared<SingleProcess>());

// Throws Error if more than `share` of the videos, rounded up, have scores that are not finite: the weights
// are damaged, or a half precision overflows.
void require_finite_scores(const VideoScores& scores, double share);

}  // namespace actionclip
