// actionclip inspect: looking at what a run would use.

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tools/command.h"

namespace actionclip {
namespace {

void add_config(CLI::App& inspect) {
  struct Options {
    std::string file;
    std::vector<std::string> overrides;
  };
  auto options = std::make_shared<Options>();
  auto* command = inspect.add_subcommand(
      "config", "the experiment with its base files, defaults and overrides resolved, as YAML");
  command->add_option("file", options->file, "the experiment's YAML file")->required();
  command->add_option("overrides", options->overrides,
                      "settings that replace the file's, e.g. train.batch_size=64");
  command->footer(
      "Example:\n  actionclip inspect config configs/synthetic/finetune.yaml train.batch_size=64");
  command->callback([options] {
    fmt::print("{}", to_yaml(load_experiment(options->file, options->overrides, /*unread=*/{""})));
  });
}

}  // namespace

void add_inspect_command(CLI::App& program, int& /*exit_code*/) {
  auto* command = program.add_subcommand("inspect", "look at what a run would use");
  command->require_subcommand(1);
  add_config(*command);
}

}  // namespace actionclip
