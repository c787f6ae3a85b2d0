// actionclip dataset: making data sets, and the vocabularies of their texts.

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "actionclip/video/synthetic.h"

#include "tools/command.h"
#include "tools/dataset_commands.h"
#include "tools/dataset_tokenizer.h"

namespace actionclip {
namespace {

void add_synthesize(CLI::App& dataset) {
  struct Options {
    SyntheticConfig config;
    std::string output;
  };
  auto options = std::make_shared<Options>();
  auto* command = dataset.add_subcommand(
      "synthesize",
      "render synthetic clips (H.264) and captioned stills, to try everything without a download");
  command->add_option("--output", options->output, "folder to make")->required();
  auto& config = options->config;
  command->add_option("--seed", config.seed, "the same seed gives the same bytes")
      ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()))  // -1 would wrap around
      ->capture_default_str();
  command->add_option("--train", config.train_clips, "training clips")->capture_default_str();
  command->add_option("--val", config.val_clips, "validation clips")->capture_default_str();
  command->add_option("--test", config.test_clips, "test clips")->capture_default_str();
  command->add_option("--zero-shot", config.zero_shot_clips, "clips of held-out sentences")
      ->capture_default_str();
  command->add_option("--few-shot-train", config.few_shot_train_clips, "few-shot training clips a class")
      ->capture_default_str();
  command->add_option("--few-shot-test", config.few_shot_test_clips, "few-shot test clips a class")
      ->capture_default_str();
  command->add_option("--stills", config.stills, "captioned stills")->capture_default_str();
  command->add_option("--frame-size", config.frame_size, "pixels, both sides")->capture_default_str();
  command->add_option("--frames", config.frames_per_clip, "frames a clip")->capture_default_str();
  command->footer(
      "Example:\n  actionclip dataset synthesize --output data/synthetic --seed 1024\nA folder made with the "
      "same settings is left as it is.");
  command->callback([options] {
    synthesize(options->config, options->output);
    fmt::print("{}: synthetic clips and stills (seed {})\n", options->output, options->config.seed);
  });
}

}  // namespace

void add_dataset_command(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("dataset", "make data sets, and vocabularies of their texts");
  command->require_subcommand(1);
  add_synthesize(*command);
  add_dataset_prepare(*command, exit_code);
  add_dataset_extract(*command, exit_code);
  add_dataset_verify(*command, exit_code);
  add_dataset_stats(*command, exit_code);
  add_dataset_tokenizer(*command);
}

}  // namespace actionclip
