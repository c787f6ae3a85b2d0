#include "actionclip/train/run_folder.h"

#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/train/checkpoint.h"

#include "config_changes.h"

namespace actionclip {

namespace {

bool is_checkpoint_of(const std::filesystem::path& checkpoint, const std::filesystem::path& run_folder) {
  std::error_code absent;
  const auto place = std::filesystem::canonical(checkpoint, absent);
  return !absent && std::filesystem::equivalent(place.parent_path(), run_folder / "checkpoints", absent);
}

// Tells what changes for a run that goes on, and keeps its former configuration as config.before-N.yaml.
void keep_former_config(const std::filesystem::path& run_folder, const std::string& now) {
  const auto file = run_folder / "config.yaml";
  if (!std::filesystem::exists(file)) return;
  std::vector<std::string> changes;
  try {
    changes = config_changes(read_text_file(file), now);
  } catch (const ConfigError& problem) {
    changes = {fmt::format("configuration (the former one is damaged: {})", problem.what())};
  }
  if (changes.empty()) return;
  for (const auto& change : changes) spdlog::warn("the run goes on with another {}", change);
  int number = 1;
  const auto kept = [&] { return run_folder / fmt::format("config.before-{}.yaml", number); };
  while (std::filesystem::exists(kept())) ++number;
  rename_durably(file, kept());
}

}  // namespace

std::optional<std::filesystem::path> find_resume_point(const std::filesystem::path& run_folder,
                                                       const std::string& request) {
  if (request.empty()) return std::nullopt;
  if (request != "newest" && request != "auto") return request;
  auto checkpoint = find_checkpoint(run_folder);
  if (!checkpoint && request == "newest") {
    throw Error(fmt::format(
        "{}: no complete checkpoint to resume from (leave --resume out to start, or use --resume=auto)",
        run_folder.string()));
  }
  return checkpoint;
}

FolderLock open_run_folder(const std::filesystem::path& run_folder, const Experiment& experiment,
                           const std::optional<std::filesystem::path>& resume) {
  std::error_code code;
  std::filesystem::create_directories(run_folder, code);
  if (code)
    throw Error(fmt::format("cannot create the run folder {}: {}", run_folder.string(), code.message()));
  FolderLock lock(run_folder);
  if (!(resume && is_checkpoint_of(*resume, run_folder)) && find_checkpoint(run_folder)) {
    throw Error(fmt::format("{} already holds a {}run: go on with --resume, or choose another --output",
                            run_folder.string(), resume ? "different " : ""));
  }
  remove_leftovers(run_folder);
  const auto config = to_yaml(experiment);
  if (resume) keep_former_config(run_folder, config);
  write_file_atomically(run_folder / "config.yaml", config);
  return lock;
}

}  // namespace actionclip
