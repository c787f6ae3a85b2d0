// What a prediction rests on, frame by frame, as numbers and tables. Torch-free; eval/explain.h computes it.
//
// The similarity of one frame to a label is that of the frame's feature before fusion, as if it were the
// video's; with joint space-time attention, which leaves one feature a video, that of the frame encoded alone
// (a video of one frame). A linear classifier has logits in place of cosines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>
#include <nlohmann/json_fwd.hpp>

namespace actionclip {

struct ExplainedLabel {
  std::string label;
  double probability = 0;   // of the video
  double similarity = 0;    // of the video
  std::int64_t moment = 0;  // the frame (its place among Explanation::frames) that is most similar
};

struct ExplainedFrame {
  std::int64_t index = 0;            // in the video, from 0
  std::optional<double> seconds;     // from the video's first frame, where it has times
  std::vector<double> similarities;  // one a label, in the order of Explanation::labels

  // Of the decision's margin, what the frame's own feature adds through the mean over time:
  // f . (top - runner_up) / (T |video|), without |video| for a linear classifier. None with joint attention
  // and a Transf_cls head, in which no such sum ends.
  std::optional<double> contribution;
  // By how much the margin falls when the frame's feature is replaced by that of the frame before it (of the
  // first frame: behind it), as if the video had stood still there. Of heads for which the order of frames
  // matters, and more than one frame.
  std::optional<double> leave_one_out;
  // Of what the class token draws from the frames' patches by attention roll-out, the frame's share; they sum
  // to 1. Only where frames see each other: joint attention and temporal shift.
  std::optional<double> attention;
};

// What the deciding frame has most of.
enum class DecidedBy { leave_one_out, contribution, frame_margin };
BOOST_DESCRIBE_ENUM(DecidedBy, leave_one_out, contribution, frame_margin)

// Why the most probable label and not the next one.
struct Decision {
  double margin = 0;  // similarity of the video to the first label less that to the second
  // The margin less all contributions, where there are such: what the head makes of the frames together, and
  // a linear classifier's bias.
  std::optional<double> of_the_head;
  std::int64_t frame = 0;  // that decided (its place among Explanation::frames)
  DecidedBy by = DecidedBy::contribution;
};

struct Explanation {
  std::string video;             // as given
  std::int64_t frame_count = 0;  // of the video
  bool encoded_alone = false;    // frames were encoded one by one for their similarities (joint attention)
  std::vector<ExplainedLabel> labels;  // most probable first
  std::vector<ExplainedFrame> frames;  // those that the model saw, in order
  std::optional<Decision> decision;    // where there is more than one label
  std::string attention;               // how the attention maps were made
};

// Sets the moments and, from what is known of the frames and from decision->margin, the rest of the decision.
void find_moments(Explanation& explanation);

nlohmann::ordered_json to_json(const Explanation& explanation);

// A row a frame: frame (from 0), index, seconds (empty where unknown), similarity to each label.
std::string similarity_csv(const Explanation& explanation);

}  // namespace actionclip
