#include "actionclip/protocols/base_novel_split.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/protocols/list_part.h"
#include "actionclip/text/csv.h"
#include "actionclip/text/label_matcher.h"
#include "actionclip/video/flip_labels.h"

namespace actionclip {
namespace {

using Ids = std::vector<std::int64_t>;

// Ascending, so that the order of a file's names changes nothing.
Ids ids_in(const std::filesystem::path& file, const LabelSet& labels) {
  const LabelMatcher matcher(labels);
  const LabelSet named = read_labels(file);
  Ids ids;
  for (const auto& name : named.names()) {
    const auto id = matcher.match(name);
    if (!id) {
      throw Error(
          fmt::format("{}: {} is no label of {}", file.string(), matcher.explain(name), labels.source()));
    }
    ids.push_back(*id);
  }
  std::ranges::sort(ids);
  const auto twice = std::ranges::adjacent_find(ids);
  if (twice != ids.end())
    throw Error(fmt::format("{}: '{}' is named twice", file.string(), labels.name(*twice)));
  return ids;
}

// All ids in [0, classes) but these, which are sorted.
Ids others(const Ids& ids, std::int64_t classes) {
  Ids rest;
  for (std::int64_t id = 0; id < classes; ++id) {
    if (!std::ranges::binary_search(ids, id)) rest.push_back(id);
  }
  return rest;
}

void require_halves(const BaseNovelSplit& split, const LabelSet& labels) {
  if (split.base.empty() || split.novel.empty()) {
    throw Error(fmt::format("{}: no label is left for the {} classes; there must be some of either kind",
                            labels.source(), split.base.empty() ? "base" : "novel"));
  }
  Ids both;
  std::ranges::set_intersection(split.base, split.novel, std::back_inserter(both));
  if (!both.empty()) {
    throw Error(fmt::format("'{}' is a base and a novel label ({} are both); a class must be one of the two",
                            labels.name(both.front()), both.size()));
  }
}

// By label id: its place in `ids`, -1 of one that is not there.
Ids places_in(const Ids& ids, std::int64_t classes) {
  Ids places(static_cast<std::size_t>(classes), -1);
  for (std::size_t i = 0; i < ids.size(); ++i)
    places.at(static_cast<std::size_t>(ids[i])) = static_cast<std::int64_t>(i);
  return places;
}

}  // namespace

BaseNovelSplit split_labels(const LabelSet& labels, const std::filesystem::path& base_file,
                            const std::filesystem::path& novel_file) {
  BaseNovelSplit split;
  if (!base_file.empty()) split.base = ids_in(base_file, labels);
  if (!novel_file.empty()) split.novel = ids_in(novel_file, labels);
  if (base_file.empty() && novel_file.empty()) {
    for (std::int64_t id = 0; id < (labels.size() + 1) / 2; ++id) split.base.push_back(id);
  }
  if (base_file.empty() && !novel_file.empty()) split.base = others(split.novel, labels.size());
  if (novel_file.empty()) split.novel = others(split.base, labels.size());
  require_halves(split, labels);
  return split;
}

LabelSet labels_with(const LabelSet& labels, const std::vector<std::int64_t>& ids) {
  std::vector<std::string> names;
  for (const auto id : ids) names.push_back(labels.name(id));
  return LabelSet(std::move(names), {}, labels.source());
}

std::string labels_text(const LabelSet& labels) {
  std::string text = "id,name\n";
  for (std::int64_t id = 0; id < labels.size(); ++id)
    text += fmt::format("{},{}\n", id, csv_field(labels.name(id)));
  return text;
}

VideoList videos_of(const VideoList& list, const std::vector<std::int64_t>& ids, std::int64_t classes) {
  const Ids places = places_in(ids, classes);
  Ids videos;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    if (places.at(static_cast<std::size_t>(list.label_id(i))) >= 0) videos.push_back(i);
  }
  return part_of(list, videos, places);
}

std::string base_flip_labels(const std::filesystem::path& file, const LabelSet& labels,
                             const std::vector<std::int64_t>& base) {
  const FlipLabels flips = read_flip_labels(file, labels);
  const Ids places = places_in(base, labels.size());
  std::string text = "label,flipped\n";
  for (const auto id : base) {
    const auto mirrored = flips.mirrored(id);
    if (places[static_cast<std::size_t>(mirrored)] < 0) {
      throw Error(
          fmt::format("{}: a mirrored clip of '{}', a base class, is one of '{}', which is to be "
                      "novel; give both the same part (--base-labels)",
                      file.string(), labels.name(id), labels.name(mirrored)));
    }
    if (mirrored != id)
      text += fmt::format("{},{}\n", csv_field(labels.name(id)), csv_field(labels.name(mirrored)));
  }
  return text;
}

}  // namespace actionclip
