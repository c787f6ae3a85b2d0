// Prompt templates: sentences with a place for the label, "a video of {}".
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include "actionclip/config/checker.h"
#include "actionclip/text/config.h"

namespace actionclip {

// A templates file (configs/prompts/*.yaml):   templates: ["a photo of {}", "{}"]
struct PromptTemplates {
  std::vector<std::string> templates;

  void check(ConfigChecker& checker) const;  // at least one, each with "{}" exactly once
};
BOOST_DESCRIBE_STRUCT(PromptTemplates, (), (templates))

// The style of a template, by the sides of "{}" that hold text: a letter, a digit or a question mark, which
// makes a question of the sentence (a full stop makes nothing of it). None for the label alone. Throws Error
// if the template does not hold "{}" exactly once.
std::optional<TemplateStyle> style_of(std::string_view prompt_template);

// The templates of a style. Throws ConfigError (file:line:column) on a file that is no such file, Error if
// none in it is of the style.
std::vector<std::string> read_templates(const std::filesystem::path& file,
                                        TemplateStyle style = TemplateStyle::all);

// The method's 16 templates, which come with the program: share/actionclip/prompts/action.yaml, or
// configs/prompts/action.yaml of the checkout. Throws Error if it is in neither place.
std::filesystem::path default_templates_path();

// The label in the place of "{}". Throws Error if `prompt_template` does not hold "{}" exactly once.
std::string fill_template(std::string_view prompt_template, std::string_view label);

}  // namespace actionclip
