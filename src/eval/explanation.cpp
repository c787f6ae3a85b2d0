#include "actionclip/eval/explanation.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/text/csv.h"

namespace actionclip {
namespace {

double margin_of(const ExplainedFrame& frame) { return frame.similarities[0] - frame.similarities[1]; }

double weight_of(const ExplainedFrame& frame, DecidedBy by) {
  switch (by) {
    case DecidedBy::leave_one_out:
      return frame.leave_one_out.value();
    case DecidedBy::contribution:
      return frame.contribution.value();
    case DecidedBy::frame_margin:
      break;
  }
  return margin_of(frame);
}

// The place of the frame of which `value` is largest, the first of them.
template <typename Value>
std::int64_t largest(const std::vector<ExplainedFrame>& frames, const Value& value) {
  const auto found = std::ranges::max_element(frames, {}, value);
  return std::distance(frames.begin(), found);
}

void decide(Explanation& explanation) {
  auto& decision = *explanation.decision;
  const auto& first = explanation.frames.front();
  decision.by = first.leave_one_out  ? DecidedBy::leave_one_out
                : first.contribution ? DecidedBy::contribution
                                     : DecidedBy::frame_margin;
  decision.frame =
      largest(explanation.frames, [&](const ExplainedFrame& frame) { return weight_of(frame, decision.by); });
  if (!first.contribution) return;
  double rest = decision.margin;
  for (const auto& frame : explanation.frames) rest -= frame.contribution.value();
  decision.of_the_head = rest;
}

nlohmann::ordered_json json_of_moment(const ExplainedFrame& frame, std::int64_t place) {
  nlohmann::ordered_json json = {{"frame", place}, {"index", frame.index}};
  if (frame.seconds) json["seconds"] = *frame.seconds;
  return json;
}

nlohmann::ordered_json json_of(const ExplainedFrame& frame, std::int64_t place) {
  auto json = json_of_moment(frame, place);
  const auto set = [&](const char* name, const std::optional<double>& value) {
    if (value) json[name] = *value;
  };
  set("contribution", frame.contribution);
  set("leave_one_out", frame.leave_one_out);
  set("attention", frame.attention);
  json["similarities"] = frame.similarities;
  return json;
}

nlohmann::ordered_json json_of(const Explanation& explanation, const Decision& decision) {
  nlohmann::ordered_json json = {{"label", explanation.labels[0].label},
                                 {"runner_up", explanation.labels[1].label},
                                 {"margin", decision.margin}};
  if (decision.of_the_head) json["of_the_head"] = *decision.of_the_head;
  json["moment"] =
      json_of_moment(explanation.frames[static_cast<std::size_t>(decision.frame)], decision.frame);
  json["by"] = boost::describe::enum_to_string(decision.by, "");
  return json;
}

nlohmann::ordered_json json_of(const Explanation& explanation, const ExplainedLabel& label, std::size_t id) {
  const auto& frame = explanation.frames[static_cast<std::size_t>(label.moment)];
  auto moment = json_of_moment(frame, label.moment);
  moment["similarity"] = frame.similarities[id];
  return {{"label", label.label},
          {"probability", label.probability},
          {"similarity", label.similarity},
          {"moment", std::move(moment)}};
}

}  // namespace

void find_moments(Explanation& explanation) {
  for (std::size_t id = 0; id < explanation.labels.size(); ++id) {
    explanation.labels[id].moment =
        largest(explanation.frames, [&](const ExplainedFrame& frame) { return frame.similarities[id]; });
  }
  if (explanation.decision) decide(explanation);
}

nlohmann::ordered_json to_json(const Explanation& explanation) {
  nlohmann::ordered_json json = {
      {"video", explanation.video},
      {"frame_count", explanation.frame_count},
      {"frame_features", explanation.encoded_alone ? "encoded_alone" : "before_fusion"},
      {"attention", explanation.attention}};
  if (explanation.decision) json["decision"] = json_of(explanation, *explanation.decision);
  auto labels = nlohmann::ordered_json::array(), frames = nlohmann::ordered_json::array();
  for (std::size_t id = 0; id < explanation.labels.size(); ++id)
    labels.push_back(json_of(explanation, explanation.labels[id], id));
  for (std::size_t i = 0; i < explanation.frames.size(); ++i)
    frames.push_back(json_of(explanation.frames[i], static_cast<std::int64_t>(i)));
  json["labels"] = std::move(labels);
  json["frames"] = std::move(frames);
  return json;
}

std::string similarity_csv(const Explanation& explanation) {
  std::string csv = "frame,index,seconds";
  for (const auto& label : explanation.labels) csv += "," + csv_field(label.label);
  csv += "\n";
  for (std::size_t i = 0; i < explanation.frames.size(); ++i) {
    const auto& frame = explanation.frames[i];
    csv +=
        fmt::format("{},{},{}", i, frame.index, frame.seconds ? fmt::format("{:.3f}", *frame.seconds) : "");
    for (const double similarity : frame.similarities) csv += fmt::format(",{:.6f}", similarity);
    csv += "\n";
  }
  return csv;
}

}  // namespace actionclip
