#include "actionclip/train/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <stdio.h>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"

#include "checkpoint_manifest.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStepPrefix = "step-";
constexpr const char* kModel = "model.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kEma = "ema.safetensors";
constexpr const char* kState = "state.json";

fs::path checkpoints_of(const fs::path& run_folder) { return run_folder / "checkpoints"; }

std::string step_name(std::int64_t step) { return fmt::format("{}{}", kStepPrefix, step); }

// N of a folder named step-N; none for any other name.
std::optional<std::int64_t> step_of(const fs::path& folder) {
  const auto name = folder.filename().string();
  if (!name.starts_with(kStepPrefix)) return std::nullopt;
  const auto step = parse_integer(std::string_view(name).substr(kStepPrefix.size()));
  return step && *step >= 0 && name == step_name(*step) ? step : std::nullopt;  // not step-007
}

// The steps that have a folder, newest first.
std::vector<std::int64_t> saved_steps(const fs::path& run_folder) {
  std::vector<std::int64_t> steps;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(checkpoints_of(run_folder), absent)) {
    const auto step = step_of(entry.path());
    if (step && entry.is_directory() && !entry.is_symlink()) steps.push_back(*step);
  }
  std::sort(steps.begin(), steps.end(), std::greater<>());
  return steps;
}

std::uint64_t bytes_needed(const CheckpointContents& contents) {
  std::uint64_t bytes = 0;
  for (const auto* tensors : {&contents.model, &contents.optimizer, &contents.ema}) {
    for (const auto& [name, tensor] : *tensors) bytes += tensor.bytes.size();
  }
  return bytes;
}

void write_state(const fs::path& folder, const nlohmann::json& state) {
  write_file_atomically(folder / kState, state.dump(2) + '\n');
}

void write_files(const fs::path& folder, std::int64_t step, const CheckpointContents& contents) {
  write_safetensors(folder / kModel, contents.model, contents.model_metadata);
  write_safetensors(folder / kOptimizer, contents.optimizer, {});
  if (!contents.ema.empty()) write_safetensors(folder / kEma, contents.ema, contents.model_metadata);
  write_state(folder, contents.state);
  CheckpointManifest manifest{.step = step, .files = {}};
  for (const auto& entry : fs::directory_iterator(folder))
    manifest.files[entry.path().filename().string()] = describe_file(entry.path());
  write_checkpoint_manifest(folder, manifest);
}

// A second name for a file; on file systems without hard links a copy.
void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code cannot_link;
  fs::create_hard_link(from, to, cannot_link);
  if (!cannot_link) return;
  fs::copy_file(from, to);
  sync_file(to);
}

// `from` with another state.
void write_files(const fs::path& folder, const fs::path& from, const nlohmann::json& state) {
  CheckpointManifest manifest = read_checkpoint_manifest(from);
  for (const auto& [name, file] : manifest.files) {
    if (name != kState) link_or_copy(from / name, folder / name);
  }
  write_state(folder, state);
  manifest.files[kState] = describe_file(folder / kState);
  write_checkpoint_manifest(folder, manifest);
}

