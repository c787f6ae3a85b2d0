// Crafted and damaged files go all the way to a model's tensors: each is refused with one line and without
// taking more memory than its size and 64 MiB, or is a model. What the files are read by alone:
// hostile_files_test.cpp and mutated_files_test.cpp. Suites Ci/... take a fixed part of what Soak/... take.
#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/weights/state_dict.h"

#include "tests/soak.h"
#include "tests/weights/crafted_models.h"
#include "tests/weights/mutation.h"
#include "tests/weights/refusal.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;

void load(const fs::path& file) { load_weights(file); }

class HostileModels : public testing::Test {
 protected:
  HostileModels() {
    write_text(good_, safetensors_of(clip_tensors()));
    write_text(bad_, safetensors_of({{"visual.proj", {1}}}));
  }

  // Of a child: what the first files of a process take, libtorch's pages and the like, is not any file's.
  void warm_up() const {
    attempt(load, good_);
    attempt(load, bad_);
  }

  void expect_refusals(const CraftedFiles& files) const {
    for (const CraftedFile& file : files) {
      SCOPED_TRACE(file.name);
      expect_refusal(load, file, /*message=*/true, [this] { warm_up(); });
    }
  }

  const TemporaryFolder folder_;
  const fs::path good_ = folder_ / "good.safetensors", bad_ = folder_ / "bad.safetensors";
};

TEST_F(HostileModels, WholeFilesOfTheseNamesAreLoaded) {
  const auto file = folder_ / "whole";
  for (const std::string& bytes : valid_models()) {
    write_text(file, bytes);
    EXPECT_EQ(attempt(load, file), "loaded");
  }
}

TEST_F(HostileModels, SizesThatCannotBeMultipliedAreRefused) { expect_refusals(models_of_absurd_sizes()); }

TEST_F(HostileModels, FilesThatAskForMuchAreRefused) { expect_refusals(greedy_models()); }

TEST_F(HostileModels, ManyTensorsOfOneStorageAreRefused) { expect_refusals(aliased_archives()); }

// What is wrong with what became of files number `first` to `end`; then how many were loaded.
std::string load_batch(const fs::path& file, std::uint64_t seed, int first, int end) {
  constexpr std::uint64_t kFiles = 1'000'000;  // numbers of files between one seed and the next
  std::string faults;
  int loaded = 0;
  for (int i = first; i < end; ++i) {
    write_text(file, Mutation(seed * kFiles + static_cast<std::uint64_t>(i)).model_file());
    const std::string outcome = attempt(load, file);
    const bool refused = outcome.starts_with("refused: ") && is_plain_text(outcome) &&
                         outcome.size() < kLongestRefusal && outcome.find(file.string()) != std::string::npos;
    if (outcome == "loaded") {
      ++loaded;
    } else if (!refused) {
      faults += fmt::format("file {}: {}; ", i, outcome);
    }
  }
  return fmt::format("{}loaded {}", faults, loaded);
}

class MutatedModels : public HostileModels, public testing::WithParamInterface<Moments> {};

TEST_P(MutatedModels, AreRefusedWithOneLineOrLoaded) {
  constexpr int kBatch = 500;                    // files a process
  constexpr std::int64_t kMaxMemory = 64 << 20;  // of a batch: its files have a few thousand bytes each
  const std::uint64_t seed = seed_of(GetParam());
  const int count = GetParam().count;
  int loaded = 0;
  for (int first = 0; first < count; first += kBatch) {
    const int end = std::min(first + kBatch, count);
    const ChildReport report = run_in_child(
        folder_.path(), [&] { return load_batch(folder_ / "weights.pt", seed, first, end); },
        [this] { warm_up(); });
    EXPECT_EQ(report.status, 0) << "killed by one of the files " << first << " to " << end << " of seed "
                                << seed;
    ASSERT_THAT(report.text, testing::StartsWith("loaded ")) << "seed " << seed;
    loaded += std::stoi(report.text.substr(report.text.find(' ')));
    if (kMemoryTells) {
      EXPECT_LE(report.memory, kMaxMemory) << "files " << first << " to " << end << " of seed " << seed;
    }
  }
  EXPECT_GT(loaded, count / 100) << "the changes are too wild";
  EXPECT_LT(loaded, count * 3 / 4) << "the changes are too tame";
}

INSTANTIATE_TEST_SUITE_P(Ci, MutatedModels, testing::Values(Moments{.count = 1000, .fixed_seed = true}));
INSTANTIATE_TEST_SUITE_P(Soak, MutatedModels, testing::Values(Moments{.count = 10'000, .fixed_seed = false}));

}  // namespace
}  // namespace actionclip
