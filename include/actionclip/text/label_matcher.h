// Finds the label that an annotation, a folder or another label file means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actionclip/text/labels.h"

namespace actionclip {

// `name` as names are compared: composed (NFC), lower case, letters and digits alone, so that "brush_hair",
// "Brush hair" and "BrushHair" are one, as are "person's" and "person_s". Empty where it is no UTF-8.
std::string plain_label(std::string_view name);

class LabelMatcher {
 public:
  // `labels` must outlive the matcher.
  explicit LabelMatcher(const LabelSet& labels);

  const LabelSet& labels() const { return labels_; }

  // The id of the label of this name; else of the only one with the same plain_label(). None if there is none
  // or several.
  std::optional<std::int64_t> match(std::string_view name) const;

  // Why match() gives none: "'boxin' (nearest: 'boxing')", "'a-b' (could be 'a b' or 'ab')".
  std::string explain(std::string_view name) const;

 private:
  const LabelSet& labels_;
  std::unordered_map<std::string_view, std::int64_t> by_name_;
  std::unordered_map<std::string, std::vector<std::int64_t>> by_plain_name_;
};

// The ids of names that come one by one, and in the end one error for all that match no label.
class NameResolver {
 public:
  // `matcher` must outlive it; `file` holds the names.
  NameResolver(const LabelMatcher& matcher, std::string file) : matcher_(matcher), file_(std::move(file)) {}

  // The id of `name`, which stands in `line`; -1 if it matches no label.
  std::int64_t resolve(const std::string& name, std::int64_t line);

  // Throws Error "file:line: ..." that explains up to five of the names that matched no label, and how many
  // there are.
  void finish() const;

 private:
  struct Unmatched {
    std::string name;
    std::int64_t line;
  };

  const LabelMatcher& matcher_;
  std::string file_;
  std::unordered_map<std::string, std::int64_t> ids_;
  std::vector<Unmatched> unmatched_;
};

}  // namespace actionclip
