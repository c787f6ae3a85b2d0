#include "actionclip/video/manifest.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"
#include "actionclip/text/csv.h"

namespace actionclip {
namespace {

constexpr const char* kManifestFile = "manifest.csv";
constexpr const char* kJournalFile = "manifest.journal.csv";
constexpr std::size_t kColumns = 13;
constexpr const char* kHeader =
    "path,bytes,modified,frames,seconds,width,height,fps,codec,sha256,hash,decodable,reason\n";
constexpr std::size_t kManifestLimit = std::size_t{4} << 30;  // a row has about 350 bytes

std::string row_of(const VideoFacts& video) {
  return fmt::format("{},{},{},{},{:.6f},{},{},{:.4f},{},{},{},{},{}\n", csv_field(video.path), video.bytes,
                     video.modified, video.frames, video.seconds, video.width, video.height, video.fps,
                     csv_field(video.codec), video.sha256, video.hash ? to_hex(*video.hash) : "",
                     video.decodable ? "yes" : "no", csv_field(video.reason));
}

// Reads the fields of a row from left to right.
class RowReader {
 public:
  RowReader(const CsvRow& row, const std::string& file) : row_(row), file_(file) {
    if (row.fields.size() != kColumns)
      fail(fmt::format("{} fields, expected {}", row.fields.size(), kColumns));
  }

  const std::string& text() { return row_.fields[next_++]; }

  std::int64_t integer() {
    const auto value = parse_integer(row_.fields[next_]);
    if (!value) fail(fmt::format("'{}' is not an integer", row_.fields[next_]));
    ++next_;
    return *value;
  }

  double number() {
    const std::string& field = text();
    double value = 0;
    const auto [end, code] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (code != std::errc() || end != field.data() + field.size()) {
      fail(fmt::format("'{}' is not a number", field));
    }
    return value;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(
        fmt::format("{}:{}: {}; it is no manifest of `dataset verify`, or damaged", file_, row_.line, what));
  }

 private:
  const CsvRow& row_;
  const std::string& file_;
  std::size_t next_ = 0;
};

VideoFacts parse_row(const CsvRow& row, const std::string& file) {
  RowReader reader(row, file);
  VideoFacts video;
  video.path = reader.text();
  video.bytes = reader.integer();
  video.modified = reader.integer();
  video.frames = reader.integer();
  video.seconds = reader.number();
  video.width = reader.integer();
  video.height = reader.integer();
  video.fps = reader.number();
  video.codec = reader.text();
  video.sha256 = reader.text();
  const std::string& hash = reader.text();
  video.hash = parse_hash(hash);
  if (!hash.empty() && !video.hash) reader.fail(fmt::format("'{}' is not a hash of a video", hash));
  video.decodable = reader.text() == "yes";
  video.reason = reader.text();
  return video;
}

std::vector<VideoFacts> parse_manifest(std::string_view text, const std::string& file) {
  const auto rows = parse_csv(text, file);
  if (!text.starts_with(kHeader)) {
    throw Error(fmt::format("{}:1: the header is not that of a manifest of `dataset verify`", file));
  }
  std::vector<VideoFacts> videos;
  for (const auto& row : std::span(rows).subspan(1)) videos.push_back(parse_row(row, file));
  return videos;
}

}  // namespace

std::string manifest_text(const std::vector<VideoFacts>& videos) {
  std::string text = kHeader;
  for (const auto& video : videos) text += row_of(video);
  return text;
}

std::vector<VideoFacts> read_manifest(const std::filesystem::path& file) {
  return parse_manifest(read_text_file(file, kManifestLimit), file.string());
}

ManifestJournal::ManifestJournal(const std::filesystem::path& folder) : folder_(folder) {
  if (folder.empty()) return;
  const auto manifest = folder / kManifestFile, journal = folder / kJournalFile;
  std::error_code unknown;
  if (std::filesystem::exists(manifest, unknown)) learn(read_manifest(manifest));
  if (std::filesystem::exists(journal, unknown)) {
    // A run that was killed may have left half a row.
    std::string text = read_text_file(journal, kManifestLimit);
    text.resize(text.rfind('\n') + 1);
    if (!text.empty()) learn(parse_manifest(text, journal.string()));
    spdlog::info("{}: goes on where a stopped run left off, {} videos are known", folder.string(),
                 known_.size());
  }
  // Again as a whole: the old journal must not be lost before there is a new one.
  std::vector<VideoFacts> all;
  for (const auto& [path, video] : known_) all.push_back(video);
  const auto temporary = temporary_sibling(journal);
  journal_.emplace(temporary);
  journal_->write(manifest_text(all));
  rename_durably(temporary, journal);
}

void ManifestJournal::learn(std::vector<VideoFacts> videos) {
  for (auto& video : videos) {
    std::string path = video.path;
    known_.insert_or_assign(std::move(path), std::move(video));
  }
}

const VideoFacts* ManifestJournal::find(const std::string& path, std::int64_t bytes,
                                        std::int64_t modified) const {
  const auto video = known_.find(path);
  if (video == known_.end()) return nullptr;
  const auto& facts = video->second;
  // What failed may have failed for want of time or memory.
  return facts.decodable && facts.bytes == bytes && facts.modified == modified ? &facts : nullptr;
}

void ManifestJournal::add(const VideoFacts& video) {
  const std::string row = row_of(video);
  // The end of a row must be known from its line break.
  if (journal_ && std::ranges::count(row, '\n') == 1) journal_->write(row);
}

void ManifestJournal::finish(const std::vector<VideoFacts>& videos) {
  if (folder_.empty()) return;
  write_file_atomically(folder_ / kManifestFile, manifest_text(videos));
  journal_.reset();
  std::error_code ignored;
  std::filesystem::remove(folder_ / kJournalFile, ignored);
}

}  // namespace actionclip
