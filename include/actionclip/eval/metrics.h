// Accuracy of ranked labels, counted in integers: the same whatever the batch size, the order of the videos
// or the number of ranks.
//
// Scores are any numbers that rank labels (probabilities, logits), one a label. Of labels with equal scores
// the smaller label_id ranks first. A video that failed to decode, and one with a NaN among its scores,
// counts as a wrong answer and as failed. Percentages are 0 before the first video. A label_id out of range,
// or scores of a wrong number, throw std::invalid_argument.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace actionclip {

// The label that ranks first; -1 if a score is NaN. `scores` must not be empty.
std::int64_t top_label(std::span<const float> scores);

// How many labels rank before `label_id`: 0 for the top label; scores.size() if a score is NaN.
std::int64_t rank_of_label(std::span<const float> scores, std::int64_t label_id);

struct ClassAccuracy {
  std::int64_t samples = 0;
  std::int64_t failed = 0;
  double top1 = 0;  // percent
  double top5 = 0;  // percent
};

// Top-1 and top-5 accuracy, in total and per class, and the confusion matrix, over C classes.
class ClassificationMetrics {
 public:
  explicit ClassificationMetrics(std::int64_t classes);

  void add(std::span<const float> scores, std::int64_t label_id);  // C scores
  void add_failed(std::int64_t label_id);

  double top1() const;  // percent
  double top5() const;  // percent; 100 minus the failed share where C <= 5
  // Percent: top-1 of each class, averaged over those that have a video (balanced accuracy).
  double mean_class_accuracy() const;
  std::int64_t samples() const;  // failed ones included
  std::int64_t failed() const;
  ClassAccuracy of_class(std::int64_t label_id) const;
  std::vector<ClassAccuracy> per_class() const;

  // Videos of class `label_id` whose top label is `predicted`. Failed videos have none, and are in no cell.
  std::int64_t confusion(std::int64_t label_id, std::int64_t predicted) const;

  std::int64_t classes() const { return classes_; }
  const std::vector<std::int64_t>& counts() const { return counts_; }

 private:
  void check_label(std::int64_t label_id) const;

  std::int64_t classes_;
  // Confusion matrix [C, C] by row, then failed videos per class [C], then top-5 hits per class [C].
  std::vector<std::int64_t> counts_;
};

// Hits among videos, counted by class: what the two measures below share.
class HitCounts {
 public:
  double percent() const;
  std::int64_t samples() const;

  // Percent of the videos whose label is of each group; groups without a video are left out.
  std::map<std::string, double> percent_by(std::span<const std::string> group_of_label) const;

 protected:
  explicit HitCounts(std::size_t classes) : counts_(2 * classes) {}

  std::size_t classes() const { return counts_.size() / 2; }
  void count(std::int64_t label_id, bool hit);

 private:
  std::vector<std::int64_t> counts_;  // hits per class [C], then videos per class [C]
};

// Share of videos whose top label lies in the same group as the true label (e.g. the verb of a verb-object
// label).
class GroupAccuracy : public HitCounts {
 public:
  // group_of_label[c]: name of the group of label c.
  explicit GroupAccuracy(std::vector<std::string> group_of_label);

  void add(std::span<const float> scores, std::int64_t label_id);
  void add_failed(std::int64_t label_id);

 private:
  std::vector<std::string> group_of_label_;
};

// Share of videos whose true label scores strictly higher than its counterpart (e.g. "opening a door" against
// "closing a door"). Videos of labels without a counterpart are left out.
class PairAccuracy : public HitCounts {
 public:
  // counterpart[c]: label_id of the counterpart of label c, -1 for none.
  explicit PairAccuracy(std::vector<std::int64_t> counterpart);

  void add(std::span<const float> scores, std::int64_t label_id);
  void add_failed(std::int64_t label_id);

 private:
  std::vector<std::int64_t> counterpart_;
};

}  // namespace actionclip
