// By hand, as the packaged process libraries (Boost.Process in Debian 12) fork, which a process with threads,
// as the one that holds c10d's store, must not; posix_spawn does not.
#include "actionclip/distributed/local_launcher.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "actionclip/core/error.h"
#include "actionclip/core/exit_code.h"

extern char** environ;

namespace actionclip {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kGrace = std::chrono::seconds(20);  // from SIGTERM to SIGKILL
constexpr std::size_t kLastLines = 10;
constexpr const char* kLauncher = "ACTIONCLIP_LAUNCHER";  // its process id
constexpr const char* kAddress = "127.0.0.1";

[[noreturn]] void fail(const std::string& what, int code) {
  throw Error(fmt::format("--nproc: cannot {}: {}", what, std::strerror(code)));
}

// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int descriptor = -1) : descriptor_(descriptor) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  int get() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
};

// The signals that the launcher reads, blocked in all its threads; for good, as one that comes while the
// process ends would else kill it, and its exit code would not tell how the ranks ended.
class SignalReader {
 public:
  SignalReader() {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGCHLD}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    descriptor_ = Descriptor(signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK));
    if (descriptor_.get() < 0) fail("watch signals", errno);
  }

  int descriptor() const { return descriptor_.get(); }
  const sigset_t& signals() const { return signals_; }

  // The next signal that came; none if there is no more.
  std::optional<int> next() const {
    signalfd_siginfo info{};
    if (read(descriptor_.get(), &info, sizeof(info)) != sizeof(info)) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
  }

 private:
  sigset_t signals_{};
  Descriptor descriptor_;
};

struct Rank {
  pid_t process = 0;
  std::optional<int> status;  // of waitpid, once it has ended
  Descriptor output;          // its standard output and error; none for rank 0
  std::string line;           // what came of a line so far
  std::deque<std::string> last_lines;
};

// environ with `more` in place of what it says.
std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    const auto name = text.substr(0, text.find('='));
    if (std::none_of(more.begin(), more.end(), [&](const auto& own) { return own.first == name; }))
      environment.push_back(text);
  }
  for (const auto& [name, value] : more) environment.push_back(fmt::format("{}={}", name, value));
  return environment;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What posix_spawn does in the child before the program begins.
class SpawnSettings {
 public:
  // `output`: becomes standard output and error; -1 leaves them. `signals` wait until the program is ready
  // for them (StopSignal), so that one that comes while it starts is not lost.
  SpawnSettings(int output, const sigset_t& signals) {
    posix_spawn_file_actions_init(&actions_);
    if (output >= 0) {
      posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
      posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    }
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    // A process group each, so that a terminal's Ctrl-C comes once: through the launcher.
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::string describe_status(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("was killed by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

bool failed(int status) {
  return !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != kExitResumable);
}

class LocalRanks {
 public:
  LocalRanks(const std::vector<std::string>& command, int ranks)
      : command_(command), ranks_(static_cast<std::size_t>(ranks)) {
    c10d::TCPStoreOptions options;
    options.port = 0;  // any free one
    options.isServer = true;
    options.waitWorkers = false;
    store_ = c10::make_intrusive<c10d::TCPStore>(kAddress, options);
  }

  ~LocalRanks() {
    for (const auto& rank : ranks_) {
      if (rank.process > 0 && !rank.status) {
        kill(rank.process, SIGKILL);
        waitpid(rank.process, nullptr, 0);
      }
    }
  }

  int run() {
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) start(rank);
    while (running()) {
      wait_for_news();
      if (first_failure_ && !killed_ && Clock::now() > kill_at_) {
        signal_all(SIGKILL);
        killed_ = true;
      }
    }
    for (std::size_t rank = 1; rank < ranks_.size(); ++rank) read_output(rank);
    if (first_failure_) throw Error(describe_failure(*first_failure_));
    const auto is_resumable = [](const Rank& rank) { return WEXITSTATUS(*rank.status) == kExitResumable; };
    return std::any_of(ranks_.begin(), ranks_.end(), is_resumable) ? kExitResumable : 0;
  }

 private:
  void start(std::size_t number) {
    auto& rank = ranks_[number];
    Descriptor child_end;
    if (number > 0) {
      std::array<int, 2> ends{};
      if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("make a pipe", errno);
      rank.output = Descriptor(ends[0]);
      child_end = Descriptor(ends[1]);
      fcntl(rank.output.get(), F_SETFL, O_NONBLOCK);
    }
    auto environment = environment_with(variables_of(number));
    auto command = command_;
    const SpawnSettings settings(child_end.get(), signals_.signals());
    const int code =
        posix_spawnp(&rank.process, command[0].c_str(), settings.actions(), settings.attributes(),
                     pointers_to(command).data(), pointers_to(environment).data());
    if (code != 0) {
      rank.process = 0;
      fail(fmt::format("start {}", command[0]), code);
    }
  }

  std::vector<std::pair<std::string, std::string>> variables_of(std::size_t rank) const {
    const auto size = std::to_string(ranks_.size());
    std::vector<std::pair<std::string, std::string>> variables = {
        {"RANK", std::to_string(rank)},
        {"WORLD_SIZE", size},
        {"LOCAL_RANK", std::to_string(rank)},
        {"LOCAL_WORLD_SIZE", size},
        {"MASTER_ADDR", kAddress},
        {"MASTER_PORT", std::to_string(store_->getPort())},
        {"TORCHELASTIC_USE_AGENT_STORE", "True"},
        {"TORCHELASTIC_RESTART_COUNT", "0"},
        {kLauncher, std::to_string(getpid())}};
    // The cores shared out; each rank would else take them all.
    if (!std::getenv("OMP_NUM_THREADS")) {
      const auto cores = std::max<std::size_t>(1, std::thread::hardware_concurrency() / ranks_.size());
      variables.emplace_back("OMP_NUM_THREADS", std::to_string(cores));
    }
    return variables;
  }

  bool running() const {
    return std::any_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return !rank.status; });
  }

