#include "actionclip/weights/preprocessing.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

LoadedWeights weights_with(std::map<std::string, std::string> metadata) {
  LoadedWeights weights;  // of 224 pixels
  weights.metadata = std::move(metadata);
  return weights;
}

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const WeightsError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Preprocessing, WhatAWeightsFileTellsReadsBackTheSame) {
  const auto read = read_preprocessing(
      weights_with(to_metadata({.test_resize = 300, .truncate = true, .vocabulary = "1234e5678"})));
  EXPECT_EQ(read.test_resize, 300);
  EXPECT_TRUE(read.truncate);
  EXPECT_EQ(read.vocabulary, "1234e5678");
}

TEST(Preprocessing, ASentencePieceTokenizerIsToldButForItsFile) {
  const auto read = read_preprocessing(weights_with(to_metadata({.tokenizer = TokenizerKind::sentencepiece,
                                                                 .vocabulary = std::string(64, 'a'),
                                                                 .start_token = "",
                                                                 .pad_token = "<pad>"})));
  const TextConfig text = tokenizer_settings(read);
  EXPECT_EQ(text.tokenizer, TokenizerKind::sentencepiece);
  EXPECT_EQ(text.sha256, std::string(64, 'a'));
  EXPECT_EQ(text.start_token, "");
  EXPECT_EQ(text.end_token, std::nullopt);
  EXPECT_EQ(text.pad_token, "<pad>");
  EXPECT_TRUE(text.vocabulary.empty());
}

TEST(Preprocessing, MetadataOfBeforeThereWereOtherTokenizersAreClips) {
  const auto read = read_preprocessing(weights_with(
      {{"actionclip.preprocessing", "{test_resize: 300, truncate: true, vocabulary: 1234e5678}"}}));
  const TextConfig text = tokenizer_settings(read);
  EXPECT_EQ(text.tokenizer, TokenizerKind::clip);
  EXPECT_EQ(text.sha256, "");
  EXPECT_EQ(text.start_token, std::nullopt);
}

class EmptyTokenizer : public Tokenizer {
 public:
  std::vector<std::int64_t> encode(std::string_view) const override { return {1}; }
  std::int64_t vocabulary_size() const override { return 2; }
  std::optional<std::int64_t> start_token() const override { return std::nullopt; }
  std::int64_t end_token() const override { return 1; }
  std::string fingerprint() const override { return "abc"; }
};

TEST(RequireVocabulary, ComparesTheVocabularyAndWhatStandsAroundATextsPieces) {
  const Preprocessing trained{
      .tokenizer = TokenizerKind::sentencepiece, .vocabulary = "abc", .start_token = ""};
  TextConfig text = tokenizer_settings(trained);
  text.vocabulary.path = "m.model";
  const auto error = [&](const Preprocessing& preprocessing) -> std::string {
    try {
      require_vocabulary(preprocessing, EmptyTokenizer(), text, "text.vocabulary");
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  };
  EXPECT_EQ(error(trained), "no error");
  EXPECT_EQ(error({}), "no error") << "nothing is known";
  text.start_token.reset();
  EXPECT_THAT(error(trained),
              AllOf(HasSubstr("text.start_token"), HasSubstr("\"\""), HasSubstr("not given")));
  EXPECT_EQ(
      error({.tokenizer = TokenizerKind::sentencepiece, .vocabulary = "def"}),
      "the weights were trained with a SentencePiece model of SHA-256 def, another vocabulary than m.model: "
      "name it with text.vocabulary");
  EXPECT_EQ(
      error({.vocabulary = "def"}),
      "the weights were trained with another vocabulary than m.model: name it with text.vocabulary, and set "
      "text.tokenizer to clip");
}

TEST(Preprocessing, WithoutMetadataItIsTheMethods) {
  const auto read = read_preprocessing(weights_with({}));
  EXPECT_EQ(read.test_resize, 256);
  EXPECT_FALSE(read.truncate);
  EXPECT_EQ(read.vocabulary, "");
}

TEST(Preprocessing, DamagedMetadataAreRefusedByName) {
  const auto error = [](const std::string& text) {
    return error_of([&] { read_preprocessing(weights_with({{"actionclip.preprocessing", text}})); });
  };
  EXPECT_THAT(error("{"), HasSubstr("metadata of the weights: actionclip.preprocessing:"));
  EXPECT_THAT(error("test_resize: -1"), HasSubstr("test_resize"));
  EXPECT_THAT(error("test_resize: 99999999"), HasSubstr("test_resize"));
  EXPECT_THAT(error("test_resize: 223"), HasSubstr("223 is smaller than the images, 224"));
}

TEST(Preprocessing, DamagedMetadataAreRefusedWithTheFileTheyAreIn) {
  auto weights = weights_with({{"actionclip.preprocessing", "{"}, {"actionclip.labels", "{"}});
  weights.file = "runs/a.safetensors";
  EXPECT_THAT(error_of([&] { read_preprocessing(weights); }),
              StartsWith("runs/a.safetensors: metadata of the weights: "));
  EXPECT_THAT(error_of([&] { read_text_list(weights, "actionclip.labels"); }),
              StartsWith("runs/a.safetensors: metadata of the weights: "));
}

TEST(TextLists, AreReadOrRefusedByName) {
  const auto read = [](const std::string& text) {
    return read_text_lists(weights_with({{"actionclip.descriptions", text}}), "actionclip.descriptions");
  };
  EXPECT_THAT(read(R"([["a", "b"], ["c"]])"), ElementsAre(ElementsAre("a", "b"), ElementsAre("c")));
  EXPECT_THAT(read_text_lists(weights_with({}), "actionclip.descriptions"), IsEmpty());
  EXPECT_THAT(error_of([&] { read(R"(["a"])"); }), HasSubstr("actionclip.descriptions: not a list of lists"));
}

TEST(TextList, IsReadOrRefusedByName) {
  const auto read = [](const std::string& text) {
    return read_text_list(weights_with({{"actionclip.labels", text}}), "actionclip.labels");
  };
  EXPECT_THAT(read(R"(["run", "jump, high"])"), ElementsAre("run", "jump, high"));
  EXPECT_THAT(read_text_list(weights_with({}), "actionclip.labels"), IsEmpty());
  for (const char* text : {"{", "[1, 2]", "{\"a\": 1}", "null", ""}) {
    EXPECT_THAT(error_of([&] { read(text); }), HasSubstr("metadata of the weights: actionclip.labels:"))
        << text;
  }
}

}  // namespace
}  // namespace actionclip
