// Checkpoints of a run: RUN/checkpoints/step-N/ with model.safetensors, optimizer.safetensors,
// ema.safetensors (if there is an average), state.json and manifest.json (size and SHA-256 of the others),
// and beside them the pointers `last` and `best` (symbolic links).
//
// A checkpoint is built under a temporary name, every file fsynced, the manifest last, and only then gets its
// name: whatever happens during a save, a folder named step-N is whole and earlier ones are untouched. A
// damaged one is recognised by its manifest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_file.h"

namespace actionclip {

struct CheckpointContents {
  NamedTensorData model;
  // How to use the model: architecture, fusion, frames, mean and std, labels.
  std::map<std::string, std::string> model_metadata;
  NamedTensorData optimizer;
  NamedTensorData ema;   // running average of the model; empty for none
  nlohmann::json state;  // everything else that a run needs to go on as if it had not stopped
};

// Saves a checkpoint, replacing one of the same step, and points `last` to it. Returns its folder. If it
// fails (disk full), throws Error (path, bytes needed, reason); no partial folder is left and `last` still
// names the checkpoint before.
std::filesystem::path save_checkpoint(const std::filesystem::path& run_folder, std::int64_t step,
                                      const CheckpointContents& contents);

// Gives the checkpoint of `step` another state.json, as safely as a save; its tensors are not written again.
// Throws Error if there is no such checkpoint, or if it fails; the one with the former state is then left.
void save_state(const std::filesystem::path& run_folder, std::int64_t step, const nlohmann::json& state);

// Points `best` to the checkpoint of `step`. Throws Error if there is none.
void mark_best(const std::filesystem::path& run_folder, std::int64_t step);

// The folder of the newest checkpoint that is whole; none if there is none. Logs a warning for each damaged
// one that it passes over.
std::optional<std::filesystem::path> find_checkpoint(const std::filesystem::path& run_folder);

struct Checkpoint {
  std::int64_t step = 0;
  TensorFile model;
  TensorFile optimizer;
  std::optional<TensorFile> ema;
  nlohmann::json state;
};

// Loads the checkpoint in `folder` (step-N, `last` or `best`). Throws Error that names the damaged, missing
// or surplus file, or the checkpoints of a run folder that was given in their place.
Checkpoint load_checkpoint(const std::filesystem::path& folder);

// Deletes checkpoints but for the newest `keep` and those that `last` and `best` point to. One that is
// visibly incomplete does not count as kept. A failure to delete is a warning, as training can go on.
void prune_checkpoints(const std::filesystem::path& run_folder, std::int64_t keep);

// Takes the checkpoints of later steps out of the run that goes on from `step`: renames them to
// abandoned-step-N, which nothing reads or deletes, and says so. `last` then names `step`, and `best` names
// `best_step` (nothing if that has no checkpoint here). A run folder without a checkpoint of `step`, as when
// another run's is gone on from, is left alone.
void abandon_checkpoints_after(const std::filesystem::path& run_folder, std::int64_t step,
                               std::int64_t best_step);

// Removes what saves and other atomic writes of processes that are gone left in the run folder ("*.tmp.PID"),
// and what has this process' id: in a container a restarted process often has the same. Call it when a run
// starts, before the first save.
void remove_leftovers(const std::filesystem::path& run_folder);

}  // namespace actionclip
