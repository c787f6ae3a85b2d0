#include "actionclip/protocols/template_subsets.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"
#include "actionclip/text/templates.h"

namespace actionclip {
namespace {

TemplateSubset first_of(std::string name, std::size_t count) {
  TemplateSubset subset{.name = std::move(name), .templates = std::vector<std::size_t>(count)};
  std::iota(subset.templates.begin(), subset.templates.end(), std::size_t{0});
  return subset;
}

void add_styles(const std::vector<std::string>& templates, std::vector<TemplateSubset>& subsets) {
  using Style = std::optional<TemplateStyle>;
  for (const auto& [name, style] : {std::pair<const char*, Style>("prefix", TemplateStyle::prefix),
                                    std::pair<const char*, Style>("cloze", TemplateStyle::cloze),
                                    std::pair<const char*, Style>("suffix", TemplateStyle::suffix),
                                    std::pair<const char*, Style>("label alone", std::nullopt)}) {
    TemplateSubset subset{.name = name, .templates = {}};
    for (std::size_t i = 0; i < templates.size(); ++i) {
      if (style_of(templates[i]) == style) subset.templates.push_back(i);
    }
    if (!subset.templates.empty()) subsets.push_back(std::move(subset));
  }
}

}  // namespace

std::vector<TemplateSubset> template_subsets(const std::vector<std::string>& templates, SubsetFamily family) {
  std::vector<TemplateSubset> subsets;
  if (family == SubsetFamily::styles) {
    add_styles(templates, subsets);
  } else {
    for (std::size_t i = 0; i < templates.size(); ++i) {
      subsets.push_back(family == SubsetFamily::each ? TemplateSubset{templates[i], {i}}
                                                     : first_of(fmt::format("first {}", i + 1), i + 1));
    }
  }
  std::erase_if(subsets, [&](const auto& subset) { return subset.templates.size() == templates.size(); });
  subsets.push_back(first_of("all", templates.size()));
  return subsets;
}

TemplateSubset parse_subset(std::string_view text, std::size_t count) {
  const auto refuse = [&](const std::string& reason) {
    throw UsageError(fmt::format("--subset {}: {}", text, reason));
  };
  if (text == "all") return first_of("all", count);
  TemplateSubset subset{.name = std::string(text), .templates = {}};
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    const auto number = parse_integer(text.substr(begin, end - begin));
    if (!number || *number < 1 || *number > static_cast<std::int64_t>(count))
      refuse(fmt::format("numbers of templates, 1 to {}, are needed, with commas between them", count));
    subset.templates.push_back(static_cast<std::size_t>(*number - 1));
    begin = end + 1;
  }
  std::ranges::sort(subset.templates);
  if (std::ranges::adjacent_find(subset.templates) != subset.templates.end())
    refuse("a template is given twice");
  return subset;
}

}  // namespace actionclip
