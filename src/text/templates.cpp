#include "actionclip/text/templates.h"

#include <array>

#include <boost/describe.hpp>
#include <fmt/format.h>
#include <unicode/uchar.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/data_file.h"
#include "actionclip/core/error.h"

#include "text/utf8.h"

namespace actionclip {
namespace {

constexpr std::string_view kPlace = "{}";

bool has_one_place(std::string_view prompt_template) {
  const std::size_t first = prompt_template.find(kPlace);
  return first != std::string_view::npos &&
         prompt_template.find(kPlace, first + kPlace.size()) == std::string_view::npos;
}

std::string complaint(std::string_view prompt_template) {
  return fmt::format("template \"{}\" must hold {{}}, the label's place, exactly once",
                     detail::excerpt(prompt_template));
}

void require_one_place(std::string_view prompt_template) {
  if (!has_one_place(prompt_template)) throw Error(complaint(prompt_template));
}

bool holds_text(std::string_view side) {
  for (std::size_t position = 0; position < side.size();) {
    const auto c = static_cast<UChar32>(detail::next_code_point(side, position));
    if (u_isalnum(c) || c == U'?') return true;
  }
  return false;
}

}  // namespace

void PromptTemplates::check(ConfigChecker& checker) const {
  if (templates.empty())
    checker.error("templates", "at least one template is needed, e.g. \"a video of {}\"");
  for (const auto& prompt_template : templates) {
    if (!has_one_place(prompt_template)) checker.error("templates", complaint(prompt_template));
  }
}

std::optional<TemplateStyle> style_of(std::string_view prompt_template) {
  require_one_place(prompt_template);
  const std::size_t place = prompt_template.find(kPlace);
  const bool before = holds_text(prompt_template.substr(0, place));
  const bool behind = holds_text(prompt_template.substr(place + kPlace.size()));
  if (before && behind) return TemplateStyle::cloze;
  if (before) return TemplateStyle::prefix;
  if (behind) return TemplateStyle::suffix;
  return std::nullopt;
}

std::vector<std::string> read_templates(const std::filesystem::path& file, TemplateStyle style) {
  auto templates = read_config<PromptTemplates>(load_yaml(file)).templates;
  if (style == TemplateStyle::all) return templates;
  const auto count = templates.size();
  std::erase_if(templates, [&](const auto& prompt_template) { return style_of(prompt_template) != style; });
  if (!templates.empty()) return templates;
  throw Error(fmt::format("{}: none of its {} templates is of text.template_style {}", file.string(), count,
                          boost::describe::enum_to_string(style, "")));
}

std::filesystem::path default_templates_path() {
  const std::array<std::filesystem::path, 2> places{
      share_folder() / "prompts/action.yaml",
      std::filesystem::path(ACTIONCLIP_PROMPTS_FOLDER) / "action.yaml"};
  if (const auto found = first_file(places)) return *found;
  throw Error(fmt::format("the method's templates are neither at {} nor at {}: give --templates FILE",
                          places[0].string(), places[1].string()));
}

std::string fill_template(std::string_view prompt_template, std::string_view label) {
  require_one_place(prompt_template);
  std::string prompt(prompt_template);
  prompt.replace(prompt.find(kPlace), kPlace.size(), label);
  return prompt;
}

}  // namespace actionclip
