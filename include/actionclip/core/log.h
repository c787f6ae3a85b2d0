// Logging set-up. The library logs through spdlog's default logger: spdlog::info("..."), warn, error, debug.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <spdlog/common.h>

namespace actionclip {

// Sends the log to stderr at `level` (trace, debug, info, warn, error, off). Throws UsageError on another
// word.
void set_up_logging(const std::string& level);

// For a rank other than 0: warnings and errors alone, with `prefix` ("[rank 1] ") before them.
void set_up_rank_logging(const std::string& prefix);

// For its lifetime the log also goes, with dates, to the end of a file.
class LogFile {
 public:
  // Throws Error if `file` cannot be opened.
  explicit LogFile(const std::filesystem::path& file);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // An error that the file alone is to have, as the program prints it at its end. Does not throw if it cannot
  // be written.
  void write_error(const std::string& message);

 private:
  spdlog::sink_ptr sink_;
};

}  // namespace actionclip
