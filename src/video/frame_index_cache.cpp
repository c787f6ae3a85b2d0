#include "actionclip/video/frame_index_cache.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <boost/crc.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/video/sampler.h"

#include "video/ffmpeg.h"

namespace actionclip {

// The part of a record in front of the index's details; as it lies in memory, so that another byte order is
// another version.
struct FrameIndexCache::Record {
  static constexpr std::uint32_t kMark = 0x58444946;

  std::uint32_t mark = kMark;
  std::uint32_t detail_bytes = 0;
  std::uint64_t key = 0;      // hash of the path
  std::int64_t size = 0;      // of the video, bytes
  std::int64_t modified = 0;  // nanoseconds
  std::int64_t frame_count = 0;
  std::uint32_t details_checksum = 0;
  std::uint32_t checksum = 0;  // of what is above
};

struct FrameIndexCache::Identity {
  std::uint64_t key;
  std::int64_t size;
  std::int64_t modified;
};

namespace {

constexpr int kFormatVersion = 1;
constexpr std::size_t kHeaderBytes = 64;
constexpr std::size_t kMaxDetailBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxMemoryBytes = std::size_t{64} << 20;  // of records that have no file
constexpr std::uint64_t kInMemory = std::uint64_t{1} << 63;

std::uint32_t checksum(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

// What a file starts with. Other versions of FFmpeg may present other frames.
std::string file_header() {
  auto header = fmt::format("actionclip frame index {} FFmpeg {}.{}\n", kFormatVersion, avformat_version(),
                            avcodec_version());
  header.resize(kHeaderBytes);
  return header;
}

template <typename Record>
std::string_view view_of(const Record& record, std::size_t bytes = sizeof(Record)) {
  return {reinterpret_cast<const char*>(&record), bytes};
}

// Whether a record's front part is whole. `left`: bytes from it to the end.
template <typename Record>
bool is_whole(const Record& record, std::uint64_t left) {
  return record.mark == Record::kMark && record.checksum == checksum(view_of(record, sizeof(Record) - 4)) &&
         record.detail_bytes <= left - sizeof(Record);
}

// Other processes wait meanwhile; where a file system has no locks, it does without.
class FileLock {
 public:
  explicit FileLock(int descriptor) : descriptor_(descriptor) { ::flock(descriptor_, LOCK_EX); }
  ~FileLock() { ::flock(descriptor_, LOCK_UN); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

bool write_all(int descriptor, std::string_view bytes) {
  return ::write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
}

std::uint64_t size_of(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

FrameIndexCache::FrameIndexCache(std::filesystem::path file) : file_(std::move(file)) {
  try {
    open_file(false);
  } catch (const std::exception& problem) {
    give_up(problem.what());
  }
}

FrameIndexCache::~FrameIndexCache() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<FrameIndexCache::Identity> FrameIndexCache::identify(const std::filesystem::path& video) {
  struct stat status {};
  if (::stat(video.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  constexpr int kDigits = 16;
  const std::uint64_t key = std::stoull(sha256_of(video.native()).substr(0, kDigits), nullptr, 16);
  return Identity{key, status.st_size, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
}

std::optional<FrameIndex> FrameIndexCache::get(const std::filesystem::path& video) const {
  try {
    const auto now = identify(video);
    if (!now) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(now->key);
    if (found == places_.end()) return std::nullopt;
    const std::string front = bytes_at(found->second, sizeof(Record));
    Record record;
    if (front.size() < sizeof(Record)) return std::nullopt;
    std::memcpy(&record, front.data(), sizeof(Record));
    if (!is_whole(record, sizeof(Record) + kMaxDetailBytes) || record.key != now->key ||
        record.size != now->size || record.modified != now->modified) {
      return std::nullopt;
    }
    std::string details = bytes_at(found->second + sizeof(Record), record.detail_bytes);
    if (details.size() != record.detail_bytes || checksum(details) != record.details_checksum)
      return std::nullopt;
    if (record.frame_count < 1 || record.frame_count > kMaxFrameCount) return std::nullopt;
    return FrameIndex(record.frame_count, std::move(details));
  } catch (const std::exception&) {  // no memory
    return std::nullopt;
  }
}

void FrameIndexCache::put(const std::filesystem::path& video, const FrameIndex& index) {
  try {
    const auto now = identify(video);
    if (!now || index.details.size() > kMaxDetailBytes) return;
    Record record{.detail_bytes = static_cast<std::uint32_t>(index.details.size()),
                  .key = now->key,
                  .size = now->size,
                  .modified = now->modified,
                  .frame_count = index.frame_count,
                  .details_checksum = checksum(index.details)};
    record.checksum = checksum(view_of(record, sizeof(Record) - 4));
    const std::string bytes = std::string(view_of(record)) + index.details;
    const std::lock_guard lock(mutex_);
    if (file_.empty() || !append(bytes, now->key)) keep_in_memory(bytes, now->key);
  } catch (const std::exception&) {
    // No memory: then it is found out again.
  }
}

// Opens the file, if there is one or it is to be made, and loads what it holds.
void FrameIndexCache::open_file(bool create) {
  constexpr int kFlags = O_APPEND | O_CLOEXEC | O_NOCTTY;
  descriptor_ = ::open(file_.c_str(), O_RDWR | kFlags | (create ? O_CREAT : 0), 0666);
  is_writable_ = descriptor_ >= 0;
  if (descriptor_ < 0 && (errno == EACCES || errno == EROFS))
    descriptor_ = ::open(file_.c_str(), O_RDONLY | kFlags);
  if (descriptor_ < 0) {
    if (create || errno != ENOENT) give_up(std::strerror(errno));
    return;
  }
  const FileLock lock(descriptor_);
  const std::string header = file_header();
  if (bytes_at(0, kHeaderBytes) != header) {
    if (size_of(descriptor_) > 0)
      spdlog::warn("{}: of another version or damaged, built anew", file_.string());
    if (!is_writable_ || ::ftruncate(descriptor_, 0) != 0 || !write_all(descriptor_, header)) {
      give_up("it may not be written");
      return;
    }
  }
  load();
}

// Notes where the records lie, and cuts off what is no whole record, with all behind it.
void FrameIndexCache::load() {
  constexpr std::size_t kChunk = std::size_t{1} << 20, kUsualRecords = std::size_t{1} << 20;
  const std::uint64_t size = size_of(descriptor_);
  std::string chunk;
  std::uint64_t chunk_start = 0, place = kHeaderBytes;
  places_.reserve(std::min<std::uint64_t>(size / (sizeof(Record) + 8), kUsualRecords));
  while (place < size) {
    if (place + sizeof(Record) > chunk_start + chunk.size() || chunk.empty()) {
      chunk_start = place;
      chunk = bytes_at(place, kChunk);
    }
    Record record;
    const bool is_there = chunk.size() >= place - chunk_start + sizeof(Record);
    if (is_there) std::memcpy(&record, chunk.data() + (place - chunk_start), sizeof(Record));
    if (!is_there || !is_whole(record, size - place)) {
      spdlog::warn("{}: damaged behind byte {}, what stood there will be found out again", file_.string(),
                   place);
      if (is_writable_ && ::ftruncate(descriptor_, static_cast<off_t>(place)) != 0)
        give_up(std::strerror(errno));
      return;
    }
    places_[record.key] = place;
    place += sizeof(Record) + record.detail_bytes;
  }
}

// Adds to the file's end; false if that does not work.
bool FrameIndexCache::append(std::string_view record, std::uint64_t key) {
  if (descriptor_ < 0) open_file(true);
  if (descriptor_ < 0 || file_.empty()) return false;
  if (!is_writable_) {
    give_up("it may not be written");
    return false;
  }
  const FileLock lock(descriptor_);
  const std::uint64_t end = size_of(descriptor_);
  if (end < kHeaderBytes || !write_all(descriptor_, record)) {
    const std::string reason = std::strerror(errno);
    // Half a record would make all behind it unreadable.
    if (::ftruncate(descriptor_, static_cast<off_t>(end)) != 0)
      spdlog::debug("{}: cannot be cut", file_.string());
    give_up(reason);
    return false;
  }
  places_[key] = end;
  return true;
}

void FrameIndexCache::keep_in_memory(std::string_view record, std::uint64_t key) {
  if (memory_.size() + record.size() > kMaxMemoryBytes) return;
  places_[key] = kInMemory | memory_.size();
  memory_ += record;
}

// One warning, and no more attempts to write; what the file holds stays readable.
void FrameIndexCache::give_up(const std::string& reason) {
  spdlog::warn("{}: cannot be used, so frame counts are kept in memory only: {}", file_.string(), reason);
  file_.clear();
}

// Fewer bytes if there are no more.
std::string FrameIndexCache::bytes_at(std::uint64_t place, std::size_t count) const {
  if ((place & kInMemory) != 0) {
    const std::uint64_t start = place & ~kInMemory;
    return start <= memory_.size() ? memory_.substr(start, count) : std::string();
  }
  std::string bytes(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const ssize_t got =
        ::pread(descriptor_, bytes.data() + filled, count - filled, static_cast<off_t>(place + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

std::filesystem::path frame_index_file(const std::filesystem::path& list) {
  auto file = list;
  file += ".frame_index";
  return file;
}

}  // namespace actionclip
