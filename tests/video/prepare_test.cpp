// Lists made from folder trees in the layouts that people download. The videos are empty files: they are
// looked up, not opened.

#include "actionclip/video/prepare.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/text/labels.h"
#include "actionclip/video/video_list.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Prepare : public ::testing::Test {
 protected:
  void add_videos(const std::vector<std::string>& names) {
    for (const auto& name : names) folder_.write("videos/" + name, "x");
  }

  PrepareReport prepare(const std::string& dataset, PrepareOptions options = {}) {
    options.dataset = dataset;
    if (options.root.empty()) options.root = folder_ / "videos";
    return prepare_dataset(options, folder_ / "out");
  }

  PrepareReport prepare_annotated(const std::string& dataset, PrepareOptions options = {}) {
    options.annotations = {folder_ / "annotations"};
    return prepare(dataset, std::move(options));
  }

  // Of a call that must fail.
  std::string error_of(PrepareOptions options, const std::string& dataset) {
    try {
      prepare(dataset, std::move(options));
    } catch (const Error& error) {
      return error.what();
    }
    ADD_FAILURE() << dataset << " was prepared";
    return "";
  }

  std::string error_of(const std::string& dataset, PrepareOptions options = {}) {
    options.annotations = {folder_ / "annotations"};
    return error_of(std::move(options), dataset);
  }

  std::string out(const std::string& name) { return read_text(folder_ / ("out/" + name)); }

  // Reads a list as training does.
  VideoList list(const std::string& name, ListFormat format = ListFormat::video) {
    DatasetConfig config;
    config.list.path = folder_ / ("out/" + name);
    config.root.path = folder_ / "videos";
    config.format = format;
    const LabelSet labels = read_labels(folder_ / "out/labels.csv");
    return read_video_list(config, &labels);
  }

  TemporaryFolder folder_;
};

TEST_F(Prepare, Ucf101HasItsThreeSplitsAndTheOrderOfItsClasses) {
  add_videos({"UCF-101/Archery/v_Archery_g01_c01.avi", "UCF-101/Archery/v_Archery_g02_c01.avi",
              "UCF-101/YoYo/v_YoYo_g01_c01.avi", "UCF-101/YoYo/v_YoYo_g02_c01.avi"});
  folder_.write("annotations/classInd.txt", "1 YoYo\r\n2 Archery\r\n");
  for (const char* split : {"01", "02", "03"}) {
    folder_.write(std::string("annotations/trainlist") + split + ".txt",
                  "Archery/v_Archery_g01_c01.avi 2\nYoYo/v_YoYo_g01_c01.avi 1\n");
    folder_.write(std::string("annotations/testlist") + split + ".txt",
                  "Archery/v_Archery_g02_c01.avi\nYoYo/v_YoYo_g02_c01.avi\n");
  }
  const auto report = prepare_annotated("ucf101");
  EXPECT_TRUE(report.made);
  EXPECT_EQ(report.lists.size(), 8u);
  EXPECT_EQ(report.unlisted, 0);
  EXPECT_EQ(out("labels.csv"), "id,name\n0,YoYo\n1,Archery\n");
  EXPECT_EQ(out("train.txt"), "UCF-101/Archery/v_Archery_g01_c01.avi 1\nUCF-101/YoYo/v_YoYo_g01_c01.avi 0\n");
  EXPECT_EQ(out("val.txt"), out("test_split1.txt"));
  EXPECT_EQ(out("train_split3.txt"), out("train.txt"));
  EXPECT_EQ(list("test_split2.txt").size(), 2);
  EXPECT_EQ(out("missing.txt"), "list,video\n");
}

