// Weights between programs: each case of tests/parity/weights_round_trip.py converts with this program and
// loads the result strictly with the other, which must compute the same.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/weights/initialize.h"

#include "tests/child_process.h"
#include "tests/end_to_end/program.h"
#include "tests/parity/reference_files.h"
#include "tests/parity/run_python.h"
#include "tests/places.h"
#include "tests/temporary_folder.h"
#include "tests/weights/large_model.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class RoundTrip : public ::testing::TestWithParam<const char*> {};

TEST_P(RoundTrip, TheOtherProgramLoadsItStrictlyAndComputesTheSame) {
  const TemporaryFolder folder;
  run_python("weights_round_trip.py", {tested_program(), GetParam(), folder.path().string()});
}

INSTANTIATE_TEST_SUITE_P(Convert, RoundTrip,
                         ::testing::Values("open_clip_gelu", "open_clip_wide_mlp", "open_clip_layer_scale",
                                           "open_clip_resnet", "open_clip_custom_text", "open_clip_end_token",
                                           "torch_save_of_a_wrapped_model", "huggingface_one_file",
                                           "huggingface_gelu_through_open_clip", "huggingface_sharded",
                                           "huggingface_pickled_shards", "huggingface_pickled_half",
                                           "openai_archive", "openai_resnet_archive", "published_mean",
                                           "published_transf_with_shift", "published_transf_cls",
                                           "published_lstm", "published_conv", "mmaction2"),
                         [](const auto& test) { return std::string(test.param); });

// A native file of a small model with a fusion head.
class WeightsCommands : public ::testing::Test {
 protected:
  void SetUp() override { write_weights(file_, tensors_, to_metadata(small_sizes())); }

  ProgramResult convert(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "convert");
    return run_program(arguments);
  }

  ProgramResult inspect(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"inspect", "weights"});
    return run_program(arguments);
  }

  TemporaryFolder folder_;
  StateDict tensors_ = state_dict(ActionClip(small_sizes()));
  std::string file_ = folder_ / "in.safetensors";
  std::string output_ = folder_ / "out";
};

std::int64_t numbers_below(const StateDict& tensors, const std::string& prefix) {
  std::int64_t numbers = 0;
  for (const auto& [name, tensor] : tensors) numbers += name.starts_with(prefix) ? tensor.numel() : 0;
  return numbers;
}

void expect_error(const ProgramResult& result, int exit_code, const std::string& what) {
  EXPECT_EQ(result.exit_code, exit_code) << result.output;
  EXPECT_EQ(lines_of(result.errors).size(), 1u) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr(what));
}

// What `inspect weights --json` says that a tensor of the file is.
nlohmann::json native_of(const nlohmann::json& report, const std::string& name) {
  for (const auto& tensor : report.at("tensors")) {
    if (tensor.at("name") == name) return tensor.at("native");
  }
  return "no tensor of this name";
}

TEST_F(WeightsCommands, ConvertTellsWhatWasUsedAndWhatLeftOut) {
  const auto result = convert({file_, output_, "--to", "huggingface"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("safetensors, names of native"),
                                   HasSubstr("vision transformer of 1 blocks, width 64, patches of 16"),
                                   HasSubstr("fusion Transf of 1 blocks"), HasSubstr("missing: none"),
                                   HasSubstr("left over: none"), HasSubstr("names of huggingface"),
                                   HasSubstr("no place for them: 13"),
                                   HasSubstr("\n  fusion.frame_position_embeddings.weight\n")));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/config.json"));
}

TEST_F(WeightsCommands, ConvertDoesNotOverwriteUnlessForced) {
  const std::vector<std::string> arguments = {file_, output_, "--to", "openai"};
  ASSERT_EQ(convert(arguments).exit_code, 0);
  expect_error(convert(arguments), 1, "is there already");
  auto forced = arguments;
  forced.emplace_back("--force");
  EXPECT_EQ(convert(forced).exit_code, 0);
  EXPECT_EQ(convert({file_, file_, "--to", "native", "--dtype", "bf16", "--force"}).exit_code, 0);
  EXPECT_EQ(load_weights(file_).tensors.at("visual.proj").scalar_type(), at::kBFloat16) << "in its own place";
}

