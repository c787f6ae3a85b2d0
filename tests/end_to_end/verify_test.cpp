// `actionclip dataset verify`, `stats` and `extract`, and `inspect samples`, as people call them.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <signal.h>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"
#include "tests/parity/run_python.h"
#include "tests/temporary_folder.h"
#include "tests/video/test_videos.h"

namespace actionclip {
namespace {

using actionclip::testing::encode_video;
using ::testing::HasSubstr;
using ::testing::Not;

class VerifyRun : public ::testing::Test {
 protected:
  void add_video(const std::string& name, int frames) {
    const auto path = folder_ / ("videos/" + name);
    std::filesystem::create_directories(path.parent_path());
    encode_video(path, {.frames = frames});
  }

  ProgramResult dataset(const std::string& command, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"dataset", command});
    return run_program(arguments);
  }

  // With the list and the root of the test.
  ProgramResult with_list(const std::string& command, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--list", folder_ / "train.txt", "--root", folder_ / "videos"});
    return dataset(command, std::move(arguments));
  }

  TemporaryFolder folder_;
};

TEST_F(VerifyRun, BrokenVideosAndThoseInBothListsAreFound) {
  for (int i = 0; i < 4; ++i) add_video(fmt::format("{}.mp4", i), 6 + i);
  folder_.write("videos/broken.mp4", "no video");
  std::filesystem::copy_file(folder_ / "videos/2.mp4", folder_ / "videos/copy.mp4");
  add_video("test.mp4", 20);
  const std::string kept = "# mine\n0.mp4 0\n1.mp4 1\n\n2.mp4 0\n3.mp4 1\n";
  folder_.write("train.txt", "# mine\n0.mp4 0\n1.mp4 1\nbroken.mp4 1\n\n2.mp4 0\n3.mp4 1\n");
  folder_.write("val.txt", "copy.mp4 0\ntest.mp4 1\n");
  const auto result = with_list("verify", {"--against", folder_ / "val.txt", "--output", folder_ / "checked",
                                           "--write-list", folder_ / "good.txt", "--workers", "2"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("broken.mp4"));
  EXPECT_THAT(result.output, HasSubstr("7 videos: 6 decode"));
  EXPECT_EQ(read_text(folder_ / "good.txt"), kept);
  EXPECT_EQ(read_text(folder_ / "checked/skip.txt"), "broken.mp4 1\n");
  EXPECT_EQ(read_text(folder_ / "checked/skip_against.txt"), "");
  EXPECT_THAT(read_text(folder_ / "checked/duplicates.csv"),
              HasSubstr(fmt::format("{},{},same,0\n", (folder_ / "videos/2.mp4").string(),
                                    (folder_ / "videos/copy.mp4").string())));
  EXPECT_EQ(lines_of(read_text(folder_ / "checked/manifest.csv")).size(), 8u);

  std::filesystem::copy_file(folder_ / "good.txt", folder_ / "train.txt",
                             std::filesystem::copy_options::overwrite_existing);
  const auto again = with_list("verify", {"--output", folder_ / "checked", "--json"});
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  const auto json = nlohmann::json::parse(again.output);
  EXPECT_EQ(json.at("decodable"), 4);
  EXPECT_EQ(json.at("frames"), 6 + 7 + 8 + 9);

  const auto labels = folder_.write("labels.txt", "run\njump\nsit\n");
  const auto stats =
      with_list("stats", {"--labels", labels, "--manifest", folder_ / "checked/manifest.csv", "--json"});
  ASSERT_EQ(stats.exit_code, 0) << stats.errors;
  const auto figures = nlohmann::json::parse(stats.output);
  EXPECT_EQ(figures.at("videos"), 4);
  EXPECT_EQ(figures.at("classes"), 2);
  EXPECT_EQ(figures.at("classes_without_videos").at(0), "sit");
  EXPECT_EQ(figures.at("measured").at("videos"), 4);
  EXPECT_NEAR(figures.at("measured").at("fps").at("median").get<double>(), 25, 0.01);
  const auto table = with_list("stats", {"--labels", labels, "--manifest", folder_ / "checked/manifest.csv"});
  EXPECT_THAT(table.output, HasSubstr("videos of a class"));
  EXPECT_THAT(table.output, HasSubstr("1 classes without videos: sit"));
}

TEST_F(VerifyRun, AVideoThatStandsTwiceInOneListIsFound) {
  add_video("1.mp4", 6);
  add_video("other.mp4", 20);
  std::filesystem::copy_file(folder_ / "videos/1.mp4", folder_ / "videos/copy.mp4");
  folder_.write("train.txt", "1.mp4 0\nother.mp4 1\ncopy.mp4 1\n");
  const auto result = with_list("verify", {"--output", folder_ / "checked", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_TRUE(json.at("duplicates").empty());
  const auto& within = json.at("duplicates_within");
  const auto same =
      std::ranges::find_if(within, [](const auto& pair) { return pair.at("same_content") == true; });
  ASSERT_NE(same, within.end()) << result.output;
  EXPECT_EQ(same->at("video"), (folder_ / "videos/1.mp4").string());
  EXPECT_EQ(same->at("against"), (folder_ / "videos/copy.mp4").string());
  EXPECT_THAT(read_text(folder_ / "checked/duplicates_within.csv"), HasSubstr("copy.mp4,same,0\n"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "checked/duplicates.csv"));
}

TEST_F(VerifyRun, LinesThatNameAVideoTwiceAreTold) {
  for (int i = 0; i < 2; ++i) add_video(fmt::format("{}.mp4", i), 6 + i);
  folder_.write("train.txt", "0.mp4 0\n1.mp4 1\n0.mp4 1\n0.mp4 0\n");
  const auto shown = with_list("verify", {});
  EXPECT_EQ(shown.exit_code, 0) << shown.errors;
  EXPECT_THAT(shown.output, HasSubstr("0.mp4, in line 1 and line 3, with other labels\n"));
  EXPECT_THAT(shown.output, HasSubstr("0.mp4, in line 1 and line 4\n"));
  const auto json = nlohmann::json::parse(with_list("verify", {"--json"}).output);
  EXPECT_EQ(json.at("repeated_lines").size(), 2u);
  EXPECT_EQ(json.at("videos"), 2);

  folder_.write("parts.csv", "path,label,start,end\n0.mp4,0,0,0.1\n0.mp4,1,0.1,0.2\n0.mp4,1,0.1,0.2\n");
  const auto parts = dataset("verify", {"--list", folder_ / "parts.csv", "--root", folder_ / "videos",
                                        "--format", "table", "--json"});
  EXPECT_EQ(nlohmann::json::parse(parts.output).at("repeated_lines").size(), 1u)
      << "parts are no repetitions";
}

TEST_F(VerifyRun, ListsThatNameTheirLabelsNeedNoFileOfThemUnlessIdsAreWritten) {
  add_video("run/1.mp4", 6);
  add_video("jump high/2.mp4", 20);
  const std::vector<std::string> list = {"--list", folder_ / "videos", "--format", "class_folders"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), list.begin(), list.end());
    return more;
  };
  const auto verified = dataset("verify", with({"--json"}));
  ASSERT_EQ(verified.exit_code, 0) << verified.errors;
  EXPECT_EQ(nlohmann::json::parse(verified.output).at("decodable"), 2);
  const auto stats = dataset("stats", with({"--json"}));
  ASSERT_EQ(stats.exit_code, 0) << stats.errors;
  EXPECT_EQ(nlohmann::json::parse(stats.output).at("rarest_classes").at(0).at("name"), "jump high");
  const auto extracted = dataset("extract", with({"--output", folder_ / "frames"}));
  EXPECT_EQ(extracted.exit_code, 1);
  EXPECT_THAT(extracted.errors, HasSubstr("--labels on the command line"));
}

TEST_F(VerifyRun, PathsNeedNoListAndSomeArgumentsGoOnlyWithOne) {
  add_video("1.mp4", 5);
  const auto fine = dataset("verify", {folder_ / "videos", "--json"});
  EXPECT_EQ(fine.exit_code, 0) << fine.errors;
  EXPECT_EQ(nlohmann::json::parse(fine.output).at("frames"), 5);
  EXPECT_EQ(dataset("verify", {folder_ / "gone.mp4"}).exit_code, 1);
  EXPECT_EQ(dataset("verify", {}).exit_code, 2);
  EXPECT_EQ(dataset("verify", {folder_ / "videos", "--against", folder_ / "val.txt"}).exit_code, 2);
  const std::string list = folder_ / "list.txt";
  write_text(list, "a.mp4 0\n");
  EXPECT_EQ(dataset("verify", {"--list", list, "--write-list", list}).exit_code, 2);
  EXPECT_EQ(read_text(list), "a.mp4 0\n");
}

TEST_F(VerifyRun, ExtractingGoesOnWhereItWasKilled) {
  std::string list;
  for (int i = 0; i < 30; ++i) {
    add_video(fmt::format("{}.mp4", i), 40);
    list += fmt::format("{}.mp4 0\n", i);
  }
  folder_.write("train.txt", list);
  const std::vector<std::string> arguments = {"--output", folder_ / "frames", "--workers", "1"};
  const auto first = folder_ / "frames/0";
  auto whole = arguments;
  whole.insert(whole.begin(),
               {"dataset", "extract", "--list", folder_ / "train.txt", "--root", folder_ / "videos"});
  run_program(whole, Disturbance{.run = folder_.path(), .action = [&](pid_t program) {
                                   for (int i = 0; i < 3000 && !std::filesystem::exists(first); ++i) {
                                     std::this_thread::sleep_for(std::chrono::milliseconds(2));
                                   }
                                   kill(program, SIGKILL);
                                 }});
  ASSERT_TRUE(std::filesystem::exists(first));
  const auto time = std::filesystem::last_write_time(first / "img_00001.jpg");
  auto json = arguments;
  json.emplace_back("--json");
  const auto result = with_list("extract", json);
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto report = nlohmann::json::parse(result.output);
  EXPECT_EQ(report.at("videos"), 30);
  EXPECT_GE(report.at("skipped").get<int>(), 1);
  EXPECT_EQ(report.at("frames"), 30 * 40);
  EXPECT_EQ(std::filesystem::last_write_time(first / "img_00001.jpg"), time);
  EXPECT_EQ(lines_of(read_text(folder_ / "frames/train.txt")).size(), 30u);
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "frames")) {
    EXPECT_THAT(entry.path().string(), Not(HasSubstr(".tmp.")));
  }
  folder_.write("videos/0.mp4", "no video");
  std::filesystem::remove_all(first);
  const auto broken = with_list("extract", arguments);
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.output, HasSubstr("failed: "));
  EXPECT_EQ(lines_of(read_text(folder_ / "frames/train.txt")).size(), 29u);
}

