// Runs with a learned context: the prompt stage learns it, and what its checkpoint is good for.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/text/labels.h"

#include "tests/end_to_end/program.h"
#include "tests/parity/reference_files.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ContextRun : public ::testing::Test {
 protected:
  void SetUp() override { make_tiny_experiment(folder_.path()); }

  // Ten labels of three clips each, drawn as they are, so that what is trained on is what is scored. Only the
  // context can learn: the mean has no parameters.
  std::vector<std::string> on_ten_labels(std::vector<std::string> more) const {
    more.insert(more.end(), {"data.labels=" + path("data/few_shot_labels.csv"),
                             "data.train.list=" + path("data/few_shot_train.txt"),
                             "data.transforms.scales=[]", "data.transforms.flip=0", "model.fusion=meanP",
                             "train.task=prompt", "train.batch_size=10", "eval.every_epochs=0"});
    return more;
  }

  void train(const std::string& run, std::vector<std::string> settings) {
    settings.insert(settings.begin(),
                    {"train", "--config", path("config.yaml"), "--output", path(run), "--device", "cpu"});
    const auto result = run_program(settings);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }

  // `command` with the checkpoint of `run`.
  ProgramResult use(const std::string& command, const std::string& run,
                    const std::vector<std::string>& arguments) {
    std::vector<std::string> words = {command, "--weights", path(run + "/checkpoints/last"), "--json"};
    if (command != "predict") words.insert(words.end(), {"--config", path("config.yaml")});
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run_program(words);
  }

  nlohmann::json result_of(const ProgramResult& result) {
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  }

  // On the clips that were trained on.
  nlohmann::json score(const std::string& run) {
    return result_of(use("evaluate", run,
                         {"--split", "train", "data.labels=" + path("data/few_shot_labels.csv"),
                          "data.train.list=" + path("data/few_shot_train.txt")}));
  }

  // Between what the runs "start" and "run" saved.
  void expect_that_the_context_alone_changed(const std::vector<std::int64_t>& shape) {
    const auto before = read_tensors(path("start/checkpoints/last/model.safetensors"));
    const auto after = read_tensors(path("run/checkpoints/last/model.safetensors"));
    ASSERT_EQ(before.size(), after.size());
    ASSERT_TRUE(after.contains("context.vectors"));
    EXPECT_EQ(after.at("context.vectors").sizes(), shape);
    for (const auto& [name, tensor] : before)
      EXPECT_EQ(at::equal(tensor, after.at(name)), name != "context.vectors") << name;
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  TemporaryFolder folder_;
};

// The rate of the first step is 0, so that a run of one step leaves what it started from.
TEST_F(ContextRun, ThePromptStageImprovesOverItsStartByTheContextAlone) {
  const std::vector<std::string> context = {"model.context.length=4", "model.context.class_specific=true"};
  auto start = context, settings = context;
  start.emplace_back("train.max_steps=1");
  settings.insert(settings.end(), {"train.epochs=50", "train.lr=4.0e-3", "train.checkpoint_every=50"});
  train("start", on_ten_labels(start));
  train("run", on_ten_labels(settings));
  expect_that_the_context_alone_changed({10, 4, 64});
  const auto first = score("start"), last = score("run");
  EXPECT_EQ(last.at("samples"), 30);
  EXPECT_LT(last.at("loss").get<double>(), 0.8 * first.at("loss").get<double>());
  EXPECT_GT(last.at("top1").get<double>(), first.at("top1").get<double>());
}

// By how much is not said: vectors that all labels share can tell them apart only a little better.
TEST_F(ContextRun, ASharedContextLowersTheLossTooAndAlone) {
  train("start", on_ten_labels({"model.context.length=4", "train.max_steps=1"}));
  train("run", on_ten_labels({"model.context.length=4", "train.epochs=25", "train.checkpoint_every=25"}));
  expect_that_the_context_alone_changed({4, 64});
  EXPECT_LT(score("run").at("loss").get<double>(), score("start").at("loss").get<double>());
}

