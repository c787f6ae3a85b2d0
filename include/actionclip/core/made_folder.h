// A folder that a command makes: whole or not at all, and left alone where the same settings have made it
// before.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace actionclip {

// Calls `fill` with a temporary folder beside `folder`, adds settings.json with the text `settings`, flushes
// it to the disk and gives it its name. Returns false, without any of this, if `folder` holds settings.json
// with the same text; if `anew`, it is made again, and takes the place of a folder with any settings.json
// once it is whole. What a killed run left beside it is removed. Throws Error if `folder` exists and holds
// anything else, or if it cannot be made; whatever `fill` throws.
bool make_folder_once(const std::filesystem::path& folder, const std::string& settings,
                      const std::function<void(const std::filesystem::path&)>& fill, bool anew = false);

// The same for files that lie in `folder` beside others, which stay: as make_folder_once(), but each file
// gets its name there alone, settings.json the last. Throws Error too if `folder` holds a file of such a name
// and no settings.json, or a folder of such a name.
bool add_files_once(const std::filesystem::path& folder, const std::string& settings,
                    const std::function<void(const std::filesystem::path&)>& fill, bool anew = false);

}  // namespace actionclip
