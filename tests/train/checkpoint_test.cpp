#include "actionclip/train/checkpoint.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <signal.h>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/random.h"

#include "tests/soak.h"
#include "tests/weights/files.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

TensorData tensor(float value, std::int64_t elements) {
  const auto values = std::make_shared<std::vector<float>>(static_cast<std::size_t>(elements), value);
  return {DType::kFloat32, {elements}, {1}, std::as_bytes(std::span(*values)), values};
}

float first_value(const TensorFile& file, const std::string& name) {
  float value = 0;
  std::memcpy(&value, file.tensors.at(name).bytes.data(), sizeof(value));
  return value;
}

// Contents that tell which step they are of.
CheckpointContents contents_of(std::int64_t step, std::int64_t elements = 1000) {
  CheckpointContents contents;
  contents.model = {{"visual.proj", tensor(static_cast<float>(step), elements)}};
  contents.model_metadata = {{"arch", "ViT-B/16"}};
  contents.optimizer = {{"exp_avg.visual.proj", tensor(static_cast<float>(step) + 0.5f, elements)}};
  contents.state = {{"step", step}, {"loss", 0.1 + static_cast<double>(step) / 3}};
  return contents;
}

void expect_is_step(const Checkpoint& checkpoint, std::int64_t step) {
  EXPECT_EQ(checkpoint.step, step);
  EXPECT_EQ(first_value(checkpoint.model, "visual.proj"), static_cast<float>(step));
  EXPECT_EQ(first_value(checkpoint.optimizer, "exp_avg.visual.proj"), static_cast<float>(step) + 0.5f);
  EXPECT_EQ(checkpoint.state, contents_of(step).state);
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

class CheckpointTest : public testing::Test {
 protected:
  fs::path folder_of(std::int64_t step) const {
    return run_ / "checkpoints" / ("step-" + std::to_string(step));
  }

  const TemporaryFolder temporary_;
  const fs::path run_ = temporary_ / "run";
};

TEST_F(CheckpointTest, LoadsWhatWasSaved) {
  const auto folder = save_checkpoint(run_, 12, contents_of(12));
  EXPECT_EQ(folder, folder_of(12));
  const auto checkpoint = load_checkpoint(folder);
  expect_is_step(checkpoint, 12);
  EXPECT_EQ(checkpoint.model.metadata.at("arch"), "ViT-B/16");
  EXPECT_FALSE(checkpoint.ema.has_value());
  EXPECT_THAT(names_in(folder), testing::ElementsAre("manifest.json", "model.safetensors",
                                                     "optimizer.safetensors", "state.json"));
}

TEST_F(CheckpointTest, KeepsARunningAverageIfThereIsOne) {
  auto contents = contents_of(1);
  contents.ema = {{"visual.proj", tensor(7, 3)}};
  const auto checkpoint = load_checkpoint(save_checkpoint(run_, 1, contents));
  ASSERT_TRUE(checkpoint.ema.has_value());
  EXPECT_EQ(first_value(*checkpoint.ema, "visual.proj"), 7);
  EXPECT_EQ(checkpoint.ema->metadata.at("arch"), "ViT-B/16");
}

TEST_F(CheckpointTest, StateKeepsEveryBitOfItsNumbers) {
  auto contents = contents_of(1);
  contents.state["numbers"] = {0.1, 1e-300, 5e-324, 1.7976931348623157e308, 1.0 / 3};
  EXPECT_EQ(load_checkpoint(save_checkpoint(run_, 1, contents)).state["numbers"], contents.state["numbers"]);
}

TEST_F(CheckpointTest, PointersAreRelativeAndMoveWithTheRun) {
  save_checkpoint(run_, 1, contents_of(1));
  mark_best(run_, 1);
  save_checkpoint(run_, 2, contents_of(2));
  EXPECT_EQ(fs::read_symlink(run_ / "checkpoints" / "last"), "step-2");
  EXPECT_EQ(fs::read_symlink(run_ / "checkpoints" / "best"), "step-1");
  const auto moved = temporary_ / "moved";
  fs::rename(run_, moved);
  expect_is_step(load_checkpoint(moved / "checkpoints" / "last"), 2);
  expect_is_step(load_checkpoint(moved / "checkpoints" / "best"), 1);
}

TEST_F(CheckpointTest, ACheckpointThatDoesNotExistCannotBeTheBest) {
  EXPECT_THAT(error_of([&] { mark_best(run_, 3); }), HasSubstr("step-3"));
}

TEST_F(CheckpointTest, SavingAStepAgainReplacesIt) {
  save_checkpoint(run_, 5, contents_of(4));
  save_checkpoint(run_, 5, contents_of(5));
  expect_is_step(load_checkpoint(folder_of(5)), 5);
  EXPECT_THAT(names_in(run_ / "checkpoints"), testing::ElementsAre("last", "step-5"));
}

TEST_F(CheckpointTest, AnotherStateLeavesTheTensorsAsTheyAre) {
  save_checkpoint(run_, 4, contents_of(4));
  const auto model = folder_of(4) / "model.safetensors";
  const auto written = fs::last_write_time(model);
  auto state = contents_of(4).state;
  state["best_top1"] = 71.5;
  save_state(run_, 4, state);
  EXPECT_EQ(fs::last_write_time(model), written);
  EXPECT_EQ(fs::hard_link_count(model), 1);  // nothing of the former folder is left
  const auto checkpoint = load_checkpoint(run_ / "checkpoints" / "last");
  EXPECT_EQ(checkpoint.state, state);
  EXPECT_EQ(first_value(checkpoint.model, "visual.proj"), 4);
  EXPECT_THAT(names_in(run_ / "checkpoints"), testing::ElementsAre("last", "step-4"));
}

TEST_F(CheckpointTest, ACheckpointThatDoesNotExistHasNoState) {
  save_checkpoint(run_, 4, contents_of(4));
  EXPECT_THAT(error_of([&] { save_state(run_, 5, {}); }),
              AllOf(HasSubstr("cannot save the state"), HasSubstr("step-5")));
  EXPECT_THAT(names_in(run_ / "checkpoints"), testing::ElementsAre("last", "step-4"));
}

TEST_F(CheckpointTest, FindsTheNewestByNumberNotByName) {
  EXPECT_FALSE(find_checkpoint(run_).has_value());
  for (const auto step : {9, 100, 20}) save_checkpoint(run_, step, contents_of(step));
  fs::create_directories(run_ / "checkpoints" / "step-900.tmp.1");
  fs::create_directories(run_ / "checkpoints" / "step-0900");
  write_text(run_ / "checkpoints" / "step-901", "a file");
  EXPECT_EQ(find_checkpoint(run_), folder_of(100));
}

using Damage = std::pair<const char*, std::function<void(const fs::path&)>>;

void flip_byte(const fs::path& path, std::size_t position) {
  auto bytes = read_text(path);
  bytes.at(position) = static_cast<char>(bytes.at(position) ^ 1);
  write_text(path, bytes);
}

TEST_F(CheckpointTest, ADamagedOneIsRefusedByNameAndTheOneBeforeIsFound) {
  const std::vector<Damage> damages = {
      {"model.safetensors", [](const auto& at) { flip_byte(at / "model.safetensors", 2000); }},
      {"model.safetensors", [](const auto& at) { flip_byte(at / "model.safetensors", 0); }},
      {"optimizer.safetensors", [](const auto& at) { flip_byte(at / "optimizer.safetensors", 4000); }},
      {"state.json", [](const auto& at) { flip_byte(at / "state.json", 3); }},
      {"manifest.json", [](const auto& at) { flip_byte(at / "manifest.json", 0); }},
      {"optimizer.safetensors", [](const auto& at) { fs::resize_file(at / "optimizer.safetensors", 100); }},
      {"state.json", [](const auto& at) { fs::resize_file(at / "state.json", 0); }},
      {"manifest.json", [](const auto& at) { fs::resize_file(at / "manifest.json", 10); }},
      {"model.safetensors", [](const auto& at) { fs::remove(at / "model.safetensors"); }},
      {"state.json", [](const auto& at) { fs::remove(at / "state.json"); }},
      {"manifest.json", [](const auto& at) { fs::remove(at / "manifest.json"); }},
      {"surplus", [](const auto& at) { write_text(at / "surplus", "x"); }},
      {"manifest.json",
       [](const auto& at) {  // a manifest of another step
         fs::copy_file(at.parent_path() / "step-1" / "manifest.json", at / "manifest.json",
                       fs::copy_options::overwrite_existing);
       }},
      {"model.safetensors",
       [](const auto& at) {  // a file of another step
         fs::copy_file(at.parent_path() / "step-1" / "model.safetensors", at / "model.safetensors",
                       fs::copy_options::overwrite_existing);
       }},
  };
  save_checkpoint(run_, 1, contents_of(1));
  for (const auto& [file, damage] : damages) {
    save_checkpoint(run_, 2, contents_of(2));
    ASSERT_EQ(find_checkpoint(run_), folder_of(2));
    damage(folder_of(2));
    EXPECT_THAT(error_of([&] { load_checkpoint(folder_of(2)); }),
                AllOf(HasSubstr("step-2"), HasSubstr(file)));
    EXPECT_EQ(find_checkpoint(run_), folder_of(1));
  }
}

TEST_F(CheckpointTest, EveryFlippedByteIsFound) {
  save_checkpoint(run_, 1, contents_of(1, 8));
  for (const auto& name : names_in(folder_of(1))) {
    const auto path = folder_of(1) / name;
    const auto bytes = read_text(path);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      flip_byte(path, i);
      // White space of the manifest carries nothing: a flip there may only be harmless, never load other
      // values.
      try {
        expect_is_step(load_checkpoint(folder_of(1)), 1);
        EXPECT_EQ(name, "manifest.json") << "byte " << i;
      } catch (const Error&) {
      }
      write_text(path, bytes);
    }
  }
}

