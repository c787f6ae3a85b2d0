#include "actionclip/video/annotations.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Parse = void (*)(std::string_view, const std::string&, const AnnotationVisitor&);

std::vector<Annotation> all(Parse parse, std::string_view text) {
  std::vector<Annotation> annotations;
  parse(text, "f", [&](const Annotation& annotation) {
    annotations.push_back(annotation);
    return true;
  });
  return annotations;
}

std::string error_of(Parse parse, std::string_view text) {
  try {
    all(parse, text);
  } catch (const Error& problem) {
    return problem.what();
  }
  return "no error";
}

TEST(KineticsAnnotations, ComeFromTheRowsOfTheFile) {
  const auto rows = all(parse_kinetics_annotations,
                        "\xEF\xBB\xBFlabel,youtube_id,time_start,time_end,split,is_cc\r\n"
                        "testifying,---QUuC4vJs,84,94,validate,0\r\n"
                        "\"passing, quickly\",--3ouPhoy2A,20.5,30,train,1\r\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].id, "---QUuC4vJs");
  EXPECT_THAT(rows[0].labels, ElementsAre("testifying"));
  EXPECT_EQ(rows[0].start, 84);
  EXPECT_EQ(rows[0].end, 94);
  EXPECT_EQ(rows[0].split, "validate");
  EXPECT_EQ(rows[0].line, 2);
  EXPECT_THAT(rows[1].labels, ElementsAre("passing, quickly"));
  EXPECT_EQ(rows[1].start, 20.5);
}

TEST(KineticsAnnotations, OfATestSplitHaveNoLabels) {
  const auto rows =
      all(parse_kinetics_annotations, "youtube_id,time_start,time_end,split\nab_-1,0,10,test\n");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_THAT(rows[0].labels, IsEmpty());
  EXPECT_THAT(all(parse_kinetics_annotations, "youtube_id,time_start,time_end\nab,0,10\n")[0].split, "");
}

TEST(KineticsAnnotations, MalformedRowsAreNamedByFileAndLine) {
  const std::string header = "label,youtube_id,time_start,time_end,split\n";
  const auto error = [&](const std::string& row) {
    return error_of(parse_kinetics_annotations, header + row);
  };
  EXPECT_EQ(error_of(parse_kinetics_annotations, "label,id\na,b\n"),
            "f:1: the header has no column 'youtube_id'; it has: label, id");
  EXPECT_EQ(error("a,,0,10,train\n"), "f:2: the youtube_id is empty");
  EXPECT_EQ(error("a,x,zero,10,train\n"), "f:2: time_start 'zero' is not a number of seconds");
  EXPECT_EQ(error("a,x,0,,train\n"), "f:2: time_end '' is not a number of seconds");
  EXPECT_EQ(error("a,x,0,1000000,train\n"), "f:2: time_end '1000000' is not a number of seconds");
  EXPECT_EQ(error("a,x,-1,10,train\n"), "f:2: time_start '-1' is not a number of seconds");
  EXPECT_THAT(error("a,x,0,10,train\na,x,0\n"), StartsWith("f:3: 3 fields where the header has 5"));
  EXPECT_THAT(error(std::string("a,x\0,0,10,train\n", 16)), StartsWith("f:2: holds a zero byte"));
}

TEST(SomethingSomethingAnnotations, AreTemplatesWithoutTheirBrackets) {
  const auto videos = all(parse_something_something_annotations, R"([
{"id": "78687", "label": "holding potato next to vicks vaporub bottle",
 "template": "Holding [something] next to [something]", "placeholders": ["potato", "vicks vaporub bottle"]},
{"template": "Pretending to put [something] on a surface [part]", "id": 42, "more": {"id": 7, "list": [[1], {}]}},
{"id": "1420"}
])");
  ASSERT_EQ(videos.size(), 3u);
  EXPECT_EQ(videos[0].id, "78687");
  EXPECT_THAT(videos[0].labels, ElementsAre("Holding something next to something"));
  EXPECT_EQ(videos[0].line, 2);
  EXPECT_EQ(videos[1].id, "42");
  EXPECT_THAT(videos[1].labels, ElementsAre("Pretending to put something on a surface part"));
  EXPECT_EQ(videos[1].line, 4);
  EXPECT_THAT(videos[2].labels, IsEmpty()) << "the test split";
  EXPECT_THAT(all(parse_something_something_annotations, "[]"), IsEmpty());
}

