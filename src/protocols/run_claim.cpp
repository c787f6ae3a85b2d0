#include "protocols/run_claim.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/folder_lock.h"
#include "actionclip/core/json_text.h"

namespace actionclip {
namespace {

// SHA-256 of a file; of a checkpoint folder, of its model; empty of none.
std::string content_hash(const InputPath& file) {
  if (file.empty()) return "";
  return sha256_of_file(std::filesystem::is_directory(file.path) ? file.path / "model.safetensors"
                                                                 : file.path);
}

// The first free name of folder.before-1, -2 ...
std::filesystem::path aside(const std::filesystem::path& folder) {
  for (int number = 1;; ++number) {
    auto name = folder;
    name += fmt::format(".before-{}", number);
    if (!std::filesystem::exists(name)) return name;
  }
}

}  // namespace

std::string run_identity(Experiment experiment, const VideoList& train, const VideoList& test,
                         const nlohmann::ordered_json& more) {
  const Experiment defaults;
  experiment.seed = defaults.seed;
  experiment.data.val = defaults.data.val;
  experiment.data.train.protocol = experiment.data.test.protocol =
      "";  // says what the lists are, not what they hold
  experiment.eval.every_epochs = defaults.eval.every_epochs;
  experiment.data.num_workers = defaults.data.num_workers;
  experiment.data.prefetch = defaults.data.prefetch;
  experiment.train.checkpoint_every = defaults.train.checkpoint_every;
  experiment.train.keep_checkpoints = defaults.train.keep_checkpoints;
  nlohmann::ordered_json identity = {
      {"experiment", to_yaml(experiment)},
      {"sha256",
       {{"model.weights", content_hash(experiment.model.weights)},
        {"text.vocabulary", content_hash(experiment.text.vocabulary)},
        {"text.templates", content_hash(experiment.text.templates)},
        {"text.descriptions", content_hash(experiment.text.descriptions)},
        {"data.labels", content_hash(experiment.data.labels)},
        {"data.transforms.flip_labels", content_hash(experiment.data.transforms.flip_labels)},
        {"data.train.list", train.fingerprint()},
        {"data.test.list", test.fingerprint()}}}};
  identity.update(more);
  return json_text(identity) + "\n";
}

void claim_folder(const std::filesystem::path& folder, const std::string& identity,
                  std::string_view protocol) {
  const auto file = folder / "identity.json";
  remove_leftovers_of(file);  // of a call that was killed: they make no foreign folder
  if (std::filesystem::exists(file)) {
    if (read_text_file(file) == identity) return;
    const FolderLock lock(folder);
    const auto kept = aside(folder);
    rename_durably(folder, kept);
    spdlog::warn("{}: of other settings, weights or lists, so it is now {}", folder.string(), kept.string());
  } else if (std::filesystem::exists(folder) && !std::filesystem::is_empty(folder)) {
    throw Error(fmt::format("{} is no folder of a {} run (it has no identity.json): choose another --output",
                            folder.string(), protocol));
  }
  std::filesystem::create_directories(folder);
  write_file_atomically(file, identity);
}

std::optional<nlohmann::json> finished_result(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  auto json = nlohmann::json::parse(read_text_file(file), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

}  // namespace actionclip