TEST_F(Prepare, Hmdb51sOddNamesAreFoundAndReadBack) {
  const std::vector<std::string> names = {
      "#122_Cleaning_Up_The_Beach_Chapter_2_brush_hair_u_nm_np2_le_goo_0.avi",
      "(HQ)_Rock_Climbing_-_Free_Solo_brush_hair_f_cm_np1_le_med_0.avi",
      "[BHW]_Faith_&_Hope;_part.2_brush_hair_u_cm_np1_fr_med_1.avi", "unused_brush_hair_u_cm_np1_0.avi"};
  for (const auto& name : names) add_videos({"brush_hair/" + name, "ride_bike/bike_" + name});
  for (const std::string name : {"brush_hair", "ride_bike"}) {
    const std::string prefix = name == "ride_bike" ? "bike_" : "";
    for (const char* split : {"1", "2", "3"}) {
      folder_.write("annotations/" + name + "_test_split" + split + ".txt",
                    prefix + names[0] + " 1 \n" + prefix + names[1] + " 2 \n" + prefix + names[2] + " 1 \n" +
                        prefix + names[3] + " 0 \n");
    }
  }
  const auto report = prepare_annotated("hmdb51");
  EXPECT_EQ(out("labels.csv"), "id,name\n0,brush hair\n1,ride bike\n");
  EXPECT_EQ(report.unlisted, 2);
  const auto train = list("train_split2.txt");
  ASSERT_EQ(train.size(), 4);
  EXPECT_EQ(train.entry(0).path, folder_ / ("videos/brush_hair/" + names[0]));
  EXPECT_EQ(train.entry(1).path, folder_ / ("videos/brush_hair/" + names[2]));
  EXPECT_EQ(train.entry(3).label_id(), 1);
  for (std::int64_t i = 0; i < train.size(); ++i) EXPECT_TRUE(exists(train.entry(i).path));
  EXPECT_EQ(list("val.txt").size(), 2);
}

TEST_F(Prepare, KineticsIsFoundInFlatAndInClassFoldersAndItsTimesAreOfTheName) {
  add_videos({"train/-0aBcDeFgHi_000010_000020.mp4", "train/---QUuC4vJs_000084_000094.mp4",
              "val/riding_a_bike/0wR5jVB-WPk_000417_000427.mp4", "val/air drumming/zz__zz__zz_.mkv"});
  folder_.write("annotations/train.csv",
                "label,youtube_id,time_start,time_end,split\n\"air drumming\",-0aBcDeFgHi,10,20,train\n"
                "riding a bike,---QUuC4vJs,84,94,train\nriding a bike,gone__gone_,0,10,train\n");
  folder_.write("annotations/validate.csv",
                "label,youtube_id,time_start,time_end,split\nriding a bike,0wR5jVB-WPk,417,427,validate\n"
                "air drumming,zz__zz__zz_,5,15,validate\n");
  const auto report = prepare_annotated("kinetics400", {.max_missing = 0.5});
  EXPECT_EQ(out("labels.csv"), "id,name\n0,air drumming\n1,riding a bike\n");
  EXPECT_EQ(out("train.txt"),
            "train/-0aBcDeFgHi_000010_000020.mp4 0\ntrain/---QUuC4vJs_000084_000094.mp4 1\n");
  EXPECT_EQ(out("val.txt"),
            "val/riding_a_bike/0wR5jVB-WPk_000417_000427.mp4 1\nval/air drumming/zz__zz__zz_.mkv 0\n");
  EXPECT_EQ(out("missing.txt"), "list,video\ntrain.txt,gone__gone__000000_000010\n");
  EXPECT_EQ(report.lists.at(0).missing, 1);
  EXPECT_EQ(list("val.txt").size(), 2);
}

TEST_F(Prepare, WholeKineticsVideosAreListedWithTheirSeconds) {
  add_videos({"aaaaaaaaaaa.mp4", "bbbbbbbbbbb_000001_000011.mp4"});
  folder_.write("annotations/train.csv",
                "label,youtube_id,time_start,time_end,split\nrun,aaaaaaaaaaa,2,12,train\n"
                "jump,aaaaaaaaaaa,20,30,train\nrun,bbbbbbbbbbb,1,11,train\n");
  const auto report = prepare_annotated("kinetics400", {.untrimmed = true});
  EXPECT_EQ(report.format, "table");
  EXPECT_EQ(out("train.csv"),
            "path,label,start,end\naaaaaaaaaaa.mp4,1,2,12\naaaaaaaaaaa.mp4,0,20,30\n"
            "bbbbbbbbbbb_000001_000011.mp4,1,0,\n");
  EXPECT_EQ(list("train.csv", ListFormat::table).entry(1).range.start, 20);
  EXPECT_THAT(error_of({.root = folder_ / "videos", .untrimmed = true}, "class_folders"),
              HasSubstr("--untrimmed: is of Kinetics"));
}

