#include "tests/end_to_end/program.h"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <signal.h>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "tests/places.h"

namespace actionclip {
namespace {

// The environment, with a cache of its own for each run, so that none depends on another or leaves anything.
std::vector<std::string> environment_with(const std::string& cache) {
  std::vector<std::string> variables{"XDG_CACHE_HOME=" + cache};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("XDG_CACHE_HOME=")) variables.emplace_back(*variable);
  }
  return variables;
}

// As exec takes them.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t start(const std::vector<std::string>& arguments, const std::string& output, const std::string& errors,
            const std::string& cache) {
  std::vector<std::string> words{tested_program()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto variables = environment_with(cache);
  const auto argv = pointers_to(words), environment = pointers_to(variables);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  pid_t child = 0;
  const int code = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) throw std::runtime_error("cannot start " + words[0]);
  return child;
}

// Waits until the run has logged `steps` lines.
void wait_for_steps(pid_t child, const std::filesystem::path& run, int steps) {
  if (steps <= 0) return;
  for (int i = 0; i < 6000 && kill(child, 0) == 0; ++i) {
    const auto file = run / "metrics.jsonl";
    if (std::filesystem::exists(file) && static_cast<int>(lines_of(read_text(file)).size()) >= steps) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void kill_with_children(pid_t process) {
  const auto children = children_of(process);
  kill(process, SIGKILL);
  for (const pid_t child : children) kill(child, SIGKILL);
}

// waitpid's status of the child, which is killed at the time limit (0: none).
int wait_for_end(pid_t child, std::chrono::seconds time_limit) {
  const auto deadline = std::chrono::steady_clock::now() + time_limit;
  bool watched = time_limit.count() > 0;
  for (int status = 0;;) {
    const pid_t ended = waitpid(child, &status, watched ? WNOHANG : 0);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) throw std::runtime_error("cannot wait for the program");
    if (!watched) continue;
    if (std::chrono::steady_clock::now() > deadline) {
      kill_with_children(child);
      watched = false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

std::vector<pid_t> children_of(pid_t process) {
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", process));
  return {std::istream_iterator<pid_t>(children), {}};
}

ProgramResult run_program(const std::vector<std::string>& arguments, const Disturbance& disturbance) {
  const TemporaryFolder folder;
  const pid_t child = start(arguments, (folder / "output").string(), (folder / "errors").string(),
                            (folder / "cache").string());
  if (disturbance.action) {
    wait_for_steps(child, disturbance.run, disturbance.after_steps);
    disturbance.action(child);
  }
  const int status = wait_for_end(child, disturbance.time_limit);
  ProgramResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.output = read_text(folder / "output");
  result.errors = read_text(folder / "errors");
  return result;
}

ProgramResult run_program(const std::vector<std::string>& arguments, const std::filesystem::path& run,
                          int stop_after) {
  if (stop_after <= 0) return run_program(arguments);
  return run_program(arguments, {.run = run, .after_steps = stop_after, .action = [](pid_t program) {
                                   kill(program, SIGTERM);
                                 }});
}

ProgramResult run_program(const std::vector<std::string>& arguments) {
  return run_program(arguments, Disturbance());
}

void make_tiny_experiment(const std::filesystem::path& folder) {
  const auto made = run_program({"dataset", "synthesize", "--output", (folder / "data").string(), "--train",
                                 "152", "--val", "8", "--test", "10", "--zero-shot", "40", "--few-shot-train",
                                 "3", "--few-shot-test", "1", "--stills", "24"});
  if (made.exit_code != 0) throw std::runtime_error("cannot synthesize: " + made.errors);
  write_text(folder / "config.yaml", R"(seed: 7
model:
  arch: custom
  init: {image: random, text: random}
  frames: 4
  fusion: Transf
  fusion_layers: 1
  embed_dim: 64
  vision: {image_size: 64, patch_size: 32, width: 64, layers: 1, heads: 1}
  text: {context_length: 24, vocabulary_size: 49408, width: 64, layers: 1, heads: 1}
data:
  labels: data/labels.csv
  train: {list: data/train.txt}
  val: {list: data/val.txt}
  test: {list: data/test.txt}
  num_workers: 1
  transforms: {scales: [1.0, 0.875], flip: 0.5, test_resize: 64}
train:
  epochs: 4
  batch_size: 16
  lr: 1.0e-3
  schedule: {kind: cosine, warmup_epochs: 1}
eval:
  batch_size: 4
  every_epochs: 2
)");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

}  // namespace actionclip
