// How the benchmarks end: with one line where something goes wrong.
#pragma once

#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "actionclip/core/exit_code.h"

namespace actionclip {

// Runs `work`, which parses the arguments of `program` too. The exit status of the process.
template <typename Work>
int run_benchmark(const CLI::App& program, const Work& work) {
  try {
    work();
    return kExitDone;
  } catch (const CLI::ParseError& problem) {
    return program.exit(problem) == 0 ? kExitDone : kExitUsage;
  } catch (const c10::Error& problem) {
    fmt::print(stderr, "{}: {}\n", program.get_name(), problem.what_without_backtrace());
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}: {}\n", program.get_name(), problem.what());
  }
  return kExitError;
}

}  // namespace actionclip
