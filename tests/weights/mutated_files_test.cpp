// Damaged weights files: each is refused with one line, or every byte of its tensors is there. Suites Ci/...
// take a fixed tenth of what Soak/... take (tests/soak.h).
#include <atomic>
#include <sstream>
#include <sys/mman.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/weights/safetensors.h"

#include "tests/child_process.h"
#include "tests/parity/run_python.h"
#include "tests/soak.h"
#include "tests/weights/files.h"
#include "tests/weights/mutation.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;

constexpr int kBatch = 500;                    // files a process
constexpr std::int64_t kMaxMemory = 64 << 20;  // of a batch: its files have a few thousand bytes each
constexpr std::uint64_t kFiles = 1'000'000;    // numbers of files between one seed and the next

// Numbers that outlive the process which counts.
struct Counts {
  std::atomic<int> begun, loaded;
};

class SharedCounts {
 public:
  SharedCounts()
      : counts_(new(mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                    Counts{}) {}
  ~SharedCounts() { munmap(counts_, sizeof(Counts)); }
  SharedCounts(const SharedCounts&) = delete;
  SharedCounts& operator=(const SharedCounts&) = delete;
  Counts* operator->() const { return counts_; }

 private:
  Counts* counts_;
};

// What is wrong with what became of `file`; empty if nothing.
std::string fault(const fs::path& file, const SharedCounts& counts) {
  try {
    sum_of_bytes(read_tensor_file(file));
    ++counts->loaded;
    return {};
  } catch (const WeightsError& error) {
    const std::string message = error.what();
    if (!is_plain_text(message)) return "a refusal of several lines: " + message;
    return message.find(file.string()) != std::string::npos ? "" : "a refusal without the file: " + message;
  } catch (const std::exception& error) {
    return std::string("no WeightsError, but: ") + error.what();
  }
}

class MutatedFiles : public testing::TestWithParam<Moments> {
 protected:
  // Makes and reads files number `first` and on; returns what is wrong with them.
  std::string read_batch(std::uint64_t seed, int first, int end) const {
    std::string faults;
    for (int i = first; i < end; ++i) {
      counts_->begun = i + 1;
      const auto file = folder_ / "weights.pt";
      write_text(file, Mutation(seed * kFiles + static_cast<std::uint64_t>(i)).file());
      if (const std::string found = fault(file, counts_); !found.empty())
        faults += fmt::format("file {}: {}; ", i, found);
    }
    return faults;
  }

  const TemporaryFolder folder_;
  const SharedCounts counts_;
};

TEST_P(MutatedFiles, AreRefusedWithOneLineOrWhole) {
  const std::uint64_t seed = seed_of(GetParam());
  for (int first = 0; first < GetParam().count; first += kBatch) {
    const int end = std::min(first + kBatch, GetParam().count);
    const ChildReport report = run_in_child(folder_.path(), [&] { return read_batch(seed, first, end); });
    EXPECT_EQ(report.status, 0) << "killed by file " << counts_->begun - 1 << " of seed " << seed;
    EXPECT_EQ(report.text, "") << "seed " << seed;
    if (kMemoryTells) {
      EXPECT_LE(report.memory, kMaxMemory) << "files " << first << " to " << end << " of seed " << seed;
    }
  }
  EXPECT_GT(counts_->loaded, GetParam().count / 50) << "the changes are too wild";
  EXPECT_LT(counts_->loaded, GetParam().count / 2) << "the changes are too tame";
}

INSTANTIATE_TEST_SUITE_P(Ci, MutatedFiles, testing::Values(Moments{.count = 2000, .fixed_seed = true}));
INSTANTIATE_TEST_SUITE_P(Soak, MutatedFiles, testing::Values(Moments{.count = 20'000, .fixed_seed = false}));

class MutatedSafetensors : public testing::TestWithParam<Moments> {};

// The other direction does not hold: more is refused here than the format asks for.
TEST_P(MutatedSafetensors, ThatAreAcceptedThePythonLibraryAcceptsToo) {
  const TemporaryFolder folder;
  const std::uint64_t seed = seed_of(GetParam());
  int accepted = 0;
  for (int i = 0; accepted < GetParam().count; ++i) {
    ASSERT_LT(i, 100 * GetParam().count) << "the changes are too wild";
    const auto file = folder / fmt::format("{:06}", i);
    write_text(file, Mutation(seed * kFiles + static_cast<std::uint64_t>(i)).safetensors_file());
    try {
      read_safetensors(file);
      ++accepted;
    } catch (const WeightsError&) {
      fs::remove(file);
    }
  }
  std::istringstream verdicts(run_python("weights_files.py", {"judge-safetensors", folder.path().string()}));
  int judged = 0;
  for (std::string name, verdict; verdicts >> name >> verdict; ++judged)
    EXPECT_EQ(verdict, "accepted") << "file " << name << " of seed " << seed << ": "
                                   << read_text(folder / name);
  EXPECT_EQ(judged, accepted);
}

INSTANTIATE_TEST_SUITE_P(Ci, MutatedSafetensors, testing::Values(Moments{.count = 500, .fixed_seed = true}));
INSTANTIATE_TEST_SUITE_P(Soak, MutatedSafetensors,
                         testing::Values(Moments{.count = 5000, .fixed_seed = false}));

}  // namespace
}  // namespace actionclip
