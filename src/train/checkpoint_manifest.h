// manifest.json of a checkpoint: what files it consists of, and how to tell that they are intact.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace actionclip {

inline constexpr const char* kManifestName = "manifest.json";

struct CheckpointManifest {
  struct File {
    std::uintmax_t size = 0;
    std::string sha256;
  };
  std::int64_t step = 0;
  std::map<std::string, File> files;
};

// Size and SHA-256 of a file as it is now.
CheckpointManifest::File describe_file(const std::filesystem::path& path);

// Writes it into `folder`.
void write_checkpoint_manifest(const std::filesystem::path& folder, const CheckpointManifest& manifest);

// Reads the manifest, without looking at the files it names. Throws Error (path, reason).
CheckpointManifest read_checkpoint_manifest(const std::filesystem::path& folder);

// Throws Error that names the first file that is missing, surplus or of another size.
void check_sizes(const std::filesystem::path& folder, const CheckpointManifest& manifest);

// Throws Error that names the first file whose content is another.
void check_contents(const std::filesystem::path& folder, const CheckpointManifest& manifest);

}  // namespace actionclip
