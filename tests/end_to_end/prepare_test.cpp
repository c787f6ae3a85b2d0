// `actionclip dataset prepare` on miniatures of the data sets in their real layouts, each followed by two
// steps of training from the prepared lists.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/eval/video_scores.h"

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"
#include "tests/video/test_videos.h"

namespace actionclip {
namespace {

using actionclip::testing::encode_video;
using actionclip::testing::TestVideo;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class PreparedTraining : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.write("config.yaml", R"(seed: 7
model:
  arch: custom
  init: {image: random, text: random}
  frames: 4
  fusion: meanP
  embed_dim: 32
  vision: {image_size: 32, patch_size: 16, width: 64, layers: 1, heads: 1}
  text: {context_length: 48, vocabulary_size: 49408, width: 64, layers: 1, heads: 1}
data:
  num_workers: 1
  transforms: {test_resize: 32}
train:
  epochs: 2
  batch_size: 4
  lr: 1.0e-4
  schedule: {warmup_epochs: 0}
eval:
  batch_size: 4
  every_epochs: 1
)");
  }

  // A video of the right kind: the container by its name, WebM with VP8, AVI with MPEG-4.
  void add_video(const std::string& name) {
    const auto path = folder_ / ("videos/" + name);
    std::filesystem::create_directories(path.parent_path());
    TestVideo video;
    video.frames = 8;
    if (path.extension() == ".avi") video.encoder = "mpeg4";
    if (path.extension() == ".webm") video.encoder = "libvpx";
    if (video.encoder != "libx264") video.b_frames = 0;
    encode_video(path, video);
  }

  ProgramResult prepare(const std::string& dataset, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"dataset",          "prepare",  dataset,          "--root",
                                          folder_ / "videos", "--output", folder_ / "lists"};
    if (std::filesystem::exists(folder_ / "annotations")) {
      arguments.insert(arguments.end(), {"--annotations", folder_ / "annotations"});
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }

  // Prepares, and takes two steps and a validation, of which `best` is chosen by `figure`.
  void prepare_and_train(const std::string& dataset, const std::vector<std::string>& more = {},
                         const std::string& train = "train.txt", const std::string& val = "val.txt",
                         const std::string& format = "video", const std::string& figure = "top1") {
    const auto prepared = prepare(dataset, more);
    ASSERT_EQ(prepared.exit_code, 0) << prepared.errors;
    EXPECT_THAT(prepared.output, HasSubstr("train: {list: "));
    const auto trained = run_program(
        {"train", "--config", folder_ / "config.yaml", "--output", folder_ / "run",
         "data.labels=" + (folder_ / "lists/labels.csv").string(),
         "data.train.list=" + (folder_ / "lists" / train).string(),
         "data.train.root=" + (folder_ / "videos").string(), "data.train.format=" + format,
         "data.val.list=" + (folder_ / "lists" / val).string(),
         "data.val.root=" + (folder_ / "videos").string(), "data.val.format=" + format, "train.max_steps=2"});
    ASSERT_EQ(trained.exit_code, 0) << trained.errors;
    std::map<std::string, std::vector<int>> steps;
    nlohmann::json validation;
    for (const auto& line : lines_of(read_text(folder_ / "run/metrics.jsonl"))) {
      const auto record = nlohmann::json::parse(line);
      steps[record.at("split")].push_back(record.at("step"));
      if (record.at("split") == "val") validation = record;
    }
    const std::map<std::string, std::vector<int>> expected = {{"train", {1, 2}}, {"val", {2}}};
    EXPECT_EQ(steps, expected);
    const auto state = nlohmann::json::parse(read_text(folder_ / "run/checkpoints/best/state.json"));
    EXPECT_EQ(state.at("best_top1"), validation.at(figure));
    EXPECT_EQ(validation.contains("top1"), figure == "top1");
  }

  // Of a call that must fail with one line.
  void expect_refusal(const ProgramResult& result, const std::string& reason) {
    EXPECT_EQ(result.exit_code, 1) << result.output;
    EXPECT_EQ(lines_of(result.errors).size(), 1u) << result.errors;
    EXPECT_THAT(result.errors, AllOf(StartsWith("actionclip: "), HasSubstr(reason)));
    EXPECT_EQ(result.output, "");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "lists"));
  }

  TemporaryFolder folder_;
};

