// safetensors files in which one thing is wrong.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "tests/weights/bytes.h"
#include "tests/weights/crafted_file.h"

namespace actionclip {

inline std::string safetensors(const std::string& header, const std::string& data = {}) {
  return little_endian(header.size(), 8) + header + data;
}

inline const std::string kFourBytes(4, '\0'), kEightBytes(8, '\0');

// The header of one tensor.
inline std::string one(const std::string& fields) { return R"({"w":{)" + fields + "}}"; }

// A file of one tensor of bytes, with this text for its shape and for its offsets.
inline std::string bytes_tensor(const std::string& shape, const std::string& offsets,
                                const std::string& data = "a") {
  return safetensors(one(fmt::format(R"("dtype":"U8","shape":{},"data_offsets":{})", shape, offsets)), data);
}

inline CraftedFiles wrong_frames() {
  const std::string whole =
      safetensors(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), std::string(4, 'x'));
  return {
      {"Empty", "", "too short"},
      {"SevenBytes", "\2\0\0\0\0\0\0", "too short"},
      {"HeaderLongerThanFile", little_endian(100, 8) + "{}", "header of 100 bytes in a file of 10"},
      {"HeaderLengthOverflows", little_endian(~0ull, 8) + "{}", "header of 18446744073709551615", true},
      {"HeaderAboveTheLimit", little_endian(100'000'001, 8) + "{}", "header of 100000001", true},
      {"HeaderOfZeroBytes", little_endian(0, 8), "must start with '{'"},
      {"LeadingSpace", safetensors(" {}"), "must start with '{'"},
      {"ByteOrderMark", safetensors("\xef\xbb\xbf{}"), "must start with '{'"},
      {"List", safetensors("[]"), "must start with '{'"},
      {"NewlinePadding", safetensors("{}\n"), "end with '}'"},
      {"ZeroPadding", safetensors(std::string("{}\0", 3)), "end with '}'"},
      {"HiddenAfterZeroByte", safetensors(std::string("{}\0{}", 5)), "zero byte", true},
      {"CutInTheLength", whole.substr(0, 5), "too short"},
      {"CutInTheHeader", whole.substr(0, 20), "header of"},
      {"CutBehindTheHeader", whole.substr(0, whole.size() - 4), "truncated"},
      {"CutInTheData", whole.substr(0, whole.size() - 1), "truncated"},
      {"LengthOfTheFile", little_endian(whole.size(), 8) + whole.substr(8), "header of"},
      {"LengthIsNegative", little_endian(1ull << 63, 8) + whole.substr(8), "header of 9223372036854775808",
       true},
      {"LengthIsBigEndian", std::string(7, '\0') + "\2{}", "header of 144115188075855872"},
      {"HeaderIsLarge", safetensors("{}" + std::string(17u << 20, ' ')), "header of 17825794", true},
      {"HeaderOfSpaces", safetensors("    "), "must start with '{'"},
      {"Quoted", safetensors(R"("{}")"), "must start with '{'"},
      {"TabPadding", safetensors("{}\t"), "end with '}'"},
      {"OpeningBraceAlone", safetensors("{"), "end with '}'"},
  };
}

