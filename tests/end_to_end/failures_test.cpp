// What a user's mistake looks like: one clear line, exit 1 (2 for arguments and overrides), nothing
// half-written.

#include <cstdlib>
#include <iterator>
#include <regex>
#include <sstream>
#include <sys/wait.h>

#include <ATen/Context.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/program.h"
#include "tests/parity/reference_files.h"
#include "tests/places.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The lines on standard error that are none of the log's.
std::vector<std::string> messages_of(const ProgramResult& result) {
  static const std::regex kLogLine("[TDIWEC] \\d\\d:\\d\\d:\\d\\d .*");
  std::vector<std::string> messages;
  for (const auto& line : lines_of(result.errors)) {
    if (!std::regex_match(line, kLogLine)) messages.push_back(line);
  }
  return messages;
}

void expect_one_message(const ProgramResult& result, int exit_code, const std::string& what) {
  EXPECT_EQ(result.exit_code, exit_code) << result.errors;
  const auto messages = messages_of(result);
  ASSERT_EQ(messages.size(), 1u) << result.errors;
  EXPECT_THAT(messages[0], StartsWith("actionclip: "));
  EXPECT_THAT(messages[0], HasSubstr(what));
}

// The words of each example in a command's help.
std::vector<std::vector<std::string>> examples_of(const std::string& help) {
  const auto joined = std::regex_replace(help, std::regex(R"(\\\n)"), " ");
  std::vector<std::vector<std::string>> examples;
  for (const auto& line : lines_of(joined.substr(joined.find("Example:")))) {
    std::istringstream stream(line);
    const std::vector<std::string> words(std::istream_iterator<std::string>(stream), {});
    if (!words.empty() && words[0] == "actionclip") examples.push_back(words);
  }
  return examples;
}

class Failures : public ::testing::Test {
 protected:
  void SetUp() override { make_tiny_experiment(folder_.path()); }

  // Trains with `overrides`; into a run folder that must not be left with a checkpoint.
  ProgramResult train(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"train", "--config", folder_ / "config.yaml", "--output",
                                         folder_ / "run", "--device", "cpu"});
    return run_program(arguments);
  }

  void expect_one_line(const ProgramResult& result, int exit_code, const std::string& what) {
    expect_one_message(result, exit_code, what);
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "run" / "checkpoints" / "last"));
  }

  void append_to_config(const std::string& text) {
    write_text(folder_ / "config.yaml", read_text(folder_ / "config.yaml") + text);
  }

  TemporaryFolder folder_;
};

TEST_F(Failures, UnknownKeyNamesPlaceAndNearestKey) {
  append_to_config("sead: 3\n");
  expect_one_line(train({}), 1, "seed");
  EXPECT_THAT(train({}).errors, HasSubstr("config.yaml:"));
}

TEST_F(Failures, UnknownKeyInAnOverrideIsAUsageError) {
  expect_one_line(train({"train.epoch=3"}), 2, "epochs");
}

TEST_F(Failures, WrongTypeSaysWhatWasExpected) {
  auto config = read_text(folder_ / "config.yaml");
  config.replace(config.find("epochs: 4"), 9, "epochs: x");
  write_text(folder_ / "config.yaml", config);
  expect_one_line(train({}), 1, "train.epochs");
}

TEST_F(Failures, MissingConfigFile) {
  const auto result =
      run_program({"train", "--config", folder_ / "absent.yaml", "--output", folder_ / "run"});
  expect_one_line(result, 1, "absent.yaml");
}

TEST_F(Failures, MissingWeights) {
  expect_one_line(train({"model.init.image=weights", "model.weights=" + (folder_ / "absent.pt").string()}), 2,
                  "absent.pt");
  auto config = read_text(folder_ / "config.yaml");
  config.replace(config.find("arch: custom"), 12, "arch: custom\n  weights: absent.pt");
  config.replace(config.find("image: random"), 13, "image: weights");
  write_text(folder_ / "config.yaml", config);
  expect_one_line(train({}), 1, "absent.pt");
}

TEST_F(Failures, MissingWeightsOfAnOptionExitWithOne) {
  const auto result =
      run_program({"evaluate", "--config", folder_ / "config.yaml", "--weights", folder_ / "absent.pt"});
  expect_one_line(result, 1, "absent.pt");
}

TEST_F(Failures, TruncatedSafetensors) {
  ASSERT_EQ(train({"train.max_steps=1"}).exit_code, 0);
  const auto whole = read_text(folder_ / "run/checkpoints/last/model.safetensors");
  write_text(folder_ / "short.safetensors", whole.substr(0, whole.size() / 2));
  std::filesystem::remove_all(folder_ / "run");
  expect_one_line(
      train({"model.init.image=weights", "model.weights=" + (folder_ / "short.safetensors").string()}), 1,
      "short.safetensors");
}