TEST_F(PreparedTraining, Ucf101) {
  std::string train, test;
  for (const std::string name : {"ApplyEyeMakeup", "HandstandPushups"}) {
    const std::string prefix = name == "HandstandPushups" ? "v_HandStandPushups" : "v_ApplyEyeMakeup";
    for (int group = 1; group <= 5; ++group) {
      const std::string path = fmt::format("{}/{}_g{:02}_c01.avi", name, prefix, group);
      add_video("UCF-101/" + path);
      (group == 5 ? test : train) += path + (group == 5 ? "\n" : name == "ApplyEyeMakeup" ? " 1\n" : " 2\n");
    }
  }
  folder_.write("annotations/classInd.txt", "1 ApplyEyeMakeup\n2 HandstandPushups\n");
  for (int split = 1; split <= 3; ++split) {
    folder_.write(fmt::format("annotations/trainlist{:02}.txt", split), train);
    folder_.write(fmt::format("annotations/testlist{:02}.txt", split), test);
  }
  prepare_and_train("ucf101");
}

TEST_F(PreparedTraining, Hmdb51) {
  const std::vector<std::string> odd = {
      "#122_Cleaning_Up_The_Beach_{}_u_nm_np2_le_goo_0.avi", "(HQ)_Rock_Climbing_-_{}_f_cm_np1_le_med_0.avi",
      "[BHW]_Faith_&_Hope;_{}_u_cm_np1_fr_med_1.avi", "20060723sfjffbartsinger_{}_f_cm_np1_ba_med_0.avi",
      "April_09_{}!_u_nm_np1_le_goo_0.avi"};
  for (const std::string name : {"brush_hair", "throw"}) {
    std::string uses;
    for (std::size_t i = 0; i < odd.size(); ++i) {
      const std::string video = fmt::format(fmt::runtime(odd[i]), name);
      add_video(name + "/" + video);
      uses += video + (i == 4 ? " 2 \n" : " 1 \n");
    }
    for (int split = 1; split <= 3; ++split) {
      folder_.write(fmt::format("annotations/{}_test_split{}.txt", name, split), uses);
    }
  }
  prepare_and_train("hmdb51");
}

TEST_F(PreparedTraining, KineticsWithAnnotations) {
  std::string train = "label,youtube_id,time_start,time_end,split\n", val = train;
  for (const std::string name : {"air drumming", "riding a bike"}) {
    for (int i = 0; i < 4; ++i) {
      const std::string id = fmt::format("-_{}d0Ab{}", name == "air drumming" ? "a" : "b", i);
      add_video(fmt::format("train/{}_{:06}_{:06}.mp4", id, 10 * i, 10 * i + 10));
      train += fmt::format("{},{},{},{},train\n", name, id, 10 * i, 10 * i + 10);
    }
    const std::string id = name == "air drumming" ? "valA" : "valB";
    add_video("val/" + id + "_000001_000011.mp4");
    val += fmt::format("{},{},1,11,validate\n", name, id);
  }
  folder_.write("annotations/train.csv", train);
  folder_.write("annotations/validate.csv", val);
  prepare_and_train("kinetics400");
}

TEST_F(PreparedTraining, KineticsInClassFoldersAgainstALabelFile) {
  for (const std::string name : {"air_drumming", "riding a bike"}) {
    for (int i = 0; i < 4; ++i) add_video(fmt::format("train/{}/id{}_000000_000010.mp4", name, i));
    add_video("val/" + name + "/other_000000_000010.mp4");
  }
  const auto labels = folder_.write("k400.csv", "id,name\n0,riding a bike\n1,air drumming\n");
  prepare_and_train("kinetics600", {"--labels", labels});
  EXPECT_THAT(read_text(folder_ / "lists/train.txt"),
              HasSubstr("train/air_drumming/id0_000000_000010.mp4 1\n"));
}

TEST_F(PreparedTraining, SomethingSomething) {
  std::vector<std::string> train, val;
  for (int i = 0; i < 10; ++i) {
    const std::string id = std::to_string(70000 + i);
    add_video("20bn-something-something-v2/" + id + ".webm");
    (i < 8 ? train : val)
        .push_back(
            fmt::format(R"({{"id": "{}", "label": "x", "template": "{}"}})", id,
                        i % 2 == 0 ? "Pushing [something] from left to right" : "Holding [something]"));
  }
  folder_.write("annotations/something-something-v2-train.json",
                fmt::format("[{}]", fmt::join(train, ",\n")));
  folder_.write("annotations/something-something-v2-validation.json",
                fmt::format("[{}]", fmt::join(val, ",\n")));
  prepare_and_train("something_something");
}

