#include "actionclip/protocols/report.h"

#include <cstdint>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/image_file.h"

#include "tests/protocols/made_run.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string page_of(const TemporaryFolder& folder) {
  write_report(folder.path(), folder / "page.html");
  return read_text(folder / "page.html");
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (auto place = text.find(part); place != std::string::npos; place = text.find(part, place + 1)) ++found;
  return found;
}

TEST(Report, ShowsWhatTheFolderHolds) {
  const TemporaryFolder folder;
  folder.write("config.yaml", "seed: 1024\n");
  folder.write("metrics.jsonl", made_metrics(30));
  folder.write("train.log",
               "2026-11-27 07:12:56.822 I finetune: 16 samples; fp32 on cpu, seed 7, torch 2.15.0\n");
  make_evaluation(folder, made_labels(30));
  const auto page = page_of(folder);
  for (const char* id : {"figures", "curves", "confusion", "classes", "examples", "machine", "config"})
    EXPECT_THAT(page, HasSubstr(std::string("<section id=\"") + id + "\">"));
  EXPECT_THAT(page, HasSubstr("45.25 – 54.75")) << "the interval of top-1";
  EXPECT_THAT(page, HasSubstr("All 30 classes"));
  EXPECT_THAT(page, HasSubstr("<td>2.15.0</td>"));
  EXPECT_THAT(page, HasSubstr("the folder holds no scores of videos")) << "why there are no example clips";
}

TEST(Report, AsksNoNetworkForAnything) {
  const TemporaryFolder folder;
  folder.write("metrics.jsonl", made_metrics(30));
  make_evaluation(folder, made_labels(3));
  auto page = page_of(folder);
  const std::string name_of_svg = "http://www.w3.org/2000/svg";  // a name, which nothing is read from
  page.replace(page.find(name_of_svg), name_of_svg.size(), "");
  for (const char* outside :
       {"http:", "https:", "url(", "@import", "<link rel=\"stylesheet", "<iframe", " src=\"/"})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(Report, RunsNothingThatALabelOrAPathSays) {
  const TemporaryFolder folder;
  make_evaluation(folder,
                  {"<script>alert(1)</script>", "</title><img src=x onerror=alert(2)>", "odd \xff bytes"});
  folder.write("evaluation.json", R"({"top1": 1, "samples": 1, "failed": 1, "<i>key</i>": "<u>value</u>",
    "failed_videos": [{"path": "<b>x</b>", "reason": "\"'><script>alert(3)</script>"}]})");
  const auto page = page_of(folder);
  for (const char* raw : {"<script>alert", "<img src=x", "<b>x</b>", "<i>key", "<u>value", "\xff"})
    EXPECT_THAT(page, Not(HasSubstr(raw)));
  EXPECT_EQ(count(page, "<script"), 2) << "the page's own, and its data";
}

TEST(Report, StaysSmallWithAFullMatrixOfManyClassesAndManyFailures) {
  constexpr int kClasses = 400;
  const TemporaryFolder folder;
  make_evaluation(folder, made_labels(kClasses));
  std::string csv = "label";
  for (const auto& label : made_labels(kClasses)) csv += "," + label;
  for (const auto& label : made_labels(kClasses)) {
    csv += "\n" + label;
    for (int p = 0; p < kClasses; ++p) csv += ",12";
  }
  folder.write("confusion.csv", csv);
  auto json = nlohmann::ordered_json::parse(read_text(folder / "evaluation.json"));
  for (int i = 0; i < 5000; ++i)
    json["failed_videos"].push_back(
        {{"path", fmt::format("v{}.mp4", i)}, {"reason", std::string(2000, 'r')}});
  folder.write("evaluation.json", json_text(json));
  folder.write("config.yaml", "text: " + std::string(2 << 20, 'x'));
  const auto page = page_of(folder);
  EXPECT_LT(page.size(), 5'000'000U);
  EXPECT_THAT(page, HasSubstr("5,000 videos could not be scored"));
  EXPECT_THAT(page,
              HasSubstr("Of 160,000 cells that are not empty, the 60,000 with the most videos are drawn"));
}

