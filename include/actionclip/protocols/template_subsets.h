// Which prompt templates are tried together.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

namespace actionclip {

struct TemplateSubset {
  std::string name;
  std::vector<std::size_t> templates;  // indices, ascending
};

// each: every template alone, and all; styles: the prefix, cloze and suffix templates (ActionCLIP, section
// 3.2), the label alone, and all; growing: the first one, the first two, and so on to all.
enum class SubsetFamily { each, styles, growing };
BOOST_DESCRIBE_ENUM(SubsetFamily, each, styles, growing)

// The subsets of a family; none is empty, and none but `all` has all templates.
std::vector<TemplateSubset> template_subsets(const std::vector<std::string>& templates, SubsetFamily family);

// "1,4,7": templates by their numbers, counted from 1; "all". Throws UsageError that names `text` for
// anything else, a number given twice or one that none of the `count` templates has.
TemplateSubset parse_subset(std::string_view text, std::size_t count);

}  // namespace actionclip
