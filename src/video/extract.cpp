#include "actionclip/video/extract.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/folder_lock.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/ordered_work.h"
#include "actionclip/core/progress.h"
#include "actionclip/core/text_input.h"
#include "actionclip/text/csv.h"
#include "actionclip/video/frame_folder.h"
#include "actionclip/video/image_file.h"

#include "video/deadline.h"
#include "video/frame_converter.h"
#include "video/frame_places.h"
#include "video/resize_image.h"
#include "video/video_decoder.h"
#include "video/video_stream.h"

namespace actionclip {
namespace {

constexpr const char* kSettingsFile = "settings.json";
constexpr const char* kCountsFile = "frame_counts.csv";
constexpr std::size_t kAheadOfWorker = 64;  // results that may wait behind one slow video

struct Extraction {
  std::int64_t frames = 0;
  bool was_there = false;
  std::string problem;
};

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
      converter = std::make_unique<FrameConverter>(
          *frame, orientation_of(decoder.stream().display_matrix(*frame)), video);
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

// How many frames each folder was given, by its path in the output: of a folder that lost its last ones
// nothing else tells.
using FrameCounts = std::map<std::string, std::int64_t>;

FrameCounts read_counts(const std::filesystem::path& output) {
  const auto file = output / kCountsFile;
  FrameCounts counts;
  if (!std::filesystem::exists(file)) return counts;
  for (const auto& row : parse_csv(read_text_file(file), file.string())) {
    const auto count = row.fields.size() == 2 ? parse_integer(row.fields[1]) : std::nullopt;
    if (count) counts[row.fields[0]] = *count;  // the header has none
  }
  return counts;
}

void write_counts(const FrameCounts& counts, const std::filesystem::path& output) {
  std::string text = "folder,frames\n";
  for (const auto& [folder, count] : counts) text += fmt::format("{},{}\n", csv_field(folder), count);
  write_file_atomically(output / kCountsFile, text);
}

// The frames in a folder; 0 if some of the `expected` (0: not known) are missing, or it is no such folder.
std::int64_t count_frames(const std::filesystem::path& folder, std::int64_t expected) {
  const DatasetConfig names;
  try {
    const auto count = FrameFolder(folder, names.frame_pattern, names.index_bias, -1).frame_count();
    return expected == 0 || count == expected ? count : 0;
  } catch (const VideoError&) {
    return 0;
  }
}

// Decodes the video into a temporary folder beside its place, unless that has its frames (`expected`, 0: not
// known). Errors of writing are thrown: they will befall the other videos too.
Extraction extract(const std::filesystem::path& video, const ExtractOptions& options,
                   const std::filesystem::path& folder, std::int64_t expected) {
  const auto temporary = temporary_sibling(folder);
  try {
    if (std::filesystem::exists(folder)) {
      if (const auto count = count_frames(folder, expected); count > 0) return {count, true, ""};
      spdlog::warn("{}: some of its frames are missing; they are extracted anew", folder.string());
    }
    std::filesystem::create_directories(temporary);
    return {write_frames(video, options, temporary), false, ""};
  } catch (const VideoError& problem) {
    std::filesystem::remove_all(temporary);
    return {0, false, problem.what()};
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(temporary, ignored);
    throw;
  }
}

// Gives finished folders their names. Some at a time, as their frames must be on the disk before.
class Publisher {
 public:
  explicit Publisher(std::filesystem::path output) : output_(std::move(output)) {}
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() {
    std::error_code ignored;
    for (const auto& folder : waiting_) std::filesystem::remove_all(temporary_sibling(folder), ignored);
  }

  void add(const std::filesystem::path& folder) {
    waiting_.push_back(folder);
    // So much work at most is done again after a run that was killed.
    if (Clock::now() - last_ >= std::chrono::seconds(5)) publish();
  }

