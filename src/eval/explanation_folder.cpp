#include "actionclip/eval/explanation_folder.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/eval/similarity_plot.h"
#include "actionclip/video/png_file.h"

#include "eval/attention_pictures.h"

namespace actionclip {
namespace {

constexpr const char* kExplanation = "explanation.json";
constexpr const char* kTable = "similarity.csv";
constexpr const char* kPlot = "similarity.svg";
constexpr const char* kSheet = "attention.png";
constexpr const char* kVideo = "attention.mp4";
constexpr const char* kPictures = "attention";  // a folder
constexpr std::array<std::string_view, 6> kNames = {kExplanation, kTable, kPlot, kSheet, kVideo, kPictures};

std::string picture_name(std::size_t frame) { return fmt::format("frame_{:04}.png", frame); }

bool is_picture(const std::string& name) { return name.starts_with("frame_") && name.ends_with(".png"); }

// What a folder holds that write() would not have put there; empty: nothing.
std::filesystem::path find_foreign(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder)) return {};
  if (!std::filesystem::is_directory(folder)) return folder;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (std::ranges::find(kNames, name) == kNames.end()) return entry.path();
    if ((name == kPictures) != entry.is_directory()) return entry.path();
    if (name != kPictures) continue;
    for (const auto& picture : std::filesystem::directory_iterator(entry.path())) {
      if (!is_picture(picture.path().filename().string())) return picture.path();
    }
  }
  return {};
}

// Runs `work`, whose errors of the file system become Error.
template <typename Work>
void on_files(const std::filesystem::path& folder, const Work& work) {
  try {
    work();
  } catch (const std::filesystem::filesystem_error& problem) {
    throw Error(fmt::format("cannot write {}: {}", folder.string(), problem.code().message()));
  }
}

std::string base_name(const std::filesystem::path& video) {
  // "frames/" is the folder "frames"; what ".", ".." and "a/.." stand for is looked up.
  std::error_code unknown;
  auto path = video.has_filename() ? video : video.parent_path();
  if (path.filename() == "." || path.filename() == "..") path = std::filesystem::canonical(path, unknown);
  const bool is_folder = std::filesystem::is_directory(path, unknown);
  const auto name = (is_folder ? path.filename() : path.stem()).string();
  return name.empty() || name == "/" ? "video" : name;
}

void fill(const std::filesystem::path& folder, const ExplainedPrediction& explained) {
  const auto write = [&](const char* name, const std::string& text) {
    OutputFile file(folder / name);
    file.write(text);
  };
  const auto pictures = draw_attention(explained);
  std::filesystem::create_directories(folder / kPictures);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    write_png(folder / kPictures / picture_name(i), pictures[i]);
  write_png(folder / kSheet, draw_attention_sheet(explained, pictures));
  write_attention_video(folder / kVideo, pictures, playing_rate(explained.clip.seconds));
  write(kTable, similarity_csv(explained.explanation));
  write(kPlot, similarity_svg(explained.explanation));
  write(kExplanation, json_text(to_json(explained.explanation)) + "\n");
  flush_file_system(folder);
}

}  // namespace

std::vector<std::string> explanation_names(const std::vector<std::string>& videos) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const auto& video : videos) {
    const auto base = base_name(video);
    auto name = base;
    for (int number = 2; !taken.insert(name).second; ++number) name = fmt::format("{}-{}", base, number);
    names.push_back(std::move(name));
  }
  return names;
}

ExplanationFolders::ExplanationFolders(std::filesystem::path root, const std::vector<std::string>& videos)
    : root_(std::move(root)), names_(explanation_names(videos)) {
  on_files(root_, [&] {
    std::filesystem::create_directories(root_);
    remove_leftovers_in(root_);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const auto foreign = find_foreign(folder(i));
      if (foreign.empty()) continue;
      throw Error(
          fmt::format("{} is no part of an explanation, and its place is needed; remove it "
                      "or name another folder",
                      foreign.string()));
    }
  });
}

void ExplanationFolders::write(std::size_t video, const ExplainedPrediction& explained) const {
  const auto target = folder(video), temporary = temporary_sibling(target);
  on_files(target, [&] {
    try {
      std::filesystem::create_directories(temporary);
      fill(temporary, explained);
      remove(video);
      rename_durably(temporary, target);
    } catch (...) {
      std::error_code ignored;
      std::filesystem::remove_all(temporary, ignored);
      throw;
    }
  });
}

void ExplanationFolders::remove(std::size_t video) const {
  on_files(folder(video), [&] {
    if (find_foreign(folder(video)).empty()) std::filesystem::remove_all(folder(video));
  });
}

}  // namespace actionclip
