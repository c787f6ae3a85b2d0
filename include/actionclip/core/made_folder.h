// A folder that a command makes: whole or not at all, and left alone where the same settings have made it
// before.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace actionclip {

// Calls `fill` with a temporary folder beside `folder`, adds settings.json with the text `settings`, flushes
// it to the disk and gives it its name. Returns false, without any of this, if `folder` holds settings.json
// with the same text. What a killed run left beside it is removed. Throws Error if `folder` exists and holds
// anything else, or if it cannot be made; whatever `fill` throws.
bool make_folder_once(const std::filesystem::path& folder, const std::string& settings,
                      const std::function<void(const std::filesystem::path&)>& fill);

}  // namespace actionclip
