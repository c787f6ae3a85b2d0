#include "tools/results.h"

#include <string>

#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/machine.h"
#include "actionclip/protocols/report.h"

namespace actionclip {
namespace {

// The object in `file`; an empty one if there is none, or it is damaged.
nlohmann::ordered_json read_object(const std::filesystem::path& file) {
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown)) return nlohmann::ordered_json::object();
  auto json = nlohmann::ordered_json::parse(read_text_file(file), nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : nlohmann::ordered_json::object();
}

}  // namespace

void write_machine(const std::filesystem::path& folder, const char* command, c10::Device device, int ranks,
                   const std::optional<WorkDone>& work) {
  const auto file = folder / "machine.json";
  auto json = read_object(file);
  nlohmann::ordered_json entry = {{"actionclip", ACTIONCLIP_VERSION},
                                  {"torch", TORCH_VERSION},
                                  {"compiler", __VERSION__},
                                  {"device", device.str()},
                                  {"ranks", ranks}};
  if (work) {
    entry["videos"] = work->videos;
    entry["seconds"] = work->seconds;
    entry["videos_per_second"] = static_cast<double>(work->videos) / work->seconds;
  }
  entry.update(describe_machine());
  json[command] = entry;
  write_file_atomically(file, json_text(json) + "\n");
}

void describe_results(const std::filesystem::path& folder, const char* command, const char* config_name,
                      const Experiment& experiment, c10::Device device, int ranks,
                      const std::optional<WorkDone>& work) {
  if (folder.empty()) return;
  write_file_atomically(folder / config_name, to_yaml(experiment));
  write_machine(folder, command, device, ranks, work);
  write_report_or_warn(folder);
}

}  // namespace actionclip