TEST(SomethingSomethingAnnotations, OtherJsonIsNamedByFileAndLine) {
  const auto error = [](std::string_view text) {
    return error_of(parse_something_something_annotations, text);
  };
  const std::string expected = "expected a list of objects with id and template";
  EXPECT_EQ(error("{\"id\": 1}"), "f:1: " + expected);
  EXPECT_EQ(error("\n3"), "f:2: " + expected);
  EXPECT_EQ(error("[\n\"a\"]"), "f:2: " + expected);
  EXPECT_EQ(error("[[]]"), "f:1: " + expected);
  EXPECT_EQ(error("[null]"), "f:1: " + expected);
  EXPECT_EQ(error("[{\"template\": \"a\"\n}]"), "f:2: an object without id");
  EXPECT_EQ(error("[{\"id\": \" \"}]"), "f:1: an object without id");
  EXPECT_EQ(error("[{\"id\": 1, \"id\": 2}]"), "f:1: an object with two ids");
  EXPECT_EQ(error("[{\"id\": \"a\\u0000b\"}]"), "f:1: an id holds a control character");
  EXPECT_EQ(error("[{\"id\": null}]"), "f:1: id is null, not a text");
  EXPECT_EQ(error("[{\"id\": []}]"), "f:1: id is a list, not a text");
  EXPECT_EQ(error("[{\"id\": 1, \"template\": 3}]"), "f:1: template is a number, not a text");
  EXPECT_EQ(error("[{\"id\": 1, \"template\": \"[]\"}]"), "f:1: a template is empty");
  EXPECT_EQ(error("[{\"id\": 1, \"template\": \"a\", \"template\": \"b\"}]"),
            "f:1: an object with two templates");
  EXPECT_THAT(error("[{\"id\": 1},\n"), HasSubstr("f:2: is no JSON"));
  EXPECT_THAT(error("[{\"id\": 1}]\n]"), HasSubstr("f:2: is no JSON"));
}

constexpr std::string_view kCharades =
    "id,subject,scene,quality,relevance,verified,script,objects,descriptions,actions,length\n"
    "46GP8,HR43,Kitchen,6,7,Yes,\"A person cooks, and \"\"sings\"\".\",food;stove,One;two,"
    "c092 11.90 21.20;c147 0.00 12.60;c092 2 3,24.83\n"
    "N11GT,0KZ7,Stairs,7,7,No,Nobody.,,Nothing.,,18.33\n";

TEST(CharadesAnnotations, HaveTheClassesOfAllActions) {
  const auto videos = all(parse_charades_annotations, kCharades);
  ASSERT_EQ(videos.size(), 2u);
  EXPECT_EQ(videos[0].id, "46GP8");
  EXPECT_THAT(videos[0].labels, ElementsAre("c092", "c147"));
  EXPECT_EQ(videos[0].line, 2);
  EXPECT_EQ(videos[1].id, "N11GT");
  EXPECT_THAT(videos[1].labels, IsEmpty());
}

TEST(CharadesAnnotations, MalformedActionsAreNamedByFileAndLine) {
  const auto error = [](const std::string& actions) {
    return error_of(parse_charades_annotations, "id,actions\na,c000 0 1\nb," + actions + "\n");
  };
  for (const auto* action : {"c092", "c092 1", "92 1 2", "c 1 2", "cx 1 2", "c092 one 2", "c092 1 2 3",
                             "c092 -1 2", "c99999999999999999999 1 2", ";"}) {
    EXPECT_THAT(error(action), StartsWith("f:3: action '")) << action;
  }
  EXPECT_EQ(error("c092 1 2;"), "no error");
  EXPECT_EQ(error_of(parse_charades_annotations, "id,actions\n,\n"), "f:2: the id is empty");
  EXPECT_THAT(error_of(parse_charades_annotations, "id,length\na,1\n"), HasSubstr("no column 'actions'"));
}

TEST(Annotations, EndWhenTheVisitorHasEnough) {
  const auto first = [](Parse parse, std::string_view text) {
    int visited = 0;
    parse(text, "f", [&](const Annotation&) { return ++visited < 1; });
    return visited;
  };
  EXPECT_EQ(first(parse_kinetics_annotations, "youtube_id,time_start,time_end\na,0,1\nb,0,bad\n"), 1);
  EXPECT_EQ(first(parse_something_something_annotations, "[{\"id\": 1}, {\"id\": 2}, bad"), 1);
  EXPECT_EQ(first(parse_charades_annotations, "id,actions\na,\nb,bad\n"), 1);
}

TEST(Annotations, AreReadFromFiles) {
  const TemporaryFolder folder;
  EXPECT_EQ(
      read_kinetics_annotations(folder.write("k.csv", "youtube_id,time_start,time_end\na,0,1\n")).size(), 1u);
  EXPECT_EQ(read_something_something_annotations(folder.write("s.json", "[{\"id\": 1}]")).size(), 1u);
  EXPECT_EQ(read_charades_annotations(folder.write("c.csv", kCharades)).size(), 2u);
  EXPECT_THROW(read_charades_annotations(folder / "absent.csv"), Error);
}

}  // namespace
}  // namespace actionclip
