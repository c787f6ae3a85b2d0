#include "actionclip/train/settle_text.h"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class NumberedTokenizer : public Tokenizer {
 public:
  NumberedTokenizer(std::int64_t size, std::int64_t end) : size_(size), end_(end) {}

  std::vector<std::int64_t> encode(std::string_view) const override { return {end_}; }
  std::int64_t vocabulary_size() const override { return size_; }
  std::optional<std::int64_t> start_token() const override { return std::nullopt; }
  std::int64_t end_token() const override { return end_; }
  std::string fingerprint() const override { return "numbers"; }

 private:
  std::int64_t size_, end_;
};

std::string error_of(const ModelConfig& model, const Tokenizer& tokenizer) {
  try {
    auto settled = model;
    settle_text(settled, tokenizer);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(SettleText, TheTokenizerSaysSizeAndEndWhereTheSettingsDoNot) {
  ModelConfig model;
  settle_text(model, NumberedTokenizer(8000, 2));
  EXPECT_EQ(model.text.vocabulary_size, 8000);
  EXPECT_EQ(model.text.end_token, 2);
  EXPECT_EQ(resolve(model).text.vocabulary_size, 8000);
  EXPECT_EQ(resolve(model).text.end_token, 2);
}

TEST(SettleText, AnEndThatIsTheLargestTokenIsFoundAsSuch) {
  ModelConfig model;
  settle_text(model, NumberedTokenizer(49408, 49407));
  EXPECT_EQ(resolve(model).text.end_token, kLargestToken);
  model.text.end_token = 49407;
  EXPECT_EQ(error_of(model, NumberedTokenizer(49408, 49407)), "no error");
}

TEST(SettleText, AVocabularyMayHaveRowsToSpareButNoneTooFew) {
  ModelConfig model;
  model.text.vocabulary_size = 8064;
  EXPECT_EQ(error_of(model, NumberedTokenizer(8000, 2)), "no error");
  model.text.vocabulary_size = 7999;
  EXPECT_THAT(
      error_of(model, NumberedTokenizer(8000, 2)),
      AllOf(HasSubstr("model.text.vocabulary_size"), HasSubstr("7999 entries"), HasSubstr("has 8000")));
}

TEST(SettleText, AnEndThatIsNotTheTokenizersIsRefused) {
  ModelConfig model;
  model.text.end_token = 3;
  EXPECT_THAT(error_of(model, NumberedTokenizer(8000, 2)),
              AllOf(HasSubstr("model.text.end_token"), HasSubstr("at token 3"), HasSubstr("with token 2")));
  model.text.end_token = kLargestToken;
  EXPECT_THAT(error_of(model, NumberedTokenizer(8000, 2)), HasSubstr("the largest token of a text"));
}

}  // namespace
}  // namespace actionclip
