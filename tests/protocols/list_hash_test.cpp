#include "actionclip/protocols/list_hash.h"

#include <string>

#include <gtest/gtest.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

namespace actionclip {
namespace {

const LabelSet& labels() {
  static const LabelSet set({"Brush Hair", "ride", "é!", "?!"});
  return set;
}

VideoList list_of(const std::string& text, ListFormat format = ListFormat::video,
                  const LabelSet& names = labels()) {
  DatasetConfig config;
  config.list.path = "/data/list.txt";
  config.format = format;
  return parse_video_list(text, config, &names);
}

std::string hash_of(const std::string& text) { return list_hash(list_of(text), labels()); }

TEST(ListHash, IsOfSortedLinesOfNamesAsTheHeaderSays) {
  EXPECT_EQ(hash_of("b/second.avi 1\na/first.mp4 0\n"), sha256_of("first\tbrushhair\nsecond\tride\n"));
  EXPECT_EQ(hash_of("x 2\ny 3\n"), sha256_of("x\té\ny\t?!\n")) << "a name of signs alone stands as it is";
  // By an independent program: printf 'first\tbrushhair\nsecond\tride\n' | sha256sum
  EXPECT_EQ(hash_of("first 0\nsecond 1\n"),
            "c097c9a22d083e64cf858720e890e8773eeee2fb918199e7773a729899b4e396");
}

TEST(ListHash, NeitherOrderFoldersEndingsNorLabelIdsCount) {
  const auto expected = hash_of("a/one.avi 0\nb/two.avi 1\n");
  EXPECT_EQ(hash_of("/else/where/two.MP4 1\none.webm 0\n"), expected);
  const LabelSet renamed({"ride", "brush_hair"});
  EXPECT_EQ(list_hash(list_of("one.avi 1\ntwo.avi 0\n", ListFormat::video, renamed), renamed), expected);
  EXPECT_EQ(list_hash(list_of("a/one 30 0\nb/two/ 40 1\n", ListFormat::frames), labels()), expected)
      << "frame folders";
  EXPECT_EQ(list_hash(list_of("path,label\none.mkv,Brush Hair\ntwo.mkv,ride\n", ListFormat::table), labels()),
            expected);
}

TEST(ListHash, OtherVideosOrLabelsAreAnotherList) {
  const auto expected = hash_of("one.avi 0\ntwo.avi 1\n");
  EXPECT_NE(hash_of("one.avi 0\n"), expected);
  EXPECT_NE(hash_of("one.avi 0\ntwo.avi 1\ntwo.avi 1\n"), expected);
  EXPECT_NE(hash_of("one.avi 1\ntwo.avi 1\n"), expected);
  EXPECT_NE(hash_of("One.avi 0\ntwo.avi 1\n"), expected);
}

TEST(ListHash, PartsOfVideosAreToldApart) {
  const auto part = [](const std::string& range) {
    return list_hash(list_of("path,label,start,end\none.mp4,0," + range + "\n", ListFormat::table), labels());
  };
  EXPECT_EQ(part("1.5,2"), sha256_of("one\tbrushhair\t1.500\t2.000\n"));
  EXPECT_EQ(part("0.5,"), sha256_of("one\tbrushhair\t0.500\tinf\n"));
  EXPECT_EQ(part(","), hash_of("one.mp4 0\n"));
}

TEST(ListHash, EveryLabelOfAVideoIsALine) {
  EXPECT_EQ(list_hash(list_of("path,label\none.mp4,0;1\n", ListFormat::table), labels()),
            sha256_of("one\tbrushhair\none\tride\n"));
}

TEST(ListHash, ALabelThatThereIsNotIsRefused) {
  const auto list = list_of("one.mp4 3\n");
  EXPECT_THROW(list_hash(list, LabelSet({"a", "b"})), Error);
}

TEST(VideoName, IsTheLastPartWithoutTheEndingOfAVideo) {
  EXPECT_EQ(video_name("a/b.c/v_Archery_g01_c01.avi"), "v_Archery_g01_c01");
  EXPECT_EQ(video_name("a/Foo.Bar_1"), "Foo.Bar_1") << "a frame folder";
  EXPECT_EQ(video_name("a/Foo.Bar_1/"), "Foo.Bar_1");
  EXPECT_EQ(video_name("a/Foo.Bar_1.avi"), "Foo.Bar_1");
}

TEST(VideoName, OfAClipOfKineticsIsItsId) {
  EXPECT_EQ(video_name("x/-3B32lodo2M_000059_000069.mp4"), "-3B32lodo2M");
  EXPECT_EQ(video_name("x/-3B32lodo2M.mp4"), "-3B32lodo2M");
  EXPECT_EQ(video_name("x/-3B32lodo2M_000059_00006a.mp4"), "-3B32lodo2M_000059_00006a");
  EXPECT_EQ(video_name("x/too_long_an_id_000059_000069.mp4"), "too_long_an_id_000059_000069");
}

TEST(ListFacts, CountVideosLabelsAndClassesWithAVideo) {
  const auto facts = facts_of(list_of("one.mp4 0\ntwo.mp4 0\nthree.mp4 2\n"), labels());
  EXPECT_EQ(facts.videos, 3);
  EXPECT_EQ(facts.labels, 4);
  EXPECT_EQ(facts.classes, 2);
  EXPECT_EQ(facts.sha256, hash_of("one.mp4 0\ntwo.mp4 0\nthree.mp4 2\n"));
}

}  // namespace
}  // namespace actionclip
