// Lists without some of their entries.

#include "actionclip/video/list_filter.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

class ListFilter : public ::testing::Test {
 protected:
  VideoList list(const std::string& text, ListFormat format, const LabelSet* labels = nullptr) {
    DatasetConfig config;
    config.list.path = folder_.write("list", text);
    config.format = format;
    return read_video_list(config, labels);
  }

  TemporaryFolder folder_;
};

TEST_F(ListFilter, OtherLinesAndCommentsStayAsTheyWere) {
  const std::string text = "# mine\r\na.mp4 0\r\n\n  b c.mp4   1 \n#1.mp4 2\nlast.mp4 3";
  const auto filtered = filter_list(list(text, ListFormat::video), {1, 3});
  EXPECT_EQ(filtered.kept, "# mine\r\na.mp4 0\r\n\n#1.mp4 2\n");
  EXPECT_EQ(filtered.removed, "  b c.mp4   1 \nlast.mp4 3");
  EXPECT_EQ(filter_list(list(text, ListFormat::video), {}).kept, text);
}

TEST_F(ListFilter, BothPartsOfATableHaveItsHeaderAndRecordsOfSeveralLinesStayWhole) {
  const std::string text = "path,caption\n\"a,1.jpg\",\"one\ntwo\"\nb.jpg,three\n";
  const auto filtered = filter_list(list(text, ListFormat::captions), {0});
  EXPECT_EQ(filtered.kept, "path,caption\nb.jpg,three\n");
  EXPECT_EQ(filtered.removed, "path,caption\n\"a,1.jpg\",\"one\ntwo\"\n");
}

TEST_F(ListFilter, ObjectsOfAJsonListAreFoundByTheirVideo) {
  const LabelSet labels({"Pushing something"});
  const std::string text =
      R"([{"id": "12", "template": "Pushing [something]"},
          {"id": "7", "template": "Pushing [something]", "more": [1, 2]}])";
  const auto filtered = filter_list(list(text, ListFormat::something_something, &labels), {0});
  EXPECT_EQ(nlohmann::json::parse(filtered.kept),
            nlohmann::json::parse(R"([{"id": "7", "template": "Pushing [something]", "more": [1, 2]}])"));
  EXPECT_EQ(nlohmann::json::parse(filtered.removed).size(), 1u);
}

TEST_F(ListFilter, AFolderHasNoLines) {
  folder_.write("classes/a/1.mp4", "x");
  const LabelSet labels({"a"});
  DatasetConfig config;
  config.list.path = folder_ / "classes";
  config.format = ListFormat::class_folders;
  EXPECT_THROW(filter_list(read_video_list(config, &labels), {0}), Error);
}

}  // namespace
}  // namespace actionclip
