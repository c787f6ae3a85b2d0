// actionclip inspect model: what a training step takes, from the experiment alone.

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"
#include "tests/places.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Its data and weights are not part of the checkout.
const std::string kKinetics = source_folder() / "configs/kinetics400/vit_b32_8f.yaml";

ProgramResult inspect(std::vector<std::string> arguments, const std::string& config = kKinetics) {
  arguments.insert(arguments.begin(), {"inspect", "model", "--config", config});
  return run_program(arguments);
}

nlohmann::json inspect_json(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const auto result = inspect(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return nlohmann::json::parse(result.output);
}

void expect_usage_error(const ProgramResult& result, const std::string& what) {
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_TRUE(result.output.empty());
  EXPECT_EQ(lines_of(result.errors).size(), 1u) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr(what));
}

TEST(InspectModel, TheTableSaysThatItIsComputedAndHasEachGroupOfFigures) {
  const auto result = inspect({"--ranks", "8"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  for (const auto* text :
       {"computed from the sizes, not measured", "ViT-B/32, 8 frame(s), texts of 16 tokens", "8 rank(s)",
        "parameters", "87849216", "63428097", "18953728", "GFLOPs", "TFLOPs", "GiB", "MiB"}) {
    EXPECT_THAT(result.output, HasSubstr(text));
  }
  std::size_t width = 0;  // of the lines with figures
  for (const auto& line : lines_of(result.output)) {
    if (!line.starts_with("  ")) continue;
    if (width == 0) width = line.size();
    EXPECT_TRUE(line.size() == width || line.size() == width - 14) << line;  // one or two columns
  }
}

TEST(InspectModel, JsonHasTheFiguresOfTheExperiment) {
  const auto json = inspect_json({"--ranks", "8", "--text-length", "20"});
  EXPECT_TRUE(json.at("computed_not_measured").get<bool>());
  EXPECT_EQ(json.at("batch_size"), 256);
  EXPECT_EQ(json.at("ranks"), 8);
  EXPECT_EQ(json.at("frames"), 8);
  EXPECT_EQ(json.at("text_length"), 20);
  EXPECT_EQ(json.at("precision"), "bf16");
  EXPECT_EQ(json.at("task"), "finetune");
  const std::int64_t parameters = 87'849'216 + 63'428'097 + 18'953'728;
  EXPECT_EQ(json.at("parameters").at("total"), parameters);
  EXPECT_EQ(json.at("trained_parameters").at("total"), parameters);
  const auto& forward = json.at("forward_flops");
  EXPECT_EQ(forward.at("image_of_video"), 65'856'552'960.0);
  EXPECT_EQ(forward.at("video").get<double>(),
            65'856'552'960.0 + forward.at("fusion_of_video").get<double>());
  const double embedding = 8 * 2.0 * 49 * 768 * 3 * 32 * 32;  // needs no gradient of the pixels
  EXPECT_DOUBLE_EQ(json.at("training_flops_of_rank").at("image").get<double>(),
                   32 * (3 * 65'856'552'960.0 - embedding));
  const auto& memory = json.at("memory_of_rank");
  EXPECT_EQ(memory.at("optimizer").get<double>(), 8.0 * parameters);
  double sum = 0;
  for (const auto* key : {"weights", "low_precision_weights", "gradients", "optimizer", "average",
                          "kept_activations", "working_memory"}) {
    sum += memory.at(key).get<double>();
  }
  EXPECT_DOUBLE_EQ(memory.at("total").get<double>(), sum);
  EXPECT_DOUBLE_EQ(json.at("sent_by_rank").at("gradients").get<double>(), 2 * 7.0 / 8 * 4 * parameters);
  EXPECT_GT(json.at("sent_by_rank").at("features").get<double>(), 0);
  EXPECT_EQ(json.at("sent_by_rank").at("label_ids").get<double>(), 7.0 / 8 * 256 * 8);
}

TEST(InspectModel, SettingsOfTheExperimentCount) {
  const auto plain = inspect_json({});
  const auto prompt = inspect_json({"train.task=prompt"});
  EXPECT_EQ(prompt.at("trained_parameters").at("total"), prompt.at("parameters").at("fusion"));
  const auto fixed = inspect_json({"text.fix_text=true"});
  EXPECT_EQ(fixed.at("trained_parameters").at("text"), 1);
  const auto peak = [](const nlohmann::json& json) {
    return json.at("memory_of_rank").at("total").get<double>();
  };
  EXPECT_LT(peak(inspect_json({"train.accumulate_steps=4"})), peak(plain));
  EXPECT_LT(peak(inspect_json({"train.activation_checkpointing=true"})), peak(plain));
  EXPECT_GT(peak(inspect_json({"train.precision=fp32"})), peak(plain));
  EXPECT_GT(peak(inspect_json({"model.frames=16"})), peak(plain));
  EXPECT_EQ(inspect_json({"train.optimizer.kind=sgd", "train.optimizer.momentum=0"})
                .at("memory_of_rank")
                .at("optimizer"),
            0);
}

TEST(InspectModel, TheAverageOfTheWeightsIsCounted) {
  const auto plain = inspect_json({}).at("memory_of_rank");
  const auto json = inspect_json({"train.ema_decay=0.999"});
  const auto& averaged = json.at("memory_of_rank");
  EXPECT_EQ(plain.at("average"), 0);
  const double average = 4 * json.at("trained_parameters").at("total").get<double>();
  EXPECT_EQ(averaged.at("average").get<double>(), average);
  EXPECT_DOUBLE_EQ(averaged.at("total").get<double>(), plain.at("total").get<double>() + average);
  const std::string row = "running average of the weights";
  EXPECT_THAT(inspect({"train.ema_decay=0.999"}).output, HasSubstr(row));
  EXPECT_THAT(inspect({}).output, Not(HasSubstr(row)));
}

// Pre-training takes stills, which pass no fusion head, and captions in place of labels.
TEST(InspectModel, PretrainingHasNoFramesToFuse) {
  const TemporaryFolder folder;
  write_text(folder / "config.yaml",
             "model: {arch: ViT-B/32, init: {image: random, text: random}, frames: 8}\n"
             "data: {train: {list: absent.csv, format: captions}}\ntrain: {task: pretrain, batch_size: 8}\n");
  const auto result = inspect({"--json"}, folder / "config.yaml");
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json.at("frames"), 1);
  EXPECT_EQ(json.at("forward_flops").at("fusion_of_video"), 0);
  EXPECT_EQ(json.at("trained_parameters").at("fusion"), 0);
}

TEST(InspectModel, WhatCannotBeComputedIsAUsageError) {
  expect_usage_error(inspect({"--ranks", "3"}), "train.batch_size = 256 in 1 part(s)");
  expect_usage_error(inspect({"--ranks", "8", "train.accumulate_steps=64"}), "leaves 4 videos a part");
  expect_usage_error(inspect({"--ranks", "0"}), "--ranks");
  expect_usage_error(inspect({"--text-length", "78"}), "model.text.context_length = 77");
  expect_usage_error(inspect({"train.batch=3"}), "batch_size");
  expect_usage_error(run_program({"inspect", "model"}), "--config");
}

// What belongs to single labels is counted from the label file.
TEST(InspectModel, ClassifierAndContextHaveRowsOfTheirOwn) {
  const TemporaryFolder folder;
  write_text(folder / "labels.csv", "id,name\n0,jump\n1,run\n2,sit\n");
  const std::string data = "data: {train: {list: absent.txt}, labels: labels.csv}\n";
  write_text(folder / "context.yaml",
             "model: {arch: ViT-B/32, init: {image: random, text: random}, "
             "context: {length: 4, class_specific: true}}\n" +
                 data);
  write_text(folder / "classifier.yaml",
             "model: {arch: ViT-B/32, init: {image: random, text: random}, classifier: true}\n" + data);
  const auto parameters = [&](const std::string& config) {
    const auto result = inspect({"--json"}, folder / config);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output).at("parameters");
  };
  EXPECT_EQ(parameters("context.yaml").at("context"), 3 * 4 * 512);
  EXPECT_EQ(parameters("classifier.yaml").at("classifier"), 3 * 512 + 3);
  EXPECT_EQ(parameters("classifier.yaml").at("context"), 0);
  EXPECT_THAT(inspect({}, folder / "context.yaml").output, HasSubstr("learned context"));
  EXPECT_THAT(inspect({}, folder / "classifier.yaml").output, HasSubstr("a video: classifier"));
  EXPECT_THAT(inspect({}).output, Not(HasSubstr("classifier")));
  write_text(folder / "unlabelled.yaml",
             "model: {arch: ViT-B/32, init: {image: random, text: random}, classifier: true}\n");
  const auto unlabelled = inspect({}, folder / "unlabelled.yaml");
  EXPECT_EQ(unlabelled.exit_code, 1) << unlabelled.errors;
  EXPECT_THAT(unlabelled.errors, HasSubstr("data.labels: not given"));
}

// In place of one text a video.
TEST(InspectModel, CrossEntropyEncodesTheTextsOfAllClasses) {
  const TemporaryFolder folder;
  write_text(folder / "labels.csv", "id,name\n0,jump\n1,run\n2,sit\n");
  write_text(folder / "config.yaml",
             "model: {arch: ViT-B/32, init: {image: random, text: random}}\n"
             "data: {train: {list: absent.txt}, labels: labels.csv}\ntrain: {batch_size: 6}\n");
  const auto inspected = [&](const std::string& objective, const std::string& fix_text = "false") {
    const auto result = inspect({"--json", "train.objective=" + objective, "text.fix_text=" + fix_text},
                                folder / "config.yaml");
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output);
  };
  const auto matched = inspected("contrastive"), classes = inspected("cross_entropy");
  EXPECT_EQ(matched.at("class_texts"), 0);
  EXPECT_EQ(classes.at("class_texts"), 3);
  const auto text_flops = [](const nlohmann::json& json) {
    return json.at("training_flops_of_rank").at("text").get<double>();
  };
  EXPECT_NEAR(text_flops(classes), text_flops(matched) / 2, 1e-6 * text_flops(matched));
  const auto frozen = inspected("cross_entropy", "true");
  EXPECT_EQ(frozen.at("class_texts"), 3);
  EXPECT_EQ(text_flops(frozen), 0) << "known from the first step on";
  EXPECT_GT(text_flops(inspected("contrastive", "true")), 0);
  write_text(
      folder / "unlabelled.yaml",
      "model: {arch: ViT-B/32, init: {image: random, text: random}}\ntrain: {objective: cross_entropy}\n");
  const auto unlabelled = inspect({}, folder / "unlabelled.yaml");
  EXPECT_EQ(unlabelled.exit_code, 1);
  EXPECT_THAT(unlabelled.errors,
              HasSubstr("data.labels: not given, but a step encodes a text for each label"));
}

// The default length of texts must not stop a model with a shorter context.
TEST(InspectModel, TextsAreNoLongerThanTheContext) {
  EXPECT_EQ(inspect_json({"model.text.context_length=12"}).at("text_length"), 12);
}

TEST(InspectModel, TextsHoldTheLearnedContext) {
  EXPECT_EQ(inspect_json({"model.context.length=8"}).at("text_length"), 24);
  EXPECT_EQ(inspect_json({"model.context.length=70"}).at("text_length"), 77);
  EXPECT_EQ(inspect_json({"model.context.length=8", "--text-length", "11"}).at("text_length"), 11);
  expect_usage_error(inspect({"model.context.length=8", "--text-length", "10"}),
                     "--text-length 10: shorter than 11");
  EXPECT_EQ(inspect_json({"--text-length", "2"}).at("text_length"), 2);
}

// As training takes it: the text encoder has as many entries as the vocabulary has pieces.
TEST(InspectModel, ASentencePieceVocabularyIsReadUnlessItsSizeIsGiven) {
  const TemporaryFolder folder;
  std::string texts;
  for (int i = 0; i < 100; ++i) texts += "a person walks along street " + std::to_string(i * 37) + "\n";
  write_text(folder / "texts.txt", texts);
  const auto made = run_program({"dataset", "tokenizer", "--input", folder / "texts.txt", "--type", "bpe",
                                 "--vocabulary-size", "60", "--output", folder / "own.model"});
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  write_text(folder / "config.yaml",
             "model: {arch: ViT-B/32, init: {image: random, text: random}}\n"
             "text: {tokenizer: sentencepiece, vocabulary: own.model}\n");
  const auto text_parameters = [](const ProgramResult& result) {
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output).at("parameters").at("text").get<std::int64_t>();
  };
  constexpr std::int64_t kOfClip = 63'428'097, kClipEntries = 49'408, kWidth = 512;
  EXPECT_EQ(text_parameters(inspect({"--json"}, folder / "config.yaml")),
            kOfClip - (kClipEntries - 60) * kWidth);

  std::filesystem::remove(folder / "own.model");
  EXPECT_EQ(text_parameters(inspect({"--json", "model.text.vocabulary_size=100"}, folder / "config.yaml")),
            kOfClip - (kClipEntries - 100) * kWidth);
  const auto absent = inspect({"--json"}, folder / "config.yaml");
  EXPECT_EQ(absent.exit_code, 1);
  EXPECT_TRUE(absent.output.empty());
  EXPECT_EQ(lines_of(absent.errors).size(), 1u) << absent.errors;
  EXPECT_THAT(absent.errors, HasSubstr("own.model: no such file"));
  EXPECT_THAT(absent.errors, HasSubstr("set model.text.vocabulary_size"));
}

}  // namespace
}  // namespace actionclip
