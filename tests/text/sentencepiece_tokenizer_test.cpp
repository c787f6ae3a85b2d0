#include "actionclip/text/sentencepiece_tokenizer.h"

#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/random.h"

#include "tests/log_capture.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"
#include "tests/text/sentencepiece_texts.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::int64_t kUnknown = 0, kStart = 1, kEnd = 2, kPad = 3;  // of the models trained here

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Trained once.
const std::string& unigram_model() {
  static const std::string model = train_sentencepiece(texts_of_many_scripts(), {.vocabulary_size = 400});
  return model;
}

std::vector<std::int64_t> ids_between(const SentencePieceTokenizer& tokenizer, const std::string& text) {
  const auto tokens = tokenizer.encode(text);
  return {tokens.begin() + 1, tokens.end() - 1};
}

class SentencePieceOfType : public ::testing::TestWithParam<const char*> {};

TEST_P(SentencePieceOfType, GivesTheIdsOfPythonsSentencePiece) {
  const TemporaryFolder folder;
  const auto texts = texts_of_many_scripts();
  const std::string model =
      train_sentencepiece(texts, {.type = GetParam(), .vocabulary_size = 400, .character_coverage = 0.999});
  const auto model_file = folder.write("m.model", model);
  const auto words = folder.write("words.txt", fmt::format("{}\n", fmt::join(texts, "\n")));
  const SentencePieceTokenizer tokenizer(model, model_file);
  std::istringstream lines(
      run_python("sentencepiece_reference.py", {model_file.string(), words.string(), "2500", GetParam()}));
  int count = 0, ties = 0, unknown = 0, different = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto expected = nlohmann::json::parse(line);
    const auto ids = ids_between(tokenizer, expected.at("text").get<std::string>());
    for (const auto id : ids) unknown += id == kUnknown ? 1 : 0;
    if (ids == expected.at("ids").get<std::vector<std::int64_t>>()) continue;
    if (expected.at("tie").get<bool>() && ++ties) continue;
    if (++different <= 5) ADD_FAILURE() << line << "\nour ids: " << nlohmann::json(ids).dump();
  }
  EXPECT_EQ(different, 0);
  EXPECT_EQ(count, 2500);
  EXPECT_LT(ties, 10);
  EXPECT_GT(unknown, 0) << "characters that the vocabulary lacks are among them";
}

INSTANTIATE_TEST_SUITE_P(Types, SentencePieceOfType, ::testing::Values("unigram", "bpe", "word", "char"),
                         [](const auto& type) { return std::string(type.param); });

TEST(SentencePieceTokenizer, TextsStandBetweenTheStartAndTheEndThatTheModelDeclares) {
  const SentencePieceTokenizer tokenizer(unigram_model(), "m.model");
  EXPECT_EQ(tokenizer.vocabulary_size(), 400);
  EXPECT_EQ(tokenizer.start_token(), kStart);
  EXPECT_EQ(tokenizer.end_token(), kEnd);
  EXPECT_EQ(tokenizer.pad_token(), kPad);
  EXPECT_EQ(tokenizer.fingerprint(), sha256_of(unigram_model()));
  EXPECT_THAT(tokenizer.encode(""), ElementsAre(kStart, kEnd));
  const auto tokens = tokenizer.encode("playing ball");
  EXPECT_GT(tokens.size(), 2u);
  EXPECT_EQ(tokens.front(), kStart);
  EXPECT_EQ(tokens.back(), kEnd);
}

TEST(SentencePieceTokenizer, StartEndAndPaddingAreThosePiecesThatAreNamed) {
  const SentencePieceTokenizer usual(unigram_model(), "m.model");
  const auto between = ids_between(usual, "playing ball");
  const SentencePieceTokenizer none(unigram_model(), "m.model", {.start = ""});
  EXPECT_EQ(none.start_token(), std::nullopt);
  auto expected = between;
  expected.push_back(kEnd);
  EXPECT_EQ(none.encode("playing ball"), expected);

  const SentencePieceTokenizer other(unigram_model(), "m.model",
                                     {.start = "</s>", .end = "<pad>", .pad = "<s>"});
  EXPECT_EQ(other.start_token(), kEnd);
  EXPECT_EQ(other.end_token(), kPad);
  EXPECT_EQ(other.pad_token(), kStart);
  const std::vector<std::string> texts{""};
  EXPECT_THAT(tokenize(other, texts, 4, false), ElementsAre(kEnd, kPad, kStart, kStart));
}

TEST(SentencePieceTokenizer, RowsWithoutAStartTokenAreCutAtTheirEndToo) {
  const SentencePieceTokenizer tokenizer(unigram_model(), "m.model", {.start = ""});
  const std::vector<std::string> texts{"playing ball throwing swimming", ""};
  const auto rows = tokenize(tokenizer, texts, 3, /*truncate=*/true);
  EXPECT_EQ(rows[2], kEnd);
  EXPECT_NE(rows[0], kStart);
  EXPECT_THAT(std::vector(rows.begin() + 3, rows.end()), ElementsAre(kEnd, kPad, kPad));
}