inline CraftedFiles wrong_json() {
  return {
      {"TwoDocuments", safetensors("{}{}"), "not valid JSON"},
      {"BrokenJson", safetensors(R"({"w":})"), "not valid JSON"},
      {"TrailingComma", safetensors(R"({"w":{"dtype":"F32",}})"), "not valid JSON"},
      {"Comment", safetensors("{/**/}"), "not valid JSON"},
      {"BadUtf8Name", safetensors("{\"\xff\":{}}"), "not valid JSON"},
      {"LoneSurrogate", safetensors(R"({"\ud800":{}})"), "not valid JSON"},
      {"DuplicateTensor",
       safetensors(
           R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
           kFourBytes),
       "tensor \"w\": the name appears twice"},
      {"DuplicateTensorByEscape",
       safetensors(
           R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0077":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
       "tensor \"w\": the name appears twice"},
      {"DuplicateField",
       safetensors(one(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])"), kFourBytes),
       "key \"dtype\" appears twice"},
      {"DuplicateMetadata", safetensors(R"({"__metadata__":{},"__metadata__":{}})"),
       "key \"__metadata__\" appears twice"},
      {"DuplicateMetadataKey", safetensors(R"({"__metadata__":{"a":"1","a":"2"}})"),
       "key \"a\" appears twice"},
      {"MetadataNumber", safetensors(R"({"__metadata__":{"a":1}})"),
       "the number 1 is not allowed at key \"a\""},
      {"MetadataObject", safetensors(R"({"__metadata__":{"a":{}}})"),
       "an object is not allowed at key \"a\""},
      {"MetadataText", safetensors(R"({"__metadata__":"a"})"), "text is not allowed at key \"__metadata__\""},
      {"TensorIsNull", safetensors(R"({"w":null})"), "null is not allowed at key \"w\""},
      {"TensorIsBoolean", safetensors(R"({"w":true})"), "a boolean is not allowed"},
      {"UnknownField", safetensors(one(R"("dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1)")),
       "unknown key \"x\""},
      {"MetadataNull", safetensors(R"({"__metadata__":null})"), "null is not allowed"},
      {"MetadataList", safetensors(R"({"__metadata__":[]})"), "a list is not allowed"},
      {"MetadataValueNull", safetensors(R"({"__metadata__":{"a":null}})"), "null is not allowed"},
      {"MetadataValueBoolean", safetensors(R"({"__metadata__":{"a":true}})"), "a boolean is not allowed"},
      {"MetadataValueList", safetensors(R"({"__metadata__":{"a":["b"]}})"), "a list is not allowed"},
      {"TensorIsAText", safetensors(R"({"w":"F32"})"), "text is not allowed"},
      {"TensorIsANumber", safetensors(R"({"w":1})"), "the number 1 is not allowed"},
      {"TensorIsAList", safetensors(R"({"w":[]})"), "a list is not allowed"},
      {"TensorIsEmpty", safetensors(R"({"w":{}})"), "\"dtype\" is missing"},
      {"SingleQuotes", safetensors("{'w':{}}"), "not valid JSON"},
      {"MissingComma", safetensors(R"({"__metadata__":{} "w":{}})"), "not valid JSON"},
      {"MissingBrace", safetensors(R"({"__metadata__":{})"), "not valid JSON"},
      {"SurplusBrace", safetensors("{}}"), "not valid JSON"},
      {"KeyWithoutQuotes", safetensors("{w:{}}"), "not valid JSON"},
      {"NewlineInAText", safetensors("{\"__metadata__\":{\"a\":\"\n\"}}"), "not valid JSON"},
      {"OverlongUtf8", safetensors("{\"__metadata__\":{\"a\":\"\xc0\x80\"}}"), "not valid JSON"},
      {"UnknownEscape", safetensors(R"({"__metadata__":{"a":"\q"}})"), "not valid JSON"},
      {"HalfAnEscape", safetensors(R"({"__metadata__":{"a":"\u00"}})"), "not valid JSON"},
      {"NotANumber", bytes_tensor("[NaN]", "[0,1]"), "not valid JSON"},
      {"Infinity", bytes_tensor("[1]", "[0,Infinity]"), "not valid JSON"},
      {"LeadingZero", bytes_tensor("[01]", "[0,1]"), "not valid JSON"},
      {"HexadecimalNumber", bytes_tensor("[0x1]", "[0,1]"), "not valid JSON"},
      {"PlusSign", bytes_tensor("[+1]", "[0,1]"), "not valid JSON"},
  };
}

inline CraftedFiles wrong_fields() {
  return {
      {"MissingType", safetensors(one(R"("shape":[0],"data_offsets":[0,0])")), "\"dtype\" is missing"},
      {"MissingShape", safetensors(one(R"("dtype":"U8","data_offsets":[0,0])")), "\"shape\" is missing"},
      {"MissingOffsets", safetensors(one(R"("dtype":"U8","shape":[0])")),
       "\"data_offsets\" must give two numbers"},
      {"OneOffset", safetensors(one(R"("dtype":"U8","shape":[0],"data_offsets":[0])")),
       "must give two numbers"},
      {"ThreeOffsets", safetensors(one(R"("dtype":"U8","shape":[0],"data_offsets":[0,0,0])")),
       "more than 2 numbers"},
      {"EightBitFloat", safetensors(one(R"("dtype":"F8_E4M3","shape":[0],"data_offsets":[0,0])")),
       "tensor \"w\": type \"F8_E4M3\" is not supported"},
      {"LowerCaseType", safetensors(one(R"("dtype":"f32","shape":[0],"data_offsets":[0,0])")),
       "\"f32\" is not supported"},
      {"NegativeSize", safetensors(one(R"("dtype":"U8","shape":[-1],"data_offsets":[0,0])")),
       "negative number -1"},
      {"FloatSize", safetensors(one(R"("dtype":"U8","shape":[1.0],"data_offsets":[0,1])"), "a"),
       "the number \"1.0\""},
      {"FloatOffset", safetensors(one(R"("dtype":"U8","shape":[1],"data_offsets":[0,1e0])"), "a"),
       "the number \"1e0\""},
      {"NestedShape", safetensors(one(R"("dtype":"U8","shape":[[1]],"data_offsets":[0,1])"), "a"),
       "a list is not allowed"},
      {"ShapeOverflows",
       safetensors(one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])")),
       "is too large", true},
      {"ShapeOverflowsBehindZero",
       safetensors(one(R"("dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0])")),
       "is too large", true},
      {"ByteCountOverflows",
       safetensors(one(R"("dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0])")),
       "is too large", true},
      {"SizeAboveInt64",
       safetensors(one(R"("dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0])")),
       "does not fit in 63 bits"},
      {"TooManyDimensions",
       safetensors(one(R"("dtype":"U8","shape":[1)" +
                       [] {
                         std::string ones;
                         for (int i = 0; i < 64; ++i) ones += ",1";
                         return ones;
                       }() +
                       R"(],"data_offsets":[0,1])"),
                   "a"),
       "more than 64 numbers"},
      {"NegativeZero", bytes_tensor("[1]", "[-0,1]"), "negative number 0"},
      {"NegativeOffset", bytes_tensor("[1]", "[-1,0]"), "negative number -1"},
      {"ExponentSize", bytes_tensor("[1e0]", "[0,1]"), "the number \"1e0\""},
      {"HugeNumber", bytes_tensor("[99999999999999999999999]", "[0,1]"), "is not allowed"},
      {"HugeExponent", bytes_tensor("[1e999]", "[0,1]"), "not valid JSON"},
      {"OffsetAboveInt64", bytes_tensor("[1]", "[18446744073709551615,0]"), "does not fit in 63 bits", true},
      {"ShapeIsNull", bytes_tensor("null", "[0,1]"), "null is not allowed"},
      {"ShapeIsAText", bytes_tensor("\"1\"", "[0,1]"), "text is not allowed"},
      {"ShapeIsANumber", bytes_tensor("1", "[0,1]"), "the number 1 is not allowed"},
      {"ShapeIsAnObject", bytes_tensor("{}", "[0,1]"), "an object is not allowed"},
      {"ShapeOfTexts", bytes_tensor("[\"1\"]", "[0,1]"), "text is not allowed"},
      {"ShapeOfBooleans", bytes_tensor("[true]", "[0,1]"), "a boolean is not allowed"},
      {"ShapeOfNulls", bytes_tensor("[null]", "[0,1]"), "null is not allowed"},
      {"OffsetsAreNull", bytes_tensor("[1]", "null"), "null is not allowed"},
      {"OffsetsAreATexts", bytes_tensor("[1]", "\"0,1\""), "text is not allowed"},
      {"OffsetsOfTexts", bytes_tensor("[1]", "[\"0\",\"1\"]"), "text is not allowed"},
      {"OffsetsOfLists", bytes_tensor("[1]", "[[0],[1]]"), "a list is not allowed"},
      {"NoOffsets", bytes_tensor("[1]", "[]"), "must give two numbers"},
      {"TypeIsANumber", safetensors(one(R"("dtype":1)")), "the number 1 is not allowed"},
      {"TypeIsNull", safetensors(one(R"("dtype":null)")), "null is not allowed"},
      {"EmptyType", safetensors(one(R"("dtype":"")")), "\"\" is not supported"},
      {"ComplexType", safetensors(one(R"("dtype":"C64")")), "\"C64\" is not supported"},
      {"UnsignedType", safetensors(one(R"("dtype":"U32")")), "\"U32\" is not supported"},
      {"FourBitType", safetensors(one(R"("dtype":"F4")")), "\"F4\" is not supported"},
      {"TypeWithANewline", safetensors(one(R"("dtype":"F32\n")")), R"("F32\x0a" is not supported)"},
      {"ZeroByteInName", safetensors(R"({"a\u0000":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
       "control characters"},
      {"DeleteInName", safetensors("{\"a\x7f\":{}}"), "control characters"},
      {"NextLineInName", safetensors(R"({"a\u0085":{}})"), "control characters"},
      {"LineSeparatorInName", safetensors(R"({"a\u2028":{}})"), "control characters"},
      {"TerminalCodeInName", safetensors(R"({"a\u001b[2J":{}})"), R"("a\x1b[2J": its name)", true},
      {"NewlineInAnUnknownKey", safetensors(one(R"("a\nb":1)")), R"(unknown key "a\x0ab")"},
  };
}

inline CraftedFiles wrong_layouts() {
  return {
      {"ShapeDisagreesWithOffsets",
       safetensors(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), kFourBytes),
       "F32 [2] needs 8 bytes, but data_offsets are [0, 4]"},
      {"OffsetsReversed", safetensors(one(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), kFourBytes),
       "needs 4 bytes"},
      {"OffsetsBehindTheFile", safetensors(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), "abc"),
       "truncated", true},
      {"Overlap",
       safetensors(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
           std::string(6, '\0')),
       "tensor \"b\": its data starts at byte 2, but byte 4 is next", true},
      {"SameBytesTwice",
       safetensors(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
           kFourBytes),
       "overlap", true},
      {"Hole",
       safetensors(
           R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
           "abc"),
       "hole", true},
      {"HoleAtTheStart", safetensors(one(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), kEightBytes),
       "hole"},
      {"TrailingBytes", safetensors(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), kEightBytes),
       "4 bytes behind the last tensor"},
      {"BytesWithoutTensors", safetensors("{}", "a"), "1 bytes behind"},
      {"OffsetsFarBehindTheFile", bytes_tensor("[1]", "[9223372036854775806,9223372036854775807]"),
       "truncated", true},
      {"LargeTensorOfASmallFile", bytes_tensor("[1099511627776]", "[0,1099511627776]"), "truncated", true},
      {"EmptyTensorBehindTheFile", bytes_tensor("[0]", "[4,4]", ""), "truncated"},
      {"EmptyTensorInAnother",
       safetensors(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[0],"data_offsets":[2,2]}})",
           kFourBytes),
       "tensor \"b\""},
      {"TensorInAnother",
       safetensors(
           R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}})",
           kEightBytes),
       "overlap", true},
      {"OneByteShort", bytes_tensor("[2]", "[0,1]"), "needs 2 bytes"},
      {"OneByteLong", bytes_tensor("[1]", "[0,2]", "ab"), "needs 1 bytes"},
      {"ScalarOfNoBytes", bytes_tensor("[]", "[0,0]", ""), "needs 1 bytes"},
  };
}