TEST_F(VerifyRun, WhatCannotBeExtractedSoIsAMistakeOfUse) {
  add_video("1.mp4", 4);
  folder_.write("train.txt", "1.mp4 0\n");
  const std::vector<std::vector<std::string>> mistakes = {{"--short-side", "-1"},
                                                          {"--short-side", "10000"},
                                                          {"--quality", "0"},
                                                          {"--workers", "-1"},
                                                          {"--video-seconds", "-1"}};
  for (const auto& mistake : mistakes) {
    std::vector<std::string> arguments = {"--output", folder_ / "frames"};
    arguments.insert(arguments.end(), mistake.begin(), mistake.end());
    EXPECT_EQ(with_list("extract", arguments).exit_code, 2) << mistake[0];
  }
  EXPECT_EQ(with_list("extract", {"--output", folder_ / "videos"}).exit_code, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "frames"));
}

TEST_F(VerifyRun, AContactSheetShowsClipsOfTheExperiment) {
  make_tiny_experiment(folder_.path());
  const auto inspect = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"inspect", "samples", "--config", folder_ / "config.yaml", "--count", "3"});
    return run_program(arguments);
  };
  const auto report = [&](const std::string& name) {
    return nlohmann::json::parse(run_python("picture_report.py", {folder_ / name}));
  };
  const auto clips = inspect({"--output", folder_ / "clips.png"});
  ASSERT_EQ(clips.exit_code, 0) << clips.errors;
  EXPECT_THAT(clips.output, HasSubstr("3 clips of 4 frames of 64x64 pixels"));
  const auto plain = report("clips.png");
  // A clip's text has as many lines as it needs.
  const auto lines_of_text = [](const nlohmann::json& picture, int strips) {
    EXPECT_EQ(picture.at("size").at(0), 4 + 4 * 68);
    const int text = picture.at("size").at(1).get<int>() - 4 - 3 * strips * 68;
    EXPECT_EQ(text % 22, 0);
    return text / 22;
  };
  EXPECT_GE(lines_of_text(plain, 1), 3);
  EXPECT_GT(plain.at("colours").get<int>(), 500);

  ASSERT_EQ(inspect({"--output", folder_ / "again.png"}).exit_code, 0);
  EXPECT_EQ(read_text(folder_ / "again.png"), read_text(folder_ / "clips.png"));
  ASSERT_EQ(inspect({"--output", folder_ / "epoch.png", "--epoch", "1"}).exit_code, 0);
  EXPECT_NE(read_text(folder_ / "epoch.png"), read_text(folder_ / "clips.png"));
  const auto raw = inspect({"--output", folder_ / "raw.png", "--raw", "--split", "val"});
  ASSERT_EQ(raw.exit_code, 0) << raw.errors;
  EXPECT_GE(lines_of_text(report("raw.png"), 2), 3);
  EXPECT_EQ(inspect({"--output", folder_ / "clips.txt"}).exit_code, 2);
  // Validation has its own videos, in their order, and draws nothing.
  ASSERT_EQ(inspect({"--output", folder_ / "val.png", "--split", "val"}).exit_code, 0);
  ASSERT_EQ(inspect({"--output", folder_ / "val1.png", "--split", "val", "--epoch", "1"}).exit_code, 0);
  EXPECT_EQ(read_text(folder_ / "val1.png"), read_text(folder_ / "val.png"));
  EXPECT_NE(read_text(folder_ / "val.png"), read_text(folder_ / "clips.png"));
  EXPECT_EQ(inspect({"--output", folder_ / "x.png", "--split", "other"}).exit_code, 2);
}

}  // namespace
}  // namespace actionclip