TEST(SentencePieceTokenizer, PiecesThatCannotServeAreRefusedByName) {
  const auto error = [](const SpecialPieces& pieces) {
    return error_of([&] { SentencePieceTokenizer(unigram_model(), "m.model", pieces); });
  };
  EXPECT_THAT(error({.start = "[CLS]"}),
              AllOf(HasSubstr("m.model: has no piece \"[CLS]\""), HasSubstr("text.start_token")));
  EXPECT_THAT(error({.end = "[SEP]"}), AllOf(HasSubstr("\"[SEP]\""), HasSubstr("text.end_token")));
  EXPECT_THAT(error({.pad = ""}), HasSubstr("text.pad_token"));
  EXPECT_THAT(error({.end = "\u2581the"}), AllOf(HasSubstr("text.end_token"), HasSubstr("control symbol")));
  EXPECT_EQ(error({.start = "<unk>"}), "no error");
}

TEST(SentencePieceTokenizer, TextsThatAreNotUtf8AreRefused) {
  const SentencePieceTokenizer tokenizer(unigram_model(), "m.model");
  EXPECT_THAT(error_of([&] { tokenizer.encode("a\xff"); }), HasSubstr("not valid UTF-8"));
}

TEST(MakeTokenizer, AModelFileOfAnotherHashIsRefusedByBothHashes) {
  const TemporaryFolder folder;
  TextConfig config;
  config.tokenizer = TokenizerKind::sentencepiece;
  config.vocabulary.path = folder.write("m.model", unigram_model());
  config.sha256 = std::string(64, 'a');
  EXPECT_THAT(error_of([&] { make_tokenizer(config); }),
              AllOf(StartsWith(config.vocabulary.string()), HasSubstr(config.sha256),
                    HasSubstr(sha256_of(unigram_model()))));
  const LogCapture log;
  config.sha256 = sha256_of(unigram_model());
  EXPECT_EQ(make_tokenizer(config)->vocabulary_size(), 400);
  EXPECT_EQ(log.text(), "");
}

TEST(MakeTokenizer, AModelFileWithoutAHashIsReadWithAWarningThatTellsIt) {
  const TemporaryFolder folder;
  TextConfig config;
  config.tokenizer = TokenizerKind::sentencepiece;
  config.vocabulary.path = folder.write("m.model", unigram_model());
  config.start_token = "";
  const LogCapture log;
  EXPECT_EQ(make_tokenizer(config)->start_token(), std::nullopt);
  EXPECT_THAT(log.text(),
              AllOf(HasSubstr("m.model: text.sha256 is not set"), HasSubstr(sha256_of(unigram_model()))));
}

TEST(MakeTokenizer, TheHashOfClipsVocabularyIsComparedToo) {
  TextConfig config;
  config.sha256 = std::string(64, 'a');
  EXPECT_THAT(error_of([&] { make_tokenizer(config); }),
              HasSubstr("bpe_simple_vocab_16e6.txt.gz: has the SHA-256"));
}

// One damaged file: refused by an Error of one line, or a tokenizer of another vocabulary.
void expect_survived(const std::string& model, const std::vector<std::string>& texts, int& refused) {
  try {
    const SentencePieceTokenizer tokenizer(model, "m.model");
    for (const auto& text : texts) {
      for (const auto id : tokenizer.encode(text)) {
        ASSERT_GE(id, 0);
        ASSERT_LT(id, tokenizer.vocabulary_size());
      }
    }
  } catch (const Error& error) {
    ++refused;
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
  }
}

// Four bytes or fewer of `model` from `begin` on are changed, put in or taken out, or the rest is cut off.
std::string damaged(std::string model, std::int64_t begin, std::int64_t end, RandomStream& stream) {
  for (auto times = 1 + stream.below(4); times > 0; --times) {
    const auto place = static_cast<std::size_t>(begin + stream.below(end - begin));
    const char byte = static_cast<char>(stream.below(256));
    if (place >= model.size()) continue;
    switch (stream.below(9)) {
      case 0:
        model.resize(place);
        break;
      case 1:
        model.erase(place, 1);
        break;
      case 2:
        model.insert(place, 1, byte);
        break;
      default:
        model[place] = byte;
    }
  }
  return model;
}

TEST(SentencePieceTokenizer, DamagedModelsAreRefusedOrHarmless) {
  const auto texts = texts_of_many_scripts(60);
  RandomStream stream(5, RandomPurpose::kTemplate);
  // The pieces come first; what follows is mostly the table of replacements.
  const auto table = static_cast<std::int64_t>(unigram_model().find("nmt_nfkc"));
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    expect_survived(damaged(unigram_model(), 0, table, stream), texts, refused);
    expect_survived(damaged(unigram_model(), table, std::ssize(unigram_model()), stream), texts, refused);
  }
  EXPECT_GT(refused, 200);
  EXPECT_LT(refused, 400) << "some damage makes another model";
}

TEST(SentencePieceTokenizer, WhatIsNoModelIsRefusedByName) {
  for (const std::string& content :
       {std::string(), std::string("#version: 0.2\n"), std::string(1000, '\0')}) {
    EXPECT_THAT(error_of([&] { SentencePieceTokenizer(content, "m.model"); }),
                StartsWith("m.model: is no SentencePiece model, or a damaged one"));
  }
}

}  // namespace
}  // namespace actionclip
