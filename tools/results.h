// What a folder of results holds beside them, so that it tells where they come from.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

#include <c10/core/Device.h>

#include "actionclip/train/experiment.h"

namespace actionclip {

// What a command scored, and in which time: for machine.json.
struct WorkDone {
  double seconds = 0;
  std::int64_t videos = 0;
};

// Measures it, from its making on.
class WorkTimer {
 public:
  WorkDone done(std::int64_t videos) const {
    return {.seconds = std::chrono::duration<double>(Clock::now() - start_).count(), .videos = videos};
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

// Sets the entry `command` of machine.json in `folder`: the program's version and torch's, the device, the
// number of ranks and the machine. Entries of other commands stay. Throws Error if it cannot be written.
void write_machine(const std::filesystem::path& folder, const char* command, c10::Device device, int ranks,
                   const std::optional<WorkDone>& work = std::nullopt);

// Adds to the results of `command` in `folder` its settings (as `config_name`), machine.json and report.html.
// Nothing if `folder` is empty. Throws Error as write_machine(); without the report there is a warning.
void describe_results(const std::filesystem::path& folder, const char* command, const char* config_name,
                      const Experiment& experiment, c10::Device device, int ranks,
                      const std::optional<WorkDone>& work = std::nullopt);

}  // namespace actionclip
