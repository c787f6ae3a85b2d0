// Pickles in which one thing is wrong.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/weights/crafted_file.h"
#include "tests/weights/pickle_builder.h"
#include "weights/pickle.h"

namespace actionclip::pickles {

struct CraftedPickle {
  std::string name;
  std::string ops;  // for program()
  std::string message;
  PickleDialect dialect = PickleDialect::kState;
  bool malicious = false;
};

using CraftedPickles = std::vector<CraftedPickle>;

inline constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

// Python's own unpickler would call each of these. What they would do leaves a file `executed` behind.
inline CraftedPickles foreign_calls() {
  struct Call {
    const char *module, *name, *argument;
  };
  constexpr Call kCalls[] = {
      {"os", "system", "touch executed"},
      {"posix", "system", "touch executed"},
      {"nt", "system", "touch executed"},
      {"os", "popen", "touch executed"},
      {"subprocess", "Popen", "touch executed"},
      {"subprocess", "check_output", "touch executed"},
      {"pty", "spawn", "touch executed"},
      {"builtins", "eval", "open('executed', 'w')"},
      {"builtins", "exec", "open('executed', 'w')"},
      {"builtins", "getattr", "__class__"},
      {"builtins", "__import__", "antigravity"},
      {"builtins", "open", "executed"},
      {"__builtin__", "file", "executed"},
      {"importlib", "import_module", "antigravity"},
      {"runpy", "run_path", "executed.py"},
      {"ctypes", "CDLL", "executed.so"},
      {"socket", "create_connection", "localhost"},
      {"shutil", "rmtree", "executed"},
      {"operator", "attrgetter", "system"},
      {"functools", "partial", "os.system"},
      {"collections", "defaultdict", "list"},
      {"collections", "Counter", "x"},
      {"copyreg", "_reconstructor", "x"},
      {"_codecs", "encode", "x"},
      {"numpy.core.multiarray", "scalar", "x"},
      {"numpy.core.multiarray", "_reconstruct", "x"},
      {"numpy", "load", "executed.npy"},
      {"torch", "load", "executed.pt"},
      {"torch.hub", "load", "executed"},
      {"torch.jit", "load", "executed.pt"},
      {"torch.jit._pickle", "restore_type_tag", "x"},
      {"torch._utils", "_rebuild_sparse_tensor", "x"},
      {"torch._utils", "_rebuild_qtensor", "x"},
      {"torch._utils", "_rebuild_wrapper_subclass", "x"},
      {"torch.serialization", "_get_layout", "x"},
      {"torch.nn.modules.linear", "Linear", "x"},
      {"torch", "serialization.os.system", "touch executed"},
      {"torch._utils", "__builtins__", "x"},
      {"collections", "OrderedDict.__reduce__", "x"},
      {"Collections", "OrderedDict", "x"},
      {"collections ", "OrderedDict", "x"},
      {"", "system", "touch executed"},
  };
  CraftedPickles pickles;
  for (const auto& [module, name, argument] : kCalls) {
    pickles.push_back({fmt::format("Calls {}.{}", module, name),
                       global(module, name) + text(argument) + "\x85R",
                       fmt::format("it uses \"{}.{}\"", module, name), PickleDialect::kState, true});
  }
  append(
      pickles,
      CraftedPickles{
          {"StackGlobal", text("os") + text("system") + "\x93" + text("touch executed") + "\x85R",
           "it uses \"os.system\"", PickleDialect::kState, true},
          {"StackGlobalWithANewLine", text("os\n") + text("system") + "\x93", R"(it uses "os\x0a.system")",
           PickleDialect::kState, true},
          {"StackGlobalWithAZeroByte", text(std::string("collections\0", 12)) + text("OrderedDict") + "\x93",
           R"(it uses "collections\x00.OrderedDict")", PickleDialect::kState, true},
          {"GlobalWithAZeroByte", std::string("ccollections\0\nOrderedDict\n", 26), R"(\x00)",
           PickleDialect::kState, true},
          {"StackGlobalOfNumbers", "K\1K\2\x93", "a global's name is not a text"},
          {"CallsASystemOfAScriptArchive", global("os", "system") + text("touch executed") + "\x85R",
           "it uses \"os.system\"", PickleDialect::kTorchScript, true},
          {"NewObjectOfAForeignClass", global("subprocess", "Popen") + text("touch executed") + "\x85\x81",
           "it uses \"subprocess.Popen\"", PickleDialect::kState, true},
          {"NameOfAnotherAlphabet", global("c\xd0\xbellections", "OrderedDict"), "OrderedDict\"",
           PickleDialect::kState, true},
      });
  return pickles;
}

// The op codes of Python's protocols 0 to 5 that PyTorch does not write; the arguments are as Python wants
// them.
inline CraftedPickles foreign_op_codes() {
  struct OpCode {
    const char* name;
    std::string ops;
  };
  const std::string text_line = "touch executed\n", size8 = little_endian(1, 8) + "x";
  const std::string system = global("collections", "OrderedDict");
  const std::vector<OpCode> codes = {
      {"Pop", "N0"},
      {"PopMark", "(1"},
      {"Dup", "N2"},
      {"FloatLine", "F1.5\n"},
      {"IntLine", "I1\n"},
      {"LongLine", "L1L\n"},
      {"PersistentText", "P0\n"},
      {"TextLine", "S'x'\n"},
      {"ByteText", "T" + little_endian(1, 4) + "x"},
      {"ShortByteText", "U\1x"},
      {"UnicodeLine", "V" + text_line},
      {"PutLine", "Np0\n"},
      {"GetLine", "Ng0\n"},
      {"DictOfMark", "(d"},
      {"ListOfMark", "(l"},
      {"TextInstance", "(ios\nsystem\n"},
      {"ObjectOfMark", "(" + system + "o"},
      {"ExtensionCode", "\x82\1"},
      {"ExtensionCode2", std::string("\x83\1\0", 3)},
      {"ExtensionCode4", std::string("\x84\1\0\0\0", 5)},
      {"GiantLong", "\x8b" + little_endian(0x7fffffff, 4)},
      {"NegativeLong", "\x8b" + little_endian(0xffffffff, 4)},
      {"GiantUnicode", "\x8d" + little_endian(1ull << 62, 8)},
      {"GiantBytes", "\x8e" + little_endian(~0ull, 8)},
      {"EmptySet", "\x8f"},
      {"AddItems", "\x8f(\x90"},
      {"FrozenSet", "(\x91"},
      {"NewObjectWithKeys", system + ")}\x92"},
      {"ByteArray", "\x96" + size8},
      {"NextBuffer", "\x97"},
      {"ReadOnlyBuffer", "\x98"},
      {"Zero", std::string(1, '\0')},
      {"HighestByte", "\xff"},
  };
  CraftedPickles pickles;
  for (const auto& [name, ops] : codes) {
    pickles.push_back({fmt::format("OpCode{}", name), ops, "is not one that PyTorch writes"});
    pickles.back().malicious = std::string(name).starts_with("Giant") || std::string(name) == "TextInstance";
  }
  return pickles;
}

inline CraftedPickles wrong_calls() {
  const std::string ordered_dict = global("collections", "OrderedDict");
  const std::string script_object = global("__torch__", "Clip") + ")\x81";
  return {
      {"CallsAType", global("torch", "float16") + ")R", "\"torch.float16\" cannot be called"},
      {"CallsAText", text("x") + ")R", "what is called has the wrong type"},
      {"InstantiatesADict", global("collections", "OrderedDict") + ")\x81", "cannot be instantiated"},
      {"OrderedDictOfItems", global("collections", "OrderedDict") + "]\x85R",
       "arguments that PyTorch does not write"},
      {"StateOfAList", "]}b", "what has a state"},
      {"NewestProtocol", "\x80\x05N", "protocol 5"},
      {"EndlessGlobal", "c" + std::string(5000, 'a'), "name is too long"},
      {"ScriptClassOutsideOfScript", global("__torch__", "Clip"), "it uses \"__torch__.Clip\""},
      {"ScriptClassWithArguments", global("__torch__", "Clip") + "K\1\x85\x81", "arguments",
       PickleDialect::kTorchScript},
      {"ScriptNewerTensors", global("torch._utils", "_rebuild_tensor_v3"), "_rebuild_tensor_v3",
       PickleDialect::kTorchScript},
      {"ScriptStateIsATuple", global("__torch__", "Packed") + ")\x81)b", "state has the wrong type",
       PickleDialect::kTorchScript},
      {"ScriptStateTwice", global("__torch__", "Clip") + ")\x81}b}b", "set twice",
       PickleDialect::kTorchScript},
      {"CallsATensor", floats({1}, {1}) + ")R", "what is called has the wrong type"},
      {"CallsADict", "})R", "what is called has the wrong type"},
      {"CallsNone", "N)R", "what is called has the wrong type"},
      {"CallsAStorageType", global("torch", "FloatStorage") + ")R", "cannot be called"},
      {"CallsWithoutATuple", ordered_dict + "]R", "arguments that PyTorch does not write"},
      {"StateOfATensor", floats({1}, {1}) + dict({text("data"), integer(1)}) + "b", "what has a state"},
      {"StateOfAStorage", storage("0", "FloatStorage", 1) + "}" + "b", "what has a state"},
      {"StateOfAGlobal", ordered_dict + "}" + "b", "what has a state"},
      {"StateWithSlots", ordered_dict + ")RN}\x86" + "b", "state has the wrong type"},
      {"ScriptObjectWithoutAName", script_object + dict({integer(1), "]"}) + "b" + text("x") + "a",
       "added to something else", PickleDialect::kTorchScript},
      {"ScriptKeyIsATensor", script_object + dict({floats({}, {}), floats({}, {})}) + "b",
       "neither a text nor an integer", PickleDialect::kTorchScript},
      {"HighestProtocol", "\x80\xff" + std::string("N"), "protocol 255"},
      {"PersistentIdIsAText", text("storage") + "Q", "arguments that PyTorch does not write"},
      {"PersistentIdIsTooShort", tuple({text("storage"), "N", "N", "N"}) + "Q", "arguments"},
      {"StorageOfATypeThatIsAText",
       tuple({text("storage"), text("torch.FloatStorage"), text("0"), text("cpu"), integer(1)}) + "Q",
       "a storage's description has the wrong type"},
      {"StorageOfAKeyThatIsANumber",
       tuple({text("storage"), global("torch", "FloatStorage"), integer(0), text("cpu"), integer(1)}) + "Q",
       "a storage's description has the wrong type"},
      {"StorageOfASizeThatIsAText",
       tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), text("1")}) + "Q",
       "a storage's description has the wrong type"},
      {"StorageOfComplexNumbers", storage("0", "ComplexFloatStorage", 1),
       "it uses \"torch.ComplexFloatStorage\""},
      {"StorageWithoutAType", storage("0", "UntypedStorage", 1), "it uses \"torch.UntypedStorage\""},
  };
}

