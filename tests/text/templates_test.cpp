#include "actionclip/text/templates.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"

#include "tests/places.h"

namespace actionclip {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::filesystem::path prompts(const std::string& name) { return source_folder() / "configs/prompts" / name; }

std::string yaml_error(const std::string& yaml) {
  try {
    read_config<PromptTemplates>(parse_yaml(yaml, "t.yaml"));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

std::string fill_error(std::string_view prompt_template) {
  try {
    fill_template(prompt_template, "x");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Templates, PlaceIsFilledWithTheLabel) {
  EXPECT_EQ(fill_template("a video of {}.", "riding"), "a video of riding.");
  EXPECT_EQ(fill_template("{}", "riding"), "riding");
  EXPECT_EQ(fill_template("{}!", "{} and {}"), "{} and {}!");
}

TEST(Templates, EachNeedsOnePlace) {
  EXPECT_THAT(fill_error("a video"), HasSubstr("\"a video\" must hold {}"));
  EXPECT_THAT(fill_error("{} {}"), HasSubstr("exactly once"));
  EXPECT_THAT(fill_error("a { }"), HasSubstr("exactly once"));
  EXPECT_THAT(fill_error(""), HasSubstr("exactly once"));
}

TEST(Templates, FileErrorsNameFileAndLine) {
  EXPECT_THAT(yaml_error("templates: []"), AllOf(HasSubstr("t.yaml:1:"), HasSubstr("at least one template")));
  EXPECT_THAT(yaml_error("\ntemplates: ['{}', 'a video']"),
              AllOf(HasSubstr("t.yaml:2:"), HasSubstr("\"a video\"")));
  EXPECT_THAT(yaml_error("template: ['{}']"), AllOf(HasSubstr("t.yaml:1:1"), HasSubstr("templates")));
  EXPECT_THAT(yaml_error("templates: {a: b}"), HasSubstr("t.yaml:1:"));
  EXPECT_THROW(read_templates(prompts("absent.yaml")), ConfigError);
}

TEST(Templates, ThoseOfTheMethodAreSixteenWithTheBareLabelAmongThem) {
  const auto templates = read_templates(prompts("action.yaml"));
  EXPECT_THAT(templates, SizeIs(16));
  EXPECT_THAT(templates, Contains("{}"));
  EXPECT_THAT(templates, Contains("Can you recognize the action of {}?"));
}

TEST(Templates, StyleIsWhereTheTextStands) {
  EXPECT_EQ(style_of("a video of {}"), TemplateStyle::prefix);
  EXPECT_EQ(style_of("a video of {}."), TemplateStyle::prefix) << "a full stop is no text";
  EXPECT_EQ(style_of("{}, an action"), TemplateStyle::suffix);
  EXPECT_EQ(style_of("a video of {} by a man"), TemplateStyle::cloze);
  EXPECT_EQ(style_of("is it {}?"), TemplateStyle::cloze) << "a question mark asks";
  EXPECT_EQ(style_of("\u52d5\u4f5c\uff1a{}"), TemplateStyle::prefix) << "letters of any script";
  EXPECT_EQ(style_of("{}"), std::nullopt);
  EXPECT_EQ(style_of(" \"{}\"! "), std::nullopt);
  EXPECT_THROW(style_of("a video"), Error);
}

TEST(Templates, ThoseOfTheMethodAreOfEveryStyle) {
  const auto file = prompts("action.yaml");
  EXPECT_THAT(read_templates(file, TemplateStyle::all), SizeIs(16));
  EXPECT_THAT(read_templates(file, TemplateStyle::prefix),
              ElementsAre("a photo of action {}", "a picture of action {}", "Human action of {}",
                          "Playing action of {}", "Playing a kind of action, {}",
                          "Doing a kind of action, {}", "Look, the human is {}", "Video classification of {}",
                          "A video of {}", "The man is {}", "The woman is {}"));
  EXPECT_THAT(read_templates(file, TemplateStyle::cloze), ElementsAre("Can you recognize the action of {}?"));
  EXPECT_THAT(read_templates(file, TemplateStyle::suffix),
              ElementsAre("{}, an action", "{} this is an action", "{}, a video of action"));
}

TEST(Templates, AFileWithoutTheStyleIsRefusedByName) {
  EXPECT_THAT(read_templates(prompts("clip_kinetics.yaml"), TemplateStyle::prefix), SizeIs(28));
  try {
    read_templates(prompts("label_only.yaml"), TemplateStyle::suffix);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("label_only.yaml: none of its 1 templates is of text.template_style suffix"));
  }
}

// What CLIP's authors published is regular: four openings, each with the same seven continuations.
TEST(Templates, ThoseForKineticsAreWhatClipsAuthorsPublished) {
  std::vector<std::string> published;
  for (const std::string opening : {"a photo of", "a video of", "a example of", "a demonstration of"}) {
    for (const std::string person : {"", " a person", " a person using", " a person doing",
                                     " a person during", " a person performing", " a person practicing"})
      published.push_back(opening + person + " {}.");
  }
  EXPECT_EQ(read_templates(prompts("clip_kinetics.yaml")), published);
}

TEST(Templates, OtherShippedFilesAreRead) {
  EXPECT_THAT(read_templates(prompts("label_only.yaml")), ElementsAre("{}"));
}

}  // namespace
}  // namespace actionclip