TEST(Report, ShowsZeroShotAndFewShot) {
  const TemporaryFolder folder;
  folder.write("zero_shot.json", R"({"labels": 51, "chance_top1": 1.96, "top1_mean": 40.5, "top1_std": 1.25,
    "splits": [{"list": "split1.txt", "top1": 40.5, "top5": 70, "samples": 1530, "failed": 0, "loss": 2.5}]})");
  folder.write("few_shot.json", R"({"rows": [{"shots": 1, "top1": [40, 42], "mean": 41, "std": 1.41},
                                    {"shots": 16, "top1": [60, 62], "mean": 61, "std": 1.41}],
    "protocol": {"name": "ucf101:test1", "sha256": "abc", "differences": ["videos: <3>, not 4"]}})");
  const auto page = page_of(folder);
  EXPECT_THAT(page, HasSubstr("<div class=\"below\">1 split</div>"));
  EXPECT_THAT(page, HasSubstr("split1.txt"));
  EXPECT_THAT(page, HasSubstr("class=\"whisker\""));
  EXPECT_THAT(page, HasSubstr("40.00 42.00"));
  EXPECT_THAT(page, HasSubstr("ucf101:test1"));
  EXPECT_THAT(page, HasSubstr("the list is another one</strong>: videos: &lt;3&gt;, not 4"));
}

TEST(Report, ShowsBaseToNovel) {
  const TemporaryFolder folder;
  folder.write("base_to_novel.json",
               R"({"rows": [{"shots": 4, "base": {"mean": 70, "std": 1, "interval95": [68, 72]},
    "novel": {"mean": 50, "std": 2, "interval95": null}, "harmonic": {"mean": 58.3}}]})");
  const auto page = page_of(folder);
  EXPECT_THAT(page, HasSubstr("70.00 <small>[68.00, 72.00]</small>"));
  EXPECT_THAT(page, HasSubstr("50.00 <small>± 2.00</small>"));
  EXPECT_THAT(page, HasSubstr("58.30"));
}

TEST(Report, SurvivesFilesThatHoldSomethingElse) {
  const TemporaryFolder folder;
  folder.write("evaluation.json",
               R"({"top1": "none", "per_class": 3, "intervals": [1], "failed_videos": {"a": 1}})");
  folder.write("zero_shot.json", R"({"splits": [1, "two", null]})");
  folder.write("few_shot.json", R"({"rows": [1, {"shots": "x"}, null], "protocol": 3})");
  folder.write("base_to_novel.json", R"({"rows": [3, {"base": 1}]})");
  folder.write("machine.json", R"({"train": 3, "evaluate": {"gpus": [], "deep": {"er": null}}})");
  folder.write("metrics.jsonl", "[]\n3\n\n{\"split\":3}\n");
  EXPECT_THAT(page_of(folder), HasSubstr("</html>"));
}

TEST(Report, ShowsClassesAndConfusionOfZeroShotsFirstList) {
  const TemporaryFolder folder;
  folder.write("zero_shot.json", R"({"top1_mean": 50, "splits": [{"list": "<a>.txt"}, {"list": "b.txt"}]})");
  auto scores = made_scores(6, 3);
  scores.origin["list"] = "<a>.txt";
  save_scores(scores, folder / "zero_shot-1.safetensors");
  save_scores(made_scores(4, 4), folder / "zero_shot-2.safetensors");
  const auto page = page_of(folder);
  for (const char* id : {"confusion", "classes", "examples"}) {
    EXPECT_THAT(page, HasSubstr(std::string("<section id=\"") + id + "\">"));
  }
  EXPECT_EQ(count(page, "Of &lt;a&gt;.txt, one of 2 lists of zero-shot."), 3);
  EXPECT_THAT(page, Not(HasSubstr("<section id=\"figures\">"))) << "which are of evaluation.json";
}

TEST(Report, ShowsEvaluationsClassesWhereZeroShotLiesBeside) {
  const TemporaryFolder folder;
  make_evaluation(folder, made_labels(3));
  folder.write("zero_shot.json", R"({"splits": [{"list": "a.txt"}]})");
  save_scores(made_scores(6, 3), folder / "zero_shot-1.safetensors");
  const auto page = page_of(folder);
  EXPECT_THAT(page, HasSubstr("class number 2"));
  EXPECT_THAT(page, Not(HasSubstr("running")));
  EXPECT_THAT(page, Not(HasSubstr("Of a.txt")));
}