TEST_F(CheckpointTest, ANewerFormatIsRefusedByItsNumber) {
  save_checkpoint(run_, 1, contents_of(1));
  auto manifest = nlohmann::json::parse(read_text(folder_of(1) / "manifest.json"));
  manifest["format"] = 2;
  write_text(folder_of(1) / "manifest.json", manifest.dump());
  EXPECT_THAT(error_of([&] { load_checkpoint(folder_of(1)); }), HasSubstr("format 2"));
}

TEST_F(CheckpointTest, AManifestCannotNameFilesElsewhere) {
  save_checkpoint(run_, 1, contents_of(1));
  auto manifest = nlohmann::json::parse(read_text(folder_of(1) / "manifest.json"));
  manifest["files"]["../last"] = {{"size", 1}, {"sha256", ""}};
  write_text(folder_of(1) / "manifest.json", manifest.dump());
  EXPECT_THAT(error_of([&] { load_checkpoint(folder_of(1)); }), HasSubstr("../last"));
}

TEST_F(CheckpointTest, AFolderThatDoesNotExistIsNamed) {
  EXPECT_THAT(error_of([&] { load_checkpoint(run_ / "nowhere"); }), HasSubstr("nowhere"));
}

TEST_F(CheckpointTest, ARunFolderIsRefusedWithTheCheckpointsToNameInstead) {
  save_checkpoint(run_, 1, contents_of(1));
  EXPECT_EQ(
      error_of([&] { load_checkpoint(run_); }),
      run_.string() + ": is a run folder, not a checkpoint: name " + (run_ / "checkpoints/last").string());
}