inline CraftedPickles wrong_stacks() {
  return {
      {"EmptyStack", "", "stack is empty"},
      {"PopsThroughMark", "K\1(\x85", "stack is empty"},
      {"NoMark", "K\1t", "mark is missing"},
      {"LeftValues", "K\1K\2", "left behind"},
      {"LeftMark", "K\1(K\2", "left behind"},
      {"UnknownMemo", "h\5", "was not stored"},
      {"AppendsToANumber", "K\1K\2a", "added to something else"},
      {"SetsItemsOfAList", "]K\1K\2s", "added to something else"},
      {"OddItems", "}(K\1u", "no value"},
      {"TextTooLong", "X" + little_endian(0xffffffff, 4), "ends too early"},
      {"BytesTooLong", "B" + little_endian(100, 4), "ends too early"},
      {"TextIsNotUtf8", text("\xff"), "not valid UTF-8"},
      {"MarkAlone", "(", "its stack is empty"},
      {"PutOfNothing", std::string("q\0", 2), "its stack is empty"},
      {"MemoizesNothing", "\x94", "its stack is empty"},
      {"AppendsToNothing", "Na", "its stack is empty"},
      {"ItemsBelowTheMark", "}K\1(K\2s", "its stack is empty"},
      {"MemoBeforeItsValue", std::string("h\0N\x94", 4), "was not stored"},
      {"MemoFarAway", "Nj" + little_endian(0xffffffff, 4), "was not stored"},
      {"MemoAmongMany", "Nr" + little_endian(0xffffffff, 4) + "j" + little_endian(0xfffffffe, 4),
       "was not stored"},
      {"ShortTextTooLong", "\x8c\xff" + std::string("x"), "ends too early"},
      {"ShortBytesTooLong", "C\xff" + std::string("x"), "ends too early"},
      {"LongTooLong", "\x8a\xff" + std::string("x"), "ends too early"},
      {"FloatTooShort", "G1234", "ends too early"},
      {"FrameTooShort", "\x95" + std::string("1234"), "ends too early"},
      {"GlobalWithoutAnEnd", "ccollections\nOrderedDict", "ends too early"},
      {"OverlongText", text("\xc0\x80"), "not valid UTF-8"},
      {"SurrogateInAText", text("\xed\xa0\x80"), "not valid UTF-8"},
      {"TextAboveUnicode", text("\xf4\x90\x80\x80"), "not valid UTF-8"},
      {"TextCutInACharacter", text("\xe2\x82"), "not valid UTF-8"},
      {"ShortTextIsNotUtf8", "\x8c\1\xff", "not valid UTF-8"},
      {"ListOfADictsItems", "](K\1K\2u", "added to something else"},
      {"ItemsOfATuple", ")(K\1e", "added to something else"},
  };
}