TEST_F(ContextRun, ASharedContextServesLabelsThatItNeverSaw) {
  train("run", on_ten_labels({"model.context.length=2", "model.context.position=middle",
                              "model.context.init=video of", "train.max_steps=3"}));
  const auto zero_shot =
      result_of(use("zero-shot", "run",
                    {"--labels", path("data/zero_shot_labels.csv"), "--list", path("data/zero_shot.txt")}));
  EXPECT_EQ(zero_shot.at("labels"), 40);

  // -log of the probability that predict gives the true label is the loss that evaluate finds.
  std::ifstream list(path("data/test.txt"));
  std::string video, label_id;
  ASSERT_TRUE(list >> video >> label_id);
  write_text(path("data/one.txt"), video + " " + label_id + "\n");
  const auto loss =
      result_of(use("evaluate", "run", {"data.test.list=" + path("data/one.txt")})).at("loss").get<double>();
  const auto predicted =
      result_of(use("predict", "run", {"--labels", path("data/labels.csv"), path("data/" + video)}));
  const auto label = read_labels(path("data/labels.csv")).name(std::stoll(label_id));
  double probability = 0;
  for (const auto& entry : predicted.at(0).at("predictions")) {
    if (entry.at("label") == label) probability = entry.at("probability").get<double>();
  }
  EXPECT_NEAR(-std::log(probability), loss, 1e-4);

  const auto templates = folder_.write("templates.yaml", "templates: ['a {}']\n").string();
  const auto refused = use("predict", "run", {"--templates", templates, path("data/" + video)});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.errors, HasSubstr("--templates: without effect"));
}

TEST_F(ContextRun, AContextOfEachLabelsOwnServesNoOthers) {
  train("run",
        on_ten_labels({"model.context.length=2", "model.context.class_specific=true", "train.max_steps=1"}));
  const auto other = path("data/zero_shot_labels.csv");
  for (const auto& result :
       {use("evaluate", "run", {}),
        use("zero-shot", "run", {"--labels", other, "--list", path("data/zero_shot.txt")}),
        use("predict", "run", {"--labels", other, path("data/videos/test/00000.mp4")})}) {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(lines_of(result.errors).back(),
                AllOf(HasSubstr("learned context of 10 labels"), HasSubstr("(class-specific)")));
  }
  auto names = read_labels(path("data/few_shot_labels.csv")).names();
  std::reverse(names.begin(), names.end());
  const auto reversed = folder_.write("reversed.txt", fmt::format("{}\n", fmt::join(names, "\n"))).string();
  const auto swapped = use("predict", "run", {"--labels", reversed, path("data/videos/test/00000.mp4")});
  EXPECT_EQ(swapped.exit_code, 1);
  EXPECT_THAT(swapped.errors, AllOf(HasSubstr("reversed.txt"), HasSubstr("another order")));
  EXPECT_EQ(use("predict", "run", {path("data/videos/test/00000.mp4")}).exit_code, 0);
}

TEST_F(ContextRun, FewShotLearnsAContextForItsOwnLabels) {
  const auto result = run_program(on_ten_labels(
      {"few-shot", "--config", path("config.yaml"), "--output", path("few"), "--shots", "0,1", "--seeds", "1",
       "--json", "data.test.list=" + path("data/few_shot_test.txt"), "train.epochs=1",
       "train.schedule.warmup_epochs=0", "model.context.length=2", "model.context.class_specific=true"}));
  const auto table = result_of(result).at("rows");
  ASSERT_EQ(table.size(), 2u);
  const auto tensors = read_tensors(path("few/shots-1-seed-1/checkpoints/last/model.safetensors"));
  EXPECT_EQ(tensors.at("context.vectors").size(0), 10);
}

}  // namespace
}  // namespace actionclip
