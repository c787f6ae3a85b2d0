#include "actionclip/video/frame_count_cache.h"

#include <exception>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/video/sampler.h"

namespace actionclip {
namespace {

constexpr int kFormatVersion = 1;
constexpr std::chrono::minutes kSaveInterval(1);

}  // namespace

FrameCountCache::FrameCountCache(std::filesystem::path file) : file_(std::move(file)) {
  try {
    records_ = load();
  } catch (const std::exception& problem) {
    spdlog::warn("{}: not usable, frames will be counted again: {}", file_.string(), problem.what());
  }
}

FrameCountCache::~FrameCountCache() { save(); }

std::optional<FrameCountCache::Record> FrameCountCache::identity(const std::filesystem::path& video) {
  struct stat status {};
  if (::stat(video.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return Record{status.st_size, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec, -1};
}

std::optional<std::int64_t> FrameCountCache::get(const std::filesystem::path& video) const {
  const auto now = identity(video);
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(video.string());
  if (!now || found == records_.end()) return std::nullopt;
  const Record& record = found->second;
  if (record.size != now->size || record.modified != now->modified) return std::nullopt;
  return record.frame_count;
}

void FrameCountCache::put(const std::filesystem::path& video, std::int64_t frame_count) {
  auto record = identity(video);
  if (!record) return;
  record->frame_count = frame_count;
  const std::lock_guard lock(mutex_);
  records_[video.string()] = *record;
  unsaved_ = true;
  if (std::chrono::steady_clock::now() - last_save_ > kSaveInterval) save_locked();
}

void FrameCountCache::save() {
  const std::lock_guard lock(mutex_);
  save_locked();
}

FrameCountCache::Records FrameCountCache::load() const {
  Records records;
  if (!std::filesystem::exists(file_)) return records;
  const auto document = nlohmann::json::parse(read_text_file(file_));
  if (document.at("version") != kFormatVersion) throw Error("another version of the format");
  for (const auto& [path, values] : document.at("videos").items()) {
    const Record record{values.at(0).get<std::int64_t>(), values.at(1).get<std::int64_t>(),
                        values.at(2).get<std::int64_t>()};
    if (record.frame_count <= 0 || record.frame_count > kMaxFrameCount)
      throw Error(fmt::format("{} frames of {}", record.frame_count, path));
    records.emplace(path, record);
  }
  return records;
}

void FrameCountCache::save_locked() {
  if (file_.empty() || !unsaved_) return;
  try {
    try {
      records_.merge(load());  // another process's new ones; where both know a video, ours
    } catch (const std::exception&) {
      // A file that was damaged meanwhile is replaced.
    }
    nlohmann::json videos = nlohmann::json::object();
    for (const auto& [path, record] : records_)
      videos[path] = {record.size, record.modified, record.frame_count};
    const nlohmann::json document = {{"version", kFormatVersion}, {"videos", std::move(videos)}};
    // A path that is not UTF-8 is written with replacement characters: never found again, so that video is
    // counted again.
    write_file_atomically(file_, json_text(document, /*indent=*/-1));
  } catch (const std::exception& problem) {
    spdlog::warn("frame counts are kept in memory only: {}", problem.what());
    file_.clear();
  }
  unsaved_ = false;
  last_save_ = std::chrono::steady_clock::now();
}

std::filesystem::path frame_count_file(const std::filesystem::path& list) {
  auto file = list;
  file += ".frame_counts.json";
  return file;
}

}  // namespace actionclip