TEST_F(Prepare, ListsMayLieBesideTheVideosAndTheAnnotations) {
  add_videos({"UCF-101/YoYo/v_YoYo_g01_c01.avi", "UCF-101/YoYo/v_YoYo_g02_c01.avi"});
  for (const char* split : {"01", "02", "03"}) {
    folder_.write(std::string("videos/splits/trainlist") + split + ".txt", "YoYo/v_YoYo_g01_c01.avi 1\n");
    folder_.write(std::string("videos/splits/testlist") + split + ".txt", "YoYo/v_YoYo_g02_c01.avi\n");
  }
  folder_.write("videos/splits/classInd.txt", "1 YoYo\n");
  const PrepareOptions options{.dataset = "ucf101", .root = folder_ / "videos"};
  EXPECT_TRUE(prepare_dataset(options, folder_ / "videos").made);
  EXPECT_EQ(read_text(folder_ / "videos/train.txt"), "UCF-101/YoYo/v_YoYo_g01_c01.avi 0\n");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "videos/UCF-101/YoYo/v_YoYo_g01_c01.avi"));
  EXPECT_FALSE(prepare_dataset(options, folder_ / "videos").made);
  auto anew = options;
  anew.force = true;
  EXPECT_TRUE(prepare_dataset(anew, folder_ / "videos").made);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "videos/UCF-101/YoYo/v_YoYo_g02_c01.avi"));

  folder_.write("mine/train.txt", "what I made\n");
  EXPECT_THROW(prepare_dataset(options, folder_ / "mine"), Error);
  anew.force = true;
  EXPECT_THROW(prepare_dataset(anew, folder_ / "mine"), Error) << "no earlier call made it";
  EXPECT_EQ(read_text(folder_ / "mine/train.txt"), "what I made\n");
}

TEST_F(Prepare, AnnotationsBesideTheListsAreNeverReplaced) {
  add_videos({"aaaaaaaaaaa.mp4"});
  const std::string annotations = "label,youtube_id,time_start,time_end,split\nrun,aaaaaaaaaaa,2,12,train\n";
  folder_.write("videos/train.csv", annotations);
  PrepareOptions options{.dataset = "kinetics400", .root = folder_ / "videos"};
  EXPECT_TRUE(prepare_dataset(options, folder_ / "videos").made);
  for (const bool force : {false, true}) {
    options.untrimmed = true;
    options.force = force;
    EXPECT_THROW(prepare_dataset(options, folder_ / "videos"), Error);
    EXPECT_EQ(read_text(folder_ / "videos/train.csv"), annotations);
  }
  options.force = false;
  EXPECT_TRUE(prepare_dataset(options, folder_ / "lists").made);
  options.untrimmed = false;
  options.force = true;
  EXPECT_TRUE(prepare_dataset(options, folder_ / "lists").made);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "lists/train.csv")) << "of the call before";
  EXPECT_EQ(read_text(folder_ / "lists/train.txt"), "aaaaaaaaaaa.mp4 0\n");
  std::filesystem::remove(folder_ / "videos/train.csv");
  options.untrimmed = true;
  EXPECT_THROW(prepare_dataset(options, folder_ / "more"), Error) << "no annotations tell the seconds";
}

TEST_F(Prepare, LabelsThatTellLeftFromRightGetAFileForMirroredClips) {
  add_videos({"train/pushing left to right/1.mp4", "train/pushing right to left/2.mp4",
              "train/turning left/3.mp4", "train/covering/4.mp4"});
  prepare("class_folders");
  EXPECT_EQ(out("flip_labels.csv"), "label,flipped\npushing left to right,pushing right to left\n");
}