TEST_F(WeightsCommands, WhatTheFileDoesNotSayIsGivenByArchitectureOrActivation) {
  write_weights(file_, tensors_, {});
  const auto activation_of = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {file_, output_, "--to", "native", "--force"});
    const auto result = convert(more);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_EQ(result.output.find("no file says which activation") != std::string::npos, more.size() == 5);
    return load_weights(output_).config.text.activation;
  };
  EXPECT_EQ(activation_of({}), Activation::quick_gelu);
  EXPECT_EQ(activation_of({"--activation", "gelu"}), Activation::gelu);
  expect_error(convert({output_, folder_ / "other", "--to", "native", "--activation", "quick_gelu"}), 2,
               "--activation quick_gelu: the model has another");
  expect_error(convert({file_, folder_ / "other", "--to", "native", "--arch", "ViT-B-32"}), 2,
               "--arch ViT-B-32: the weights are of another architecture");
  expect_error(convert({file_, folder_ / "other", "--to", "native", "--arch", "ViT-B-23"}), 2,
               "did you mean");
}

TEST_F(WeightsCommands, TheFolderThatTheOutputLiesInMustBeThereBeforeAnythingIsRead) {
  const auto absent = (folder_ / "absent").string();
  for (const char* scheme : {"native", "huggingface"}) {
    const auto result = convert({folder_ / "none.safetensors", absent + "/deeper/out", "--to", scheme});
    expect_error(result, 1, absent + "/deeper/out: there is no folder " + absent + "/deeper: make it first");
    EXPECT_THAT(result.errors, Not(HasSubstr(".tmp.")));
    EXPECT_FALSE(std::filesystem::exists(absent));
  }
}

TEST_F(WeightsCommands, AnUnknownArchitectureIsToldWithoutTheWholeList) {
  write_weights(file_, tensors_, {});
  const auto result = convert({file_, output_, "--to", "native", "--arch", "ViT-Z"});
  expect_error(result, 2, "`actionclip convert --help` lists");
  EXPECT_LT(result.errors.size(), 200u) << result.errors;
  const auto help = convert({"--help"});
  EXPECT_THAT(help.output, AllOf(HasSubstr("ViT-B/16"), HasSubstr("ViT-e-14"), HasSubstr("RN50x64")));
}

TEST_F(WeightsCommands, ConvertRefusesModelsThatAreNotWholeAndUnknownSchemes) {
  tensors_.erase("ln_final.bias");
  write_weights(file_, tensors_, {});
  expect_error(convert({file_, output_, "--to", "openai"}), 1, "missing ln_final.bias [64]");
  EXPECT_FALSE(std::filesystem::exists(output_));
  expect_error(convert({file_, output_, "--to", "keras"}), 2, "--to");
  expect_error(convert({folder_ / "none.safetensors", output_, "--to", "openai"}), 1, "none.safetensors");
}

// As CoCa's and attentional pooling are: what the names of CLIP's model are of is only a part of it.
TEST_F(WeightsCommands, AModelOfAnotherKindIsNotTakenForThePartOfItThatIsClips) {
  tensors_["visual.attn_pool.query"] = at::zeros({4, 64});
  write_weights(file_, tensors_, {});
  const auto converted = convert({file_, output_, "--to", "native"});
  EXPECT_EQ(converted.exit_code, 1);
  EXPECT_THAT(converted.errors,
              AllOf(HasSubstr("of a model of another kind"), HasSubstr("visual.attn_pool.query")));
  EXPECT_FALSE(std::filesystem::exists(output_));
  const auto inspected = inspect({file_});
  EXPECT_EQ(inspected.exit_code, 1);
  EXPECT_THAT(inspected.output,
              ContainsRegex("surplus, of a model of another kind: 1\n  visual.attn_pool.query"));
}

TEST_F(WeightsCommands, WeightsOfWholeNumbersAreRefusedAsQuantised) {
  tensors_["visual.proj"] = at::zeros({64, 64}, at::kChar);
  write_weights(file_, tensors_, {});
  const auto converted = convert({file_, output_, "--to", "native"});
  EXPECT_EQ(converted.exit_code, 1);
  EXPECT_THAT(converted.errors, AllOf(HasSubstr("visual.proj"), HasSubstr("not quantised")));
}