TEST(Report, ShowsMapOfZeroShotInThePlaceOfTopK) {
  const TemporaryFolder folder;
  folder.write("zero_shot.json", R"({"map_mean": 22, "map_std": 1.5,
    "splits": [{"list": "a.txt", "map": 21.25, "samples": 2}, {"list": "b.txt", "map": 22.75, "samples": 2}]})");
  const auto page = page_of(folder);
  EXPECT_THAT(page, HasSubstr("mAP (%)"));
  EXPECT_THAT(page, HasSubstr("21.25"));
  EXPECT_THAT(page, HasSubstr("± 1.50 over 2 splits"));
  EXPECT_THAT(page, Not(HasSubstr("top-5 (%)")));
}

TEST(Report, ShowsStrictZeroShotAndTheLabelsTrainedOn) {
  const TemporaryFolder folder;
  auto split = nlohmann::ordered_json::parse(R"({"list": "a.txt", "top1": 50,
    "strict": {"videos": 7, "labels": 5, "top1": 31.25, "top5": 90, "top1_of_left": 42.75, "top5_of_left": null},
    "trained": {"near": [{"label": "jog", "trained": "<i>run</i>", "similarity": 0.9375}]},
    "failed_videos": [{"path": "gone.mp4", "reason": "no such file"}]})");
  for (int i = 0; i < 203; ++i)
    split["trained"]["same"].push_back({{"label", fmt::format("own{}.", i)}, {"trained", "<b>theirs</b>"}});
  auto second = split;
  second["list"] = "b.txt";
  second["failed_videos"][0]["path"] = "lost.mp4";
  folder.write("zero_shot.json", json_text(nlohmann::ordered_json{{"splits", {split, second}}}));
  const auto page = page_of(folder);
  for (const char* shown : {"31.25", "42.75", "203 labels that were trained on: a.txt, b.txt", "own199.",
                            "And 3 more.", "&lt;i&gt;run&lt;/i&gt;", "0.938", "gone.mp4", "lost.mp4"})
    EXPECT_THAT(page, HasSubstr(shown));
  EXPECT_THAT(page, Not(HasSubstr("<b>theirs")));
  EXPECT_THAT(page, Not(HasSubstr("own200.")));
  EXPECT_EQ(count(page, "labels that were trained on:"), 1) << "the same ones of two lists";
}

TEST(Report, ShowsNoSpreadOfOneSeed) {
  const TemporaryFolder folder;
  folder.write("few_shot.json",
               R"({"rows": [{"shots": 2, "top1": [41], "mean": 41, "std": 0, "interval95": null}]})");
  folder.write("base_to_novel.json", R"({"rows": [{"shots": 4,
    "base": {"values": [70], "mean": 70, "std": 0, "interval95": null}}]})");
  const auto page = page_of(folder);
  EXPECT_THAT(page, HasSubstr("70.00"));
  EXPECT_THAT(page, Not(HasSubstr("± 0.00")));
  EXPECT_THAT(page, HasSubstr("top-1: 41 at 2 clips a class"));
  EXPECT_THAT(page, HasSubstr("base: 70 at 4 clips a class"));
}

TEST(Report, SaysHowManyTestVideosOfFewShotFailed) {
  const TemporaryFolder folder;
  folder.write("few_shot.json", R"({"rows": [{"shots": 1, "mean": 41, "failed": [2, 0]},
                                    {"shots": 2, "mean": 42, "failed": [1, 1200]}]})");
  folder.write("base_to_novel.json", R"({"rows": [{"shots": 1, "failed": [1, 0]}]})");
  const auto page = page_of(folder);
  EXPECT_THAT(page, HasSubstr("1,200 test videos could not be scored and count as wrong."));
  EXPECT_THAT(page, HasSubstr("1 test video could not be scored and counts as wrong."));
  folder.write("few_shot.json", R"({"rows": [{"shots": 1, "mean": 41, "failed": [0, 0]}]})");
  folder.write("base_to_novel.json", R"({"rows": [{"shots": 1, "failed": "x"}]})");
  EXPECT_THAT(page_of(folder), Not(HasSubstr("could not be scored")));
}

TEST(Report, NamesNestedFiguresInWords) {
  const TemporaryFolder folder;
  folder.write("evaluation.json", R"({"top1": 50, "pairs_by": {"motion": {"left_hand": 12.5}}})");
  EXPECT_THAT(page_of(folder), HasSubstr("pairs by motion left_hand"));
}

