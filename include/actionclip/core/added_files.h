// Files that a command writes into a folder where others may lie, such as the videos that they list. A record
// tells its own from the rest, which it never touches.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace actionclip {

// Calls `fill` with an empty temporary folder below `folder`, and gives what it wrote its names in `folder`,
// all files or none, with the record: the file `record`, that has `settings` and these names. Files of an
// earlier call that are not written anew are removed. Returns false, without any of this, if the record says
// that the same settings wrote them before; unless `anew`. `folder` is created, and gone again if nothing
// comes of it. Throws Error, and leaves everything as it is, if other settings wrote them and not `anew`; if
// a name is taken by what no earlier call wrote, `anew` or not; if the record cannot be read; whatever `fill`
// throws.
bool add_files_once(const std::filesystem::path& folder, const std::string& record,
                    const std::string& settings,
                    const std::function<void(const std::filesystem::path&)>& fill, bool anew = false);

// The names of the files that the record tells of. None where there is no record, or it cannot be read.
std::vector<std::string> added_files(const std::filesystem::path& folder, const std::string& record);

}  // namespace actionclip
