// The small parts of core: atomic files, JSON text, worker pool, queue, progress bar, data files.

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/bounded_queue.h"
#include "actionclip/core/data_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/core/progress.h"
#include "actionclip/core/worker_pool.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

TEST(AtomicFile, ReplacesWholeAndLeavesNoTemporary) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "old");
  write_file_atomically(folder / "file", "new");
  EXPECT_EQ(read_text_file(folder / "file"), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(AtomicFile, AFailureNamesThePathAndLeavesTheOldFile) {
  const TemporaryFolder folder;
  const auto file = folder / "file";
  write_file_atomically(file, "old");
  std::filesystem::create_directory(temporary_sibling(file));  // in the way of the new content
  try {
    write_file_atomically(file, "new");
    FAIL() << "written";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), HasSubstr(file.string()));
  }
  EXPECT_EQ(read_text_file(file), "old");
}

TEST(ReplaceFiles, AllTakeTheirPlacesOrNone) {
  const TemporaryFolder folder;
  const std::vector<std::string> names = {"first", "added", "last"};
  folder.write("to/first", "old first");
  folder.write("to/last", "old last");
  const auto write_new = [&] {
    for (const auto& name : names) folder.write("from/" + name, "new " + name);
  };
  write_new();
  std::filesystem::remove(folder / "from/last");  // so that the last cannot be moved
  EXPECT_THROW(replace_files(folder / "from", folder / "to", names), Error);
  EXPECT_EQ(read_text_file(folder / "to/first"), "old first");
  EXPECT_EQ(read_text_file(folder / "to/last"), "old last");
  EXPECT_FALSE(std::filesystem::exists(folder / "to/added"));
  std::filesystem::remove_all(folder / "from");
  write_new();
  replace_files(folder / "from", folder / "to", names);
  for (const auto& name : names) EXPECT_EQ(read_text_file(folder / "to" / name), "new " + name);
}

TEST(ReadTextFile, RefusesWhatIsMissingAFolderOrTooLarge) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_text_file(folder / "absent"), Error);
  EXPECT_THROW(read_text_file(folder.path()), Error);
  write_text(folder / "file", "12345");
  EXPECT_EQ(read_text_file(folder / "file", 5), "12345");
  EXPECT_THROW(read_text_file(folder / "file", 4), Error);
}

TEST(Sha256, IsTheKnownValue) {
  const TemporaryFolder folder;
  write_text(folder / "file", "abc");
  EXPECT_EQ(sha256_of_file(folder / "file"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(JsonText, ReplacesBytesThatAreNotUtf8AndKeepsTheRest) {
  const nlohmann::ordered_json json = {{"video", "caf\xe9.mp4"}, {"label", "café"}};
  EXPECT_EQ(json_text(json, /*indent=*/-1), "{\"video\":\"caf\xEF\xBF\xBD.mp4\",\"label\":\"café\"}");
  EXPECT_EQ(json_text(nlohmann::json{{"top1", 50}}), "{\n  \"top1\": 50\n}");
}

TEST(JsonText, EscapesAllControlCharacters) {
  const std::string odd = "a\x1b[2J\x7f\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0\xc3\x9b";
  const std::string text = json_text(nlohmann::json(odd));
  EXPECT_EQ(text, "\"a\\u001b[2J\\u007f\\u0080\\u009b\\u009f\xc2\xa0\xc3\x9b\"");
  EXPECT_EQ(nlohmann::json::parse(text).get<std::string>(), odd);
}

TEST(WorkerPool, RunsEveryTaskAndHandsExceptionsOver) {
  for (const int threads : {0, 1, 3}) {
    WorkerPool pool(threads);
    std::vector<std::future<int>> results;
    for (int i = 0; i < 100; ++i) results.push_back(pool.submit([i] { return i * i; }));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(results[i].get(), i * i);
    auto failing = pool.submit([]() -> int { throw std::runtime_error("broken"); });
    EXPECT_THROW(failing.get(), std::runtime_error);
  }
}

TEST(WorkerPool, DropsWaitingTasksWhenItIsDestroyedAndTheirFuturesSaySo) {
  std::atomic<int> done = 0;
  std::vector<std::future<void>> waiting;
  std::promise<void> all_wait;
  {
    WorkerPool pool(1);
    // Keeps the only thread busy until the pool refuses tasks, which it does once it is being destroyed.
    pool.submit([&] {
      all_wait.get_future().wait();
      while (pool.submit([] {}).wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      }
    });
    for (int i = 0; i < 50; ++i) waiting.push_back(pool.submit([&] { ++done; }));
    all_wait.set_value();
  }
  EXPECT_EQ(done, 0);
  for (auto& result : waiting) EXPECT_THROW(result.get(), std::future_error);
}

TEST(BoundedQueue, KeepsTheOrderAndEndsWhenClosed) {
  BoundedQueue<int> queue(2);
  std::thread producer([&] {
    for (int i = 0; i < 100; ++i) queue.push(i);
    queue.close();
  });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(queue.pop(), i);
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_FALSE(queue.push(1));
  producer.join();
}

TEST(ProgressBar, ShowsShareRateAndTimeLeft) {
  ProgressBar bar("train", 200, "steps");
  bar.advance(50, "loss 1.5");
  const auto text = bar.render(/*seconds=*/10, /*columns=*/120);
  EXPECT_THAT(text, HasSubstr("25%"));
  EXPECT_THAT(text, HasSubstr("50/200 steps"));
  EXPECT_THAT(text, HasSubstr("5.0/s"));
  EXPECT_THAT(text, HasSubstr("0:30 left"));
  EXPECT_THAT(text, HasSubstr("loss 1.5"));
  for (const int columns : {0, 10, 40, 80, 200}) {
    EXPECT_LE(bar.render(10, columns).size(), static_cast<std::size_t>(columns));
  }
}

TEST(ProgressBar, CountsTheRateOfThisRunAlone) {
  ProgressBar bar("train", 200, "steps", /*done=*/100);
  bar.advance(10);
  EXPECT_THAT(bar.render(10, 120), HasSubstr("1.0/s"));
}

TEST(FormatDuration, ReadsAsPeopleDo) {
  EXPECT_EQ(format_duration(5), "0:05");
  EXPECT_EQ(format_duration(245), "4:05");
  EXPECT_EQ(format_duration(3723), "1:02:03");
}

TEST(FirstFile, IsTheFirstThatExists) {
  const TemporaryFolder folder;
  write_text(folder / "b", "");
  const std::vector<std::filesystem::path> places{folder / "a", folder / "b", folder / "c"};
  EXPECT_EQ(first_file(places), folder / "b");
  EXPECT_EQ(first_file(std::span(places).first(1)), std::nullopt);
}

}  // namespace
}  // namespace actionclip