class ReportOfVideos : public ::testing::Test {
 protected:
  // Four frame folders, of which the scores get two right.
  void SetUp() override {
    std::string list;
    for (int video = 0; video < 4; ++video) {
      const auto name = fmt::format("v{}.mp4", video);
      std::filesystem::create_directories(folder_ / "videos" / name);
      for (int frame = 1; frame <= 3; ++frame) {
        Image image{.width = 64, .height = 48, .rgb = std::vector<std::uint8_t>(3 * 64 * 48, 90)};
        write_jpeg(folder_ / "videos" / name / fmt::format("img_{:05d}.jpg", frame), image, 90);
      }
      list += fmt::format("{} 3 {}\n", name, video % 2);
    }
    folder_.write("test.txt", list);
    folder_.write("run/evaluation.yaml",
                  fmt::format("model: {{frames: 3, init: {{image: random, text: random}}}}\ndata:\n  labels: "
                              "labels.csv\n  test: {{list: \"{}\", root: \"{}\", "
                              "format: frames}}\n",
                              (folder_ / "test.txt").string(), (folder_ / "videos").string()));
    folder_.write("run/evaluation.json", R"({"top1": 50, "samples": 4, "failed": 0})");
    save_scores(made_scores(4, 2), folder_ / "run/scores.safetensors");
  }

  TemporaryFolder folder_;
};

TEST_F(ReportOfVideos, HoldsFramesOfRightAndOfWrongOnes) {
  const auto examples = find_examples(read_run(folder_ / "run"));
  EXPECT_EQ(examples.absence, "");
  ASSERT_EQ(examples.clips.size(), 4U);
  EXPECT_FALSE(examples.clips[0].right);
  EXPECT_TRUE(examples.clips[3].right);
  EXPECT_TRUE(examples.clips[0].jpeg.starts_with("\xff\xd8")) << "a JPEG's first bytes";
  const auto page = report_html(read_run(folder_ / "run"), examples);
  EXPECT_EQ(count(page, "src=\"data:image/jpeg;base64,"), 4);
}

TEST_F(ReportOfVideos, HoldsFramesOfZeroShotsVideosBesideATrainingsSettings) {
  std::filesystem::rename(folder_ / "run/evaluation.yaml", folder_ / "run/zero_shot.yaml");
  std::filesystem::rename(folder_ / "run/scores.safetensors", folder_ / "run/zero_shot-1.safetensors");
  std::filesystem::remove(folder_ / "run/evaluation.json");
  folder_.write("run/config.yaml", "seed: 1024\n");
  folder_.write("run/zero_shot.json", R"({"splits": [{"list": "test.txt"}]})");
  const auto run = read_run(folder_ / "run");
  const auto examples = find_examples(run);
  EXPECT_EQ(examples.absence, "");
  EXPECT_EQ(examples.clips.size(), 4U);
  EXPECT_EQ(count(report_html(run, examples), "src=\"data:image/jpeg;base64,"), 4);
}

TEST_F(ReportOfVideos, SaysWhereVideosAreMissing) {
  std::filesystem::remove_all(folder_ / "videos");
  const auto examples = find_examples(read_run(folder_ / "run"));
  EXPECT_TRUE(examples.clips.empty());
  EXPECT_THAT(examples.absence, HasSubstr("v"));
}

TEST_F(ReportOfVideos, SaysThatTheListIsAnother) {
  folder_.write("test.txt", "v0.mp4 3 0\n");
  const auto examples = find_examples(read_run(folder_ / "run"));
  EXPECT_TRUE(examples.clips.empty());
  EXPECT_THAT(examples.absence, HasSubstr("not of the videos that were scored"));
}

TEST(Report, ThatCannotBeWrittenIsNoError) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_report(folder / "none", folder / "page.html"), Error);
  EXPECT_NO_THROW(write_report_or_warn(folder / "none"));
  folder.write("run/config.yaml", "seed: 1\n");
  std::filesystem::create_directories(folder / "run/report.html/in_its_place");
  EXPECT_NO_THROW(write_report_or_warn(folder / "run"));
}

}  // namespace
}  // namespace actionclip
