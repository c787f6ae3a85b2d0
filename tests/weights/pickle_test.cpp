#include "weights/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/weights/crafted_pickles.h"
#include "tests/weights/files.h"
#include "weights/pickle_tensors.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

using namespace pickles;
using testing::HasSubstr;

PickleDocument run(const std::string& bytes, PickleDialect dialect = PickleDialect::kState) {
  const auto view = bytes_of(bytes);
  return run_pickle(std::vector<std::byte>(view.begin(), view.end()), dialect, "x.pkl");
}

std::map<std::string, std::shared_ptr<const PickledTensor>> tensors_of(
    const std::string& ops, PickleDialect dialect = PickleDialect::kState) {
  return name_tensors(run(program(ops), dialect), "x.pkl");
}

template <class T>
T root_of(const std::string& ops) {
  const PickleDocument document = run(program(ops));
  return std::get<T>(document[document.root]);
}

TEST(Pickle, ReadsScalars) {
  EXPECT_EQ(root_of<bool>("\x88"), true);
  EXPECT_EQ(root_of<bool>("\x89"), false);
  EXPECT_NO_THROW(root_of<PickleNone>("N"));
  EXPECT_EQ(root_of<std::int64_t>("K\xff"), 255);
  EXPECT_EQ(root_of<std::int64_t>("M\xff\xff"), 65535);
  EXPECT_EQ(root_of<std::int64_t>("J\xff\xff\xff\xff"), -1);
  EXPECT_EQ(root_of<std::int64_t>(std::string("\x8a\x00", 2)), 0);
  EXPECT_EQ(root_of<std::int64_t>("\x8a\x01\xff"), -1);
  EXPECT_EQ(root_of<std::int64_t>(std::string("\x8a\x02\xff\x00", 4)), 255);
  EXPECT_EQ(root_of<std::int64_t>(integer(-(std::int64_t{1} << 62))), -(std::int64_t{1} << 62));
  EXPECT_NO_THROW(root_of<PickleOpaque>("\x8a\x09" + std::string(9, '\x7f')));
  EXPECT_EQ(root_of<double>(std::string("G\x3f\xe0\0\0\0\0\0\0", 9)), 0.5);
  EXPECT_EQ(root_of<std::string>(text("ü")), "ü");
  EXPECT_EQ(root_of<std::string>("\x8c\x01z"), "z");
  EXPECT_NO_THROW(root_of<PickleOpaque>(std::string("B\x02\0\0\0ab", 7)));
}

TEST(Pickle, ReadsContainers) {
  EXPECT_EQ(root_of<PickleTuple>(")").items.size(), 0u);
  EXPECT_EQ(root_of<PickleTuple>("K\1K\2K\3\x87").items.size(), 3u);
  EXPECT_EQ(root_of<PickleTuple>("(K\1K\2t").items.size(), 2u);
  EXPECT_EQ(root_of<PickleList>("]K\1a(K\2K\3e").items.size(), 3u);
  EXPECT_EQ(root_of<PickleDict>("}K\1K\2s(K\3K\4u").items.size(), 2u);
}

TEST(Pickle, RemembersValues) {
  EXPECT_EQ(root_of<PickleTuple>(std::string("K\7q\0h\0\x86", 7)).items.size(), 2u);
  EXPECT_EQ(root_of<PickleTuple>(std::string("K\7r\0\0\1\0j\0\0\1\0\x86", 13)).items.size(), 2u);
  EXPECT_EQ(root_of<PickleTuple>(std::string("K\7\x94h\0\x86", 6)).items.size(), 2u);
  const PickleDocument document = run(program(std::string("K\7q\0K\10h\0\x87", 9)));
  const auto& items = std::get<PickleTuple>(document[document.root]).items;
  EXPECT_EQ(items[0], items[2]);
}

TEST(Pickle, NamesNestedTensors) {
  const std::string one = floats({1}, {1});
  const auto tensors =
      tensors_of(dict({text("state"), dict({text("a.weight"), one, integer(7), one}), text("list"),
                       "](" + one + tuple({one, integer(1)}) + "e", text("epoch"), integer(3)}));
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("list/0", "list/1/0", "state/7", "state/a.weight"));
}

TEST(Pickle, NamesTensorsOfScriptModulesAsTheirStateDictDoes) {
  const std::string inner =
      global("__torch__.torch.nn", "Linear") + ")\x81" + dict({text("weight"), floats({2}, {1})}) + "b";
  const std::string outer =
      global("__torch__", "Clip") + ")\x81" +
      dict({text("visual"), inner, text("scale"), floats({}, {}), text("list"),
            global("torch.jit._pickle", "build_tensorlist") + tuple({"](" + floats({}, {}) + "e"}) + "R"}) +
      "b";
  const auto tensors = tensors_of(outer, PickleDialect::kTorchScript);
  EXPECT_EQ(tensors.size(), 3u);
  EXPECT_TRUE(tensors.contains("visual.weight"));
  EXPECT_TRUE(tensors.contains("scale"));
  EXPECT_TRUE(tensors.contains("list/0"));
}

TEST(Pickle, KeepsTheViewOfATensor) {
  const auto tensors = tensors_of(dict({text("w"), floats({2, 3}, {1, 2}, 4)}));
  const PickledTensor& view = *tensors.at("w");
  EXPECT_EQ(view.storage.key, "0");
  EXPECT_EQ(view.storage.element_count, 12);
  EXPECT_EQ(view.offset, 4);
  EXPECT_EQ(view.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(view.strides, (std::vector<std::int64_t>{1, 2}));
}

TEST(Pickle, AcceptsOrderedDictAttributesSizesAndDevices) {
  EXPECT_EQ(
      root_of<PickleDict>(global("collections", "OrderedDict") + ")R" + dict({text("_metadata"), "}"}) + "b")
          .items.size(),
      0u);
  EXPECT_EQ(root_of<PickleTuple>(global("torch", "Size") + "(K\1K\2t\x85R").items.size(), 2u);
  EXPECT_NO_THROW(root_of<PickleOpaque>(global("torch", "device") + text("cpu") + "\x85R"));
  EXPECT_NO_THROW(root_of<PickleGlobal>(global("torch", "float16")));
}

TEST(Pickle, CraftedProgramsAreRefusedWithTheirReason) {
  for (const CraftedPickle& pickle : crafted_pickles()) {
    SCOPED_TRACE(pickle.name);
    const std::string message = weights_error([&] { tensors_of(pickle.ops, pickle.dialect); });
    EXPECT_THAT(message, HasSubstr("x.pkl"));
    EXPECT_THAT(message, HasSubstr(pickle.message));
    EXPECT_TRUE(is_plain_text(message)) << message;
  }
}

TEST(Pickle, RefusesEveryTruncation) {
  const std::string bytes = program(dict({text("w"), floats({2, 3}, {3, 1})}));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(run(bytes.substr(0, size)), WeightsError) << size;
}

}  // namespace
}  // namespace actionclip