TEST_F(CheckpointTest, PruningKeepsTheNewestAndWhatIsPointedTo) {
  for (const auto step : {1, 2, 3, 4, 5}) save_checkpoint(run_, step, contents_of(step));
  mark_best(run_, 2);
  prune_checkpoints(run_, 2);
  EXPECT_THAT(names_in(run_ / "checkpoints"),
              testing::ElementsAre("best", "last", "step-2", "step-4", "step-5"));
  prune_checkpoints(run_, 0);
  EXPECT_THAT(names_in(run_ / "checkpoints"), testing::ElementsAre("best", "last", "step-2", "step-5"));
}

TEST_F(CheckpointTest, PruningDoesNotCountAnIncompleteOneAsKept) {
  for (const auto step : {1, 2, 3}) save_checkpoint(run_, step, contents_of(step));
  fs::remove(folder_of(3) / "model.safetensors");
  prune_checkpoints(run_, 1);
  EXPECT_EQ(find_checkpoint(run_), folder_of(2));
}

// Forks a child that runs `action` and then ends with status 0.
pid_t start_child(const std::function<void()>& action) {
  const pid_t child = fork();
  if (child != 0) return child;
  action();
  _exit(0);
}

int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST_F(CheckpointTest, GoingOnFromAnEarlierOneTakesTheLaterOnesOutOfTheRun) {
  for (const auto step : {10, 20, 30, 40}) save_checkpoint(run_, step, contents_of(step));
  mark_best(run_, 40);
  abandon_checkpoints_after(run_, 20, 10);
  EXPECT_EQ(*find_checkpoint(run_), folder_of(20));
  const auto checkpoints = run_ / "checkpoints";
  EXPECT_EQ(fs::read_symlink(checkpoints / "last"), "step-20");
  EXPECT_EQ(fs::read_symlink(checkpoints / "best"), "step-10");
  save_checkpoint(run_, 30, contents_of(31));
  prune_checkpoints(run_, 1);
  EXPECT_THAT(names_in(checkpoints), testing::ElementsAre("abandoned-step-30", "abandoned-step-40", "best",
                                                          "last", "step-10", "step-30"));
  expect_is_step(load_checkpoint(checkpoints / "abandoned-step-30"), 30);
}