  // Waits for output, signals or the time to kill.
  void wait_for_news() {
    std::vector<pollfd> sources = {{signals_.descriptor(), POLLIN, 0}};
    for (const auto& rank : ranks_) {
      if (rank.output.get() >= 0) sources.push_back({rank.output.get(), POLLIN, 0});
    }
    constexpr int kTick = 500;  // ms
    poll(sources.data(), sources.size(), first_failure_ ? kTick : -1);
    for (std::size_t rank = 1; rank < ranks_.size(); ++rank) read_output(rank);
    while (const auto signal = signals_.next()) {
      if (*signal != SIGCHLD) signal_all(*signal);
    }
    collect_ended();
  }

  void collect_ended() {
    for (std::size_t number = 0; number < ranks_.size(); ++number) {
      auto& rank = ranks_[number];
      int status = 0;
      if (rank.status || waitpid(rank.process, &status, WNOHANG) != rank.process) continue;
      rank.status = status;
      if (!failed(status) || first_failure_) continue;
      first_failure_ = number;
      kill_at_ = Clock::now() + kGrace;
      signal_all(SIGTERM);
    }
  }

  void signal_all(int signal) const {
    for (const auto& rank : ranks_) {
      if (!rank.status) kill(rank.process, signal);
    }
  }

  // Shows whole lines as they come, and keeps the last ones.
  void read_output(std::size_t number) {
    auto& rank = ranks_[number];
    std::array<char, 4096> buffer{};
    while (rank.output.get() >= 0) {
      const auto count = read(rank.output.get(), buffer.data(), buffer.size());
      if (count < 0) {
        if (errno == EINTR) continue;
        return;
      }
      if (count == 0) rank.output.close();
      for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(count))) {
        if (c != '\n')
          rank.line += c;
        else
          show_line(number);
      }
    }
    if (!rank.line.empty()) show_line(number);
  }

  void show_line(std::size_t number) {
    auto& rank = ranks_[number];
    fmt::print(stderr, "[rank {}] {}\n", number, rank.line);
    rank.last_lines.push_back(std::exchange(rank.line, ""));
    if (rank.last_lines.size() > kLastLines) rank.last_lines.pop_front();
  }

  std::string describe_failure(std::size_t number) const {
    const auto& rank = ranks_[number];
    const auto what = fmt::format("rank {} {}", number, describe_status(*rank.status));
    if (number == 0) return what + "; its last lines are above";
    if (rank.last_lines.empty()) return what + " without a word";
    return fmt::format("{}; its last lines: {}", what, fmt::join(rank.last_lines, " | "));
  }

  const std::vector<std::string> command_;
  const SignalReader signals_;  // before the store, whose threads must not take them
  c10::intrusive_ptr<c10d::TCPStore> store_;
  std::vector<Rank> ranks_;
  std::optional<std::size_t> first_failure_;
  Clock::time_point kill_at_;
  bool killed_ = false;
};

}  // namespace

int run_local_ranks(const std::vector<std::string>& command, int ranks) {
  return LocalRanks(command, ranks).run();
}

bool end_with_launcher() {
  const char* launcher = std::getenv(kLauncher);
  if (!launcher) return false;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (std::to_string(getppid()) != launcher) std::raise(SIGTERM);  // it has died already
  return true;
}

}  // namespace actionclip