TEST_F(Failures, WeightsOfAnotherSizeListEveryTensorThatDiffers) {
  ASSERT_EQ(train({"train.max_steps=1"}).exit_code, 0);
  std::filesystem::rename(folder_ / "run", folder_ / "other");
  const auto result = train({"model.vision.width=128", "model.vision.heads=2", "model.init.image=weights",
                             "model.weights=" + (folder_ / "other/checkpoints/last").string()});
  expect_one_line(result, 1,
                  "visual.conv1.weight is [64, 3, 32, 32] in the file, [128, 3, 32, 32] in the model");
  EXPECT_THAT(result.errors, HasSubstr("visual.proj"));
}

TEST_F(Failures, LabelIdOutOfRangeNamesTheLine) {
  write_text(folder_ / "data/train.txt",
             read_text(folder_ / "data/train.txt") + "videos/train/00000.mp4 99999\n");
  expect_one_line(train({}), 1, "train.txt:153");
}

TEST_F(Failures, EmptyList) {
  write_text(folder_ / "data/train.txt", "");
  expect_one_line(train({}), 1, "train.txt");
}

TEST_F(Failures, TooManyUnreadableVideosStopTraining) {
  for (int i = 0; i < 152; ++i) {
    char name[64];
    std::snprintf(name, sizeof name, "data/videos/train/%05d.mp4", i);
    write_text(folder_ / name, "not a video");
  }
  expect_one_line(train({}), 1, "data/videos/train/");
}

TEST_F(Failures, UnwritableOutput) {
  write_text(folder_ / "file", "");
  const auto result =
      run_program({"train", "--config", folder_ / "config.yaml", "--output", folder_ / "file/run"});
  expect_one_line(result, 1, "file/run");
}

TEST_F(Failures, ResumeOnNothing) {
  expect_one_line(train({"--resume"}), 1, "no complete checkpoint");
  EXPECT_EQ(train({"--resume=auto", "train.max_steps=1"}).exit_code, 0);
}

