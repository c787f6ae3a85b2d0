// Runs of several ranks that are killed or stopped at random moments, or run out of disk at one, and then
// resumed: what they learnt in all is to equal, bit for bit, what a run learns that went straight on.

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/random.h"
#include "actionclip/train/checkpoint.h"

#include "tests/end_to_end/program.h"
#include "tests/end_to_end/ranks.h"
#include "tests/soak.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kLauncher = -1;  // in the place of a rank
constexpr auto kTick = std::chrono::milliseconds(5);

// The time-outs of the ranks (below), what a search for the silent ones takes, and the launcher's patience;
// ranks that wait for each other for ever would need longer.
constexpr std::chrono::seconds kTimeLimit{90};

struct StraightRun {
  double seconds = 0;
  std::vector<nlohmann::json> learnt;
};

// Waits until the launcher has started its ranks.
void wait_for_ranks(pid_t launcher, int count) {
  const auto deadline = std::chrono::steady_clock::now() + kTimeLimit;
  while (static_cast<int>(ranks_of(launcher).size()) < count) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the ranks do not start";
    std::this_thread::sleep_for(kTick);
  }
}

// 0 if the process has ended.
pid_t process_of(int rank, pid_t launcher) {
  if (rank == kLauncher) return launcher;
  const auto ranks = ranks_of(launcher);
  const auto index = static_cast<std::size_t>(rank);
  return index < ranks.size() ? ranks[index] : 0;
}

// The command lines of the processes that work in `folder`.
std::vector<std::string> processes_in(const fs::path& folder) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto line = read_text(entry.path() / "cmdline");
    if (line.find(folder.string()) != std::string::npos) found.push_back(line);
  }
  return found;
}

std::vector<std::string> temporaries_in(const fs::path& folder) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name.find(".tmp.") != std::string::npos) found.push_back(entry.path().string());
  }
  return found;
}

class RanksAtRandomMoments : public RanksAsProcesses, public ::testing::WithParamInterface<Moments> {
 protected:
  void SetUp() override {
    RanksAsProcesses::SetUp();
    fs::create_directory(temporary_files_);
    if (const char* former = std::getenv("TMPDIR")) former_temporary_files_ = former;
    setenv("TMPDIR", temporary_files_.c_str(), 1);
  }

  void TearDown() override {
    unsetenv("TMPDIR");
    if (former_temporary_files_) setenv("TMPDIR", former_temporary_files_->c_str(), 1);
  }

  // Of three epochs, each with a validation and a checkpoint.
  ProgramResult train(const std::string& run, int ranks, const std::vector<std::string>& more = {},
                      std::function<void(pid_t launcher)> action = {}) const {
    std::vector<std::string> settings = {"data.val.list=" + (folder_ / "data/val.txt").string(),
                                         "train.max_steps=0",
                                         "train.epochs=3",
                                         "train.checkpoint_every=1",
                                         "train.keep_checkpoints=1",
                                         "eval.every_epochs=1",
                                         "distributed.meeting_timeout=20",
                                         "distributed.collective_timeout=20"};
    settings.insert(settings.end(), more.begin(), more.end());
    return run_program(arguments(run, ranks, settings),
                       {.run = folder_ / run, .action = std::move(action), .time_limit = kTimeLimit});
  }

  // Its lines of metrics, of each what does not depend on the clock.
  std::vector<nlohmann::json> learnt(const std::string& run) const {
    std::vector<nlohmann::json> lines;
    for (const auto& text : lines_of(read_text(folder_ / (run + "/metrics.jsonl")))) {
      const auto line = nlohmann::json::parse(text);
      if (line.at("split") == "summary") continue;  // it tells of the clock alone
      auto& kept = lines.emplace_back();
      for (const char* key : {"split", "step", "epoch", "loss", "lr", "grad_norm", "logit_scale", "top1"}) {
        if (line.contains(key)) kept[key] = line[key];
      }
    }
    return lines;
  }