inline CraftedPickles wrong_views() {
  return {
      {"NotAStorage", tuple({text("module"), "N", "N", "N", "N"}) + "Q", "not a storage"},
      {"UnknownStorageType",
       tuple({text("storage"), global("torch", "Size"), text("0"), text("cpu"), integer(1)}) + "Q",
       "\"torch.Size\" is not a type of storage"},
      {"NegativeStorage", storage("0", "FloatStorage", -1), "negative size"},
      {"TensorOfAText", tensor(text("0"), 0, {1}, {1}), "storage"},
      {"TooFewTensorArguments", global("torch._utils", "_rebuild_tensor_v2") + ")R", "arguments"},
      {"ParameterOfAText",
       global("torch._utils", "_rebuild_parameter") + tuple({text("x"), "\x88", "}"}) + "R",
       "a parameter's tensor"},
      {"NegativeOffset", floats({1}, {1}, -1), "outside of its storage"},
      {"OffsetBehind", floats({1}, {1}, 12), "outside of its storage"},
      {"TooManyElements", floats({13}, {1}), "outside of its storage"},
      {"StrideTooLong", floats({2, 2}, {11, 1}), "outside of its storage"},
      {"StrideOverflows", floats({3}, {kLargest}), "outside of its storage"},
      {"SumOfStridesOverflows", floats({2, 2}, {kLargest, kLargest}), "outside of its storage"},
      {"NegativeStride", floats({2}, {-1}, 5), "negative stride"},
      {"NegativeSize", floats({-1}, {1}), "too large"},
      {"SizeOverflows", floats({kLargest, 2}, {0, 0}), "too large"},
      {"RepeatedElements", floats({1000}, {0}), "repeats elements"},
      {"StridesMissing", floats({2, 2}, {1}), "a stride for each dimension"},
      {"TooManyDimensions", floats(std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1)),
       "more than 64"},
      {"LargestOffset", floats({1}, {1}, kLargest), "outside of its storage"},
      {"OffsetAndStrideOverflow", floats({2}, {2}, kLargest), "outside of its storage"},
      {"LargestSize", floats({kLargest}, {1}), "too large"},
      {"SizesThatWrapToOne", floats({std::int64_t{1} << 32, std::int64_t{1} << 32}, {1, 1}), "too large"},
      {"OverflowBehindZero", floats({0, kLargest, kLargest}, {1, 1, 1}), "too large"},
      {"LowestStride", floats({2}, {std::numeric_limits<std::int64_t>::min()}), "negative stride"},
      {"ExpandedMask", floats({12, 12}, {0, 1}), "repeats elements"},
      {"OverlappingWindows", floats({11, 2}, {1, 1}), "repeats elements"},
  };
}