TEST_F(Failures, AResumeThatCannotBeginLeavesNoRunFolder) {
  expect_one_line(train({"--resume=" + (folder_ / "nowhere").string()}), 1, "nowhere");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(Failures, AResumeThatDoesNotFitLeavesTheRunsSettings) {
  ASSERT_EQ(train({"train.max_steps=1"}).exit_code, 0);
  const auto settings = read_text(folder_ / "run/config.yaml");
  const auto result = train({"train.batch_size=8", "--resume"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("cannot resume"));
  EXPECT_EQ(read_text(folder_ / "run/config.yaml"), settings);
}

TEST_F(Failures, NoTrainingListIsNamedByItsKey) {
  expect_one_line(train({"data.train.list=\"\""}), 1, "data.train.list");
}

TEST_F(Failures, AColumnThatTheLabelsLackStopsBeforeTheFirstStep) {
  expect_one_line(train({"eval.group_by=[nowhere]"}), 1, "nowhere");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(Failures, ABatchOfOneIsRefused) {
  expect_one_line(train({"train.accumulate_steps=16"}), 2, "train.accumulate_steps");
}

TEST_F(Failures, AWarmUpLongerThanTheRunIsFoundBeforeTheRunFolderIsMade) {
  expect_one_line(train({"train.epochs=1"}), 1, "config.yaml:");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(Failures, WeightsThatNoEncoderTakes) {
  ASSERT_EQ(train({"train.max_steps=1"}).exit_code, 0);
  std::filesystem::rename(folder_ / "run", folder_ / "other");
  expect_one_line(train({"model.weights=" + (folder_ / "other/checkpoints/last").string()}), 1,
                  "model.weights");
}

TEST_F(Failures, ASecondRunIntoTheSameFolderIsRefused) {
  ASSERT_EQ(train({"train.max_steps=1"}).exit_code, 0);
  const auto result = train({});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("already holds a run"));
}

TEST_F(Failures, TooFewSamplesForABatch) { expect_one_line(train({"train.batch_size=4096"}), 1, "batch"); }

TEST_F(Failures, ALossThatIsNotFiniteIsSkippedAndThenStopsTheRun) {
  const auto result = train(
      {"train.lr=1.0e+30", "train.schedule.warmup_epochs=0", "train.max_nonfinite=2", "train.max_steps=9"});
  expect_one_line(result, 1, "not finite");
  const auto lines = lines_of(read_text(folder_ / "run/metrics.jsonl"));
  ASSERT_FALSE(lines.empty());
  EXPECT_THAT(lines.back(), HasSubstr("\"skipped\":true"));
}

TEST_F(Failures, Fp16NeedsCuda) {
  expect_one_line(train({"train.precision=fp16"}), 1, "fp16");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run")) << "found before anything is written";
}

const std::vector<std::vector<std::string>> kCommands = {{"train"},
                                                         {"evaluate"},
                                                         {"zero-shot"},
                                                         {"few-shot"},
                                                         {"base-to-novel"},
                                                         {"predict"},
                                                         {"rescore"},
                                                         {"features"},
                                                         {"sweep"},
                                                         {"report"},
                                                         {"compare"},
                                                         {"dataset", "synthesize"},
                                                         {"dataset", "prepare"},
                                                         {"dataset", "extract"},
                                                         {"dataset", "verify"},
                                                         {"dataset", "stats"},
                                                         {"inspect", "config"},
                                                         {"inspect", "model"},
                                                         {"inspect", "samples"}};

TEST(Usage, UnknownCommandAndMissingOptionsExitWithTwo) {
  expect_one_message(run_program({"trian"}), 2, "train");
  expect_one_message(run_program({"train"}), 2, "--config");
  expect_one_message(run_program({"predict"}), 2, "--weights");
  expect_one_message(run_program({"inspect"}), 2, "subcommand");
}

TEST(Usage, NumbersOutsideTheirRangeAreNamedBriefly) {
  const auto top = run_program({"predict", "--weights", "w", "--top", "0", "a.mp4"});
  expect_one_message(top, 2, "--top");
  EXPECT_LT(top.errors.size(), 200u) << top.errors;
  const TemporaryFolder folder;
  expect_one_message(run_program({"dataset", "synthesize", "--output", folder / "data", "--seed", "-1"}), 2,
                     "--seed");
  EXPECT_FALSE(std::filesystem::exists(folder / "data"));
}

// Runs the program by a shell, which gives it another standard output.
ProgramResult run_with_output(const std::string& arguments, const std::string& redirection) {
  const TemporaryFolder folder;
  const std::string errors = folder / "errors";
  const int status = std::system(
      fmt::format("'{}' {} {} 2> '{}'", tested_program(), arguments, redirection, errors).c_str());
  ProgramResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.errors = read_text(errors);
  return result;
}

TEST(Usage, ResultsThatCannotBeWrittenAreAnError) {
  const std::string inspect =
      fmt::format("inspect config '{}/configs/synthetic/finetune.yaml'", source_folder().string());
  for (const std::string& arguments : {inspect, std::string("--help"), std::string("train --help")}) {
    for (const auto* redirection : {"> /dev/full", ">&-"}) {
      SCOPED_TRACE(arguments + " " + redirection);
      expect_one_message(run_with_output(arguments, redirection), 1, "cannot write standard output: ");
    }
    EXPECT_EQ(run_with_output(arguments, "> /dev/null").exit_code, 0);
  }
  expect_one_message(run_with_output("trian", "> /dev/full"), 2, "unknown command");
}

TEST(Usage, EveryCommandHasHelpWithAnExample) {
  for (const auto& command : kCommands) {
    auto arguments = command;
    arguments.emplace_back("--help");
    const auto help = run_program(arguments);
    EXPECT_EQ(help.exit_code, 0) << help.errors;
    EXPECT_FALSE(examples_of(help.output).empty()) << help.output;
    EXPECT_THAT(help.output, HasSubstr("--log-level"));
  }
}

TEST(Usage, TheConfigurationsInTheExamplesOfTheHelpAreValid) {
  int checked = 0;
  for (const auto& command : kCommands) {
    auto arguments = command;
    arguments.emplace_back("--help");
    for (const auto& words : examples_of(run_program(arguments).output)) {
      std::vector<std::string> inspect = {"inspect", "config"};
      for (const auto& word : words) {
        if (word.starts_with("configs/")) inspect.push_back(source_folder() / word);
        if (word[0] != '-' && word.find('=') != std::string::npos) inspect.push_back(word);
      }
      if (inspect.size() == 2) continue;  // a command without a configuration
      const auto result = run_program(inspect);
      EXPECT_EQ(result.exit_code, 0) << result.errors;
      ++checked;
    }
  }
  EXPECT_GE(checked, 5);
}

TEST(Usage, EveryReadyConfigurationIsValid) {
  int checked = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source_folder() / "configs")) {
    const auto folder = entry.path().parent_path().filename();
    if (entry.path().extension() != ".yaml" || folder == "base" || folder == "prompts" ||
        folder == "protocols")
      continue;
    const auto result = run_program({"inspect", "config", entry.path()});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    ++checked;
  }
  EXPECT_GE(checked, 10);
}

TEST(Usage, ADeviceThatTheMachineLacksIsOneClearError) {
  expect_one_message(run_program({"train", "--config", "a", "--output", "b", "--device", "cuda:77"}), 1,
                     "cuda:77");
}

TEST(Usage, AGpuWhereThereIsNoneIsOneClearError) {
  if (at::globalContext().hasCUDA() && at::detail::getCUDAHooks().deviceCount() > 0)
    GTEST_SKIP() << "this machine has a GPU";
  for (const char* device : {"cuda", "cuda:0"}) {
    expect_one_message(run_program({"train", "--config", "a", "--output", "b", "--device", device}), 1,
                       std::string("--device ") + device + ": no usable CUDA device on this machine");
  }
}

TEST(Usage, AWordThatIsNoDeviceIsAUsageError) {
  for (const char* device : {"gpu", "cuda:", "cuda:abc", "cuda:-1", "cuda:1x", "cuda:99999999999"}) {
    expect_one_message(run_program({"train", "--config", "a", "--output", "b", "--device", device}), 2,
                       device);
  }
}

}  // namespace
}  // namespace actionclip