TEST_F(WeightsCommands, ConvertNamesTheFileOfNumbersThatAnotherTypeCannotHold) {
  tensors_["visual.proj"] = at::full({64, 64}, 1e5);
  write_weights(file_, tensors_, to_metadata(small_sizes()));
  expect_error(convert({file_, output_, "--to", "openai", "--dtype", "fp16"}), 1,
               "in.safetensors: visual.proj holds numbers that Half cannot");
}

TEST_F(WeightsCommands, InspectShowsFormatArchitectureAndTensors) {
  const auto result = inspect({file_});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("safetensors, " + std::to_string(tensors_.size()) + " tensors"),
                                   HasSubstr("metadata actionclip.model: "), HasSubstr("names: native"),
                                   HasSubstr("parameters: "), HasSubstr("missing: none"),
                                   HasSubstr("visual.transformer.resblocks.*.mlp.c_fc.weight"),
                                   HasSubstr("F32"), HasSubstr("[256, 64]")));
  const auto all = inspect({file_, "--all"});
  EXPECT_THAT(all.output,
              AllOf(HasSubstr("visual.transformer.resblocks.0.mlp.c_fc.weight"), Not(HasSubstr(".*."))));
}

TEST_F(WeightsCommands, InspectShowsHeadsAndActivationAndWhetherTheyAreTold) {
  EXPECT_THAT(inspect({file_}).output,
              HasSubstr("\nheads: image 2, text 2\nactivation: quick_gelu\nparameters: "));
  write_weights(file_, tensors_, {});
  EXPECT_THAT(inspect({file_}).output, HasSubstr("\nheads: image 1, text 1 (not told by the file: assumed)\n"
                                                 "activation: quick_gelu (not told by the file: assumed)\n"));
}

TEST_F(WeightsCommands, InspectPrintsJsonWithEveryTensor) {
  const auto result = inspect({file_, "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json.at("scheme"), "native");
  EXPECT_EQ(json.at("tensors").size(), tensors_.size());
  EXPECT_EQ(json.at("used"), tensors_.size());
  EXPECT_EQ(json.at("architecture").at("config").at("vision").at("heads"), 2);
  EXPECT_EQ(json.at("parameters").at("image"), numbers_below(tensors_, "visual."));
}

TEST_F(WeightsCommands, InspectOfADamagedModelStillShowsItsTensorsAndFails) {
  tensors_.erase("visual.proj");
  tensors_["left.over"] = at::zeros({2});
  write_weights(file_, tensors_, {});
  auto result = inspect({file_});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("architecture: cannot tell the architecture: missing visual.proj"),
                    HasSubstr("visual.ln_pre.weight")));
  EXPECT_THAT(result.errors, HasSubstr("it holds no whole model"));
  tensors_["visual.proj"] = at::zeros({64, 64});
  tensors_.erase("ln_final.bias");
  write_weights(file_, tensors_, {});
  result = inspect({file_, "--json"});
  EXPECT_EQ(result.exit_code, 1);
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json.at("missing"), nlohmann::json::array({"ln_final.bias"}));
  EXPECT_EQ(json.at("surplus"), nlohmann::json::array({"left.over"}));
  EXPECT_TRUE(native_of(json, "left.over").is_null());
}

TEST_F(WeightsCommands, InspectTellsWhichTensorsAreUsedAndAsWhat) {
  ASSERT_EQ(convert({file_, output_, "--to", "huggingface"}).exit_code, 0);
  const std::string projection = "vision_model.encoder.layers.0.self_attn.q_proj.weight",
                    native = "visual.transformer.resblocks.0.attn.in_proj_weight";
  const auto all = inspect({output_, "--all"});
  EXPECT_THAT(all.output, ContainsRegex(projection + " +F32 +\\[64, 64\\] +" + native + "\n"));
  EXPECT_THAT(all.output, ContainsRegex("logit_scale +F32 +\\[\\]\n")) << "the same name is not repeated";
  const auto file = folder_ / "out/model.safetensors";
  auto tensors = read_tensors(file);
  tensors["vision_model.extra"] = at::zeros({2});
  write_weights(file, tensors, {});
  const auto json = nlohmann::json::parse(inspect({output_, "--json"}).output);
  EXPECT_EQ(native_of(json, projection), native);
  EXPECT_EQ(native_of(json, "logit_scale"), "logit_scale");
  EXPECT_TRUE(native_of(json, "vision_model.extra").is_null());
}

