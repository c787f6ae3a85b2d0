// A vocabulary of one's own: learnt, trained with, evaluated and predicted with by the program.

#include <cmath>
#include <fstream>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/text/labels.h"

#include "tests/end_to_end/program.h"
#include "tests/places.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class OwnVocabulary : public ::testing::Test {
 protected:
  void SetUp() override {
    make_tiny_experiment(folder_.path());
    const auto made = make_vocabulary("m.model", "200");
    ASSERT_EQ(made.exit_code, 0) << made.errors;
    EXPECT_EQ(made.errors, "");
    // What is printed behind the blank line is there to be pasted.
    write_text(folder_ / "own.yaml",
               "base: config.yaml\n" + made.output.substr(made.output.find("\n\n") + 2));
    std::string list;
    for (int i = 0; i < 16; ++i) list += lines_of(read_text(folder_ / "data/train.txt")).at(i) + "\n";
    write_text(folder_ / "data/few.txt", list);
    std::ifstream test_list(folder_ / "data/test.txt");
    test_list >> video_ >> label_id_;
    write_text(folder_ / "data/one.txt", fmt::format("{} {}\n", video_, label_id_));
  }

  ProgramResult make_vocabulary(const std::string& name, const std::string& size) {
    return run_program({"dataset", "tokenizer", "--input", folder_ / "data/captions.csv",
                        folder_ / "data/labels.csv", "--type", "bpe", "--vocabulary-size", size, "--output",
                        folder_ / name});
  }

  // A run over one batch, at a rate at which few shared pieces do not make all texts alike.
  ProgramResult train(int steps, std::vector<std::string> more = {}, const std::string& run = "run") {
    more.insert(more.begin(), {"train", "--config", folder_ / "own.yaml", "--output", folder_ / run,
                               "data.train.list=" + (folder_ / "data/few.txt").string(), "data.val.list=",
                               fmt::format("train.epochs={}", steps), "train.schedule.warmup_epochs=0",
                               "train.lr=3e-4", fmt::format("train.checkpoint_every={}", steps)});
    return run_program(more);
  }

  ProgramResult evaluate(const std::string& config, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"evaluate", "--config", folder_ / config, "--weights", weights_, "--json",
                               "data.test.list=" + (folder_ / "data/one.txt").string()});
    return run_program(more);
  }

  // Of the videos of a list below the data, by the weights of a run; NaN if the program fails.
  double loss_of(const std::string& run, const std::string& list) {
    weights_ = folder_ / run / "checkpoints/last";
    const auto result = evaluate("own.yaml", {"data.test.list=" + (folder_ / "data" / list).string()});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return result.exit_code == 0 ? nlohmann::json::parse(result.output).at("loss").get<double>() : NAN;
  }

  ProgramResult predict(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"predict", "--weights", weights_, "--json", folder_ / "data" / video_});
    return run_program(more);
  }

  TemporaryFolder folder_;
  std::string weights_ = folder_ / "run/checkpoints/last";
  std::string video_;
  std::int64_t label_id_ = 0;
};

TEST_F(OwnVocabulary, AModelTrainsWithItAndPredictSeesAVideoAsEvaluateDoes) {
  const auto trained = train(30);
  ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  std::vector<double> losses;
  for (const auto& line : lines_of(read_text(folder_ / "run/metrics.jsonl"))) {
    const auto record = nlohmann::json::parse(line);
    if (record.at("split") == "train") losses.push_back(record.at("loss").get<double>());
  }
  ASSERT_EQ(losses.size(), 30u);
  const double first = std::accumulate(losses.begin(), losses.begin() + 5, 0.0) / 5;
  const double last = std::accumulate(losses.end() - 5, losses.end(), 0.0) / 5;
  EXPECT_LT(last, 0.8 * first);

  const auto evaluated = evaluate("own.yaml");
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.errors;
  const auto predicted = predict({"--vocabulary", folder_ / "m.model"});
  ASSERT_EQ(predicted.exit_code, 0) << predicted.errors;
  EXPECT_THAT(predicted.errors, Not(HasSubstr("sha256"))) << "the weights tell it";
  const auto label = read_labels(folder_ / "data/labels.csv").name(label_id_);
  double probability = 0;
  const auto json = nlohmann::json::parse(predicted.output);
  for (const auto& entry : json.at(0).at("predictions")) {
    if (entry.at("label") == label) probability = entry.at("probability").get<double>();
  }
  EXPECT_NEAR(-std::log(probability), nlohmann::json::parse(evaluated.output).at("loss").get<double>(), 1e-4);
}

// By chance the loss is the logarithm of the number of labels, 5.0; a start of random weights is worse, as it
// is sure of what is wrong, so that a fall by itself could be that it is less sure. Other labels tell whether
// it has learnt.
TEST_F(OwnVocabulary, VideosThatItWasNotTrainedWithFitTheirOwnLabelsBetterThanAtTheStart) {
  const auto test = lines_of(read_text(folder_ / "data/test.txt"));
  const std::int64_t labels = read_labels(folder_ / "data/labels.csv").size();
  std::string others;
  for (const auto& line : test) {
    const auto space = line.rfind(' ');
    const auto label = std::stoll(line.substr(space + 1));
    others += fmt::format("{} {}\n", line.substr(0, space), (label + labels / 2) % labels);
  }
  write_text(folder_ / "data/others.txt", others);

  const std::vector<std::string> on_all = {"data.train.list=" + (folder_ / "data/train.txt").string(),
                                           "train.schedule.warmup_epochs=1", "train.lr=1e-3"};
  auto first_step = on_all;
  first_step.emplace_back("train.max_steps=1");  // at a rate of 0
  const auto start = train(6, first_step, "start");
  ASSERT_EQ(start.exit_code, 0) << start.errors;
  const auto trained = train(6, on_all);
  ASSERT_EQ(trained.exit_code, 0) << trained.errors;

  const double loss = loss_of("run", "test.txt");
  EXPECT_LT(loss, 0.75 * loss_of("start", "test.txt"));
  EXPECT_LT(loss, 0.75 * loss_of("run", "others.txt"));
}

