// actionclip: the command-line program. Each sub-command is a file of this folder; the work is the library's.
// Exit codes: 0 done, 1 an error, 2 bad arguments or overrides, 75 stopped by a signal and resumable.

#include <cstdio>
#include <exception>
#include <string>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/log.h"

#include "tools/command.h"

namespace actionclip {
namespace {

// CLI11 only says "A subcommand is required" to a word that is none. Empty if `word` is a sub-command.
std::string unknown_command_message(const CLI::App& program, const std::string& word) {
  std::string names;
  for (const auto* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == word) return "";
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return fmt::format("unknown command '{}' (one of {})", word, names);
}

int report(const std::string& message, int exit_code) {
  fmt::print(stderr, "actionclip: {}\n", message);
  return exit_code;
}

int run(int argc, char** argv) {
  CLI::App program("ActionCLIP: train, evaluate and use video-text matching for action recognition.",
                   "actionclip");
  program.require_subcommand(1);
  program.set_version_flag("--version", ACTIONCLIP_VERSION);
  std::string log_level = "info";
  program.add_option("--log-level", log_level, "trace, debug, info, warn, error or off")
      ->capture_default_str();
  program.fallthrough();
  program.parse_complete_callback([&] { set_up_logging(log_level); });
  int exit_code = kExitDone;
  add_train_command(program, exit_code);
  add_evaluate_command(program, exit_code);
  add_zero_shot_command(program, exit_code);
  add_few_shot_command(program, exit_code);
  add_predict_command(program, exit_code);
  add_dataset_command(program, exit_code);
  add_inspect_command(program, exit_code);
  if (argc > 1 && argv[1][0] != '-') {
    const auto message = unknown_command_message(program, argv[1]);
    if (!message.empty()) return report(message, kExitUsage);
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) return program.exit(problem);  // --help, --version
    return report(fmt::format("{} (see --help)", problem.what()), kExitUsage);
  }
  return exit_code;
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  using namespace actionclip;
  try {
    return run(argc, argv);
  } catch (const UsageError& problem) {
    return report(problem.what(), kExitUsage);
  } catch (const Error& problem) {
    return report(problem.what(), kExitError);
  } catch (const c10::Error& problem) {
    return report(problem.what_without_backtrace(), kExitError);
  } catch (const std::exception& problem) {
    return report(problem.what(), kExitError);
  }
}
