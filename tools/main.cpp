// actionclip: the command-line program. Each sub-command is a file of this folder; the work is the library's.
// Exit codes: 0 done, 1 an error, 2 bad arguments or overrides, 75 stopped by a signal and resumable.

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <string>
#include <unistd.h>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/log.h"
#include "actionclip/core/memory.h"

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

// A file that is opened takes the lowest free descriptor. Where a standard stream is closed, that would be
// its own, and what is printed would end up in the file. Reading the placeholder of standard input and
// writing that of standard output fail, as with none.
void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) >= 0) continue;
    [[maybe_unused]] const int placeholder =
        open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
  }
}

// What is printed waits in a buffer: whether there was room for it shows here only.
int finish_output(int exit_code) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  const char* reason = errno != 0 ? std::strerror(errno) : "a write to it failed";
  return report(fmt::format("cannot write standard output: {}", reason),
                exit_code == kExitDone ? kExitError : exit_code);
}

// A command's help lists the command's own options only.
void mention_global_options(CLI::App& app) {
  for (auto* command : app.get_subcommands([](CLI::App*) { return true; })) {
    const auto footer = command->get_footer();
    command->footer(footer + (footer.empty() ? "" : "\n") +
                    "Every command takes --log-level too (see actionclip --help).");
    mention_global_options(*command);
  }
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
  add_interpolate_command(program, exit_code);
  add_few_shot_command(program, exit_code);
  add_rescore_command(program, exit_code);
  add_base_to_novel_command(program, exit_code);
  add_features_command(program, exit_code);
  add_sweep_command(program, exit_code);
  add_predict_command(program, exit_code);
  add_convert_command(program, exit_code);
  add_dataset_command(program, exit_code);
  add_inspect_command(program, exit_code);
  add_report_command(program);
  add_compare_command(program);
  mention_global_options(program);
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

int run_and_report(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (...) {
    return report_exception();
  }
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  actionclip::keep_freed_memory();
  actionclip::occupy_standard_descriptors();
  return actionclip::finish_output(actionclip::run_and_report(argc, argv));
}