// Gives `built` the name `target`. An earlier folder of that name is swapped out in one step, so that a whole
// one exists at any instant; on file systems that cannot swap there is an instant without (then the
// checkpoint before it is the newest).
void put_in_place(const fs::path& built, const fs::path& target) {
  if (!fs::exists(target)) {
    rename_durably(built, target);
    return;
  }
  std::error_code ignored;
  if (renameat2(AT_FDCWD, built.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) {
    sync_folder(target.parent_path());
    fs::remove_all(built, ignored);
    return;
  }
  const auto replaced = temporary_sibling(target.string() + ".replaced");
  rename_durably(target, replaced);
  rename_durably(built, target);
  fs::remove_all(replaced, ignored);
}

void set_pointer(const fs::path& run_folder, const char* name, std::int64_t step) {
  const auto pointer = checkpoints_of(run_folder) / name;
  const auto temporary = temporary_sibling(pointer);
  std::error_code code;
  fs::remove(temporary, code);
  fs::create_symlink(step_name(step), temporary, code);
  if (code) throw Error(fmt::format("cannot create link {}: {}", temporary.string(), code.message()));
  rename_durably(temporary, pointer);
}

// The step that a pointer names; none if there is no such pointer.
std::optional<std::int64_t> pointer_step(const fs::path& run_folder, const char* name) {
  std::error_code absent;
  return step_of(fs::read_symlink(checkpoints_of(run_folder) / name, absent));
}

CheckpointManifest verify(const fs::path& folder) {
  const auto manifest = read_checkpoint_manifest(folder);
  if (const auto step = step_of(folder); step && *step != manifest.step) {
    throw Error(fmt::format("{}: belongs to step {}", (folder / kManifestName).string(), manifest.step));
  }
  for (const auto* name : {kModel, kOptimizer, kState}) {
    if (!manifest.files.contains(name)) {
      throw Error(fmt::format("{}: does not list {}", (folder / kManifestName).string(), name));
    }
  }
  check_sizes(folder, manifest);
  check_contents(folder, manifest);
  return manifest;
}

bool looks_whole(const fs::path& folder) {
  try {
    check_sizes(folder, read_checkpoint_manifest(folder));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// A folder loses its name before its files, so that a process killed here leaves no half checkpoint.
void delete_checkpoint(const fs::path& folder) {
  try {
    const auto doomed = temporary_sibling(folder);
    rename_durably(folder, doomed);
    fs::remove_all(doomed);
  } catch (const std::exception& problem) {
    spdlog::warn("cannot delete the old checkpoint {}: {}", folder.string(), problem.what());
  }
}

// Lets `write` fill a temporary folder, which then gets the name `folder`. Nothing of it is left if that
// fails.
void build_folder(const fs::path& folder, const std::function<void(const fs::path& temporary)>& write) {
  const auto temporary = temporary_sibling(folder);
  try {
    fs::create_directories(folder.parent_path());
    fs::remove_all(temporary);
    fs::create_directory(temporary);
    write(temporary);
    put_in_place(temporary, folder);
  } catch (const std::exception&) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
}

}  // namespace

fs::path save_checkpoint(const fs::path& run_folder, std::int64_t step, const CheckpointContents& contents) {
  const auto folder = checkpoints_of(run_folder) / step_name(step);
  try {
    build_folder(folder, [&](const fs::path& temporary) { write_files(temporary, step, contents); });
  } catch (const std::exception& problem) {
    throw Error(fmt::format("cannot save the checkpoint {} ({} bytes needed): {}", folder.string(),
                            bytes_needed(contents), problem.what()));
  }
  set_pointer(run_folder, "last", step);
  return folder;
}

void save_state(const fs::path& run_folder, std::int64_t step, const nlohmann::json& state) {
  const auto folder = checkpoints_of(run_folder) / step_name(step);
  try {
    build_folder(folder, [&](const fs::path& temporary) { write_files(temporary, folder, state); });
  } catch (const std::exception& problem) {
    throw Error(
        fmt::format("cannot save the state of the checkpoint {}: {}", folder.string(), problem.what()));
  }
}

void mark_best(const fs::path& run_folder, std::int64_t step) {
  const auto folder = checkpoints_of(run_folder) / step_name(step);
  if (!fs::is_directory(folder))
    throw Error(fmt::format("{}: no such checkpoint to call the best", folder.string()));
  set_pointer(run_folder, "best", step);
}

std::optional<fs::path> find_checkpoint(const fs::path& run_folder) {
  for (const auto step : saved_steps(run_folder)) {
    auto folder = checkpoints_of(run_folder) / step_name(step);
    try {
      verify(folder);
      return folder;
    } catch (const std::exception& problem) {
      spdlog::warn("{}; trying the checkpoint before step {}", problem.what(), step);
    }
  }
  return std::nullopt;
}

Checkpoint load_checkpoint(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw Error(fmt::format("{}: no such checkpoint folder", folder.string()));
  refuse_run_folder(folder);
  const auto place = fs::canonical(folder);  // through `last` and `best`
  const auto manifest = verify(place);
  Checkpoint checkpoint;
  checkpoint.step = manifest.step;
  checkpoint.model = read_safetensors(place / kModel);
  checkpoint.optimizer = read_safetensors(place / kOptimizer);
  if (manifest.files.contains(kEma)) checkpoint.ema = read_safetensors(place / kEma);
  try {
    checkpoint.state = nlohmann::json::parse(read_text_file(place / kState));
  } catch (const nlohmann::json::exception& problem) {
    throw Error(fmt::format("{}: {}", (place / kState).string(), problem.what()));
  }
  return checkpoint;
}

void prune_checkpoints(const fs::path& run_folder, std::int64_t keep) {
  const auto last = pointer_step(run_folder, "last");
  const auto best = pointer_step(run_folder, "best");
  std::int64_t kept = 0;
  for (const auto step : saved_steps(run_folder)) {
    const auto folder = checkpoints_of(run_folder) / step_name(step);
    if (kept < keep) {
      if (looks_whole(folder)) ++kept;
      continue;
    }
    if (step != last && step != best) delete_checkpoint(folder);
  }
}

void abandon_checkpoints_after(const fs::path& run_folder, std::int64_t step, std::int64_t best_step) {
  const auto checkpoints = checkpoints_of(run_folder);
  const auto steps = saved_steps(run_folder);
  if (std::find(steps.begin(), steps.end(), step) == steps.end() || steps.front() == step) return;
  set_pointer(run_folder, "last", step);
  if (std::find(steps.begin(), steps.end(), best_step) != steps.end()) {
    set_pointer(run_folder, "best", best_step);
  } else {
    fs::remove(checkpoints / "best");
  }
  for (const auto later : steps) {
    if (later <= step) break;
    const auto abandoned = checkpoints / ("abandoned-" + step_name(later));
    fs::remove_all(abandoned);  // of an earlier such return
    rename_durably(checkpoints / step_name(later), abandoned);
    spdlog::warn("the run goes on from step {}: its later checkpoint is now {}", step, abandoned.string());
  }
}

void remove_leftovers(const fs::path& run_folder) {
  for (const auto& folder : {run_folder, checkpoints_of(run_folder)}) remove_leftovers_in(folder);
}

}  // namespace actionclip
