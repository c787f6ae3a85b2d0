#include "actionclip/text/templates.h"

#include <array>

#include <fmt/format.h>

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

}  // namespace

void PromptTemplates::check(ConfigChecker& checker) const {
  if (templates.empty())
    checker.error("templates", "at least one template is needed, e.g. \"a video of {}\"");
  for (const auto& prompt_template : templates) {
    if (!has_one_place(prompt_template)) checker.error("templates", complaint(prompt_template));
  }
}

std::vector<std::string> read_templates(const std::filesystem::path& file) {
  return read_config<PromptTemplates>(load_yaml(file)).templates;
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
  if (!has_one_place(prompt_template)) throw Error(complaint(prompt_template));
  std::string prompt(prompt_template);
  prompt.replace(prompt.find(kPlace), kPlace.size(), label);
  return prompt;
}

}  // namespace actionclip
