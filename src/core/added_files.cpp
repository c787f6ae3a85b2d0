#include "actionclip/core/added_files.h"

#include <algorithm>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"

namespace actionclip {
namespace {

struct Record {
  std::string settings;
  std::vector<std::string> files;
};

// None if there is none.
std::optional<Record> read_record(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  try {
    const auto json = nlohmann::json::parse(read_text_file(file));
    return Record{json.at("settings"), json.at("files")};
  } catch (const nlohmann::json::exception&) {
    throw Error(fmt::format("{}: is not what an earlier call wrote; move it away, or name another folder",
                            file.string()));
  }
}

std::string text_of(const Record& record) {
  return json_text(nlohmann::ordered_json{{"settings", record.settings}, {"files", record.files}}) + "\n";
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// ".record.json": what is temporary is not taken for a file of the folder.
std::filesystem::path hidden(const std::filesystem::path& file) {
  return file.parent_path() / ("." + file.filename().string());
}

// A folder below another, gone with the object; and that one too, if it was made for it and is empty.
class TemporaryBelow {
 public:
  TemporaryBelow(const std::filesystem::path& folder, const std::string& record)
      : folder_(folder), is_new_(std::filesystem::create_directories(folder)) {
    path_ = temporary_sibling(hidden(folder / record));
    std::filesystem::create_directory(path_);
  }
  ~TemporaryBelow() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
    if (is_new_) std::filesystem::remove(folder_, ignored);  // not if it holds anything
  }
  TemporaryBelow(const TemporaryBelow&) = delete;
  TemporaryBelow& operator=(const TemporaryBelow&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path folder_;
  bool is_new_;
  std::filesystem::path path_;
};

void require_own(const std::filesystem::path& folder, const std::vector<std::string>& names,
                 const std::vector<std::string>& own) {
  for (const auto& name : names) {
    const auto place = folder / name;
    const bool is_taken = std::filesystem::exists(std::filesystem::symlink_status(place));
    if (is_taken && !contains(own, name)) {
      throw Error(
          fmt::format("{} is there already, and no earlier call wrote it; move it away, or name another "
                      "folder",
                      place.string()));
    }
  }
}

bool add(const std::filesystem::path& folder, const std::string& record_name, const std::string& settings,
         const std::function<void(const std::filesystem::path&)>& fill, bool anew) {
  const auto record = folder / record_name;
  const auto earlier = read_record(record);
  const bool was_interrupted = earlier && earlier->settings.empty();
  if (earlier && !was_interrupted && !anew) {
    if (earlier->settings == settings) return false;
    throw Error(
        fmt::format("{} was made with other settings ({}); make it anew (--force), or name another folder",
                    folder.string(), record_name));
  }
  if (std::filesystem::exists(folder)) {
    remove_leftovers_of(record);
    remove_leftovers_of(hidden(record));
  }
  const TemporaryBelow temporary(folder, record_name);
  fill(temporary.path());
  const auto names = names_in(temporary.path());
  const auto own = earlier ? earlier->files : std::vector<std::string>();
  require_own(folder, names, own);
  // The record knows every name before its file is there, and until it is gone.
  auto all = names;
  std::ranges::copy_if(own, std::back_inserter(all),
                       [&](const auto& name) { return !contains(names, name); });
  write_file_atomically(record, text_of({"", all}));
  flush_file_system(temporary.path());
  replace_files(temporary.path(), folder, names);
  for (const auto& name : own) {
    if (!contains(names, name)) std::filesystem::remove(folder / name);
  }
  write_file_atomically(record, text_of({settings, names}));
  return true;
}

}  // namespace

bool add_files_once(const std::filesystem::path& folder, const std::string& record,
                    const std::string& settings,
                    const std::function<void(const std::filesystem::path&)>& fill, bool anew) {
  try {
    return add(folder, record, settings, fill, anew);
  } catch (const std::filesystem::filesystem_error& problem) {
    throw Error(fmt::format("cannot make {}: {}", folder.string(), problem.code().message()));
  }
}

std::vector<std::string> added_files(const std::filesystem::path& folder, const std::string& record) {
  try {
    const auto found = read_record(folder / record);
    return found ? found->files : std::vector<std::string>();
  } catch (const Error&) {
    return {};
  }
}

}  // namespace actionclip