TEST_F(WeightsCommands, InspectOfAFolderWithABadDescriptionStillShowsItsTensors) {
  ASSERT_EQ(convert({file_, output_, "--to", "huggingface"}).exit_code, 0);
  write_text(folder_ / "out/config.json", R"({"model_type": "bert"})");
  const auto result = inspect({output_, "--json"});
  expect_error(result, 1, "it holds no whole model");
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_THAT(json.at("problem").get<std::string>(), AllOf(HasSubstr("config.json"), HasSubstr("bert")));
  EXPECT_EQ(json.at("tensors").size(), read_tensors(folder_ / "out/model.safetensors").size());
  EXPECT_TRUE(native_of(json, "logit_scale").is_null());
  EXPECT_THAT(inspect({output_}).output,
              AllOf(HasSubstr("architecture: "), HasSubstr("bert"), HasSubstr("logit_scale")));
  expect_error(convert({output_, folder_ / "other", "--to", "native"}), 1, "bert");
}

TEST_F(WeightsCommands, InspectEscapesWhatControlsATerminal) {
  auto metadata = to_metadata(small_sizes());
  metadata["bell\a"] =
      "\x1b[31mred\nnext \xc2\x9b"
      "0m";
  metadata["cut"] = std::string(99, 'a') + "\xc3\xa9 and more";
  write_weights(file_, tensors_, metadata);
  const auto result = inspect({file_});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("metadata bell\\x07: \\x1b[31mred next \\xc2\\x9b0m\n"),
                                   HasSubstr(fmt::format("metadata cut: {}...\n", std::string(99, 'a'))),
                                   Not(HasSubstr("\x1b")), Not(HasSubstr("\a"))));
}

// By how many times the bytes of its tensors the program's peak of memory is higher for the large model than
// for the small one. The program is started by a process that is small itself: a peak is inherited.
double memory_of_program(const std::filesystem::path& folder,
                         const std::function<std::vector<std::string>(const std::string& file)>& arguments) {
  const auto report = run_in_child(folder, [&] {
    const auto peak = [&](const char* name) -> std::int64_t {
      const auto result = run_program(arguments((folder / name).string()));
      rusage usage{};
      getrusage(RUSAGE_CHILDREN, &usage);
      return result.exit_code == 0 ? usage.ru_maxrss * 1024 : -1;
    };
    const auto small = peak("small.safetensors");
    const auto large = peak("large.safetensors");
    return small < 0 || large < 0 ? std::string("failed") : std::to_string(large - small);
  });
  EXPECT_EQ(report.status, 0);
  EXPECT_NE(report.text, "failed");
  const auto tensors = std::filesystem::file_size(folder / "large.safetensors");
  return static_cast<double>(std::atoll(report.text.c_str())) / static_cast<double>(tensors);
}

TEST(WeightsCommandsMemory, InspectAndConvertHoldTheTensorsOnce) {
  if (!kMemoryTells) GTEST_SKIP() << "memory tells nothing under this sanitizer";
  const TemporaryFolder folder;
  const auto written = run_in_child(folder.path(), [&] {
    at::set_num_threads(1);  // the parent's threads are not the child's
    write_model(folder / "small.safetensors", kFewBlocks);
    write_model(folder / "large.safetensors", kManyBlocks);
    return std::string("written");
  });
  ASSERT_EQ(written.text, "written");
  EXPECT_LT(memory_of_program(folder.path(),
                              [](const std::string& file) {
                                return std::vector<std::string>{"inspect", "weights", file, "--json"};
                              }),
            1.3);
  for (const std::string dtype : {"keep", "fp16"}) {
    const auto memory = memory_of_program(folder.path(), [&](const std::string& file) {
      return std::vector<std::string>{
          "convert", file, (folder / "out").string(), "--to", "openai", "--dtype", dtype, "--force"};
    });
    EXPECT_LT(memory, 1.3) << dtype;
  }
}

}  // namespace
}  // namespace actionclip