TEST_F(CheckpointTest, GoingOnFromTheNewestOrFromAnotherRunAbandonsNothing) {
  for (const auto step : {10, 20}) save_checkpoint(run_, step, contents_of(step));
  const auto before = names_in(run_ / "checkpoints");
  abandon_checkpoints_after(run_, 20, 10);
  abandon_checkpoints_after(run_, 15, -1);
  abandon_checkpoints_after(temporary_ / "nowhere", 15, -1);
  EXPECT_EQ(names_in(run_ / "checkpoints"), before);
}

TEST_F(CheckpointTest, LeftoversOfDeadProcessesAreRemovedAndOthersKept) {
  save_checkpoint(run_, 1, contents_of(1));
  const pid_t dead = start_child([] {});
  wait_for(dead);
  const auto checkpoints = run_ / "checkpoints";
  fs::create_directories(checkpoints / ("step-2.tmp." + std::to_string(dead)) / "inner");
  fs::create_directories(checkpoints / ("step-3.tmp." + std::to_string(getpid())));
  fs::create_directories(checkpoints / ("step-4.tmp." + std::to_string(getppid())));
  fs::create_symlink("step-1", checkpoints / ("last.tmp." + std::to_string(dead)));
  write_text(run_ / ("config.yaml.tmp." + std::to_string(dead)), "x");
  write_text(run_ / "notes.tmp.mine", "x");
  remove_leftovers(run_);
  EXPECT_THAT(names_in(checkpoints),
              testing::ElementsAre("last", "step-1", "step-4.tmp." + std::to_string(getppid())));
  EXPECT_THAT(names_in(run_), testing::ElementsAre("checkpoints", "notes.tmp.mine"));
  remove_leftovers(temporary_ / "nowhere");
}

