#include "weights/pickle.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/weights/files.h"
#include "tests/weights/pickle_builder.h"
#include "weights/pickle_tensors.h"

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

std::string floats(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                   std::int64_t offset = 0) {
  return tensor(storage("0", "FloatStorage", 12), offset, shape, strides);
}

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

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

struct BadPickle {
  const char* name;
  std::string ops;
  const char* message;
  PickleDialect dialect = PickleDialect::kState;
};

std::ostream& operator<<(std::ostream& stream, const BadPickle& pickle) { return stream << pickle.name; }

class BadPickles : public testing::TestWithParam<BadPickle> {};

TEST_P(BadPickles, AreRefusedWithTheirReason) {
  const std::string message = weights_error([] { tensors_of(GetParam().ops, GetParam().dialect); });
  EXPECT_THAT(message, HasSubstr("x.pkl"));
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

std::string alias_bomb() {
  // Each list holds the one before it sixteen times.
  std::string ops = std::string("(]K\1aq\0", 7);
  for (char i = 0; i < 30; ++i) {
    ops += "](";
    for (int j = 0; j < 16; ++j) ops += std::string("h") + i;
    ops += std::string("eq") + static_cast<char>(i + 1);
  }
  return ops + "t";
}

std::string repeat(const std::string& ops, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += ops;
  return all;
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadPickles,
    testing::Values(
        BadPickle{"System", global("posix", "system") + text("true") + "\x85R", "it uses \"posix.system\""},
        BadPickle{"OsSystem", global("os", "system") + text("true") + "\x85R", "it uses \"os.system\""},
        BadPickle{"Eval", global("builtins", "eval") + text("1") + "\x85R", "it uses \"builtins.eval\""},
        BadPickle{"StackGlobal", text("os") + text("system") + "\x93", "it uses \"os.system\""},
        BadPickle{"DottedGlobal", global("torch", "serialization.os.system"),
                  "it uses \"torch.serialization.os.system\""},
        BadPickle{"NumpyScalar", global("numpy.core.multiarray", "scalar"),
                  "it uses \"numpy.core.multiarray.scalar\""},
        BadPickle{"ScriptClassOutsideOfScript", global("__torch__", "Clip"), "it uses \"__torch__.Clip\""},
        BadPickle{"ScriptNewerTensors", global("torch._utils", "_rebuild_tensor_v3"), "_rebuild_tensor_v3",
                  PickleDialect::kTorchScript},
        BadPickle{"ExtensionCode", "\x82\x01", "op code 0x82"},
        BadPickle{"TextInstance", "(ios\nsystem\n", "op code 0x69"},
        BadPickle{"ObjectOfMark", "(" + global("collections", "OrderedDict") + "o", "op code 0x6f"},
        BadPickle{"PersistentText", "P0\n", "op code 0x50"},
        BadPickle{"NewestProtocol", "\x80\x05N", "protocol 5"},
        BadPickle{"CallsAType", global("torch", "float16") + ")R", "\"torch.float16\" cannot be called"},
        BadPickle{"CallsAText", text("x") + ")R", "what is called has the wrong type"},
        BadPickle{"InstantiatesADict", global("collections", "OrderedDict") + ")\x81",
                  "cannot be instantiated"},
        BadPickle{"OrderedDictOfItems", global("collections", "OrderedDict") + "]\x85R",
                  "arguments that PyTorch does not write"},
        BadPickle{"ScriptClassWithArguments", global("__torch__", "Clip") + "K\1\x85\x81", "arguments",
                  PickleDialect::kTorchScript},
        BadPickle{"ScriptStateTwice", global("__torch__", "Clip") + ")\x81}b}b", "set twice",
                  PickleDialect::kTorchScript},
        BadPickle{"ScriptStateIsATuple", global("__torch__", "Packed") + ")\x81)b",
                  "state has the wrong type", PickleDialect::kTorchScript},
        BadPickle{"StateOfAList", "]}b", "what has a state"}, BadPickle{"EmptyStack", "", "stack is empty"},
        BadPickle{"PopsThroughMark", "K\1(\x85", "stack is empty"},
        BadPickle{"NoMark", "K\1t", "mark is missing"}, BadPickle{"LeftValues", "K\1K\2", "left behind"},
        BadPickle{"LeftMark", "K\1(K\2", "left behind"}, BadPickle{"UnknownMemo", "h\5", "was not stored"},
        BadPickle{"AppendsToANumber", "K\1K\2a", "added to something else"},
        BadPickle{"SetsItemsOfAList", "]K\1K\2s", "added to something else"},
        BadPickle{"OddItems", "}(K\1u", "no value"},
        BadPickle{"TextTooLong", "X" + little_endian(0xffffffff, 4), "ends too early"},
        BadPickle{"BytesTooLong", "B" + little_endian(100, 4), "ends too early"},
        BadPickle{"TextIsNotUtf8", text("\xff"), "not valid UTF-8"},
        BadPickle{"EndlessGlobal", "c" + std::string(5000, 'a'), "name is too long"},
        BadPickle{"TooManyValues", "]" + repeat("Na", 600'000), "more than 500000 values"},
        BadPickle{"TooMuchStack", "N" + std::string("q\0", 2) + repeat(std::string("h\0", 2), 600'000),
                  "stack grows above"},
        BadPickle{"TooManyMarks", repeat("(", 600'000), "nests too deeply"},
        BadPickle{"TooLargeProgram", std::string(17u << 20, 'N'), "larger than 16777216 bytes"},
        BadPickle{"NotAStorage", tuple({text("module"), "N", "N", "N", "N"}) + "Q", "not a storage"},
        BadPickle{"UnknownStorageType",
                  tuple({text("storage"), global("torch", "Size"), text("0"), text("cpu"), integer(1)}) + "Q",
                  "\"torch.Size\" is not a type of storage"},
        BadPickle{"NegativeStorage", storage("0", "FloatStorage", -1), "negative size"},
        BadPickle{"TensorOfAText", tensor(text("0"), 0, {1}, {1}), "storage"},
        BadPickle{"TooFewTensorArguments", global("torch._utils", "_rebuild_tensor_v2") + ")R", "arguments"},
        BadPickle{"ParameterOfAText",
                  global("torch._utils", "_rebuild_parameter") + tuple({text("x"), "\x88", "}"}) + "R",
                  "a parameter's tensor"},
        BadPickle{"NegativeOffset", floats({1}, {1}, -1), "outside of its storage"},
        BadPickle{"OffsetBehind", floats({1}, {1}, 12), "outside of its storage"},
        BadPickle{"TooManyElements", floats({13}, {1}), "outside of its storage"},
        BadPickle{"StrideTooLong", floats({2, 2}, {11, 1}), "outside of its storage"},
        BadPickle{"StrideOverflows", floats({3}, {kLargest}), "outside of its storage"},
        BadPickle{"SumOfStridesOverflows", floats({2, 2}, {kLargest, kLargest}), "outside of its storage"},
        BadPickle{"NegativeStride", floats({2}, {-1}, 5), "negative stride"},
        BadPickle{"NegativeSize", floats({-1}, {1}), "too large"},
        BadPickle{"SizeOverflows", floats({kLargest, 2}, {0, 0}), "too large"},
        BadPickle{"RepeatedElements", floats({1000}, {0}), "repeats elements"},
        BadPickle{"StridesMissing", floats({2, 2}, {1}), "a stride for each dimension"},
        BadPickle{"TooManyDimensions",
                  floats(std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1)), "more than 64"},
        BadPickle{"SingleTensor", floats({1}, {1}), "a single tensor"},
        BadPickle{"SameNameTwice", dict({text("a"), floats({1}, {1}), text("a"), floats({1}, {1})}),
                  "two tensors have this name"},
        BadPickle{"SameNameByNesting",
                  dict({text("a/b"), floats({1}, {1}), text("a"), dict({text("b"), floats({1}, {1})})}),
                  "two tensors"},
        BadPickle{"KeyIsATuple", dict({")", floats({1}, {1})}), "neither a text nor an integer"},
        BadPickle{"Cycle", std::string("]q\0h\0a", 6), "nested deeper than 100"},
        BadPickle{"AliasBomb", alias_bomb(), "repeated too often"},
        BadPickle{"NameTooLong", dict({text(std::string(2000, 'n')), integer(1)}), "too long"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Pickle, RefusesEveryTruncation) {
  const std::string bytes = program(dict({text("w"), floats({2, 3}, {3, 1})}));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(run(bytes.substr(0, size)), WeightsError) << size;
}

}  // namespace
}  // namespace actionclip
