// Model files made by hand, each sound but for one thing that the library would follow out of its memory.
#include "text/sentencepiece_check.h"

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/text/sentencepiece_tokenizer.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

// ---- protocol buffers ----

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7f));
  return bytes + static_cast<char>(value);
}

std::string bytes_field(int tag, const std::string& bytes) {
  return varint(static_cast<std::uint64_t>(tag) << 3 | 2) + varint(bytes.size()) + bytes;
}

std::string number_field(int tag, std::uint64_t value) {
  return varint(static_cast<std::uint64_t>(tag) << 3) + varint(value);
}

std::string little_endian(std::uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string float_field(int tag, float value) {
  return varint(static_cast<std::uint64_t>(tag) << 3 | 5) +
         little_endian(std::bit_cast<std::uint32_t>(value));
}

enum PieceType : std::uint64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4 };

std::string piece(const std::string& text, std::uint64_t type) {
  return bytes_field(1, bytes_field(1, text) + float_field(2, -1) + number_field(3, type));
}

const std::string kPieces = piece("<unk>", kUnknown) + piece("<s>", kControl) + piece("</s>", kControl) +
                            piece("a", kNormal) + piece("b", kNormal) + piece("\u2581", kNormal);

std::string model_with_table(const std::string& table) {
  return kPieces + bytes_field(3, bytes_field(2, table));
}

// ---- tables of replacements ----

constexpr std::uint32_t kEndsKey = 1u << 8, kValue = 1u << 31, kLetter = 'a';

// A double array of the keys "a", "aa", ...: the node behind each letter has its children in a block of its
// own.
std::vector<std::uint32_t> chain(std::uint32_t keys) {
  std::vector<std::uint32_t> units(256 * (keys + 2));
  for (std::uint32_t i = 0; i < units.size(); ++i)
    units[i] = (i ^ 7) & 0xff;  // children of places without a node
  units[0] = 256u << 10;        // the root's children: block 1
  for (std::uint32_t key = 1; key <= keys; ++key) {
    const std::uint32_t place = (256 * key) ^ kLetter, base = 256 * (key + 1);
    units[place] = (place ^ base) << 10 | kEndsKey | kLetter;
    units[base] = kValue;
  }
  return units;
}

std::string table_of(const std::vector<std::uint32_t>& units, const std::string& replacements = {"b\0", 2}) {
  std::string table = little_endian(static_cast<std::uint32_t>(4 * units.size()));
  for (const auto unit : units) table += little_endian(unit);
  return table + replacements;
}

std::string error_of(const std::string& model) {
  try {
    detail::require_sound_model(model, "m.model");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string error_of_table(const std::vector<std::uint32_t>& units,
                           const std::string& replacements = {"b\0", 2}) {
  return error_of(model_with_table(table_of(units, replacements)));
}

constexpr const char* kRefused = "m.model: is no SentencePiece model";

TEST(SoundModel, ATableThatStaysInsideIsFollowed) {
  const SentencePieceTokenizer tokenizer(model_with_table(table_of(chain(32))), "m.model");
  EXPECT_EQ(tokenizer.encode(std::string(1000, 'a')), tokenizer.encode(std::string(1000 / 32, 'b') + "b"))
      << "32 letters a become one b, as do the last 8";
  EXPECT_EQ(error_of_table(chain(1)), "no error");
}

TEST(SoundModel, MoreKeysThatBeginEachOtherThanTheLibraryHasPlacesForAreRefused) {
  EXPECT_EQ(error_of_table(chain(32)), "no error");
  EXPECT_THAT(error_of_table(chain(33)), HasSubstr(kRefused));
}

TEST(SoundModel, StepsOutOfTheTableAreRefused) {
  auto units = chain(1);
  units[0] = static_cast<std::uint32_t>(units.size()) << 10;
  EXPECT_THAT(error_of_table(units), HasSubstr(kRefused));
  units = chain(1);
  units[0] |= kValue;  // the library looks at its offset all the same
  EXPECT_THAT(error_of_table(units), HasSubstr(kRefused));
  units = chain(1);
  units.resize(units.size() - 1);
  EXPECT_THAT(error_of_table(units), HasSubstr(kRefused));
  EXPECT_THAT(error_of_table({}), HasSubstr(kRefused));
}

TEST(SoundModel, ReplacementsOutOfTheTextAreRefused) {
  auto units = chain(1);
  units[512] = kValue | 2;
  EXPECT_THAT(error_of_table(units), HasSubstr(kRefused));
  units[512] = kValue | 1;
  EXPECT_EQ(error_of_table(units), "no error") << "the empty text before its zero byte";
  EXPECT_THAT(error_of_table(units, "bb"), HasSubstr(kRefused)) << "no zero byte ends it";
}

TEST(SoundModel, TriesThatLeadBackIntoThemselvesAreRefused) {
  auto units = chain(2);
  const std::uint32_t place = (256 * 2) ^ kLetter;
  units[place] = (place ^ 256) << 10 | kLetter;
  EXPECT_THAT(error_of_table(units), HasSubstr(kRefused));
  units = chain(1);
  units[0] = kEndsKey;  // a zero byte leads from the root to the root
  units[256] = kValue;
  EXPECT_THAT(error_of_table(units), HasSubstr(kRefused));
}

TEST(SoundModel, SizesOfTheTrieThatDoNotFitAreRefused) {
  const auto refused = [](const std::string& table) {
    EXPECT_THAT(error_of(model_with_table(table)), HasSubstr(kRefused));
  };
  const std::string table = table_of(chain(1));
  refused(little_endian(0xffffffff) + table.substr(4));
  refused(little_endian(static_cast<std::uint32_t>(table.size())) + table.substr(4));
  refused(table.substr(0, 3));
  refused(table.substr(0, 4));
  EXPECT_EQ(error_of(model_with_table("")), "no error") << "a vocabulary that replaces nothing";
}

TEST(SoundModel, TheTableForTheWayBackIsCheckedToo) {
  EXPECT_THAT(error_of(kPieces + bytes_field(5, bytes_field(2, table_of(chain(33))))), HasSubstr(kRefused));
}

std::string nested_pieces(int count, std::uint64_t type) {
  std::string model = kPieces;
  for (int size = 1; size <= count; ++size)
    model += piece(std::string(static_cast<std::size_t>(size), 'c'), type);
  return model;
}

TEST(SoundModel, MoreUserDefinedPiecesThatBeginEachOtherThanTheLibraryHasPlacesForAreRefused) {
  EXPECT_EQ(error_of(nested_pieces(64, kUserDefined)), "no error");
  EXPECT_THAT(error_of(nested_pieces(65, kUserDefined)), HasSubstr(kRefused));
  EXPECT_EQ(error_of(nested_pieces(65, kNormal)), "no error");
  EXPECT_THAT(error_of(nested_pieces(65, kUserDefined | std::uint64_t{1} << 32)), HasSubstr(kRefused))
      << "the library drops the upper half of the number";
  const SentencePieceTokenizer tokenizer(nested_pieces(64, kUserDefined), "m.model");
  EXPECT_LT(tokenizer.encode(std::string(640, 'c')).size(), 20u);
}

TEST(SoundModel, BytesThatAreNoProtocolBufferAreRefused) {
  for (const std::string& bytes :
       {std::string("\xff"), kPieces + "\x0a\x05", kPieces + bytes_field(1, "\x0a\x7f"), kPieces + "\x0b"}) {
    EXPECT_THAT(error_of(bytes), HasSubstr(kRefused));
  }
}

}  // namespace
}  // namespace actionclip
