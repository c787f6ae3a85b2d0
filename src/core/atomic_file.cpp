#include "actionclip/core/atomic_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <openssl/evp.h>
#include <optional>
#include <signal.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"

namespace actionclip {
namespace {

[[noreturn]] void fail(const char* what, const std::filesystem::path& path, int code) {
  throw Error(fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(code)));
}

// fsyncs what `flags` open; the error `tolerated` (0: none) is passed over.
void sync(const char* what, const std::filesystem::path& path, int flags, int tolerated) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (descriptor < 0) fail("open", path, errno);
  const int result = fsync(descriptor);
  const int code = errno;
  close(descriptor);
  if (result != 0 && code != tolerated) fail(what, path, code);
}

void rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (rename(from.c_str(), to.c_str()) != 0) {
    throw Error(fmt::format("cannot rename {} to {}: {}", from.string(), to.string(), std::strerror(errno)));
  }
}

constexpr std::string_view kTemporaryMark = ".tmp.";

// What the name of a temporary sibling tells.
struct Temporary {
  std::string name;  // of the file that it is to become
  pid_t process;
};

// None if `path` is no temporary sibling.
std::optional<Temporary> as_temporary(const std::filesystem::path& path) {
  const auto name = path.filename().string();
  const auto mark = name.rfind(kTemporaryMark);
  if (mark == std::string::npos) return std::nullopt;
  const auto process = parse_integer(std::string_view(name).substr(mark + kTemporaryMark.size()));
  if (!process || *process <= 0) return std::nullopt;
  return Temporary{name.substr(0, mark), static_cast<pid_t>(*process)};
}

bool is_leftover(const Temporary& temporary) {
  return temporary.process == getpid() || (kill(temporary.process, 0) != 0 && errno == ESRCH);
}

// Of the file or folder `name` alone, or of all.
void remove_leftovers(const std::filesystem::path& folder, const std::optional<std::string>& name) {
  std::vector<std::filesystem::path> leftovers;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(folder.empty() ? "." : folder, absent)) {
    const auto temporary = as_temporary(entry.path());
    if (temporary && (!name || temporary->name == *name) && is_leftover(*temporary))
      leftovers.push_back(entry.path());
  }
  for (const auto& path : leftovers) {
    std::error_code code;
    std::filesystem::remove_all(path, code);
    if (code) spdlog::warn("cannot remove the unfinished {}: {}", path.string(), code.message());
  }
}

std::filesystem::path kept_in(const std::filesystem::path& folder, const std::string& name) {
  return folder / (name + ".old");
}

bool is_there(const std::filesystem::path& path) {
  std::error_code absent;
  return std::filesystem::exists(std::filesystem::symlink_status(path, absent));
}

// Gives `file` the second name `kept`; some file systems have no such names, and get a copy.
void keep(const std::filesystem::path& file, const std::filesystem::path& kept) {
  if (!is_there(file)) return;
  std::error_code code;
  std::filesystem::create_hard_link(file, kept, code);
  if (code) std::filesystem::copy_file(file, kept, code);
  if (code)
    throw Error(fmt::format("cannot keep {} as {}: {}", file.string(), kept.string(), code.message()));
}

// Puts back what `file` was, or nothing where there was none.
void take_back(const std::filesystem::path& kept, const std::filesystem::path& file) {
  std::error_code code;
  if (is_there(kept)) {
    std::filesystem::rename(kept, file, code);
  } else {
    std::filesystem::remove(file, code);
  }
  if (code) spdlog::warn("cannot put the old {} back: {}", file.string(), code.message());
}

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

std::string hexadecimal(const Digest& digest, unsigned length) {
  std::string text;
  for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& path)
    : path_(path), descriptor_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) fail("create", path_, errno);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw Error(fmt::format("cannot write {} ({} more bytes needed): {}", path_.string(), bytes.size(),
                              std::strerror(errno)));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void OutputFile::write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

void OutputFile::finish() {
  if (fsync(descriptor_) != 0) fail("flush", path_, errno);
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (close(descriptor) != 0) fail("close", path_, errno);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  const auto temporary = temporary_sibling(path);
  try {
    OutputFile file(temporary);
    file.write(text);
    file.finish();
    rename_durably(temporary, path);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

void sync_folder(const std::filesystem::path& folder) {
  // Some file systems cannot sync folders (EINVAL); there is nothing more to do on those.
  sync("flush folder", folder.empty() ? "." : folder, O_DIRECTORY, EINVAL);
}

void sync_file(const std::filesystem::path& path) { sync("flush", path, 0, 0); }

void flush_file_system(const std::filesystem::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail("open", folder, errno);
  const int result = syncfs(descriptor);
  const int code = errno;
  close(descriptor);
  if (result != 0) fail("flush the file system of", folder, code);
}

void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  rename_file(from, to);
  sync_folder(to.parent_path());
}

void replace_files(const std::filesystem::path& from, const std::filesystem::path& to,
                   const std::vector<std::string>& names) {
  std::vector<std::string> replaced;
  try {
    for (const auto& name : names) {
      if (name != names.back()) keep(to / name, kept_in(from, name));
      rename_file(from / name, to / name);
      replaced.push_back(name);
    }
  } catch (...) {
    for (const auto& name : replaced) take_back(kept_in(from, name), to / name);
    throw;
  }
  sync_folder(to);
}

std::filesystem::path temporary_sibling(const std::filesystem::path& path) {
  auto name = path;
  name += fmt::format("{}{}", kTemporaryMark, getpid());
  return name;
}

void remove_leftovers_of(const std::filesystem::path& path) {
  remove_leftovers(path.parent_path(), path.filename().string());
}

void remove_leftovers_in(const std::filesystem::path& folder) { remove_leftovers(folder, std::nullopt); }

std::string read_text_file(const std::filesystem::path& path, std::size_t limit) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) throw Error(fmt::format("{}: no such file", path.string()));
  if (std::filesystem::is_directory(status)) {
    throw Error(fmt::format("{}: is a folder, a file is needed", path.string()));
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  std::string text;
  // Growing would take twice the memory for a moment.
  if (std::filesystem::is_regular_file(status)) {
    const auto size = std::filesystem::file_size(path, code);
    if (!code && size <= limit) text.reserve(static_cast<std::size_t>(size));
  }
  std::array<char, 1 << 16> buffer{};
  while (stream.read(buffer.data(), buffer.size()) || stream.gcount() > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(stream.gcount()));
    if (text.size() > limit) {
      throw Error(fmt::format("{}: larger than {} bytes, refused", path.string(), limit));
    }
  }
  if (stream.bad()) throw Error(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  return text;
}

std::string sha256_of_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::vector<char> buffer(1 << 20);
  while (stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || stream.gcount() > 0) {
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad()) throw Error(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  Digest digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &length);
  return hexadecimal(digest, length);
}

std::string sha256_of(std::string_view bytes) {
  Digest digest{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return hexadecimal(digest, length);
}

}  // namespace actionclip