TEST_F(Prepare, KineticsWithoutAnnotationsIsAFolderASplitAndClass) {
  add_videos({"train/riding_a_bike/a_000000_000010.mp4", "train/air_drumming/b_000000_000010.mp4",
              "validate/air_drumming/c_000000_000010.mp4"});
  prepare("kinetics600");
  EXPECT_EQ(out("labels.csv"), "id,name\n0,air drumming\n1,riding a bike\n");
  EXPECT_EQ(out("train.txt"),
            "train/air_drumming/b_000000_000010.mp4 0\ntrain/riding_a_bike/a_000000_000010.mp4 1\n");
  EXPECT_EQ(out("val.txt"), "validate/air_drumming/c_000000_000010.mp4 0\n");
}

TEST_F(Prepare, ClassesAreMatchedToALabelFileHoweverFoldersSpellThem) {
  add_videos({"Air_Drumming/1.mp4", "ridingABike/2.mp4"});
  PrepareOptions options;
  options.labels = folder_.write("labels.csv", "id,name\n0,riding a bike\n1,air drumming\n2,yoga\n");
  const auto report = prepare("class_folders", options);
  EXPECT_EQ(out("train.txt"), "Air_Drumming/1.mp4 1\nridingABike/2.mp4 0\n");
  EXPECT_EQ(out("labels.csv"), read_text(options.labels));
  EXPECT_THAT(report.lists.at(0).bare_classes, ElementsAre("yoga"));
}

