#include "checkpoint_manifest.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

namespace actionclip {
namespace {

constexpr std::int64_t kFormat = 1;

CheckpointManifest parse_manifest(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  if (const auto format = json.at("format").get<std::int64_t>(); format != kFormat) {
    throw Error(fmt::format("checkpoint format {}, this version reads {}", format, kFormat));
  }
  CheckpointManifest manifest;
  manifest.step = json.at("step").get<std::int64_t>();
  for (const auto& [name, file] : json.at("files").items()) {
    if (std::filesystem::path(name).filename() != name)
      throw Error(fmt::format("'{}' is no plain file name", name));
    manifest.files[name] = {file.at("size").get<std::uintmax_t>(), file.at("sha256").get<std::string>()};
  }
  return manifest;
}

}  // namespace

CheckpointManifest::File describe_file(const std::filesystem::path& path) {
  return {std::filesystem::file_size(path), sha256_of_file(path)};
}

void write_checkpoint_manifest(const std::filesystem::path& folder, const CheckpointManifest& manifest) {
  auto files = nlohmann::ordered_json::object();
  for (const auto& [name, file] : manifest.files)
    files[name] = {{"size", file.size}, {"sha256", file.sha256}};
  const nlohmann::ordered_json json = {{"format", kFormat}, {"step", manifest.step}, {"files", files}};
  write_file_atomically(folder / kManifestName, json.dump(2) + '\n');
}

CheckpointManifest read_checkpoint_manifest(const std::filesystem::path& folder) {
  const auto path = folder / kManifestName;
  const auto text = read_text_file(path, 1 << 20);
  try {
    return parse_manifest(text);
  } catch (const std::exception& problem) {
    throw Error(fmt::format("{}: cannot be used: {}", path.string(), problem.what()));
  }
}

void check_sizes(const std::filesystem::path& folder, const CheckpointManifest& manifest) {
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name == kManifestName) continue;
    const auto listed = manifest.files.find(name);
    if (listed == manifest.files.end() || !entry.is_regular_file()) {
      throw Error(
          fmt::format("{}: not part of the checkpoint according to its manifest", entry.path().string()));
    }
    if (entry.file_size() != listed->second.size) {
      throw Error(fmt::format("{}: damaged: {} bytes, its manifest says {}", entry.path().string(),
                              entry.file_size(), listed->second.size));
    }
    ++found;
  }
  if (found == manifest.files.size()) return;
  for (const auto& [name, file] : manifest.files) {
    if (!std::filesystem::is_regular_file(folder / name))
      throw Error(fmt::format("{}: missing", (folder / name).string()));
  }
}

void check_contents(const std::filesystem::path& folder, const CheckpointManifest& manifest) {
  for (const auto& [name, file] : manifest.files) {
    if (sha256_of_file(folder / name) != file.sha256) {
      throw Error(
          fmt::format("{}: damaged: not the SHA-256 that its manifest says", (folder / name).string()));
    }
  }
}

}  // namespace actionclip
