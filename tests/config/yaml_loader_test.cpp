#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

template <typename E>
std::string error_of(const std::filesystem::path& file, const std::vector<std::string>& overrides = {}) {
  try {
    load_yaml(file, overrides);
  } catch (const E& error) {
    return error.what();
  }
  return "no such error";
}

std::string value_of(const ConfigNode& root, std::initializer_list<const char*> keys) {
  const ConfigNode* node = &root;
  for (const auto* key : keys) {
    const ConfigEntry* entry = node->find(key);
    if (entry == nullptr) return "absent";
    node = &entry->value;
  }
  return node->kind == ConfigNode::Kind::scalar ? node->scalar : "not a scalar";
}

TEST(LoadYaml, MapsMergeKeyByKeyAndListsReplace) {
  const TemporaryFolder folder;
  folder.write("base/a.yaml", "m: {x: 1, y: 2, deep: {p: 1, q: 2}}\nlist: [1, 2, 3]\n");
  const auto root =
      load_yaml(folder.write("b.yaml", "base: base/a.yaml\nm: {y: 3, deep: {q: 4}}\nlist: [9]\n"));
  EXPECT_EQ(value_of(root, {"m", "x"}), "1");
  EXPECT_EQ(value_of(root, {"m", "y"}), "3");
  EXPECT_EQ(value_of(root, {"m", "deep", "p"}), "1");
  EXPECT_EQ(value_of(root, {"m", "deep", "q"}), "4");
  EXPECT_EQ(root.find("list")->value.items.size(), 1u);
  EXPECT_EQ(root.find("base"), nullptr);
}

TEST(LoadYaml, OfSeveralBasesTheLaterWins) {
  const TemporaryFolder folder;
  folder.write("a.yaml", "x: a\ny: a\nz: a\n");
  folder.write("b.yaml", "y: b\nz: b\n");
  const auto root = load_yaml(folder.write("c.yaml", "base: [a.yaml, b.yaml]\nz: c\n"));
  EXPECT_EQ(value_of(root, {"x"}), "a");
  EXPECT_EQ(value_of(root, {"y"}), "b");
  EXPECT_EQ(value_of(root, {"z"}), "c");
}

TEST(LoadYaml, AnEmptySectionKeepsWhatItInherits) {
  const TemporaryFolder folder;
  folder.write("a.yaml", "m: {x: 1}\n");
  EXPECT_EQ(value_of(load_yaml(folder.write("b.yaml", "base: a.yaml\nm:\n")), {"m", "x"}), "1");
}

TEST(LoadYaml, ValuesKeepTheMarkOfTheirFile) {
  const TemporaryFolder folder;
  const auto a = folder.write("a.yaml", "m:\n  x: 1\n");
  const auto b = folder.write("b.yaml", "base: a.yaml\nm:\n  y: 2\n");
  const auto root = load_yaml(b);
  const auto& m = root.find("m")->value;
  EXPECT_EQ(m.find("x")->value.mark.text(), a.string() + ":2:6");
  EXPECT_EQ(m.find("y")->value.mark.text(), b.string() + ":3:6");
  EXPECT_EQ(root.find("m")->key_mark.text(), b.string() + ":2:1");
}

TEST(LoadYaml, ACircleOfBasesIsNamedWithItsChain) {
  const TemporaryFolder folder;
  const auto a = folder.write("a.yaml", "base: sub/b.yaml\n");
  const auto b = folder.write("sub/b.yaml", "x: 1\nbase: ../a.yaml\n");
  EXPECT_EQ(error_of<ConfigError>(a),
            fmt::format("{}:2:7: base: the files inherit from each other in a circle: {} -> {} -> {}",
                        b.string(), a.string(), b.string(), a.string()));
  EXPECT_THAT(error_of<ConfigError>(folder.write("self.yaml", "base: self.yaml\n")),
              HasSubstr("in a circle"));
}

TEST(LoadYaml, AMissingBaseIsNamedWithItsChain) {
  const TemporaryFolder folder;
  const auto a = folder.write("a.yaml", "base: b.yaml\n");
  const auto b = folder.write("b.yaml", "base: [nowhere.yaml]\n");
  const auto nowhere = (folder.path() / "nowhere.yaml").string();
  EXPECT_EQ(error_of<ConfigError>(a),
            fmt::format("{}:1:8: base: {}: no such file (inherited as {} -> {} -> {})", b.string(), nowhere,
                        a.string(), b.string(), nowhere));
}