TEST_F(PreparedTraining, Charades) {
  std::string train = "id,subject,scene,quality,script,objects,actions,length\n", val = train;
  for (int i = 0; i < 10; ++i) {
    const std::string id = fmt::format("AB{}XY", i);
    add_video("Charades_v1_480/" + id + ".mp4");
    const char* actions = i % 2 == 0 ? "c000 0.00 0.20;c001 0.10 0.30" : "c002 0.00 0.10";
    (i < 8 ? train : val) += fmt::format("{},S,Kitchen,6,\"A person, a cup.\",cup,{},0.32\n", id, actions);
  }
  folder_.write("annotations/Charades_v1_train.csv", train);
  folder_.write("annotations/Charades_v1_test.csv", val);
  folder_.write("annotations/Charades_v1_classes.txt",
                "c000 Holding some clothes\nc001 Putting clothes somewhere\nc002 Eating a sandwich\n");
  prepare_and_train("charades", {}, "train.csv", "val.csv", "table", /*figure=*/"map");
  const auto evaluated =
      run_program({"evaluate", "--config", folder_ / "config.yaml", "--weights",
                   folder_ / "run/checkpoints/best", "--split", "val", "--json", "--per-class", "--output",
                   folder_ / "scores", "data.labels=" + (folder_ / "lists/labels.csv").string(),
                   "data.val.list=" + (folder_ / "lists/val.csv").string(),
                   "data.val.root=" + (folder_ / "videos").string(), "data.val.format=table"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.errors;
  const auto json = nlohmann::json::parse(evaluated.output);
  EXPECT_TRUE(json.at("map").is_number());
  EXPECT_FALSE(json.contains("top1"));
  EXPECT_EQ(json.at("per_class").size(), 3u) << "c000, c001 and c002 have a video";
  EXPECT_FALSE(std::filesystem::exists(folder_ / "scores/confusion.csv"));
  EXPECT_TRUE(load_scores(folder_ / "scores/scores.safetensors").multi_label);
}

TEST_F(PreparedTraining, MissingVideosAreCounted) {
  for (int i = 0; i < 9; ++i) folder_.write(fmt::format("videos/id{}_000000_000010.mp4", i), "x");
  std::string train = "label,youtube_id,time_start,time_end,split\n";
  for (int i = 0; i < 10; ++i) train += fmt::format("run,id{},0,10,train\n", i);
  folder_.write("annotations/train.csv", train);
  expect_refusal(prepare("kinetics400"), "1 of 10 videos (10.0 %) are missing");
  const auto made = prepare("kinetics400", {"--max-missing", "0.1"});
  EXPECT_EQ(made.exit_code, 0) << made.errors;
  EXPECT_THAT(made.output, StartsWith("split  list       videos  missing  repeated  classes\n"
                                      "train  train.txt       9        1         0        1\n"
                                      "1 labels\n"));
  EXPECT_THAT(made.output, HasSubstr("1 videos are missing, see "));
  EXPECT_THAT(made.output, HasSubstr("there is no list val: "));
  const auto again = prepare("kinetics400", {"--max-missing", "0.1"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.output, HasSubstr("already made"));
  EXPECT_THAT(again.errors, Not(HasSubstr("--force")));
  folder_.write("videos/id9_000000_000010.mp4", "x");
  const auto changed = prepare("kinetics400", {"--max-missing", "0.1"});
  EXPECT_THAT(changed.errors, HasSubstr("holds other videos than when"));
  EXPECT_THAT(changed.output, HasSubstr("train.txt       9        1"));
  const auto forced = prepare("kinetics400", {"--max-missing", "0.1", "--force"});
  EXPECT_EQ(forced.exit_code, 0) << forced.errors;
  EXPECT_THAT(forced.output, HasSubstr("train.txt      10        0"));
  EXPECT_EQ(prepare("kinetics700").exit_code, 2);
}

TEST_F(PreparedTraining, MistakesAreOneLine) {
  std::filesystem::create_directory(folder_ / "annotations");
  expect_refusal(prepare("charades"), "videos: no such folder");
  folder_.write("videos/riding_a_bike/1.mp4", "x");
  expect_refusal(prepare("charades"), "holds no annotations of charades (Charades_v1_train.csv");
  std::filesystem::remove(folder_ / "annotations");
  expect_refusal(prepare("charades"), "found no classes: Charades_v1_classes.txt is needed");
  const auto labels = folder_.write("labels.txt", "Riding a bike\nriding a-bike\n");
  expect_refusal(prepare("class_folders", {"--labels", labels}),
                 "'riding a bike' (could be 'Riding a bike' or 'riding a-bike')");
  std::filesystem::remove(folder_ / "videos/riding_a_bike/1.mp4");
  expect_refusal(prepare("class_folders"), "videos: holds no video");
}

}  // namespace
}  // namespace actionclip
