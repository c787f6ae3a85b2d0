#include "actionclip/video/extract.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/folder_lock.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/ordered_work.h"
#include "actionclip/core/progress.h"
#include "actionclip/text/csv.h"
#include "actionclip/video/frame_folder.h"
#include "actionclip/video/image_file.h"

#include "video/deadline.h"
#include "video/frame_converter.h"
#include "video/resize_image.h"
#include "video/video_decoder.h"
#include "video/video_stream.h"

namespace actionclip {
namespace {

constexpr const char* kSettingsFile = "settings.json";
constexpr std::size_t kAheadOfWorker = 64;  // results that may wait behind one slow video

struct Extraction {
  std::int64_t frames = 0;
  bool was_there = false;
  std::string problem;
};

// Where the frames of an entry go, relative to the output.
std::filesystem::path folder_of(const VideoList& list, const VideoEntry& entry) {
  const auto relative = entry.path.lexically_normal().lexically_relative(list.root().lexically_normal());
  if (relative.empty() || *relative.begin() == ".." || *relative.begin() == ".") {
    throw Error(
        fmt::format("{}:{}: {} does not lie below the list's root {}, so that there is no place for its "
                    "frames; name a root above it",
                    list.file().string(), entry.line, entry.path.string(), list.root().string()));
  }
  return relative.parent_path() / relative.stem();
}

std::vector<std::filesystem::path> folders_of(const VideoList& list) {
  std::vector<std::filesystem::path> folders;
  std::unordered_map<std::string, std::filesystem::path> videos;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto entry = list.entry(i);
    if (!entry.range.whole()) {
      throw Error(
          fmt::format("{}:{}: a part of a video: frames in a folder have no times, so that it could not "
                      "be found there",
                      list.file().string(), entry.line));
    }
    folders.push_back(folder_of(list, entry));
    const auto [other, is_new] = videos.emplace(folders.back().string(), entry.path);
    if (!is_new && other->second != entry.path) {
      throw Error(fmt::format("{}:{}: {} and {} would have the same folder of frames; rename one",
                              list.file().string(), entry.line, other->second.string(), entry.path.string()));
    }
  }
  return folders;
}

std::string settings_text(const ExtractOptions& options) {
  const nlohmann::ordered_json settings = {{"short_side", options.short_side}, {"quality", options.quality}};
  return json_text(settings) + "\n";
}

// Frames of two sizes or qualities in one folder would be taken for the same.
void settle_settings(const ExtractOptions& options, const std::filesystem::path& output) {
  const auto file = output / kSettingsFile;
  const std::string settings = settings_text(options);
  if (!std::filesystem::exists(file)) {
    write_file_atomically(file, settings);
  } else if (read_text_file(file) != settings) {
    throw Error(
        fmt::format("{}: holds frames that were extracted with another --short-side or --quality; use "
                    "those, or name another folder",
                    output.string()));
  }
}

// Decodes the video into JPEG files. Returns their number.
std::int64_t write_frames(const std::filesystem::path& video, const ExtractOptions& options,
                          const std::filesystem::path& folder) {
  const DatasetConfig names;
  RegularFile file(video);
  const Deadline deadline(options.seconds);
  VideoDecoder decoder(std::make_unique<VideoStream>(file, deadline, VideoStream::Analysis::always));
  std::unique_ptr<FrameConverter> converter;
  std::int64_t count = 0;
  while (const AVFrame* frame = decoder.next()) {
    if (converter == nullptr) {
      converter =
          std::make_unique<FrameConverter>(*frame, orientation_of(decoder.stream().display_matrix(*frame)));
    }
    Image image = converter->convert(*frame);
    if (options.short_side > 0 && std::min(image.width, image.height) > options.short_side) {
      image = resize_short_side(image, options.short_side);
    }
    const std::int64_t number = names.index_bias + count++;
    write_jpeg(folder / fmt::format(fmt::runtime(names.frame_pattern), number), image, options.quality);
  }
  if (count == 0) throw VideoError(fmt::format("{}: no frame decodes", video.string()));
  return count;
}

std::int64_t count_frames(const std::filesystem::path& folder) {
  const DatasetConfig names;
  return FrameFolder(folder, names.frame_pattern, names.index_bias, -1).frame_count();
}

// Errors of writing are thrown: they will befall the other videos too.
Extraction extract(const std::filesystem::path& video, const ExtractOptions& options,
                   const std::filesystem::path& folder) {
  const auto temporary = temporary_sibling(folder);
  try {
    if (std::filesystem::exists(folder)) return {count_frames(folder), true, ""};
    std::filesystem::create_directories(temporary);
    const std::int64_t frames = write_frames(video, options, temporary);
    flush_file_system(temporary);
    rename_durably(temporary, folder);
    return {frames, false, ""};
  } catch (const VideoError& problem) {
    std::filesystem::remove_all(temporary);
    return {0, false, problem.what()};
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(temporary, ignored);
    throw;
  }
}

// Of the videos that have frames: `frames` by index, 0 for the others.
std::string list_text(const VideoList& list, const std::vector<std::filesystem::path>& folders,
                      const std::vector<std::int64_t>& frames, bool table) {
  std::string text = table ? "path,label,frames\n" : "";
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    if (frames[place] == 0) continue;
    const auto labels = list.entry(i).label_ids;
    const std::string path = folders[place].generic_string();
    if (table) {
      text += fmt::format("{},{},{}\n", csv_field(path), fmt::join(labels, ";"), frames[place]);
    } else {
      // "# 1" would be a comment.
      text += fmt::format("{}{} {} {}\n", path.starts_with("# ") ? "./" : "", path, frames[place],
                          labels.front());
    }
  }
  return text;
}

