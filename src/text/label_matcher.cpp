#include "actionclip/text/label_matcher.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unicode/uchar.h>

#include "actionclip/config/suggestion.h"
#include "actionclip/core/error.h"
#include "actionclip/core/joined_names.h"

#include "text/text_cleaning.h"
#include "text/utf8.h"

namespace actionclip {
namespace {

constexpr std::size_t kNamed = 5;

std::string in_quotes(std::string_view name) { return fmt::format("'{}'", detail::excerpt(name)); }

}  // namespace

std::string plain_label(std::string_view name) {
  if (!detail::is_utf8(name)) return {};
  const std::string clean = detail::clean_text(name);
  std::string plain;
  for (std::size_t position = 0; position < clean.size();) {
    const char32_t code_point = detail::next_code_point(clean, position);
    if (u_isalnum(static_cast<UChar32>(code_point))) detail::append_utf8(plain, code_point);
  }
  return plain;
}

LabelMatcher::LabelMatcher(const LabelSet& labels) : labels_(labels) {
  for (std::int64_t id = 0; id < labels.size(); ++id) {
    by_name_.emplace(labels.name(id), id);
    auto plain = plain_label(labels.name(id));
    if (!plain.empty()) by_plain_name_[std::move(plain)].push_back(id);
  }
}

std::optional<std::int64_t> LabelMatcher::match(std::string_view name) const {
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  const auto found = by_plain_name_.find(plain_label(name));
  if (found == by_plain_name_.end() || found->second.size() > 1) return std::nullopt;
  return found->second.front();
}

std::string LabelMatcher::explain(std::string_view name) const {
  const auto several = by_plain_name_.find(plain_label(name));
  if (several != by_plain_name_.end()) {
    std::vector<std::string> names;
    for (const auto id : several->second) names.push_back(in_quotes(labels_.name(id)));
    return fmt::format("{} (could be {})", in_quotes(name), fmt::join(names, " or "));
  }
  const auto nearest = nearest_name(name, labels_.names());
  return nearest.empty() ? in_quotes(name)
                         : fmt::format("{} (nearest: {})", in_quotes(name), in_quotes(nearest));
}

std::int64_t NameResolver::resolve(const std::string& name, std::int64_t line) {
  const auto [known, is_new] = ids_.try_emplace(name, -1);
  if (!is_new) return known->second;
  if (const auto id = matcher_.match(name)) {
    known->second = *id;
  } else {
    unmatched_.push_back({name, line});
  }
  return known->second;
}

void NameResolver::finish() const {
  if (unmatched_.empty()) return;
  std::vector<std::string> reasons;  // of the first, as each needs a search for the nearest
  for (const auto& [name, line] : unmatched_) {
    if (reasons.size() < kNamed) reasons.push_back(matcher_.explain(name));
  }
  const auto count = unmatched_.size();
  throw Error(fmt::format(
      "{}:{}: {} of {}, or several: {}; correct {} there or here", file_, unmatched_.front().line,
      count == 1 ? "1 name that matches no label" : fmt::format("{} names that match no label", count),
      matcher_.labels().source(), joined_names(reasons, kNamed, count), count == 1 ? "it" : "them"));
}

}  // namespace actionclip
