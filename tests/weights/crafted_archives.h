// Zip archives, and files of other kinds, in which one thing is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/weights/crafted_file.h"
#include "tests/weights/crafted_pickles.h"
#include "tests/weights/zip_builder.h"

namespace actionclip {

// A state dict "w" of two numbers, as torch.save writes it.
inline std::vector<ZipEntry> two_numbers() {
  using namespace pickles;
  return {{.name = "m/data.pkl",
           .data = program(dict({text("w"), tensor(storage("0", "FloatStorage", 2), 0, {2}, {1})}))},
          {.name = "m/byteorder", .data = "little"},
          {.name = "m/data/0", .data = "abcdefgh"}};
}

inline ZipEntry& record(std::vector<ZipEntry>& entries, std::string_view name) {
  for (ZipEntry& entry : entries) {
    if (entry.name == name) return entry;
  }
  return entries.emplace_back(ZipEntry{.name = std::string(name), .data = {}});
}

// two_numbers() after `change`.
template <typename Change>
std::string changed(Change change, bool zip64 = false) {
  auto entries = two_numbers();
  change(entries);
  return build_zip(entries, zip64);
}

// `bytes` with `size` bytes of `value` at `offset` behind the last `mark`.
inline std::string patched(std::string bytes, std::string_view mark, std::size_t offset, std::uint64_t value,
                           int size) {
  const std::size_t place = bytes.rfind(mark) + offset;
  return bytes.replace(place, static_cast<std::size_t>(size), little_endian(value, size));
}

inline constexpr std::string_view kLocal = "PK\x03\x04", kCentral = "PK\x01\x02", kEnd = "PK\x05\x06",
                                  kEnd64 = "PK\x06\x06", kLocator = "PK\x06\x07";

// Fields of a zip file that lie. Offsets are those of the format.
inline CraftedFiles lying_archives() {
  const std::string good = build_zip(two_numbers()), good64 = build_zip(two_numbers(), /*zip64=*/true);
  const std::string broken = "not a whole zip archive";
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 62;
  return {
      {"LocalMark", patched(good, kLocal, 2, 0, 2), broken},
      {"LocalMethodDiffers", patched(good, kLocal, 8, 8, 2), broken},
      {"LocalCrcDiffers", patched(good, kLocal, 14, 1, 4), broken},
      {"LocalSizeDiffers", patched(good, kLocal, 22, 4, 4), broken},
      {"LocalStoredSizeDiffers", patched(good, kLocal, 18, 4, 4), broken},
      {"LocalNameIsLong", patched(good, kLocal, 26, 0xffff, 2), broken, true},
      {"LocalExtraIsLong", patched(good, kLocal, 28, 0xffff, 2), broken, true},
      {"CentralMark", patched(good, kCentral, 2, 0, 2), broken},
      {"CentralMethodUnknown", patched(patched(good, kCentral, 10, 77, 2), kLocal, 8, 77, 2),
       "is compressed"},
      {"CentralEncrypted", patched(patched(good, kCentral, 8, 1, 2), kLocal, 6, 1, 2), "encrypted"},
      {"CentralStoredSizeIsHuge", patched(good, kCentral, 20, 0xfffffffe, 4), broken, true},
      {"CentralSizeIsHuge", patched(patched(good, kCentral, 24, 0xfffffffe, 4), kLocal, 22, 0xfffffffe, 4),
       "m/data/0", true},
      {"CentralNameIsLong", patched(good, kCentral, 28, 0xffff, 2), broken, true},
      {"CentralExtraIsLong", patched(good, kCentral, 30, 0xffff, 2), broken, true},
      {"CentralCommentIsLong", patched(good, kCentral, 32, 0xffff, 2), broken, true},
      {"CentralOffsetBehindTheFile", patched(good, kCentral, 42, 0xfffffff0, 4), broken, true},
      {"CentralOffsetElsewhere", patched(good, kCentral, 42, 1, 4), broken},
      {"EndMark", patched(good, kEnd, 2, 0, 2), broken},
      {"EndOnAnotherDisk", patched(good, kEnd, 4, 1, 2), broken},
      {"EndCountsTooFew", patched(patched(good, kEnd, 10, 2, 2), kEnd, 8, 2, 2), broken},
      {"EndCountsTooMany", patched(patched(good, kEnd, 10, 4, 2), kEnd, 8, 4, 2), broken},
      {"EndCountsMost", patched(patched(good, kEnd, 10, 0xfffe, 2), kEnd, 8, 0xfffe, 2), broken, true},
      {"EndDirectoryIsShort", patched(good, kEnd, 12, 50, 4), broken},
      {"EndDirectoryIsHuge", patched(good, kEnd, 12, 0xfffffffe, 4), broken, true},
      {"EndDirectoryBehindTheFile", patched(good, kEnd, 16, 0xfffffffe, 4), broken, true},
      {"EndCommentIsLong", patched(good, kEnd, 20, 100, 2), broken},
      {"LocatorBehindTheFile", patched(good64, kLocator, 8, kHuge, 8), broken, true},
      {"LocatorPointsToData", patched(good64, kLocator, 8, 0, 8), broken, true},
      {"End64CountsHuge", patched(patched(good64, kEnd64, 32, kHuge, 8), kEnd64, 24, kHuge, 8), broken, true},
      {"End64CountsTwentyMillion",
       patched(patched(good64, kEnd64, 32, 20'000'000, 8), kEnd64, 24, 20'000'000, 8), broken, true},
      {"End64DirectoryIsHuge", patched(good64, kEnd64, 40, kHuge, 8), broken, true},
      {"End64DirectoryBehindTheFile", patched(good64, kEnd64, 48, kHuge, 8), broken, true},
      {"End64SizesWrap", patched(patched(good64, kEnd64, 40, ~0ull, 8), kEnd64, 48, 1, 8), broken, true},
      {"RecordIsHugeIn64Bits",
       changed([](auto& entries) { record(entries, "m/data/0").claimed_size = kHuge; },
               /*zip64=*/true),
       "m/data/0", true},
      {"RecordWrapsIn64Bits",
       changed([](auto& entries) { record(entries, "m/data/0").claimed_size = ~0ull - 1; },
               /*zip64=*/true),
       "m/data/0", true},
  };
}

// A file that ends, or has something else, where no file may.
inline CraftedFiles cut_archives() {
  const std::string good = build_zip(two_numbers());
  const std::size_t data = good.find("abcdefgh"), central = good.find(kCentral), end = good.rfind(kEnd);
  const auto cut = [&](std::string name, std::size_t size) {
    return CraftedFile{std::move(name), good.substr(0, size), "not a whole zip archive", true};
  };
  return {
      cut("CutInTheFirstMark", 4),
      cut("CutInALocalHeader", 20),
      cut("CutInALocalName", 34),
      cut("CutInThePickle", 60),
      cut("CutBetweenRecords", good.rfind(kLocal)),
      cut("CutInTheData", data + 4),
      cut("CutBehindTheData", data + 8),
      cut("CutInACentralHeader", central + 20),
      cut("CutInACentralName", central + 50),
      cut("CutBeforeTheEnd", end),
      cut("CutInTheEnd", end + 10),
      cut("CutByOneByte", good.size() - 1),
      {"GarbageBefore", "garbage" + good, "neither a safetensors file nor a zip archive"},
      {"RecordBefore", good.substr(0, data + 8) + good, "not a whole zip archive"},
      {"GarbageBehind", good + "garbage", "not a whole zip archive"},
      {"ZeroBytesBehind", good + std::string(100, '\0'), "not a whole zip archive"},
      {"MarkAndGarbage", "PK\x03\x04" + std::string(1000, 'x'), "not a whole zip archive"},
      {"MarkAndAHole", "PK\x03\x04" + std::string(1u << 20, '\0'), "not a whole zip archive"},
      {"EndAlone", good.substr(end), "neither a safetensors file nor a zip archive"},
  };
}

// Whole archives whose records are not what they should be.
inline CraftedFiles wrong_records() {
  using Entries = std::vector<ZipEntry>;
  using namespace pickles;
  const auto with = [](std::string name, std::string content) {
    return changed([&](Entries& entries) { record(entries, name).data = content; });
  };
  const auto state = [](const std::string& ops) { return program(dict({text("w"), ops})); };
  constexpr std::size_t kHeader = 30 + 8;  // of the local header of "m/data/1"
  // "m/data/1" is a whole record inside of the bytes of "m/data/0".
  const std::string inner =
      build_zip({{.name = "m/data/1", .data = std::string(5000, 'x')}}).substr(0, kHeader + 5000);
  return {
      {"NoRecords", "PK\x03\x04" + build_zip({}), "without data.pkl"},
      {"NoPickle", build_zip({{.name = "word/document.xml", .data = "<xml/>"}}), "without data.pkl"},
      {"PickleTooDeep", build_zip({{.name = "a/b/data.pkl", .data = "N."}}), "without data.pkl"},
      {"TwoPickles", with("n/data.pkl", "N."), "more than one data.pkl"},
      {"EmptyPickle", with("m/data.pkl", ""), "ends too early"},
      {"PickleOfText", with("m/data.pkl", "import os"), "data.pkl, byte "},
      {"PickleIsCompressed", changed([](Entries& entries) { record(entries, "m/data.pkl").method = 8; }),
       "is compressed", true},
      {"RecordIsCompressed", changed([](Entries& entries) {
         record(entries, "m/data/0") = {
             .name = "m/data/0", .data = "\x03", .method = 8, .claimed_size = std::uint64_t{1} << 31};
       }),
       "has 2147483648 bytes", true},
      {"RecordOfTheRightSizeIsCompressed", changed([](Entries& entries) {
         record(entries, "m/data/0") = {.name = "m/data/0", .data = "\x03", .method = 8, .claimed_size = 8};
       }),
       "is compressed", true},
      {"PickleOfAWrongCrc", changed([](Entries& entries) { record(entries, "m/data.pkl").crc_error = 1; }),
       "CRC"},
      {"RecordOfAWrongCrc",
       changed([](Entries& entries) { record(entries, "m/data/0").crc_error = 1u << 31; }), "CRC"},
      {"ByteOrderOfAWrongCrc",
       changed([](Entries& entries) { record(entries, "m/byteorder").crc_error = 1; }), "CRC"},
      {"BigEndian", with("m/byteorder", "big"), "byte order \"big\""},
      {"ByteOrderWithALine", with("m/byteorder", "little\n"), R"(byte order "little\x0a")"},
      {"NoByteOrder", with("m/byteorder", ""), "byte order \"\""},
      {"RecordMissing", build_zip({two_numbers()[0]}), "record \"m/data/0\" is missing"},
      {"RecordIsAFolder", build_zip({two_numbers()[0], {.name = "m/data/0/", .data = ""}}), "is missing"},
      {"RecordOfAnotherCase", build_zip({two_numbers()[0], {.name = "M/data/0", .data = "abcdefgh"}}),
       "is missing"},
      {"RecordIsEmpty", with("m/data/0", ""), "has 0 bytes"},
      {"RecordIsShort", with("m/data/0", "abcd"), "has 4 bytes"},
      {"RecordIsLong", with("m/data/0", "abcdefghijkl"), "has 12 bytes"},
      {"RecordHasAHalfNumber", with("m/data/0", "abcdefg"), "has 7 bytes"},
      {"StorageIsHuge",
       with("m/data.pkl", state(tensor(storage("0", "FloatStorage", kLargest), 0, {kLargest / 8}, {1}))),
       "9223372036854775807 elements", true},
      {"StorageWrapsToItsSize",
       with("m/data.pkl",
            state(tensor(storage("0", "FloatStorage", (std::int64_t{1} << 62) + 2), 0, {2}, {1}))),
       "elements of 4 bytes are announced", true},
      {"StorageOfTwoTypes",
       with("m/data.pkl", program(dict({text("a"), tensor(storage("0", "FloatStorage", 2), 0, {2}, {1}),
                                        text("b"), tensor(storage("0", "IntStorage", 2), 0, {2}, {1})}))),
       "holds F32 for one tensor and I32 for another", true},
      {"StorageOfTwoSizes",
       with("m/data.pkl", program(dict({text("a"), tensor(storage("0", "FloatStorage", 2), 0, {2}, {1}),
                                        text("b"), tensor(storage("0", "HalfStorage", 2), 0, {2}, {1})}))),
       "2 elements of 2 bytes are announced", true},
      {"StorageElsewhere",
       with("m/data.pkl", state(tensor(storage("../../../etc/passwd", "ByteStorage", 2), 0, {2}, {1}))),
       "is missing", true},
      {"StorageOfALine", with("m/data.pkl", state(tensor(storage("0\n", "ByteStorage", 2), 0, {2}, {1}))),
       R"(record "m/data/0\x0a" is missing)"},
      {"AbsoluteName", with("/etc/passwd", "x"), "a record is named \"/etc/passwd\"", true},
      {"NameWithAWayUp", with("m/../../x", "x"), "a record is named \"m/../../x\"", true},
      {"NameIsAWayUp", with("..", "x"), "a record is named \"..\"", true},
      {"NameWithALine", with("m/x\ny", "x"), R"(a record is named "m/x\x0ay")", true},
      {"NameIsNotUtf8", with("m/\xff", "x"), R"(a record is named "m/\xff")"},
      {"TwoRecordsOfAName",
       changed([](Entries& entries) { entries.push_back({.name = "m/data/0", .data = "12345678"}); }),
       "already exists", true},
      {"LocalNameDiffers",
       changed([](Entries& entries) { record(entries, "m/data/0").local_name = "m/data/1"; }),
       "not a whole zip archive", true},
      {"RecordInARecord", changed([&](Entries& entries) {
         record(entries, "m/data/0").data = inner;
         entries.push_back({.name = "m/data/1",
                            .data = std::string(5000, 'x'),
                            .place = static_cast<std::int64_t>(build_zip(two_numbers()).find("abcdefgh"))});
       }),
       "claim more bytes than the file has", true},
      {"RecordTwiceInTheDirectory", changed([](Entries& entries) {
         entries.push_back({.name = "m/data.pkl", .data = entries[0].data, .place = 0});
       }),
       "already exists", true},
  };
}

// Names of one storage, each of which asks for memory of its own.
inline CraftedFiles aliased_archives() {
  using namespace pickles;
  constexpr std::int64_t kSide = 1024;
  const std::string shared = storage("0", "FloatStorage", kSide * kSide);
  const std::string whole = tensor(shared, 0, {kSide, kSide}, {kSide, 1});
  const std::string turned = tensor(shared, 0, {kSide, kSide}, {1, kSide});
  std::vector<std::string> items, turned_items;
  for (int i = 0; i < 400; ++i) {
    const std::string name = text(fmt::format("visual.{}", i));
    items.push_back(name);
    items.push_back(whole);
    turned_items.push_back(name);
    turned_items.push_back(turned);
  }
  const auto archive = [](const std::string& state) {
    return build_zip({{.name = "m/data.pkl", .data = program(state)},
                      {.name = "m/data/0", .data = std::string(kSide * kSide * 4, 'f')}});
  };
  const std::string message = "share their storages: they have", list = "](" + repeated(whole, 400) + "e";
  return {
      {"ManyTensorsOfOneStorage", archive(dict(items)), message, true},
      {"ManyTurnedTensorsOfOneStorage", archive(dict(turned_items)), message, true},
      {"ManyNestedTensorsOfOneStorage", archive(dict({text("state_dict"), dict(items)})), message, true},
      {"ManyDictionariesOfOneStorage",
       archive(dict({text("model_state_dict"), dict({text("visual.proj"), whole}), text("optimizer"),
                     dict({text("state"), list})})),
       message, true},
  };
}

inline CraftedFiles greedy_archives() {
  std::vector<ZipEntry> many;
  for (int i = 0; i < 45'000; ++i) many.push_back({.name = std::to_string(i), .data = ""});
  // A directory whose one record has thousands of empty extra fields, each of which a reader keeps apart.
  std::string extra;
  for (int i = 0; i < 16'000; ++i) extra += "xx" + std::string(2, '\0');
  const std::string central = std::string(kCentral) + std::string(26, '\0') + little_endian(extra.size(), 2) +
                              std::string(14, '\0') + extra;
  const std::string local = std::string(kLocal) + std::string(26, '\0');
  const std::string fields = repeated(central, 40);
  const std::string end = std::string(kEnd) + std::string(4, '\0') + little_endian(40, 2) +
                          little_endian(40, 2) + little_endian(fields.size(), 4) +
                          little_endian(local.size(), 4) + std::string(2, '\0');
  return {
      {"ManyRecords", build_zip(many), "the zip directory has", true},
      {"ManyRecordsIn64Bits", build_zip(many, /*zip64=*/true), "the zip directory has", true},
      {"ManyExtraFields", local + fields + end, "the zip directory has", true},
      {"ManyCandidatesOfAnEnd", "PK\x03\x04" + repeated(std::string(kEnd) + std::string(18, '\0'), 3000), "",
       true},
  };
}

// Archives of crafted_pickles().
inline CraftedFiles archives_of_pickles() {
  CraftedFiles all;
  for (auto& pickle : pickles::crafted_pickles()) {
    std::vector<ZipEntry> entries = {{.name = "m/data.pkl", .data = pickles::program(pickle.ops)},
                                     {.name = "m/data/0", .data = std::string(48, 'f')}};
    if (pickle.dialect == PickleDialect::kTorchScript)
      entries.push_back({.name = "m/constants.pkl", .data = ""});
    all.push_back({"Pickle" + pickle.name, build_zip(entries), pickle.message, pickle.malicious});
  }
  return all;
}

inline CraftedFiles other_files() {
  using namespace pickles;
  const std::string system = program(global("os", "system") + text("touch executed") + "\x85R");
  return {
      {"Empty", "", "the file is empty"},
      {"OneByte", "{", "neither"},
      {"WebPage", "\n<!DOCTYPE html><html>", "a web page"},
      {"XmlPage", "<?xml version=\"1.0\"?>", "a web page"},
      {"LfsPointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"},
      {"BarePickle", system, "PyTorch's old format", true},
      {"OldFormat", "\x80\x02\x8a\x0al\xfc\x9c" + system, "PyTorch's old format", true},
      {"NewestBarePickle", "\x80\x05" + system, "PyTorch's old format", true},
      {"TarArchive", std::string(257, '\0') + "ustar" + std::string(250, '\0'), "tar archive"},
      {"Program", "\x7f" + std::string("ELF") + std::string(100, '\0'), "neither"},
      {"Script", "#!/bin/sh\ntouch executed\n", "neither", true},
      {"GzipFile", "\x1f\x8b\x08" + std::string(100, '\0'), "neither"},
      {"JsonText", R"({"weights": [1, 2, 3]})", "neither"},
      {"ZeroBytes", std::string(1000, '\0'), "neither"},
  };
}

inline CraftedFiles crafted_archives() {
  CraftedFiles all;
  append(all, lying_archives());
  append(all, cut_archives());
  append(all, wrong_records());
  append(all, aliased_archives());
  append(all, greedy_archives());
  append(all, other_files());
  return all;
}

}  // namespace actionclip