void write_list(const VideoList& list, const std::vector<std::filesystem::path>& folders,
                const std::vector<std::int64_t>& frames, const std::filesystem::path& output) {
  bool table = false;
  for (std::int64_t i = 0; i < list.size(); ++i) table = table || list.label_count(i) != 1;
  const auto name = list.file().lexically_normal();
  const auto stem = (name.has_filename() ? name : name.parent_path()).stem().string();
  write_file_atomically(output / (stem + (table ? ".csv" : ".txt")), list_text(list, folders, frames, table));
}

void remove_all_leftovers(const std::filesystem::path& output,
                          const std::vector<std::filesystem::path>& folders) {
  std::set<std::filesystem::path> parents;
  for (const auto& folder : folders) parents.insert((output / folder).parent_path());
  for (const auto& parent : parents) remove_leftovers_in(parent);
}

}  // namespace

void ExtractOptions::check() const {
  const auto need = [](bool fine, const char* name, auto value, const char* rule) {
    if (!fine) throw Error(fmt::format("extracting frames: {} is {}, must be {}", name, value, rule));
  };
  need(short_side >= 0 && short_side <= 8192, "short_side", short_side, "in [0, 8192]");
  need(quality >= 1 && quality <= 100, "quality", quality, "in [1, 100]");
  need(workers >= 0 && workers <= 1024, "workers", workers, "in [0, 1024]");
  need(seconds >= 0, "seconds", seconds, "0 or more");
}

ExtractReport extract_frames(const VideoList& list, const ExtractOptions& options,
                             const std::filesystem::path& output) {
  options.check();
  if (list.config().format == ListFormat::captions || list.config().format == ListFormat::frames) {
    throw Error(fmt::format("{}: its format has no videos to extract frames from", list.file().string()));
  }
  const auto folders = folders_of(list);
  try {
    std::filesystem::create_directories(output);
    const FolderLock lock(output);
    settle_settings(options, output);
    remove_all_leftovers(output, folders);
    ExtractReport report;
    std::vector<std::int64_t> frames;
    ProgressBar progress("extract", list.size(), "videos");
    const auto work = [&](std::int64_t i) {
      return extract(list.entry(i).path, options, output / folders[static_cast<std::size_t>(i)]);
    };
    const auto take = [&](std::int64_t i, const Extraction& done) {
      frames.push_back(done.frames);
      report.frames += done.frames;
      report.skipped += done.was_there ? 1 : 0;
      if (done.problem.empty()) {
        ++report.videos;
      } else {
        report.failed.push_back({i, done.problem});
      }
      progress.advance(1);
    };
    const std::size_t ahead = kAheadOfWorker * static_cast<std::size_t>(std::max(options.workers, 1));
    work_in_order(list.size(), options.workers, ahead, work, take);
    write_list(list, folders, frames, output);
    return report;
  } catch (const std::filesystem::filesystem_error& problem) {
    throw Error(fmt::format("cannot write {}: {}", problem.path1().string(), problem.code().message()));
  }
}

}  // namespace actionclip
