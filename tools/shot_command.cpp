#include "tools/shot_command.h"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/error.h"
#include "actionclip/distributed/launch_environment.h"

namespace actionclip {
namespace {

// As they are given on the command line: "1,2,4".
std::string joined(const std::vector<std::int64_t>& numbers) {
  return fmt::format("{}", fmt::join(numbers, ","));
}

// Twice the same would count one run as two.
void require_different(const char* option, const std::vector<std::int64_t>& numbers) {
  if (std::set(numbers.begin(), numbers.end()).size() != numbers.size())
    throw UsageError(fmt::format("{} {}: a number is given twice", option, joined(numbers)));
}

// Behind a list of options, the next word is an override.
void add_files_option(CLI::App& command, const char* name, std::vector<std::string>& files,
                      const char* description) {
  command.add_option(name, files, description)->allow_extra_args(false)->check(CLI::ExistingFile);
}

}  // namespace

void ShotCommandOptions::add_to(CLI::App& command, ShotOptions& runs) {
  experiment.add_to(command);
  command.add_option("--weights", weights, "where every run starts (instead of model.weights)");
  command
      .add_option(
          "--output", output,
          "folder of the runs; those of the same settings, weights and lists in it are re-used, others "
          "are put aside")
      ->required();
  command
      .add_option("--shots", runs.shots,
                  "numbers of clips a class, comma separated; 0: the weights as they are")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(0, 1000000))
      ->default_str(joined(runs.shots));
  command.add_option("--seeds", runs.seeds, "seeds, comma separated")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(0, 1000000000))
      ->default_str(joined(runs.seeds));
  command
      .add_option(
          "--dev", runs.dev,
          "clips a class, of those that no number of shots takes, on which a run's best epoch is found; "
          "0: the last epoch counts")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  add_files_option(command, "--manifest", manifests,
                   "manifest.csv of `dataset verify`, given several times for several: a chosen clip of the "
                   "same content as a test video is found too");
  command
      .add_option("--against", against,
                  "another test list, in the form of data.test: no chosen clip may be in it; given several "
                  "times for several")
      ->allow_extra_args(false)
      ->check(CLI::ExistingPath);
  protocol.add_to(command);
  command.add_flag("--json", json, "print JSON");
}

Experiment ShotCommandOptions::load(ShotOptions& runs, TestVideos scored) {
  if (const auto environment = read_launch_environment(); environment && environment->world_size > 1) {
    throw UsageError(fmt::format("{} has started {} processes, and this protocol runs in one: start it alone",
                                 environment->launcher, environment->world_size));
  }
  require_different("--shots", runs.shots);
  require_different("--seeds", runs.seeds);
  override_weights(experiment, weights);
  Experiment loaded = experiment.load({"data.val"});
  runs.output = output;
  runs.manifests.assign(manifests.begin(), manifests.end());
  runs.against.assign(against.begin(), against.end());
  runs.device = choose_device(experiment.device);
  auto test = loaded.data.test;
  if (scored == TestVideos::in_parts) test.protocol.clear();  // is of the whole list
  runs.check_lists = [check = ProtocolCheck(protocol, {test})](const auto& lists) mutable {
    auto matches = check.check(lists);
    check.record();
    return matches;
  };
  return loaded;
}

}  // namespace actionclip
