#include "actionclip/text/sentencepiece_trainer.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/text/sentencepiece_tokenizer.h"

#include "tests/temporary_folder.h"
#include "tests/text/sentencepiece_texts.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string training_error(const SentencePieceTraining& settings,
                           const std::vector<std::string>& texts = texts_of_many_scripts(200)) {
  return error_of([&] { train_sentencepiece(texts, settings); });
}

class TrainingOfType : public ::testing::TestWithParam<const char*> {};

TEST_P(TrainingOfType, TheSameTextsGiveTheSameBytesAndTheSizeThatIsAskedFor) {
  const auto texts = texts_of_many_scripts();
  const SentencePieceTraining settings{
      .type = GetParam(), .vocabulary_size = 150, .character_coverage = 0.98};
  const std::string model = train_sentencepiece(texts, settings);
  const SentencePieceTokenizer tokenizer(model, "m.model");
  if (settings.type == "char") {
    EXPECT_LE(tokenizer.vocabulary_size(), 150);
  } else {
    EXPECT_EQ(tokenizer.vocabulary_size(), 150);
  }
  EXPECT_TRUE(model == train_sentencepiece(texts, settings));
}

INSTANTIATE_TEST_SUITE_P(Types, TrainingOfType, ::testing::Values("unigram", "bpe", "word", "char"),
                         [](const auto& type) { return std::string(type.param); });

TEST(TrainSentencePiece, LowerCaseBelongsToTheVocabulary) {
  const std::vector<std::string> texts(20, "Riding a Bike riding a bike");
  const auto tokens = [&](bool lower_case, const std::string& text) {
    const SentencePieceTokenizer tokenizer(
        train_sentencepiece(texts, {.type = "char", .vocabulary_size = 30, .lower_case = lower_case}),
        "m.model");
    return tokenizer.encode(text);
  };
  EXPECT_EQ(tokens(true, "RIDING"), tokens(true, "riding"));
  EXPECT_NE(tokens(false, "RIDING"), tokens(false, "riding"));
}

TEST(TrainSentencePiece, AVocabularyThatIsTooLargeOrTooSmallForTheTextsIsOneClearLine) {
  const std::vector<std::string> texts(5, "riding a bike");
  EXPECT_THAT(training_error({.vocabulary_size = 5000}, texts),
              AllOf(StartsWith("a vocabulary of 5000 is too large for these texts, which give "),
                    HasSubstr(" pieces at most")));
  EXPECT_THAT(training_error({.type = "bpe", .vocabulary_size = 8}, texts),
              AllOf(StartsWith("a vocabulary of 8 is too small for these texts, whose characters need "),
                    HasSubstr("lower character coverage")));
}

TEST(TrainSentencePiece, SettingsOutOfRangeAreRefused) {
  EXPECT_THAT(training_error({.type = "wordpiece"}),
              HasSubstr("unigram, bpe, word, char, not \"wordpiece\""));
  EXPECT_THAT(training_error({.vocabulary_size = 4}), HasSubstr("5 to 1000000 pieces, 4 are asked for"));
  EXPECT_THAT(training_error({.vocabulary_size = -1}), HasSubstr("-1 are asked for"));
  EXPECT_THAT(training_error({.character_coverage = 1.5}), HasSubstr("at most 1, 1.5 is asked for"));
  EXPECT_THAT(training_error({.character_coverage = 0}), HasSubstr("above 0"));
  EXPECT_THAT(training_error({}, {}), HasSubstr("no text"));
  EXPECT_THAT(training_error({}, {"", " \t"}), HasSubstr("no text"));
}

TEST(TrainSentencePiece, LongTextsAreNotLeftOut) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "swimming ";
  const SentencePieceTokenizer tokenizer(train_sentencepiece({text}, {.type = "word", .vocabulary_size = 5}),
                                         "m.model");
  EXPECT_THAT(tokenizer.encode("swimming"), ElementsAre(1, 4, 2));
}

TEST(ReadTexts, TakesCaptionsLabelsAndLines) {
  const TemporaryFolder folder;
  EXPECT_THAT(
      read_texts(folder.write("a.csv", "\xef\xbb\xbfpath,caption\nx.jpg,\"a cat, asleep\"\ny.jpg,a dog\n")),
      ElementsAre("a cat, asleep", "a dog"));
  EXPECT_THAT(read_texts(folder.write("b.csv", "id,name,more\n1,b,x\n0,a,y\n")), ElementsAre("a", "b"));
  EXPECT_THAT(read_texts(folder.write("c.txt", "one two\r\n\n  three \n")), ElementsAre("one two", "three"));
}

TEST(ReadTexts, ErrorsNameFileAndLine) {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& name, const std::string& text) {
    return error_of([&] { read_texts(folder.write(name, text)); });
  };
  EXPECT_THAT(error("a.csv", "path,label\nx,1\n"), AllOf(HasSubstr("a.csv:1: "), HasSubstr("path,caption")));
  EXPECT_THAT(error("a.csv", "path,caption\nx.jpg,a,b\n"), HasSubstr("a.csv:2: 3 fields"));
  EXPECT_THAT(error("a.csv", "path,caption\nx.jpg,a\xff\n"),
              HasSubstr("a.csv:2: the caption is not valid UTF-8"));
  EXPECT_THAT(error("a.txt", "a\nb\xff\n"), HasSubstr("a.txt:2: the text is not valid UTF-8"));
  EXPECT_THAT(error_of([&] { read_texts(folder / "absent.txt"); }), HasSubstr("absent.txt"));
}

}  // namespace
}  // namespace actionclip
