// Runs the reference implementations: Python scripts of tests/parity, in the Python that the build names.
#pragma once

#include <array>
#include <cerrno>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "tests/places.h"

namespace actionclip {

// Runs tests/parity/<script> with `arguments` and returns what it wrote to standard output; standard error
// goes to the test's. Throws std::runtime_error, which fails the test that calls it, if the script cannot
// start or does not exit with 0.
inline std::string run_python(const std::string& script, const std::vector<std::string>& arguments = {}) {
  std::vector<std::string> command{test_python(), "-B", source_folder() / "tests/parity" / script};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& argument : command) argv.push_back(argument.data());
  argv.push_back(nullptr);

  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  pid_t child = 0;
  const int failure = ::posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failure != 0) {
    ::close(ends[0]);
    throw std::system_error(failure, std::generic_category(), "cannot start " + command[0]);
  }

  std::string output;
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t size = ::read(ends[0], chunk.data(), chunk.size());
    if (size > 0) output.append(chunk.data(), static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EINTR)) break;
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error(command[2] + " failed with wait status " + std::to_string(status) +
                             "; its output: " + output);
  }
  return output;
}

}  // namespace actionclip