  const StraightRun& straight(int ranks) {
    const auto [place, is_new] = straight_.try_emplace(ranks);
    if (!is_new) return place->second;
    const auto run = fmt::format("straight-{}", ranks);
    const auto start = std::chrono::steady_clock::now();
    const auto result = train(run, ranks);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    place->second = {.seconds = taken.count(), .learnt = learnt(run)};
    fs::remove_all(folder_ / run);
    return place->second;
  }

  // Sends the launcher or a rank a signal at a random moment of the run.
  std::function<void(pid_t)> strike(int rank, int ranks, int signal) {
    const std::chrono::duration<double> moment(random_.uniform(0, straight(ranks).seconds));
    return [=](pid_t launcher) {
      wait_for_ranks(launcher, ranks);
      std::this_thread::sleep_for(moment);
      if (const pid_t process = process_of(rank, launcher); process > 0) kill(process, signal);
    };
  }

  // Ends with the run's folder removed.
  void expect_that_it_goes_on(const std::string& run, int ranks) {
    const auto resumed = train(run, ranks, {"--resume=auto"});
    EXPECT_EQ(resumed.exit_code, 0) << resumed.errors;
    EXPECT_EQ(learnt(run), straight(ranks).learnt);
    expect_nothing_left();
    fs::remove_all(folder_ / run);
  }

  void expect_nothing_left() const {
    EXPECT_THAT(processes_in(folder_.path()), IsEmpty());
    EXPECT_THAT(temporaries_in(folder_.path()), IsEmpty());
    EXPECT_TRUE(fs::is_empty(temporary_files_));
  }

  // Calls `is_hit` (whose number it gets) until it was true so often as the test is to have moments. A moment
  // that comes when the run is over already does not count.
  void until_all_hit(const std::function<bool(int number)>& is_hit) {
    const int count = GetParam().count;
    int hits = 0;
    for (int number = 0; hits < count && !HasFailure(); ++number) {
      ASSERT_LT(number, 2 * count + 5) << "most moments come when the run is over";
      SCOPED_TRACE(fmt::format("moment {} of seed {}", number, seed_));
      if (is_hit(number)) ++hits;
    }
  }

  const std::uint64_t seed_ = seed_of(GetParam());
  RandomStream random_{seed_, RandomPurpose::kSynthetic};
  const fs::path temporary_files_ = folder_ / "temporary";
  std::optional<std::string> former_temporary_files_;
  std::map<int, StraightRun> straight_;  // by the number of ranks
};

class RanksThatAreKilled : public RanksAtRandomMoments {
 protected:
  // False if the run was over.
  bool kill_one(const std::string& run, int rank, int ranks) {
    const auto killed = train(run, ranks, {}, strike(rank, ranks, SIGKILL));
    EXPECT_THAT(processes_in(folder_.path()), IsEmpty());
    const bool is_hit = killed.exit_code != 0;
    if (is_hit) {
      EXPECT_EQ(killed.exit_code, 1) << killed.errors;
      EXPECT_THAT(killed.errors, HasSubstr(fmt::format("rank {} was killed by signal 9", rank)));
    }
    expect_that_it_goes_on(run, ranks);
    return is_hit;
  }
};

TEST_P(RanksThatAreKilled, EndTheRunByNameAndLoseNothing) {
  until_all_hit([this](int number) {
    const bool is_large = number % 4 == 3;
    return kill_one(fmt::format("killed-{}", number), is_large ? number / 4 % 4 : number % 2,
                    is_large ? 4 : 2);
  });
}

INSTANTIATE_TEST_SUITE_P(Ci, RanksThatAreKilled, ::testing::Values(Moments{.count = 2, .fixed_seed = true}));
INSTANTIATE_TEST_SUITE_P(Soak, RanksThatAreKilled,
                         ::testing::Values(Moments{.count = 20, .fixed_seed = false}));

