// Files and folders that appear whole or not at all: written under a temporary name in the same place,
// fsynced, renamed, and the parent folder fsynced. Every function throws Error (path, system's reason, bytes
// where it matters).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace actionclip {

// A plain file being written: buffered by the kernel, with every failed write reported.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path);  // creates or truncates
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  // fsync and close. A file that is not finished is closed without fsync by the destructor.
  void finish();

 private:
  std::filesystem::path path_;
  int descriptor_;
};

// Writes `text` to `path` atomically.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

// fsyncs a file that is not open any more.
void sync_file(const std::filesystem::path& path);

// fsyncs a folder, so that renames and new files in it survive a power cut.
void sync_folder(const std::filesystem::path& folder);

// Flushes the file system that `folder` lies on: of thousands of small files far quicker than one fsync each.
void flush_file_system(const std::filesystem::path& folder);

// Renames `from` to `to` (replacing a file, or an empty folder, named `to`) and fsyncs the parent of `to`.
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

// Moves the files `names` of the folder `from` to the folder `to` on the same file system, one after the
// other, and fsyncs that. Where one of them cannot take its place, those before it are taken back: what they
// replaced is there again. Of what all but the last replace, a second name or copy is kept in `from`
// meanwhile.
void replace_files(const std::filesystem::path& from, const std::filesystem::path& to,
                   const std::vector<std::string>& names);

// A temporary sibling name of `path`, unique to this process: "path.tmp.<pid>".
std::filesystem::path temporary_sibling(const std::filesystem::path& path);

// Remove the temporary siblings of `path`, or of anything in `folder`, that processes which are gone have
// left, and what has this process' id: in a container a restarted process often has the same. To be called
// before the first write. What cannot be removed is logged.
void remove_leftovers_of(const std::filesystem::path& path);
void remove_leftovers_in(const std::filesystem::path& folder);

// The whole file as text. Throws Error if it cannot be read or is larger than `limit` bytes.
std::string read_text_file(const std::filesystem::path& path, std::size_t limit = 256u << 20);

// Lower-case hexadecimal SHA-256 of a file, of bytes.
std::string sha256_of_file(const std::filesystem::path& path);
std::string sha256_of(std::string_view bytes);

}  // namespace actionclip
