// Parameters and operations that cost.h computes, against built models and an independent counter.

#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/model/action_clip.h"
#include "actionclip/model/cost.h"
#include "actionclip/train/parameter_groups.h"

#include "tests/model/cost_cases.h"
#include "tests/parity/run_python.h"

namespace actionclip {
namespace {

ActionClipConfig sizes_of(const std::string& arch, FusionType fusion) {
  ModelConfig config;
  config.arch = arch;
  config.fusion = fusion;
  return resolve(config);
}

std::int64_t& of_part(PerPart<std::int64_t>& counts, ModelPart part) {
  switch (part) {
    case ModelPart::image:
      return counts.image;
    case ModelPart::fusion:
      return counts.fusion;
    case ModelPart::context:
      return counts.context;
    case ModelPart::classifier:
      return counts.classifier;
    case ModelPart::text:
      break;
  }
  return counts.text;
}

PerPart<std::int64_t> count(const ActionClip& model, bool trained_only = false) {
  PerPart<std::int64_t> counts;
  for (const auto& parameter : model->named_parameters()) {
    if (!trained_only || parameter.value().requires_grad())
      of_part(counts, part_of(parameter.key())) += parameter.value().numel();
  }
  return counts;
}

void expect_equal(const PerPart<std::int64_t>& computed, const PerPart<std::int64_t>& counted) {
  EXPECT_EQ(computed.image, counted.image);
  EXPECT_EQ(computed.text, counted.text);
  EXPECT_EQ(computed.fusion, counted.fusion);
  EXPECT_EQ(computed.context, counted.context);
  EXPECT_EQ(computed.classifier, counted.classifier);
}

TEST(Cost, ParametersAreThoseOfTheBuiltModels) {
  auto models = small_models();
  models.emplace_back("ViT-B/32", sizes_of("ViT-B/32", FusionType::Transf));
  models.emplace_back("ViT-B/16", sizes_of("ViT-B/16", FusionType::meanP));
  models.emplace_back("RN50", sizes_of("RN50", FusionType::Transf_cls));
  for (const auto& [name, sizes] : models) {
    SCOPED_TRACE(name);
    expect_equal(count_parameters(sizes), count(ActionClip(sizes)));
  }
}

TEST(Cost, TrainedParametersAreThoseOfEachTasksGroups) {
  const auto sizes = small_model();
  for (const auto task : {TrainTask::pretrain, TrainTask::prompt, TrainTask::finetune}) {
    for (const bool fix_text : {false, true}) {
      SCOPED_TRACE(fmt::format("task {}, fix_text {}", static_cast<int>(task), fix_text));
      ActionClip model(sizes);
      TrainConfig config;
      config.task = task;
      trainable_groups(model, config, fix_text);
      expect_equal(count_trained(sizes, trained_parts(config, fix_text, /*classifier=*/false)),
                   count(model, /*trained_only=*/true));
    }
  }
}

// What learns in the models that are compared, by name.
std::vector<std::pair<std::string, TrainedParts>> choices() {
  return {{"all", {}},
          {"last blocks", {.image_blocks = 2, .text_blocks = 1}},
          {"ends", {.image_blocks = 0, .text_blocks = 0}},
          {"heads", {.image = false, .text = false, .logit_scale = false}},
          {"context",
           {.image = false, .text = false, .fusion = false, .classifier = false, .logit_scale = false}},
          {"encoders", {.fusion = false, .context = false, .classifier = false}}};
}

TEST(Cost, TrainedParametersAreThoseOfTheLastBlocksAndParts) {
  for (const auto& [name, sizes] : small_models()) {
    ActionClip model(sizes);
    for (const auto& [choice, trained] : choices()) {
      SCOPED_TRACE(name + ": " + choice);
      let_learn(model, trained);
      expect_equal(count_trained(sizes, trained), count(model, /*trained_only=*/true));
    }
  }
}

std::int64_t mlp_width(std::int64_t given, std::int64_t width) { return given > 0 ? given : 4 * width; }

nlohmann::json vision_request(const VisionConfig& vision) {
  if (vision.is_resnet()) {
    return {{"image_size", vision.image_size},
            {"width", vision.width},
            {"heads", vision.heads},
            {"stages", vision.stages}};
  }
  return {{"image_size", vision.image_size}, {"patch_size", vision.patch_size},
          {"width", vision.width},           {"layers", vision.layers},
          {"heads", vision.heads},           {"mlp_width", mlp_width(vision.mlp_width, vision.width)},
          {"joint", vision.joint_frames > 0}};
}

// How many of the last blocks learn, as flop_reference.py takes it.
nlohmann::json learning(bool learns, const std::optional<std::int64_t>& blocks) {
  if (!learns) return -1;
  return blocks ? nlohmann::json(*blocks) : nlohmann::json();
}

struct FlopCase {
  std::string name;
  ActionClipConfig sizes;
  TrainedParts trained;
};

StepSettings one_video(const TrainedParts& trained) {
  return {.batch_size = 1, .frames = 4, .text_length = 11, .trained = trained};
}

nlohmann::json request_of(const FlopCase& flop_case) {
  const auto& [name, sizes, trained] = flop_case;
  const auto step = one_video(trained);
  const auto& text = sizes.text;
  return {
      {"vision", vision_request(sizes.vision)},
      {"text",
       {{"width", text.width},
        {"layers", text.layers},
        {"heads", text.heads},
        {"mlp_width", mlp_width(text.mlp_width, text.width)},
        {"length", step.text_length}}},
      {"fusion",
       {{"type", boost::describe::enum_to_string(sizes.fusion.type, "")}, {"layers", sizes.fusion.layers}}},
      {"embed_dim", sizes.vision.output_dim},
      {"frames", step.frames},
      {"classes", sizes.classes},
      {"trained",
       {{"image", learning(trained.image, trained.image_blocks)},
        {"text", learning(trained.text, trained.text_blocks)},
        {"context", trained.context && sizes.context.length > 0},
        {"fusion", trained.fusion}}}};
}

std::vector<FlopCase> flop_cases() {
  auto context = small_model(), classifier = small_model();
  context.context.length = 4;
  classifier.classes = 400;
  std::vector<FlopCase> cases = {
      {"ViT-B/32", sizes_of("ViT-B/32", FusionType::Transf), {}},
      {"last blocks", small_model(), {.image_blocks = 3, .text_blocks = 0}},
      {"RN50", sizes_of("RN50", FusionType::meanP), {}},
      {"resnet, last blocks", small_resnet_model(), {.image_blocks = 2, .text_blocks = 1}},
      {"resnet, frozen", small_resnet_model(FusionType::Transf), {.image = false, .text = false}},
      {"joint, last blocks", small_joint_model(), {.image_blocks = 1}},
      {"context alone", context, {.image = false, .text = false, .fusion = false}},
      {"context with the last block", context, {.text_blocks = 1}},
      {"fusion frozen", small_model(), {.fusion = false}},
      {"classifier", classifier, {}},
      {"classifier of frozen features", classifier, {.image = false, .fusion = false}},
  };
  for (const auto& [name, sizes] : small_models()) {
    if (sizes.context.length == 0 && sizes.classes == 0) cases.push_back({name, sizes, {}});
  }
  for (const auto fusion :
       {FusionType::Conv_1D, FusionType::LSTM, FusionType::Transf, FusionType::Transf_cls}) {
    cases.push_back({fmt::format("prompt, head {}", static_cast<int>(fusion)),
                     small_model(fusion),
                     {.image = false, .text = false}});
    cases.push_back(
        {fmt::format("frozen head {}", static_cast<int>(fusion)), small_model(fusion), {.fusion = false}});
  }
  return cases;
}

void expect_equal_flops(const FlopCase& flop_case, const nlohmann::json& reference) {
  const auto& [name, sizes, trained] = flop_case;
  const auto step = one_video(trained);
  const auto forward = forward_flops(sizes, step), training = training_flops(sizes, step);
  const auto of = [&](const char* part, const char* figure) {
    return reference.at(part).at(figure).get<double>();
  };
  EXPECT_DOUBLE_EQ(forward.image, of("image", "forward"));
  EXPECT_LT(forward.image, of("image", "forward_whole"));
  EXPECT_DOUBLE_EQ(forward.text, of("text", "forward"));
  EXPECT_LT(forward.text, of("text", "forward_whole"));
  EXPECT_DOUBLE_EQ(forward.fusion, of("fusion", "forward"));
  EXPECT_DOUBLE_EQ(training.image, of("image", "training"));
  if (sizes.classes == 0) {
    EXPECT_DOUBLE_EQ(training.text, of("text", "training"));
  } else {
    EXPECT_EQ(training.text, 0);  // no text is encoded
    EXPECT_DOUBLE_EQ(forward.classifier, of("classifier", "forward"));
    EXPECT_DOUBLE_EQ(training.classifier, of("classifier", "training"));
  }
  if (sizes.fusion.type == FusionType::Conv_1D) {
    // By hand, as torch's counter takes the gradient of a grouped weight for that of a whole one: forward,
    // and once more for the gradient of the weight and for that of the frames.
    EXPECT_DOUBLE_EQ(training.fusion, (1 + trained.fusion + trained.image) * forward.fusion);
  } else {
    EXPECT_DOUBLE_EQ(training.fusion, of("fusion", "training"));
  }
}

// Both encoders compute their last block for one position; the reference counts that, and the whole block.
TEST(Cost, FlopsEqualTorchsCounter) {
  const auto cases = flop_cases();
  nlohmann::json requests = nlohmann::json::array();
  for (const auto& flop_case : cases) requests.push_back(request_of(flop_case));
  const auto answers = nlohmann::json::parse(run_python("flop_reference.py", {requests.dump()}));
  ASSERT_EQ(answers.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].name);
    expect_equal_flops(cases[i], answers[i]);
  }
}

}  // namespace
}  // namespace actionclip