inline CraftedPickles wrong_names() {
  const std::string one = floats({1}, {1});
  return {
      {"SingleTensor", floats({1}, {1}), "a single tensor"},
      {"SameNameTwice", dict({text("a"), floats({1}, {1}), text("a"), floats({1}, {1})}),
       "two tensors have this name"},
      {"SameNameByNesting",
       dict({text("a/b"), floats({1}, {1}), text("a"), dict({text("b"), floats({1}, {1})})}), "two tensors"},
      {"KeyIsATuple", dict({")", floats({1}, {1})}), "neither a text nor an integer"},
      {"Cycle", std::string("]q\0h\0a", 6), "nested deeper than 100"},
      {"NameTooLong", dict({text(std::string(2000, 'n')), integer(1)}), "too long"},
      {"DictInItself", std::string("}q\0", 3) + text("x") + std::string("h\0s", 3), "nested deeper than 100",
       PickleDialect::kState, true},
      {"DictInItsOwnList", std::string("}q\0", 3) + text("x") + std::string("]h\0as", 5),
       "nested deeper than 100", PickleDialect::kState, true},
      {"TupleInItsOwnList", std::string("]q\0h\0\x85q\1a", 9), "nested deeper than 100",
       PickleDialect::kState, true},
      {"ScriptObjectInItself",
       global("__torch__", "Clip") + std::string(")\x81q\0", 4) + "}" + text("x") + std::string("h\0s", 3) +
           "b",
       "nested deeper than 100", PickleDialect::kTorchScript, true},
      {"NewLineInAName", dict({text("a\nb"), one}), "control characters"},
      {"ZeroByteInAName", dict({text(std::string("a\0b", 3)), one}), "control characters"},
      {"TerminalCodeInAName", dict({text("a\x1b[2J"), one}), R"("a\x1b[2J": a tensor's name)",
       PickleDialect::kState, true},
      {"NextLineInAName", dict({text("a\xc2\x85"), one}), "control characters"},
      {"LineSeparatorInAName", dict({text("a\xe2\x80\xa8"), one}), "control characters"},
      {"KeyIsNone", dict({"N", one}), "neither a text nor an integer"},
      {"KeyIsAFloat", dict({std::string("G\0\0\0\0\0\0\0\0", 9), one}), "neither a text nor an integer"},
      {"KeyIsATensor", dict({one, one}), "neither a text nor an integer"},
      {"EmptyNames", dict({text(""), one}), "a single tensor"},
  };
}

// Small programs that ask for much: memory, time, depth.
inline CraftedPickles greedy_programs() {
  const auto greedy = [](std::string name, std::string ops, std::string message) {
    return CraftedPickle{std::move(name), std::move(ops), std::move(message), PickleDialect::kState, true};
  };
  // Each list holds the one before it sixteen times.
  std::string aliases = std::string("(]K\1aq\0", 7);
  for (char i = 0; i < 30; ++i) {
    aliases += "](" + repeated(std::string("h") + i, 16) + "eq";
    aliases += static_cast<char>(i + 1);
  }
  const std::string remembered = std::string("q\0", 2), get0 = std::string("h\0", 2);
  const std::string ones = integers(std::vector<std::int64_t>(64, 1));
  const std::string wide_tensor =
      "(" + storage("0", "FloatStorage", 1) + integer(0) + ones + "q\2" + "h\2" + "\x89" + "}tq\1";
  CraftedPickles pickles = {
      greedy("AliasBomb", aliases + "t", "repeated too often"),
      greedy("ManyValues", "]" + repeated("Na", 600'000), "its values take more than 16 MiB"),
      greedy("ManyNumbers", "](" + repeated("K\1", 600'000) + "e", "its"),
      greedy("MuchStack", "N" + remembered + repeated(get0, 600'000), "stack grows above"),
      greedy("ManyMarks", repeated("(", 600'000), "nests too deeply"),
      greedy("LargeProgram", std::string(17u << 20, 'N'), "larger than 16777216 bytes"),
      greedy("MemoBomb", "N" + repeated("\x94", 16'000'000), "its values take more"),
      greedy(
          "FarMemoBomb",
          [] {
            std::string ops = "N";
            for (std::uint64_t i = 0; i < 600'000; ++i) {
              ops += 'r';
              ops += little_endian(i * 7919, 4);
            }
            return ops;
          }(),
          "its values take more"),
      greedy("DeepLists", repeated("]", 100'000) + repeated("a", 99'999), "nested deeper than 100"),
      greedy("DeepTuples", ")" + repeated("\x85", 100'000), "nested deeper than 100"),
      greedy("DeepDicts", repeated("}K\1", 50'000) + "}" + repeated("s", 50'000), "nested deeper than 100"),
      greedy("DeepMarks", repeated("(", 100'000) + repeated("t", 100'000), "nested deeper than 100"),
      greedy("ManyDimensions",
             "](" + global("torch._utils", "_rebuild_tensor_v2") + remembered + wide_tensor + "R" +
                 repeated(get0 + "h\1R", 100'000) + "e",
             "its values take more"),
      greedy("LongStorageKey",
             dict({text("w"), tensor(storage(std::string(1u << 20, 'k'), "FloatStorage", 1), 0, {1}, {1})}),
             "key is too long"),
      greedy("ManyNamesOfOneTensor",
             dict({text("values"), "](" + repeated("N", 5000) + "e", text(std::string(1000, 'n')),
                   "](" + floats({1}, {1}) + remembered + repeated(get0, 10'000) + "e"}),
             "the names of its tensors take more than 16 MiB"),
      greedy("ManyItems", "N" + remembered + "]" + repeated("(" + repeated(get0, 1000) + "e", 5000),
             "its values take more"),
  };
  return pickles;
}

inline CraftedPickles crafted_pickles() {
  CraftedPickles all;
  append(all, foreign_calls());
  append(all, foreign_op_codes());
  append(all, wrong_calls());
  append(all, wrong_stacks());
  append(all, wrong_views());
  append(all, wrong_names());
  append(all, greedy_programs());
  return all;
}

}  // namespace actionclip::pickles