  void publish() {
    if (waiting_.empty()) return;
    flush_file_system(output_);
    for (; !waiting_.empty(); waiting_.pop_back()) {
      std::filesystem::remove_all(waiting_.back());  // one that lost frames
      rename_durably(temporary_sibling(waiting_.back()), waiting_.back());
    }
    last_ = Clock::now();
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::filesystem::path output_;
  std::vector<std::filesystem::path> waiting_;
  Clock::time_point last_;  // long ago, so that the first appears at once
};

// Of the videos that have frames: `frames` by place, 0 for the others.
std::string list_text(const VideoList& list, const FramePlaces& places,
                      const std::vector<std::int64_t>& frames, bool table) {
  std::string text = table ? "path,label,frames\n" : "";
  for (std::int64_t i = 0; i < list.size(); ++i) {
    const auto place = places.of_entries[static_cast<std::size_t>(i)];
    if (frames[place] == 0) continue;
    const auto labels = list.entry(i).label_ids;
    const std::string path = places.places[place].folder.generic_string();
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

bool needs_table(const VideoList& list) {
  for (std::int64_t i = 0; i < list.size(); ++i) {
    if (list.label_count(i) != 1) return true;
  }
  return false;
}

// Where the list of the frame folders goes.
std::filesystem::path list_file(const VideoList& list, const std::filesystem::path& output) {
  const auto name = list.file().lexically_normal();
  const auto stem = (name.has_filename() ? name : name.parent_path()).stem().string();
  return output / (stem + (needs_table(list) ? ".csv" : ".txt"));
}

std::filesystem::path whole_path(const std::filesystem::path& path) {
  return std::filesystem::weakly_canonical(std::filesystem::absolute(path));
}

bool lies_in(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

// Throws UsageError for an output where frames and videos would be mixed, or the list be overwritten.
void check_output(const VideoList& list, const std::filesystem::path& output) {
  const auto root = whole_path(list.root().empty() ? "." : list.root()), place = whole_path(output);
  if (place == root) {
    throw UsageError(fmt::format("--output {}: is the folder of the videos; name another for the frames",
                                 output.string()));
  }
  if (whole_path(list_file(list, output)) == whole_path(list.file())) {
    throw UsageError(fmt::format("--output {}: the list of frame folders would overwrite {}; name another",
                                 output.string(), list.file().string()));
  }
  if (!lies_in(place, root)) return;
  const bool is_class = list.config().format == ListFormat::class_folders;
  for (std::int64_t i = 0; i < list.size(); ++i) {
    if (!is_class && !lies_in(whole_path(list.entry(i).path), place)) continue;
    throw UsageError(fmt::format("--output {}: lies among the videos of {}; name a folder beside them",
                                 output.string(), list.root().string()));
  }
}

void remove_all_leftovers(const std::filesystem::path& output, const FramePlaces& places) {
  std::set<std::filesystem::path> parents;
  for (const auto& place : places.places) parents.insert((output / place.folder).parent_path());
  for (const auto& parent : parents) remove_leftovers_in(parent);
}

ExtractReport extract_all(const VideoList& list, const FramePlaces& places, const ExtractOptions& options,
                          const std::filesystem::path& output) {
  ExtractReport report;
  FrameCounts counts = read_counts(output);
  const FrameCounts known = counts;  // what the threads read
  std::vector<std::int64_t> frames;
  const auto count = std::ssize(places.places);
  ProgressBar progress("extract", count, "videos");
  Publisher publisher(output);
  const auto work = [&](std::int64_t i) {
    const auto& place = places.places[static_cast<std::size_t>(i)];
    if (!place.problem.empty()) return Extraction{.frames = 0, .was_there = false, .problem = place.problem};
    const auto expected = known.find(place.folder.generic_string());
    return extract(place.video, options, output / place.folder,
                   expected == known.end() ? 0 : expected->second);
  };
  const auto take = [&](std::int64_t i, const Extraction& done) {
    const auto& place = places.places[static_cast<std::size_t>(i)];
    frames.push_back(done.frames);
    report.frames += done.frames;
    report.skipped += done.was_there ? 1 : 0;
    if (!done.problem.empty()) {
      report.failed.push_back({place.video, done.problem});
    } else {
      ++report.videos;
      counts[place.folder.generic_string()] = done.frames;
      if (!done.was_there) publisher.add(output / place.folder);
    }
    progress.advance(1);
  };
  const std::size_t ahead = kAheadOfWorker * static_cast<std::size_t>(std::max(options.workers, 1));
  work_in_order(count, options.workers, ahead, work, take);
  publisher.publish();
  write_counts(counts, output);
  write_file_atomically(list_file(list, output), list_text(list, places, frames, needs_table(list)));
  return report;
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
  const auto places = frame_places(list);
  try {
    check_output(list, output);
    std::filesystem::create_directories(output);
    const FolderLock lock(output);
    settle_settings(options, output);
    remove_all_leftovers(output, places);
    return extract_all(list, places, options, output);
  } catch (const std::filesystem::filesystem_error& problem) {
    throw Error(fmt::format("cannot write {}: {}", problem.path1().string(), problem.code().message()));
  }
}

}  // namespace actionclip
