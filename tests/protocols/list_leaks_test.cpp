// Videos that are in two lists: by path, by file and by content; the parts of lists that are compared.

#include "actionclip/protocols/list_leaks.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/protocols/list_part.h"
#include "actionclip/video/manifest.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ListLeaks : public ::testing::Test {
 protected:
  // A list of these lines, of videos below the folder; the videos themselves need not be there.
  VideoList list(const std::string& name, const std::string& text,
                 ListFormat format = ListFormat::video) const {
    DatasetConfig config;
    config.list.path = folder_.write(name, text);
    config.format = format;
    return read_video_list(config, nullptr);
  }

  std::filesystem::path manifest(
      const std::string& name,
      const std::vector<std::pair<std::filesystem::path, std::string>>& hashes) const {
    std::vector<VideoFacts> videos;
    for (const auto& [path, hash] : hashes) {
      videos.emplace_back();
      videos.back().path = path.string();
      videos.back().sha256 = hash;
      videos.back().decodable = true;
    }
    return folder_.write(name, manifest_text(videos));
  }

  static std::string error_of(const VideoList& left, const VideoList& right,
                              const ContentHashes& hashes = {}) {
    try {
      require_no_leaks(left, "the chosen clips", right, "the test videos", hashes);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  const TemporaryFolder folder_;
};

TEST_F(ListLeaks, OtherVideosAreNone) {
  const auto train = list("train.txt", "a.mp4 0\nb.mp4 1\n"), test = list("test.txt", "c.mp4 0\nd.mp4 1\n");
  EXPECT_THAT(find_leaks(train, test, {}), IsEmpty());
  EXPECT_EQ(error_of(train, test), "no error");
}

TEST_F(ListLeaks, OnePathHoweverItIsWrittenIsOneVideo) {
  const auto train = list("train.txt", "a.mp4 0\nvideos/b.mp4 1\n");
  const auto test = list("test.txt", "c.mp4 0\n./videos/../videos//b.mp4 1\n");
  EXPECT_THAT(find_leaks(train, test, {}), ElementsAre(ListLeak{1, 1, LeakKind::path}));
}

TEST_F(ListLeaks, LinksOfEitherKindAreTheFileThatTheyName) {
  folder_.write("videos/a.mp4", "a");
  folder_.write("videos/b.mp4", "a");
  std::filesystem::create_directory_symlink(folder_ / "videos", folder_ / "linked");
  std::filesystem::create_hard_link(folder_ / "videos/b.mp4", folder_ / "second.mp4");
  const auto train = list("train.txt", "videos/a.mp4 0\nvideos/b.mp4 1\n");
  const auto test = list("test.txt", "linked/a.mp4 0\nsecond.mp4 1\n");
  EXPECT_THAT(find_leaks(train, test, {}),
              ElementsAre(ListLeak{0, 0, LeakKind::file}, ListLeak{1, 1, LeakKind::file}));
}

TEST_F(ListLeaks, ACopyIsFoundWhereManifestsKnowBothContents) {
  const auto train = list("train.txt", "a.mp4 0\nb.mp4 1\n"),
             test = list("test.txt", "copy.mp4 0\nd.mp4 1\n");
  const auto of_train = manifest("train.csv", {{folder_ / "a.mp4", "1111"}, {folder_ / "b.mp4", "2222"}});
  const auto of_test = manifest("test.csv", {{folder_ / "copy.mp4", "2222"}});
  EXPECT_THAT(find_leaks(train, test, ContentHashes({of_train})), IsEmpty());
  const ContentHashes hashes({of_train, of_test});
  EXPECT_THAT(find_leaks(train, test, hashes), ElementsAre(ListLeak{1, 0, LeakKind::content}));
  EXPECT_EQ(count_unknown(train, hashes), 0);
  EXPECT_EQ(count_unknown(test, hashes), 1);
}

TEST_F(ListLeaks, PartsOfOneVideoAreTheSameWhereTheyOverlap) {
  const auto train =
      list("train.csv", "path,label,start,end\nlong.mp4,0,10,20\nother.mp4,1,0,5\n", ListFormat::table);
  const auto leaks = [&](const std::string& rows) {
    return find_leaks(train, list("test.csv", "path,label,start,end\n" + rows, ListFormat::table), {});
  };
  EXPECT_THAT(leaks("long.mp4,0,0,10\nlong.mp4,0,20,\n"), IsEmpty());
  EXPECT_THAT(leaks("long.mp4,0,19,30\n"), ElementsAre(ListLeak{0, 0, LeakKind::path}));
  EXPECT_THAT(leaks("long.mp4,0,,\n"), ElementsAre(ListLeak{0, 0, LeakKind::path}));
}

TEST_F(ListLeaks, TheErrorNamesVideosWithTheirPlacesInBothLists) {
  const auto train = list("train.txt", "a.mp4 0\nb.mp4 1\n"),
             test = list("test.txt", "# none\nb.mp4 1\nc.mp4 0\n");
  EXPECT_THAT(error_of(train, test),
              AllOf(HasSubstr("1 of the test videos are among the chosen clips"), HasSubstr("b.mp4"),
                    HasSubstr("train.txt:2"), HasSubstr("test.txt:2"), HasSubstr("same path"),
                    Not(HasSubstr("more"))));
}

TEST_F(ListLeaks, OfManyTheFirstTenAreNamed) {
  std::string lines;
  for (int i = 0; i < 25; ++i) lines += "v" + std::to_string(i) + ".mp4 0\n";
  const auto message = error_of(list("train.txt", lines), list("test.txt", lines));
  EXPECT_THAT(message,
              AllOf(HasSubstr("25 of"), HasSubstr("v9.mp4"), HasSubstr("15 more"), Not(HasSubstr("v10"))));
}

TEST_F(ListLeaks, AManifestThatIsNoneIsAnError) {
  EXPECT_THROW(ContentHashes({folder_.write("manifest.csv", "path,label\n")}), Error);
  EXPECT_THROW(ContentHashes({folder_ / "absent.csv"}), Error);
}

TEST_F(ListLeaks, APartOfAListKeepsItsEntriesLinesAndWhatTheyMean) {
  const auto whole =
      list("list.csv", "path,label,start,end\na.mp4,2,1,2.5\nb.mp4,0,,\nc.mp4,1,,\n", ListFormat::table);
  const auto part = part_of(whole, {2, 0});
  ASSERT_EQ(part.size(), 2);
  EXPECT_EQ(part.entry(1).path, std::filesystem::absolute(folder_ / "a.mp4"));
  EXPECT_EQ(part.entry(1).range, whole.entry(0).range);
  EXPECT_EQ(part.line(1), 2);
  EXPECT_EQ(part.label_id(0), 1);
  const auto renumbered = part_of(whole, {2, 0}, {-1, 5, 6});
  EXPECT_EQ(renumbered.label_id(0), 5);
  EXPECT_EQ(renumbered.label_id(1), 6);
  EXPECT_EQ(table_text(part), "path,label,start,end,frames\n" + (folder_ / "c.mp4").string() + ",1,,,\n" +
                                  (folder_ / "a.mp4").string() + ",2,1,2.5,\n");
}

}  // namespace
}  // namespace actionclip
