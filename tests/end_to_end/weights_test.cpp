// What a run starts from, and that a checkpoint alone is used as the run that made it used it.

#include <cmath>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/text/bpe_tokenizer.h"
#include "actionclip/text/labels.h"
#include "actionclip/weights/state_dict.h"

#include "tests/end_to_end/program.h"
#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"
#include "text/gzip_file.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

class WeightsOfARun : public ::testing::Test {
 protected:
  void SetUp() override { make_tiny_experiment(folder_.path()); }

  ProgramResult train(const std::string& run, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"train", "--config", folder_ / "config.yaml", "--output",
                                         folder_ / run, "--device", "cpu"});
    return run_program(arguments);
  }

  // Settings to start from a file; relative to the test's folder.
  std::vector<std::string> starting_from(const std::string& weights, std::vector<std::string> more) {
    more.insert(more.end(), {"model.init.image=weights", "model.init.text=weights",
                             "model.weights=" + (folder_ / weights).string()});
    return more;
  }

  TemporaryFolder folder_;
};

// -log of the probability that `predict` gives the true label is the loss that `evaluate` finds.
TEST_F(WeightsOfARun, PredictSeesAVideoAsEvaluateDoes) {
  std::ifstream list(folder_ / "data/test.txt");
  std::string video, label_id;
  ASSERT_TRUE(list >> video >> label_id);
  write_text(folder_ / "data/one.txt", video + " " + label_id + "\n");
  const auto label = read_labels(folder_ / "data/labels.csv").name(std::stoll(label_id));
  for (const std::string resize : {"64", "80"}) {
    const auto setting = "data.transforms.test_resize=" + resize;
    ASSERT_EQ(train(resize, {"train.max_steps=1", setting}).exit_code, 0);
    const auto checkpoint = (folder_ / resize / "checkpoints/last").string();
    const auto evaluated =
        run_program({"evaluate", "--config", folder_ / "config.yaml", "--weights", checkpoint, "--json",
                     setting, "data.test.list=" + (folder_ / "data/one.txt").string()});
    ASSERT_EQ(evaluated.exit_code, 0) << evaluated.errors;
    const auto predicted =
        run_program({"predict", "--weights", checkpoint, "--json", folder_ / "data" / video});
    ASSERT_EQ(predicted.exit_code, 0) << predicted.errors;
    double probability = 0;
    const auto json = nlohmann::json::parse(predicted.output);
    for (const auto& entry : json.at(0).at("predictions")) {
      if (entry.at("label") == label) probability = entry.at("probability").get<double>();
    }
    EXPECT_NEAR(-std::log(probability), nlohmann::json::parse(evaluated.output).at("loss").get<double>(),
                1e-4)
        << "test_resize " << resize;
  }
}

// The rate of the first step is 0, so that what was loaded is what the checkpoint holds.
TEST_F(WeightsOfARun, APublishedCheckpointStartsARunWithItsTowersAndItsFusion) {
  run_python("published_checkpoint.py", {folder_.path().string()});
  const auto result = train(
      "run",
      starting_from("published.pt", {"train.max_steps=1", "model.vision.layers=2", "model.text.layers=2",
                                     "model.text.context_length=77", "model.fusion_layers=6"}));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto published = load_weights(folder_ / "published.pt");
  EXPECT_EQ(published.scheme, NameScheme::actionclip);
  const auto trained = read_tensors(folder_ / "run/checkpoints/last/model.safetensors");
  ASSERT_EQ(trained.size(), published.tensors.size());
  for (const auto& [name, tensor] : published.tensors) {
    EXPECT_TRUE(at::equal(trained.at(name), tensor.to(at::kFloat))) << name;
  }
}

TEST_F(WeightsOfARun, AnotherVocabularyThanTheOneTrainedWithIsRefused) {
  ASSERT_EQ(train("run", {"train.max_steps=1"}).exit_code, 0);
  auto merges = lines_of(detail::read_gzip_file(default_vocabulary_path(), 64u << 20));
  std::swap(merges.at(1), merges.at(2));
  const auto vocabulary = (folder_ / "swapped.txt").string();
  write_text(vocabulary, fmt::format("{}\n", fmt::join(merges, "\n")));
  const auto checkpoint = (folder_ / "run/checkpoints/last").string();
  const auto setting = "text.vocabulary=" + vocabulary;
  for (const auto& [result, name] :
       {std::pair(
            run_program({"evaluate", "--config", folder_ / "config.yaml", "--weights", checkpoint, setting}),
            "text.vocabulary"),
        std::pair(run_program({"train", "--config", folder_ / "config.yaml", "--output", folder_ / "run",
                               "--resume", "train.max_steps=2", setting}),
                  "text.vocabulary"),
        std::pair(run_program({"predict", "--weights", checkpoint, "--vocabulary", vocabulary, "clip.mp4"}),
                  "--vocabulary")}) {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(
        lines_of(result.errors).back(),
        fmt::format("actionclip: the weights were trained with another vocabulary than {}: name it with {}",
                    vocabulary, name));
  }
}

TEST_F(WeightsOfARun, TheMeanOfTheWeightsStaysWithTheRunsThatStartFromThem) {
  const std::vector<double> mean = {0.2, 0.3, 0.4};
  const auto mean_of = [&](const std::string& run) {
    return load_weights(folder_ / (run + "/checkpoints/last")).config.mean;
  };
  ASSERT_EQ(train("first", {"train.max_steps=1", "model.mean=[0.2, 0.3, 0.4]"}).exit_code, 0);
  ASSERT_EQ(mean_of("first"), mean);
  ASSERT_EQ(train("second", starting_from("first/checkpoints/last", {"train.max_steps=1"})).exit_code, 0);
  EXPECT_EQ(mean_of("second"), mean);
  ASSERT_EQ(
      train("second", starting_from("first/checkpoints/last", {"train.max_steps=2", "--resume"})).exit_code,
      0);
  EXPECT_EQ(mean_of("second"), mean);
  const auto refused =
      train("third", starting_from("first/checkpoints/last", {"train.max_steps=1", "model.mean=[0, 0, 0]"}));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("model.mean: [0, 0, 0] is given"));
}

TEST_F(WeightsOfARun, OtherHeadsThanThoseOfTheWeightsAreRefused) {
  ASSERT_EQ(train("first", {"train.max_steps=1"}).exit_code, 0);
  for (const auto& result : {train("first", {"train.max_steps=2", "model.vision.heads=2", "--resume"}),
                             train("second", starting_from("first/checkpoints/last",
                                                           {"train.max_steps=1", "model.vision.heads=2"}))}) {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.errors,
                HasSubstr("model.vision.heads: 2 is given, but the weights were trained with 1"));
  }
}

}  // namespace
}  // namespace actionclip
