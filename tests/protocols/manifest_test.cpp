#include "actionclip/protocols/manifest.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"
#include "actionclip/train/experiment.h"

#include "tests/places.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kHash(64, 'a'), kOther(64, 'b');

Protocol protocol_of(const std::string& yaml, const std::string& split = "") {
  return {read_config<ProtocolManifest>(parse_yaml(yaml, "p.yaml")), "hash of the manifest", split};
}

Protocol three_splits(const std::string& split = "") {
  return protocol_of(
      "{name: set, classes: 5, splits: {one: {videos: 10}, two: {videos: 20}, three: {videos: 20}}}", split);
}

ListFacts facts(std::int64_t videos, std::int64_t labels = 5, const std::string& hash = kHash) {
  return {.videos = videos, .labels = labels, .classes = labels, .sha256 = hash};
}

template <typename Work>
std::string error_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string yaml_error(const std::string& yaml) {
  return error_of([&] { protocol_of(yaml); });
}

TEST(Manifest, EveryOneThatComesWithTheProgramIsReadUnderItsName) {
  const auto names = known_protocols();
  EXPECT_THAT(names, AllOf(Contains("ucf101"), Contains("hmdb51"), Contains("kinetics400"),
                           Contains("kinetics600_unseen_val"), Contains("kinetics600_unseen_val_test")));
  for (const auto& name : names) {
    const auto protocol = read_protocol(name);
    EXPECT_EQ(protocol.manifest.name, name);
    EXPECT_FALSE(protocol.manifest.title.empty()) << name;
    EXPECT_FALSE(protocol.manifest.source.empty()) << name;
    EXPECT_EQ(protocol.sha256.size(), 64u);
  }
}

TEST(Manifest, EveryReadyConfigurationNamesProtocolsThatThereAre) {
  int named = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source_folder() / "configs")) {
    const auto folder = entry.path().parent_path().filename();
    if (entry.path().extension() != ".yaml" || folder == "base" || folder == "prompts" ||
        folder == "protocols")
      continue;
    const auto data = load_experiment(entry.path(), {}, {""}).data;
    for (const auto* split : {&data.train, &data.val, &data.test}) {
      if (split->protocol.empty()) continue;
      EXPECT_NO_THROW(read_protocol(split->protocol)) << entry.path();
      ++named;
    }
  }
  EXPECT_GE(named, 60) << "validation and test of every recipe";
}

TEST(Manifest, PinsWhatIsPublished) {
  const auto ucf101 = read_protocol("ucf101:test2");
  EXPECT_EQ(ucf101.split, "test2");
  EXPECT_EQ(ucf101.manifest.classes, 101);
  EXPECT_EQ(ucf101.manifest.splits.at("test2").videos, 3734);
  EXPECT_EQ(read_protocol("hmdb51").manifest.splits.at("full").videos, 6766);
}

TEST(Manifest, AProtocolOrSplitThatThereIsNotIsRefusedWithThoseThatThereAre) {
  EXPECT_THAT(error_of([] { read_protocol("ucf10"); }),
              AllOf(HasSubstr("protocol ucf10"), HasSubstr("nearest: ucf101"), HasSubstr("hmdb51")));
  EXPECT_THAT(error_of([] { read_protocol("ucf101:test4"); }),
              AllOf(HasSubstr("no such split"), HasSubstr("full, test1, test2, test3")));
  EXPECT_THAT(error_of([] { read_protocol("no/such.yaml"); }), HasSubstr("no/such.yaml: no such file"));
  EXPECT_THROW(read_protocol("ucf10"), UsageError);
}

TEST(Manifest, AFileIsReadWithAndWithoutASplit) {
  const TemporaryFolder folder;
  const auto file = folder.write("own.yaml", "{name: own, splits: {a: {videos: 1}, b: {videos: 2}}}");
  EXPECT_EQ(read_protocol(file.string()).manifest.name, "own");
  EXPECT_EQ(read_protocol(file.string() + ":b").split, "b");
}

TEST(Manifest, FindingsHaveTheirPlace) {
  EXPECT_THAT(yaml_error("{name: a, splits: {x: {videos: 0}}}"),
              AllOf(HasSubstr("p.yaml:1:"), HasSubstr("splits.x.videos")));
  EXPECT_THAT(yaml_error("{name: a, splits: {x: {sha256: abc}}}"), HasSubstr("64 lower-case hexadecimal"));
  EXPECT_THAT(yaml_error("{name: a, splits: {}}"), HasSubstr("at least one is needed"));
  EXPECT_THAT(yaml_error("{splits: {x: {}}}"), HasSubstr("name"));
  EXPECT_THAT(yaml_error("{name: a, splits: {'x y': {}}}"), HasSubstr("'x y'"));
  EXPECT_THAT(yaml_error("{name: a, clases: 3, splits: {x: {}}}"), HasSubstr("classes"));
}

