// Files that the program needs at run time and that come with it: beside an installed program
// (../share/actionclip), or in the checkout that it was built from.
#pragma once

#include <filesystem>
#include <optional>
#include <span>

namespace actionclip {

// ../share/actionclip of the running program.
std::filesystem::path share_folder();

// The first of `places` where there is a file.
std::optional<std::filesystem::path> first_file(std::span<const std::filesystem::path> places);

}  // namespace actionclip