TEST(LoadYaml, ABaseMustBeAPathAndHoldAMap) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of<ConfigError>(folder.write("a.yaml", "base: {x: 1}\n")),
              HasSubstr(":1:7: base: expected a path"));
  EXPECT_THAT(error_of<ConfigError>(folder.write("b.yaml", "base:\n")), HasSubstr("base: expected a path"));
  folder.write("list.yaml", "- 1\n");
  EXPECT_THAT(error_of<ConfigError>(folder.write("c.yaml", "base: list.yaml\n")),
              HasSubstr("list.yaml:1:1: expected a map"));
}

TEST(LoadYaml, BasesThatDoubleWithEveryLevelAreRefused) {
  const TemporaryFolder folder;
  folder.write("0.yaml", "x: 1\n");
  for (int i = 1; i < 20; ++i)
    folder.write(fmt::format("{}.yaml", i), fmt::format("base: [{0}.yaml, {0}.yaml]\n", i - 1));
  EXPECT_THAT(error_of<ConfigError>(folder.path() / "19.yaml"), HasSubstr("more than 256 files"));
}

TEST(LoadYaml, AMissingFileIsAConfigError) {
  EXPECT_EQ(error_of<ConfigError>("no/such/file.yaml"), "no/such/file.yaml: no such file");
  const TemporaryFolder folder;
  EXPECT_THAT(error_of<ConfigError>(folder.path()), HasSubstr("is a folder"));
}

TEST(LoadYaml, TextsCannotInherit) {
  try {
    parse_yaml("x: 1\nbase: a.yaml\n", "text");
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "text:2:1: base: only files can inherit");
  }
}

TEST(Overrides, SetScalarsListsAndMaps) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.yaml", "m: {x: 1, y: 2}\n");
  const auto root =
      load_yaml(file, {"m.x=3", "m.list=[1, 2]", "n.p.q=text with = signs", "m={z: 4}", "m.quoted='5'"});
  EXPECT_EQ(value_of(root, {"m", "x"}), "3");
  EXPECT_EQ(value_of(root, {"m", "y"}), "2");
  EXPECT_EQ(value_of(root, {"m", "z"}), "4");
  EXPECT_EQ(root.find("m")->value.find("list")->value.items.size(), 2u);
  EXPECT_EQ(value_of(root, {"n", "p", "q"}), "text with = signs");
  EXPECT_TRUE(root.find("m")->value.find("quoted")->value.quoted);
}

TEST(Overrides, TheLastOneWins) {
  const TemporaryFolder folder;
  EXPECT_EQ(value_of(load_yaml(folder.write("a.yaml", ""), {"x=1", "x=2"}), {"x"}), "2");
}

TEST(Overrides, MarkOnlyWhatTheySet) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.yaml", "m: {x: 1, y: 2}\n");
  const auto root = load_yaml(file, {"m.x=3"});
  EXPECT_EQ(root.find("m")->value.find("x")->value.mark.text(), "override 'm.x=3'");
  EXPECT_EQ(root.find("m")->key_mark.text(), file.string() + ":1:1");
  EXPECT_EQ(root.find("m")->value.mark.text(), file.string() + ":1:4");
}

TEST(Overrides, MalformedOnesAreUsageErrors) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.yaml", "x: 1\n");
  EXPECT_EQ(error_of<UsageError>(file, {"train.lr"}),
            "override 'train.lr': expected KEY=VALUE, as in train.epochs=3");
  for (const auto* text : {"", "=3", ".x=3", "x.=3", "x..y=3", "x y=3"}) {
    EXPECT_THAT(error_of<UsageError>(file, {text}), HasSubstr("expected KEY=VALUE")) << text;
  }
  for (const auto* text : {"x=[1", "x={a: 1", "x=\"a", "x=*a", "x=!!str 1", "x={a: 1, a: 2}", "x=\xff"}) {
    EXPECT_THAT(error_of<UsageError>(file, {text}), HasSubstr("override 'x=")) << text;
  }
  EXPECT_THAT(error_of<UsageError>(file, {"base=b.yaml"}), HasSubstr("only files can inherit"));
  std::string deep = "x";
  for (int i = 0; i < 100000; ++i) deep += ".x";
  EXPECT_THAT(error_of<UsageError>(file, {deep + "=1"}), HasSubstr("is not a key"));
}

TEST(Overrides, DoNotHideAFileThatIsNotAMap) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of<ConfigError>(folder.write("a.yaml", "- 1\n"), {"x=1"}), HasSubstr("expected a map"));
}

}  // namespace
}  // namespace actionclip