// Saves step 2 in a process whose files may not grow beyond `limit` bytes; true if that failed as it should.
bool fails_without_room(const fs::path& run, rlim_t limit) {
  const auto child = start_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit room{limit, limit};
    setrlimit(RLIMIT_FSIZE, &room);
    try {
      save_checkpoint(run, 2, contents_of(2));
    } catch (const Error& error) {
      const std::string message = error.what();
      const bool tells =
          message.find("step-2") != std::string::npos && message.find("8000 bytes") != std::string::npos;
      _exit(tells ? 1 : 2);
    }
  });
  const int status = wait_for(child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

TEST_F(CheckpointTest, AFullDiskLeavesTheCheckpointBeforeAndNothingElse) {
  save_checkpoint(run_, 1, contents_of(1));
  for (const rlim_t limit : {0, 50, 2000, 4050}) {
    EXPECT_TRUE(fails_without_room(run_, limit)) << limit;
    EXPECT_THAT(names_in(run_ / "checkpoints"), testing::ElementsAre("last", "step-1"));
    EXPECT_EQ(fs::read_symlink(run_ / "checkpoints" / "last"), "step-1");
    expect_is_step(load_checkpoint(*find_checkpoint(run_)), 1);
  }
}

TEST_F(CheckpointTest, ARunFolderThatIsAFileIsAnError) {
  write_text(run_, "a file");
  EXPECT_THAT(error_of([&] { save_checkpoint(run_, 1, contents_of(1)); }), HasSubstr(run_.string()));
}

// What a process that is killed had finished: shared with it, as it cannot report any more.
struct SharedStep {
  SharedStep()
      : step(new(mmap(nullptr, sizeof(std::atomic<std::int64_t>), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0)) std::atomic<std::int64_t>(0)) {}
  ~SharedStep() { munmap(step, sizeof(*step)); }

  std::atomic<std::int64_t>* step;
};

class CheckpointKillTest : public CheckpointTest, public testing::WithParamInterface<Moments> {};

TEST_P(CheckpointKillTest, KillingASaveAtAnyTimeLosesNoFinishedCheckpoint) {
  const SharedStep finished;
  const auto seed = seed_of(GetParam());
  RandomStream random(seed, RandomPurpose::kSynthetic);
  for (int round = 0; round < GetParam().count; ++round) {
    SCOPED_TRACE(testing::Message() << "round " << round << " of seed " << seed);
    const std::int64_t first = *finished.step + 1;
    const auto child = start_child([&] {
      remove_leftovers(run_);
      for (std::int64_t step = first;; ++step) {
        save_checkpoint(run_, step, contents_of(step, 20'000));
        *finished.step = step;
        if (step % 3 == 0) mark_best(run_, step);
        prune_checkpoints(run_, 2);
        save_checkpoint(run_, step, contents_of(step, 20'000));  // the same again, in place
        save_state(run_, step, contents_of(step).state);
      }
    });
    while (*finished.step < first) usleep(1000);
    usleep(static_cast<useconds_t>(random.below(20'000)));
    kill(child, SIGKILL);
    EXPECT_TRUE(WIFSIGNALED(wait_for(child)));

    const auto found = find_checkpoint(run_);
    ASSERT_TRUE(found.has_value());
    const auto checkpoint = load_checkpoint(*found);
    EXPECT_GE(checkpoint.step, *finished.step);
    expect_is_step(checkpoint, checkpoint.step);
    EXPECT_NO_THROW(load_checkpoint(run_ / "checkpoints" / "last"));
    *finished.step = checkpoint.step;
  }
  remove_leftovers(run_);
  for (const auto& name : names_in(run_ / "checkpoints")) {
    EXPECT_NO_THROW(load_checkpoint(run_ / "checkpoints" / name)) << name;  // the pointers too
  }
}

INSTANTIATE_TEST_SUITE_P(Ci, CheckpointKillTest, testing::Values(Moments{.count = 20, .fixed_seed = true}));
INSTANTIATE_TEST_SUITE_P(Soak, CheckpointKillTest,
                         testing::Values(Moments{.count = 200, .fixed_seed = false}));

}  // namespace
}  // namespace actionclip
