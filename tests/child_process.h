// Runs a part of a test in a process of its own, for what may crash it and to see how much memory it takes.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <malloc.h>
#include <string>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "tools/bench/process_memory.h"

namespace actionclip {

struct ChildReport {
  std::string text;         // what the function returned
  std::int64_t memory = 0;  // bytes by which its peak of resident memory is above its beginning
  int status = 0;           // of waitpid(); 0 if the function returned
};

// Resident memory says nothing of a program under AddressSanitizer, which keeps what was freed.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kMemoryTells = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kMemoryTells = false;
#else
inline constexpr bool kMemoryTells = true;
#endif
#else
inline constexpr bool kMemoryTells = true;
#endif

// Runs `function` in a child with `folder` for its working folder, behind `before_it`, whose memory does not
// count. Only for processes of one thread.
inline ChildReport run_in_child(const std::filesystem::path& folder,
                                const std::function<std::string()>& function,
                                const std::function<void()>& before_it = {}) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  malloc_trim(0);  // else the child would use what this process has freed, and seem to need no memory
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    std::filesystem::current_path(folder);
    if (before_it) before_it();
    const std::int64_t before = process_memory("VmHWM");
    std::string text = function();
    text = std::to_string(process_memory("VmHWM") - before) + " " + text;
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t count = write(ends[1], text.data() + done, text.size() - done);
      if (count < 0) _exit(1);
      done += static_cast<std::size_t>(count);
    }
    _exit(0);
  }
  close(ends[1]);
  std::string output;
  std::array<char, 4096> chunk;
  for (ssize_t size = 0; (size = read(ends[0], chunk.data(), chunk.size())) != 0;) {
    if (size > 0) output.append(chunk.data(), static_cast<std::size_t>(size));
    if (size < 0 && errno != EINTR) break;
  }
  close(ends[0]);
  ChildReport report;
  while (waitpid(child, &report.status, 0) < 0 && errno == EINTR) continue;
  const std::size_t space = output.find(' ');
  report.memory = std::atoll(output.c_str());
  report.text = space == std::string::npos ? output : output.substr(space + 1);
  return report;
}

}  // namespace actionclip
