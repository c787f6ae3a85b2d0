// Logging set-up. The library logs through spdlog's default logger: spdlog::info("..."), warn, error, debug.
#pragma once

#include <filesystem>
#include <string>

namespace actionclip {

// Sends the log to stderr at `level` (trace, debug, info, warn, error, off). Throws UsageError on another
// word.
void set_up_logging(const std::string& level);

// Also appends the log, with dates, to `file`. Throws Error if it cannot be opened.
void add_log_file(const std::filesystem::path& file);

}  // namespace actionclip