// Small files that ask for much: memory, depth.
inline CraftedFiles greedy_headers() {
  std::string tensors = "{", texts = R"({"__metadata__":{)";
  for (int i = 0; i < 140'000; ++i) {
    tensors += fmt::format(R"("{}":{{"dtype":"U8","shape":[],"data_offsets":[{},{}]}},)", i, i, i + 1);
    texts += fmt::format(R"("{}":"",)", i);
  }
  tensors.back() = '}';
  texts.back() = '}';
  const std::string many(2u << 20, '1');
  return {
      {"DeepNesting", safetensors(R"({"w":)" + std::string(200'000, '[') + std::string(200'000, ']') + "}"),
       "a list is not allowed", true},
      {"DeepObjects", safetensors(R"({"a":{"a":{"a":{}}}})"), "unknown key \"a\""},
      {"NewlineInName", safetensors(R"({"a\nb":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
       R"(tensor "a\x0ab": its name holds control characters)", true},
      {"ManyTensors", safetensors(tensors, std::string(140'000, 'x')), "take more than 32 MiB", true},
      {"ManyTexts", safetensors(texts + "}"), "take more than 32 MiB", true},
      {"LongText", safetensors(R"({"__metadata__":{"a":")" + many + R"("}})"), "of more than 1048576 bytes",
       true},
      {"LongName", safetensors("{\"" + many + "\":{}}"), "of more than 1048576 bytes", true},
      {"LongNumber", bytes_tensor("[" + many + "]", "[0,1]"), "of more than 1048576 bytes", true},
      {"LongWord", safetensors("{" + many + "}"), "of more than 1048576 bytes", true},
      {"LongTextOfEscapes", safetensors(R"({"__metadata__":{"a":")" + repeated("\\\"", 1u << 20) + R"("}})"),
       "of more than 1048576 bytes", true},
      {"DeepMetadata",
       safetensors(R"({"__metadata__":)" + repeated("{\"a\":", 100'000) + "1" + repeated("}", 100'001)),
       "an object is not allowed", true},
      {"DeepShape", bytes_tensor(repeated("[", 100'000) + repeated("]", 100'000), "[0,1]"),
       "a list is not allowed", true},
  };
}

inline CraftedFiles crafted_safetensors() {
  CraftedFiles all;
  append(all, wrong_frames());
  append(all, wrong_json());
  append(all, wrong_fields());
  append(all, wrong_layouts());
  append(all, greedy_headers());
  return all;
}

}  // namespace actionclip