class RanksThatAreStopped : public RanksAtRandomMoments {
 protected:
  // False if the run was over.
  bool stop(const std::string& run, int signal, int receiver) {
    const auto stopped = train(run, 2, {}, strike(receiver, 2, signal));
    EXPECT_THAT(stopped.exit_code, AnyOf(0, 75)) << stopped.errors;
    EXPECT_THAT(processes_in(folder_.path()), IsEmpty());
    if (stopped.exit_code == 75) {
      EXPECT_THAT(stopped.errors, HasSubstr("stopped by a signal after step"));
      EXPECT_TRUE(fs::exists(folder_ / run / "checkpoints" / "last"));
    }
    expect_that_it_goes_on(run, 2);
    return stopped.exit_code == 75;
  }
};

TEST_P(RanksThatAreStopped, LoseNoStep) {
  constexpr std::array kSignals = {SIGTERM, SIGINT, SIGUSR1};
  until_all_hit([&](int number) {
    const int receiver = (number + number / 3) % 3 + kLauncher;  // each with each signal
    return stop(fmt::format("stopped-{}", number), kSignals[static_cast<std::size_t>(number % 3)], receiver);
  });
}

INSTANTIATE_TEST_SUITE_P(Ci, RanksThatAreStopped, ::testing::Values(Moments{.count = 3, .fixed_seed = true}));
INSTANTIATE_TEST_SUITE_P(Soak, RanksThatAreStopped,
                         ::testing::Values(Moments{.count = 30, .fixed_seed = false}));

// A file system in memory that this process and its children alone see.
class SmallDisk {
 public:
  SmallDisk(fs::path place, std::int64_t bytes) : place_(std::move(place)) {
    fs::create_directories(place_);
    const bool mounted =
        unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        mount("actionclip_test", place_.c_str(), "tmpfs", 0, fmt::format("size={}", bytes).c_str()) == 0;
    if (!mounted) problem_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (problem_.empty()) umount2(place_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  const std::string& problem() const { return problem_; }  // empty: there is such a disk

  void grow(std::int64_t bytes) {
    ASSERT_EQ(mount(nullptr, place_.c_str(), nullptr, MS_REMOUNT, fmt::format("size={}", bytes).c_str()), 0)
        << std::strerror(errno);
  }

 private:
  fs::path place_;
  std::string problem_;
};

class RanksOnAFullDisk : public RanksAtRandomMoments {
 protected:
  void run_out_of_disk(const std::string& run, int ranks) {
    const auto full = train(run, ranks);
    EXPECT_EQ(full.exit_code, 1);
    EXPECT_THAT(full.errors, AllOf(HasSubstr("cannot save the checkpoint"), HasSubstr("bytes needed"),
                                   HasSubstr("No space left on device")));
    expect_nothing_left();
    for (const auto& entry : fs::directory_iterator(folder_ / run / "checkpoints"))
      EXPECT_NO_THROW(load_checkpoint(entry.path())) << entry.path();  // `last` too
    EXPECT_TRUE(fs::exists(folder_ / run / "checkpoints" / "last"));
  }
};

// One checkpoint has room, two have not.
TEST_P(RanksOnAFullDisk, EndTheRunAndGoOnOnALargerOne) {
  constexpr std::int64_t kMiB = 1 << 20;
  for (int number = 0; number < GetParam().count; ++number) {
    const int ranks = number % 2 == 0 ? 1 : 2;
    const auto size = static_cast<std::int64_t>(random_.uniform(42, 78) * kMiB);
    SCOPED_TRACE(fmt::format("moment {} of seed {}: {} bytes", number, seed_, size));
    SmallDisk disk(folder_ / "disk", size);
    if (!disk.problem().empty()) GTEST_SKIP() << "no small disk can be mounted here: " << disk.problem();
    run_out_of_disk("disk/run", ranks);
    disk.grow(400 * kMiB);
    expect_that_it_goes_on("disk/run", ranks);
  }
}

INSTANTIATE_TEST_SUITE_P(Ci, RanksOnAFullDisk, ::testing::Values(Moments{.count = 2, .fixed_seed = true}));
INSTANTIATE_TEST_SUITE_P(Soak, RanksOnAFullDisk,
                         ::testing::Values(Moments{.count = 10, .fixed_seed = false}));

}  // namespace
}  // namespace actionclip