TEST_F(OwnVocabulary, AnotherOneThanTheWeightsWereTrainedWithIsRefused) {
  ASSERT_EQ(train(1).exit_code, 0);
  const auto hash = sha256_of_file(folder_ / "m.model");
  const auto without = predict();
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_THAT(without.errors,
              AllOf(HasSubstr("SentencePiece model"), HasSubstr("--vocabulary FILE"), HasSubstr(hash)));

  ASSERT_EQ(make_vocabulary("other.model", "150").exit_code, 0);
  const auto other = predict({"--vocabulary", folder_ / "other.model"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.errors, AllOf(HasSubstr("other.model: has the SHA-256"), HasSubstr(hash)));

  const auto clip = evaluate("config.yaml");
  EXPECT_EQ(clip.exit_code, 1);
  EXPECT_THAT(clip.errors,
              AllOf(HasSubstr("trained with a SentencePiece model"), HasSubstr("text.tokenizer")));
  const auto changed = evaluate("own.yaml", {"text.vocabulary=" + (folder_ / "other.model").string()});
  EXPECT_EQ(changed.exit_code, 1);
  EXPECT_THAT(changed.errors, HasSubstr("other.model: has the SHA-256"));
}

TEST_F(OwnVocabulary, OtherTokensAroundTheTextsThanTheWeightsWereTrainedWithAreRefused) {
  ASSERT_EQ(train(1).exit_code, 0);
  const std::string no_start = "text.start_token=\"\"";
  for (const auto& result : {evaluate("own.yaml", {no_start}), train(2, {"--resume", no_start})}) {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.errors, HasSubstr("text.start_token: the weights were trained with"));
  }
  const auto end = train(1, {"model.text.end_token=3"}, "end");
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_THAT(end.errors, AllOf(HasSubstr("model.text.end_token"), HasSubstr("ends texts with token 2")));
}

TEST_F(OwnVocabulary, WhatIsPrintedToBePastedHoldsForAnyFileName) {
  const auto made = make_vocabulary("a: b #c.model", "150");
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  write_text(folder_ / "odd.yaml", "base: config.yaml\n" + made.output.substr(made.output.find("\n\n") + 2));
  const auto read = run_program({"inspect", "config", folder_ / "odd.yaml"});
  EXPECT_EQ(read.exit_code, 0) << read.errors;
  EXPECT_THAT(read.output, HasSubstr("a: b #c.model"));
}

TEST_F(OwnVocabulary, AVocabularyThatIsTooLargeForTheTextsIsOneClearLine) {
  const auto result = make_vocabulary("large.model", "100000");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(lines_of(result.errors), SizeIs(1)) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("100000 is too large for these texts, which give"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "large.model"));
}

TEST_F(OwnVocabulary, TheSameTextsGiveTheSameFile) {
  ASSERT_EQ(make_vocabulary("again.model", "200").exit_code, 0);
  EXPECT_EQ(sha256_of_file(folder_ / "again.model"), sha256_of_file(folder_ / "m.model"));
}

// As scripts/ablate.sh's rows of an own vocabulary: what it trains on, and what it asks of the trained model.
// A text that is too long would be an error. The labels are those of the large data set.
TEST(OwnVocabularyOfTheAblations, AllTemplatesOfAllLabelsFitIntoTheSyntheticModelsContext) {
  const TemporaryFolder folder;
  const std::string data = folder / "data", vocabulary = folder / "texts.model";
  const auto synthesized =
      run_program({"dataset", "synthesize", "--output", data, "--train", "152", "--val", "8", "--test", "8",
                   "--zero-shot", "40", "--few-shot-train", "1", "--few-shot-test", "1", "--stills", "300"});
  ASSERT_EQ(synthesized.exit_code, 0) << synthesized.errors;
  const auto made =
      run_program({"dataset", "tokenizer", "--type", "bpe", "--vocabulary-size", "200", "--input",
                   data + "/captions.csv", data + "/labels.csv", "--output", vocabulary});
  ASSERT_EQ(made.exit_code, 0) << made.errors;

  const std::vector<std::pair<std::string, std::string>> sets = {{"labels.csv", "train.txt"},
                                                                 {"zero_shot_labels.csv", "zero_shot.txt"}};
  for (const auto& [labels, list] : sets) {
    const auto result = run_program(
        {"train", "--config", source_folder() / "configs/synthetic/finetune.yaml", "--output", folder / "run",
         "--dry-run", "text.tokenizer=sentencepiece", "text.vocabulary=" + vocabulary,
         "text.sha256=" + sha256_of_file(vocabulary), "model.init.text=random", "model.init.image=random",
         "model.weights=", "model.text.vocabulary_size=200", fmt::format("data.labels={}/{}", data, labels),
         fmt::format("data.train.list={}/{}", data, list), "data.val.list=", "train.batch_size=8"});
    EXPECT_EQ(result.exit_code, 0) << labels << ": " << result.errors;
  }
}

}  // namespace
}  // namespace actionclip
