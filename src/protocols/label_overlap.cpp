#include "actionclip/protocols/label_overlap.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "actionclip/text/label_matcher.h"

namespace actionclip {
namespace {

std::string comparable(const std::string& name) {
  auto plain = plain_label(name);
  return plain.empty() ? name : plain;
}

}  // namespace

std::vector<LabelPair> same_labels(const LabelSet& labels, const LabelSet& trained) {
  std::unordered_map<std::string, std::int64_t> known;
  for (std::int64_t id = 0; id < trained.size(); ++id) known.emplace(comparable(trained.name(id)), id);
  std::vector<LabelPair> same;
  for (std::int64_t id = 0; id < labels.size(); ++id) {
    const auto found = known.find(comparable(labels.name(id)));
    if (found != known.end()) same.push_back({.label_id = id, .trained_id = found->second});
  }
  return same;
}

std::vector<LabelPair> near_labels(std::span<const float> similarities, const LabelSet& labels,
                                   const LabelSet& trained, const std::vector<LabelPair>& same,
                                   double threshold) {
  const auto width = static_cast<std::size_t>(trained.size());
  if (similarities.size() != static_cast<std::size_t>(labels.size()) * width) {
    throw std::invalid_argument(fmt::format("{} similarities of {} labels and {} others", similarities.size(),
                                            labels.size(), trained.size()));
  }
  std::set<std::int64_t> is_same;
  for (const auto& pair : same) is_same.insert(pair.label_id);
  std::vector<LabelPair> near;
  for (std::int64_t id = 0; id < labels.size(); ++id) {
    if (is_same.contains(id)) continue;
    const auto row = similarities.subspan(static_cast<std::size_t>(id) * width, width);
    const auto nearest = std::max_element(row.begin(), row.end());
    if (*nearest >= threshold) near.push_back({id, nearest - row.begin(), *nearest});
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.similarity > b.similarity; });
  return near;
}

}  // namespace actionclip