TEST_F(Prepare, ClassesThatMatchNoLabelOrSeveralAreReported) {
  add_videos({"air_drumming/1.mp4", "juggling/2.mp4"});
  PrepareOptions options{.root = folder_ / "videos",
                         .labels = folder_.write("labels.txt", "Air drumming\nair-drumming\n")};
  const std::string error = error_of(std::move(options), "class_folders");
  EXPECT_THAT(error,
              HasSubstr("labels.txt: 2 class(es) of the data set match none of its labels, or several"));
  EXPECT_THAT(error, HasSubstr("'air drumming' (could be 'Air drumming' or 'air-drumming')"));
  EXPECT_THAT(error, HasSubstr("juggling"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

TEST_F(Prepare, SomethingSomethingMatchesTemplatesToItsLabelFile) {
  add_videos({"1.webm", "22.webm", "333.webm"});
  folder_.write("annotations/something-something-v2-train.json",
                R"([{"id": "1", "label": "pushing a cup", "template": "Pushing [something]"},
                    {"id": "22", "template": "Moving [something] and [something]"}])");
  folder_.write("annotations/something-something-v2-validation.json",
                R"([{"id": "333", "template": "Pushing [something]"}])");
  folder_.write("annotations/something-something-v2-test.json", R"([{"id": "4444"}])");
  PrepareOptions options;
  options.labels =
      folder_.write("labels.json", R"({"Moving something and something": "1", "Pushing something": "0"})");
  prepare_annotated("something_something", options);
  EXPECT_EQ(out("labels.csv"), "id,name\n0,Pushing something\n1,Moving something and something\n");
  EXPECT_EQ(out("train.txt"), "1.webm 0\n22.webm 1\n");
  EXPECT_EQ(out("val.txt"), "333.webm 0\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/test.txt"));
}

TEST_F(Prepare, CharadesHasATableOfSeveralLabelsAVideo) {
  add_videos({"Charades_v1_480/46GP8.mp4", "Charades_v1_480/N11GT.mp4", "Charades_v1_480/0IH69.mp4"});
  const std::string header = "id,subject,scene,quality,script,objects,actions,length\n";
  folder_.write("annotations/Charades_v1_train.csv",
                header +
                    "46GP8,HR43,Kitchen,6,\"A person cooks, then eats.\",food,c002 11.90 21.20;c000 0.00 "
                    "12.60;c002 1.00 2.00,24.83\nN11GT,0KZ7,Stairs,7,Nothing.,,,18.33\n");
  folder_.write("annotations/Charades_v1_test.csv", header + "0IH69,X,Y,6,z,,c001 1.00 2.00,30\n");
  folder_.write("annotations/Charades_v1_classes.txt",
                "c000 Holding some clothes\nc001 Eating\nc002 Cooking\n");
  const auto report = prepare_annotated("charades");
  EXPECT_EQ(report.format, "table");
  EXPECT_EQ(out("labels.csv"), "id,name,code\n0,Holding some clothes,c000\n1,Eating,c001\n2,Cooking,c002\n");
  EXPECT_EQ(out("train.csv"), "path,label\nCharades_v1_480/46GP8.mp4,2;0\n");
  EXPECT_EQ(out("val.csv"), "path,label\nCharades_v1_480/0IH69.mp4,1\n");
  EXPECT_THAT(list("train.csv", ListFormat::table).entry(0).label_ids, ElementsAre(2, 0));
  EXPECT_EQ(report.unlisted, 1) << "a video without any action";
}

TEST_F(Prepare, TooManyMissingVideosAndNoneAtAllAreErrors) {
  add_videos({"a_000000_000010.mp4"});
  folder_.write("annotations/train.csv",
                "label,youtube_id,time_start,time_end,split\nrun,a,0,10,train\nrun,b,0,10,train\n");
  EXPECT_THAT(
      error_of("kinetics400"),
      HasSubstr("1 of 2 videos (50.0 %) are missing, more than --max-missing 0.05 allows, for example "
                "b_000000_000010"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
  folder_.write("annotations/train.csv", "label,youtube_id,time_start,time_end,split\nrun,b,0,10,train\n");
  EXPECT_THAT(error_of("kinetics400", {.max_missing = 1}), HasSubstr("holds none of the videos"));
  std::filesystem::remove_all(folder_ / "videos");
  EXPECT_THAT(error_of("kinetics400"), HasSubstr("no such folder"));
}

TEST_F(Prepare, ASplitThatWasNotDownloadedIsToldAndLeftOut) {
  add_videos({"a_000000_000010.mp4"});
  folder_.write("annotations/val.csv", "label,youtube_id,time_start,time_end,split\nrun,a,0,10,val\n");
  folder_.write("annotations/train.csv", "label,youtube_id,time_start,time_end,split\nrun,b,0,10,train\n");
  const auto report = prepare_annotated("kinetics400");
  EXPECT_EQ(report.lists.at(0).split, "train");
  EXPECT_EQ(report.lists.at(0).file, "");
  EXPECT_EQ(report.lists.at(0).missing, 1);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/train.txt"));
  EXPECT_EQ(out("val.txt"), "a_000000_000010.mp4 0\n");
}

TEST_F(Prepare, AnnotationsWithMistakesAreRefusedWithTheirLine) {
  add_videos({"Archery/v_Archery_g01_c01.avi"});
  folder_.write("annotations/trainlist01.txt", "Archery/v_Archery_g01_c01.avi 1\nv_Archery_g02_c01.avi\n");
  EXPECT_THAT(error_of("ucf101"), HasSubstr("trainlist01.txt:2: expected CLASS/FILE.avi"));
  folder_.write("annotations/trainlist01.txt", "Archery/v_Archery_g01_c01.avi 1\n");
  folder_.write("annotations/classInd.txt", "1 Archery\n3 YoYo\n");
  EXPECT_THAT(error_of("ucf101"), HasSubstr("classInd.txt: the class 2 is missing"));
  folder_.write("annotations/run_test_split1.txt", "a.avi 3\n");
  EXPECT_THAT(error_of("hmdb51"), HasSubstr("run_test_split1.txt:1: expected FILE.avi and 0, 1 or 2"));
  EXPECT_THAT(error_of("kinetics700"), HasSubstr("unknown data set 'kinetics700'; known: kinetics400"));
}

TEST_F(Prepare, MissingAnnotationFilesAreNamed) {
  add_videos({"train/a/1.mp4"});
  const std::map<std::string, std::string> needs = {{"kinetics400", "train.csv, val.csv"},
                                                    {"ucf101", "classInd.txt, trainlist01.txt"},
                                                    {"hmdb51", "CLASS_test_split1.txt"},
                                                    {"something_something", "train.json, validation.json"},
                                                    {"charades", "Charades_v1_classes.txt"}};
  std::filesystem::create_directory(folder_ / "annotations");
  for (const auto& [dataset, files] : needs) {
    EXPECT_THAT(error_of(dataset),
                AllOf(HasSubstr("annotations: holds no annotations of " + dataset), HasSubstr(files)));
    EXPECT_THAT(error_of({.annotations = {folder_ / "gone"}}, dataset),
                HasSubstr("gone: no such file or folder"));
    if (dataset == "kinetics400") continue;  // its folders can tell all that is needed
    EXPECT_THAT(error_of(PrepareOptions(), dataset), AllOf(HasSubstr("found no "), HasSubstr("needed")));
  }
  EXPECT_THAT(error_of({.annotations = {folder_.write("notes.txt", "x")}}, "ucf101"),
              HasSubstr("notes.txt: not a name that ucf101 has for its annotations"));
  folder_.write("annotations/Charades_v1_train.csv", "id,actions\n");
  EXPECT_THAT(error_of("charades"), HasSubstr("found no classes: Charades_v1_classes.txt is needed"));
  folder_.write("annotations/trainlist02.txt", "a/1.mp4 1\n");
  EXPECT_THAT(error_of("ucf101"), HasSubstr("the annotations of split 2 name no test videos; a file is "
                                            "missing (trainlist01.txt, testlist01.txt and so on)"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

TEST_F(Prepare, FoldersThatCannotBeReadOrHoldNothingAreErrors) {
  add_videos({"a/1.txt", ".hidden/2.mp4"});
  EXPECT_THAT(error_of(PrepareOptions(), "class_folders"), HasSubstr("videos: holds no video"));
  EXPECT_THAT(error_of({.root = folder_ / "videos/a/1.txt"}, "class_folders"), HasSubstr("no such folder"));
  add_videos({"a/1.mp4"});
  std::filesystem::permissions(folder_ / "videos/a", std::filesystem::perms::none);
  const uid_t user = geteuid();
  constexpr uid_t kNobody = 65534;
  // The superuser may read everything.
  ASSERT_EQ(seteuid(user == 0 ? kNobody : user), 0);
  const std::string error = error_of(PrepareOptions(), "class_folders");
  ASSERT_EQ(seteuid(user), 0);
  std::filesystem::permissions(folder_ / "videos/a", std::filesystem::perms::owner_all);
  EXPECT_THAT(error, AllOf(HasSubstr("cannot read "), HasSubstr("videos/a: Permission denied")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

TEST_F(Prepare, ASecondCallLeavesTheFolderAndOthersSettingsAreRefused) {
  add_videos({"train/a/1.mp4", "val/a/2.mp4"});
  EXPECT_TRUE(prepare("class_folders").made);
  const auto time = std::filesystem::last_write_time(folder_ / "out/train.txt");
  const auto again = prepare("class_folders");
  EXPECT_FALSE(again.made);
  EXPECT_EQ(again.lists.size(), 2u);
  EXPECT_EQ(again.lists.at(0).videos, 1);
  EXPECT_EQ(std::filesystem::last_write_time(folder_ / "out/train.txt"), time);
  EXPECT_THROW(prepare("class_folders", {.max_missing = 0.5}), Error);
  const auto summary = nlohmann::json::parse(out("summary.json"));
  EXPECT_EQ(summary.at("lists").at(0).at("sha256").get<std::string>().size(), 64u);
}

TEST_F(Prepare, VideosThatCameLaterAreToldAndListedWhenForced) {
  add_videos({"train/a/1.mp4", "val/a/2.mp4"});
  EXPECT_FALSE(prepare("class_folders").changed);
  EXPECT_FALSE(prepare("class_folders").changed);
  add_videos({"train/a/3.mp4"});
  const auto left = prepare("class_folders");
  EXPECT_TRUE(left.changed);
  EXPECT_FALSE(left.made);
  EXPECT_EQ(out("train.txt"), "train/a/1.mp4 0\n");
  const auto forced = prepare("class_folders", {.force = true});
  EXPECT_TRUE(forced.made);
  EXPECT_EQ(out("train.txt"), "train/a/1.mp4 0\ntrain/a/3.mp4 0\n");
  EXPECT_FALSE(prepare("class_folders").changed);
  std::filesystem::remove_all(folder_ / "videos/train");
  std::filesystem::remove_all(folder_ / "videos/val");
  EXPECT_THROW(prepare("class_folders", {.force = true}), Error);
  EXPECT_EQ(out("train.txt"), "train/a/1.mp4 0\ntrain/a/3.mp4 0\n") << "lost for a call that failed";
}

TEST_F(Prepare, ClassesMayHoldFoldersOfFrames) {
  add_videos({"train/run/1.mp4", "train/run/2/img_00001.jpg", "train/run/2/img_00002.jpg",
              "train/jump/3/1.png", "val/run/4/a.JPEG"});
  const auto report = prepare("class_folders");
  EXPECT_EQ(report.format, "table");
  EXPECT_EQ(report.unlisted, 0);
  EXPECT_EQ(out("train.csv"), "path,label\ntrain/jump/3,0\ntrain/run/1.mp4,1\ntrain/run/2,1\n");
  EXPECT_EQ(out("val.csv"), "path,label\nval/run/4,1\n");
  EXPECT_EQ(list("train.csv", ListFormat::table).entry(2).path, folder_ / "videos/train/run/2");
}

TEST_F(Prepare, PicturesBesideVideosOrClassesAreNoFrames) {
  add_videos({"run/1.mp4", "run/cover.jpg", "docs/figure.png"});
  EXPECT_EQ(prepare("class_folders").format, "video");
  EXPECT_EQ(out("train.txt"), "run/1.mp4 0\n");
}

TEST_F(Prepare, AnnotationsBelowTheRootAreFoundWithoutBeingNamedAndOwnListsAreNone) {
  add_videos({"train/a_000000_000010.mp4"});
  folder_.write("videos/labels/train.csv", "label,youtube_id,time_start,time_end,split\nrun,a,0,10,train\n");
  PrepareOptions options{.dataset = "kinetics400", .root = folder_ / "videos"};
  EXPECT_TRUE(prepare_dataset(options, folder_ / "videos/lists").made);
  EXPECT_FALSE(prepare_dataset(options, folder_ / "videos/lists").made);
}

TEST_F(Prepare, LinksAreFollowedAndOneThatLeadsBackEnds) {
  folder_.write("elsewhere/1.mp4", "x");
  add_videos({"jump/2.mp4", "jump/.hidden.mp4", "jump/notes.md"});
  std::filesystem::create_directory_symlink(folder_ / "elsewhere", folder_ / "videos/run");
  std::filesystem::create_directory_symlink(folder_ / "videos", folder_ / "videos/jump/back");
  prepare("class_folders");
  EXPECT_EQ(out("train.txt"), "jump/2.mp4 0\nrun/1.mp4 1\n");
}

TEST_F(Prepare, ANameThatSeveralFoldersHaveIsTakenFromItsClass) {
  add_videos({"run/1.avi", "jump/1.avi"});
  folder_.write("annotations/run_test_split1.txt", "1.avi 1\n");
  folder_.write("annotations/jump_test_split1.txt", "1.avi 1\n1.avi 1\n2.avi 2\n");
  add_videos({"jump/2.avi"});
  const auto report = prepare_annotated("hmdb51");
  EXPECT_EQ(out("train.txt"), "jump/1.avi 0\nrun/1.avi 1\n");
  EXPECT_EQ(report.lists.at(0).repeated, 1);
}

}  // namespace
}  // namespace actionclip
