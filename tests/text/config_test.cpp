#include "actionclip/text/config.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string error_of(const std::string& yaml) {
  try {
    read_config<TextConfig>(parse_yaml(yaml, "t.yaml"), /*unread=*/{""});
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(TextConfig, SentencePieceNeedsItsModel) {
  EXPECT_THAT(error_of("tokenizer: sentencepiece"), AllOf(HasSubstr("vocabulary"), HasSubstr(".model")));
  EXPECT_EQ(error_of("{tokenizer: sentencepiece, vocabulary: m.model}"), "no error");
  EXPECT_EQ(error_of("tokenizer: clip"), "no error");
}

TEST(TextConfig, AHashIsWholeAndLowerCase) {
  const std::string hash(64, 'a');
  EXPECT_EQ(error_of("sha256: " + hash), "no error");
  EXPECT_THAT(error_of("sha256: " + hash.substr(1)), HasSubstr("64 lower-case hexadecimal digits"));
  EXPECT_THAT(error_of("sha256: " + std::string(64, 'A')), HasSubstr("t.yaml:1:9"));
}

TEST(TextConfig, PiecesAreThoseOfSentencePieceAlone) {
  EXPECT_THAT(error_of("end_token: </s>"), AllOf(HasSubstr("end_token"), HasSubstr("CLIP's own is fixed")));
  const std::string model = "tokenizer: sentencepiece\nvocabulary: m.model\n";
  EXPECT_EQ(error_of(model + "start_token: ''\nend_token: </s>\npad_token: <pad>\n"), "no error");
  EXPECT_THAT(error_of(model + "end_token: ''"), HasSubstr("t.yaml:3:12"));
  EXPECT_THAT(error_of(model + "pad_token: ''"), HasSubstr("t.yaml:3:12"));
}

TEST(TextConfig, AStyleNeedsTemplatesToChooseFrom) {
  EXPECT_THAT(error_of("template_style: cloze"), HasSubstr("template_style: chooses among templates"));
  EXPECT_EQ(error_of("{template_style: cloze, templates: t.yaml}"), "no error");
}

TEST(TextConfig, NoStartTokenAndTheModelsOwnReadBackAsTheyWereGiven) {
  for (const std::optional<std::string>& start :
       {std::optional<std::string>(), std::optional<std::string>("")}) {
    TextConfig config;
    config.tokenizer = TokenizerKind::sentencepiece;
    config.vocabulary.path = "/m.model";
    config.start_token = start;
    const auto again = read_config<TextConfig>(parse_yaml(write_config(config), "t.yaml"), /*unread=*/{""});
    EXPECT_EQ(again.start_token, start);
  }
}

}  // namespace
}  // namespace actionclip