TEST(Match, WithoutAPinnedHashNothingSpeaksAgainstTheListButItIsNotProven) {
  const auto match = match_protocol(three_splits(), facts(10));
  EXPECT_TRUE(match.matches());
  EXPECT_FALSE(match.is_proven());
  EXPECT_EQ(match.name(), "set:one");
  EXPECT_THAT(match.unpinned, ElementsAre("sha256"));
  EXPECT_THAT(
      to_text(match),
      AllOf(HasSubstr("set:one: nothing tells the list from it (10 videos, 5 classes), but not pinned: "
                      "sha256; sha256 of the list " +
                      kHash),
            HasSubstr("of the manifest hash of the manifest")));
  EXPECT_EQ(to_json(match).at("proven"), false);
}

TEST(Match, AListOfThePinnedHashIsProven) {
  const auto protocol = protocol_of("{name: set, splits: {one: {videos: 10, sha256: " + kHash + "}}}");
  const auto match = match_protocol(protocol, facts(10));
  EXPECT_TRUE(match.is_proven());
  EXPECT_THAT(to_text(match), AllOf(HasSubstr("set:one: the list matches (10 videos"), HasSubstr(kHash)));
  EXPECT_EQ(to_json(match).at("proven"), true);
}

TEST(SplitOf, IsTheProtocolsUnlessAnotherWasAskedFor) {
  EXPECT_EQ(split_of(three_splits(), "two").split, "two");
  EXPECT_EQ(split_of(three_splits("two"), "two").split, "two");
  EXPECT_THAT(error_of([] { split_of(three_splits(), "four"); }), HasSubstr("it has one, three, two"));
  EXPECT_THAT(error_of([] { split_of(three_splits("one"), "two"); }), HasSubstr("leave the split out"));
}

TEST(Match, EveryDifferenceIsNamed) {
  auto other = facts(9, 6);
  other.classes = 4;
  const auto match = match_protocol(three_splits("one"), other);
  EXPECT_FALSE(match.matches());
  EXPECT_THAT(match.differences,
              ElementsAre("labels: 6 are ranked, the protocol has 5",
                          "classes: 4 have a video, the protocol has 5", "videos: 9, the protocol has 10"));
  EXPECT_THAT(to_text(match), AllOf(HasSubstr("ANOTHER ONE"), HasSubstr("videos: 9")));
}

TEST(Match, AnotherHashOfAsManyVideosIsAnotherList) {
  const auto protocol = protocol_of("{name: set, splits: {one: {videos: 10, sha256: " + kOther + "}}}");
  EXPECT_THAT(match_protocol(protocol, facts(10)).differences,
              ElementsAre(AllOf(HasSubstr("sha256: " + kHash), HasSubstr(kOther))));
  EXPECT_TRUE(match_protocol(protocol, facts(10, 5, kOther)).matches());
}

TEST(Match, OfSeveralSplitsTheHashDecidesAndElseTheNumberOfVideos) {
  const auto pinned = protocol_of("{name: set, splits: {one: {videos: 10, sha256: " + kOther +
                                  "}, two: {videos: 10, sha256: " + kHash + "}}}");
  EXPECT_EQ(match_protocol(pinned, facts(10)).name(), "set:two");
  EXPECT_EQ(match_protocol(three_splits(), facts(10)).split, "one");
}

TEST(Match, AListThatCouldBeSeveralSplitsIsNotTakenForOne) {
  const auto match = match_protocol(three_splits(), facts(20));
  EXPECT_FALSE(match.matches());
  EXPECT_EQ(match.name(), "set");
  EXPECT_THAT(match.differences, ElementsAre(AllOf(HasSubstr("three or two"), HasSubstr("--protocol set:"))));
  EXPECT_TRUE(match_protocol(three_splits("two"), facts(20)).matches());
  EXPECT_THAT(match_protocol(three_splits(), facts(30)).differences,
              ElementsAre(HasSubstr("no split of the protocol has")));
}

TEST(Match, JsonHoldsTheHashOfTheListThatWasScored) {
  const auto json = to_json(match_protocol(three_splits(), facts(10)));
  EXPECT_EQ(json.at("name"), "set:one");
  EXPECT_EQ(json.at("sha256"), kHash);
  EXPECT_EQ(json.at("matches"), true);
  EXPECT_TRUE(json.at("differences").empty());
}

TEST(Record, WhatIsRecordedMatchesAndAnotherListDoesNot) {
  const TemporaryFolder folder;
  auto bare = facts(10);
  bare.classes = 3;  // a label without a video
  const auto file = folder / "own.yaml";
  write_manifest(file,
                 record_manifest(three_splits().manifest, {{"one", bare}, {"two", facts(7, 4, kOther)}}));
  const auto recorded = read_protocol(file.string());
  EXPECT_THAT(match_protocol(recorded, bare).differences, IsEmpty());
  EXPECT_THAT(match_protocol(recorded, bare).unpinned, IsEmpty());
  EXPECT_EQ(match_protocol(recorded, facts(7, 4, kOther)).name(), "set:two");
  EXPECT_FALSE(match_protocol(recorded, facts(10, 5, kOther.substr(1) + "c")).matches());
  EXPECT_THAT(error_of([&] { write_manifest(file, recorded.manifest); }), HasSubstr("is there already"));
}

}  // namespace
}  // namespace actionclip
