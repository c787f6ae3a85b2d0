#include "actionclip/text/bpe_tokenizer.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"

#include "tests/parity/run_python.h"
#include "text/byte_pair_encoder.h"
#include "text/gzip_file.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const BpeTokenizer& clip_tokenizer() {
  static const BpeTokenizer tokenizer(default_vocabulary_path());
  return tokenizer;
}

// Compares with every line of the reference; reports the first few that differ.
void expect_parity(const std::vector<std::string>& arguments, std::size_t minimum) {
  std::istringstream lines(run_python("tokenizer_reference.py", arguments));
  std::size_t count = 0, different = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto expected = nlohmann::json::parse(line);
    const auto ids = clip_tokenizer().encode(expected["text"].get<std::string>());
    if (ids == expected["ids"].get<std::vector<std::int64_t>>()) continue;
    if (++different <= 5) ADD_FAILURE() << line << "\nour ids: " << nlohmann::json(ids).dump();
  }
  EXPECT_EQ(different, 0u);
  EXPECT_GE(count, minimum);
}

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

class VocabularyFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + ::testing::UnitTest::GetInstance()->current_test_info()->name() + "." +
              std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  std::filesystem::path folder_;
};

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(BpeTokenizer, AgreesWithOpenClipOnTextsThatFtfyLeavesAlone) { expect_parity({"texts", "10000"}, 10000); }
TEST(BpeTokenizer, AgreesWithOpenClipOnEveryAssignedCharacter) { expect_parity({"characters"}, 2000); }
TEST(BpeTokenizer, AgreesWithOpenClipOnEveryHtmlEntity) { expect_parity({"entities"}, 2500); }

TEST(BpeTokenizer, HasClipsSizeAndSpecialTokens) {
  EXPECT_EQ(clip_tokenizer().vocabulary_size(), 49408);
  EXPECT_EQ(clip_tokenizer().start_token(), 49406);
  EXPECT_EQ(clip_tokenizer().end_token(), 49407);
  EXPECT_EQ(clip_tokenizer().pad_token(), 0);
}

TEST(BpeTokenizer, EmptyAndBlankTextsAreStartAndEnd) {
  EXPECT_THAT(clip_tokenizer().encode(""), ElementsAre(49406, 49407));
  EXPECT_THAT(clip_tokenizer().encode(" \t\n\u3000"), ElementsAre(49406, 49407));
}

TEST(BpeTokenizer, DecomposedTextHasTheTokensOfComposedText) {
  EXPECT_EQ(clip_tokenizer().encode("cafe\u0301"), clip_tokenizer().encode("caf\u00e9"));
}

TEST(BpeTokenizer, NulIsACharacterLikeOthers) {
  EXPECT_THAT(clip_tokenizer().encode(std::string_view("a\0b", 3)), SizeIs(5));
}

TEST(BpeTokenizer, InvalidUtf8IsRefusedWithItsOffset) {
  for (const char* text : {"ok \xff", "ok \xc3", "ok \xed\xa0\x80", "ok \xc0\xaf", "ok \xf4\x90\x80\x80"}) {
    EXPECT_THAT(error_of([&] { clip_tokenizer().encode(text); }), HasSubstr("offset 3")) << text;
  }
}

// A merge that looked at the whole word each time would need hours for these.
TEST(BpeTokenizer, WordsOfAMegabyteAreNoTrouble) {
  constexpr std::size_t kSize = 1u << 20;
  std::string varied;
  for (std::size_t i = 0; i < kSize; ++i) varied += static_cast<char>('a' + (i * i / 7) % 26);
  EXPECT_GT(clip_tokenizer().encode(varied).size(), kSize / 10);
  EXPECT_GT(clip_tokenizer().encode(std::string(kSize, 'a')).size(), 2u);
  EXPECT_GT(clip_tokenizer().encode(std::string(kSize, '&')).size(), 2u);
  EXPECT_THAT(clip_tokenizer().encode(std::string(kSize, ' ')), SizeIs(2));
}

TEST_F(VocabularyFile, MissingOneIsNamed) {
  EXPECT_THAT(error_of([&] { BpeTokenizer(folder_ / "absent.txt.gz"); }),
              AllOf(HasSubstr("absent.txt.gz"), HasSubstr("No such file")));
}

TEST_F(VocabularyFile, IsTakenFromTheFirstPlaceThatHasOne) {
  const auto path = write("merges.txt.gz", "x");
  const std::array places{folder_ / "absent", folder_, path, folder_ / "later"};
  EXPECT_EQ(detail::find_vocabulary(places), path);
  EXPECT_THAT(error_of([&] { detail::find_vocabulary(std::span(places).first(2)); }),
              AllOf(HasSubstr("absent nor at"), HasSubstr("run scripts/setup.sh")));
}

TEST_F(VocabularyFile, PlainTextServesAsWellAsGzip) {
  const auto text = detail::read_gzip_file(default_vocabulary_path(), 64u << 20);
  const BpeTokenizer tokenizer(write("merges.txt", text));
  EXPECT_EQ(tokenizer.encode("playing guitar"), clip_tokenizer().encode("playing guitar"));
}

TEST_F(VocabularyFile, TheFingerprintTellsTheMergesInUseAndNothingElse) {
  const auto text = detail::read_gzip_file(default_vocabulary_path(), 64u << 20);
  const std::string last = "\njeky ll</w>";  // merge 48,894: those behind it are not used
  const auto place = text.find(last);
  ASSERT_NE(place, std::string::npos);
  const BpeTokenizer cut(write("cut.txt", text.substr(0, place + last.size())));
  EXPECT_EQ(cut.fingerprint(), clip_tokenizer().fingerprint());
  EXPECT_EQ(cut.fingerprint().size(), 64u);
  auto other = text;
  other.erase(place, last.size());
  EXPECT_NE(BpeTokenizer(write("other.txt", other)).fingerprint(), cut.fingerprint());
}

TEST_F(VocabularyFile, CutOffGzipIsRefused) {
  const auto bytes = file_bytes(default_vocabulary_path());
  const auto path = write("cut.gz", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(error_of([&] { BpeTokenizer tokenizer(path); }),
              AllOf(HasSubstr("cut.gz"), HasSubstr("cannot read")));
}

TEST_F(VocabularyFile, DamagedGzipIsRefused) {
  auto bytes = file_bytes(default_vocabulary_path());
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 64; ++i)
    bytes[i] = static_cast<char>(~bytes[i]);
  const auto path = write("damaged.gz", bytes);
  EXPECT_THAT(error_of([&] { BpeTokenizer tokenizer(path); }), HasSubstr("damaged.gz"));
}

TEST_F(VocabularyFile, MoreThanTheLimitIsRefused) {
  const auto path = write("large.txt", std::string(1000, 'x'));
  EXPECT_EQ(detail::read_gzip_file(path, 1000).size(), 1000u);
  EXPECT_THAT(error_of([&] { detail::read_gzip_file(path, 999); }), HasSubstr("more than 999 bytes"));
}

TEST_F(VocabularyFile, FolderIsRefused) {
  EXPECT_THAT(error_of([&] { BpeTokenizer tokenizer(folder_); }), HasSubstr("cannot read"));
}

TEST(BytePairEncoder, ErrorsNameTheLine) {
  const auto error = [](const std::string& merges, std::int64_t count) {
    return error_of([&] { detail::BytePairEncoder(merges, "m.txt", count); });
  };
  EXPECT_THAT(error("", 1), HasSubstr("m.txt:1: no '#version' header"));
  EXPECT_THAT(error("a b\n", 1), HasSubstr("m.txt:1: no '#version' header"));
  EXPECT_THAT(error("#version\na b\n", 2), HasSubstr("ends after 1 of 2 merges"));
  EXPECT_THAT(error("#version\nab\n", 1), HasSubstr("m.txt:2: a merge is two symbols"));
  EXPECT_THAT(error("#version\n\n", 1), HasSubstr("m.txt:2: a merge is two symbols"));
  EXPECT_THAT(error("#version\na b c\n", 1),
              HasSubstr("m.txt:2: a merge of a symbol that no earlier line makes"));
  EXPECT_THAT(error("#version\nab c\n", 1),
              HasSubstr("m.txt:2: a merge of a symbol that no earlier line makes"));
  EXPECT_THAT(error("#version\na b\r\n", 1), HasSubstr("m.txt:2: a merge of a symbol"));
  EXPECT_THAT(error("#version\na b\na b\n", 2),
              HasSubstr("m.txt:3: a merge that makes a symbol a second time"));
}

TEST(BytePairEncoder, EveryOccurrenceOfTheBestPairIsMergedFirst) {
  const detail::BytePairEncoder encoder("#version\na b\nab a\nc d", "m.txt", 3);
  const auto ids = [&](std::string_view word) {
    std::vector<std::int64_t> tokens;
    encoder.encode(word, tokens);
    return tokens;
  };
  EXPECT_THAT(ids("ababx"), ElementsAre(512, 512, 'x' - '!' + 256));
  EXPECT_THAT(ids("abax"), ElementsAre(513, 'x' - '!' + 256));
  EXPECT_THAT(ids("ab"), ElementsAre('a' - '!', 'b' - '!' + 256));
}

TEST(BytePairEncoder, OverlappingPairsAreMergedFromTheLeft) {
  const detail::BytePairEncoder encoder("#version\na a", "m.txt", 1);
  std::vector<std::int64_t> tokens;
  encoder.encode("aaaax", tokens);
  encoder.encode("aaax", tokens);
  EXPECT_THAT(tokens, ElementsAre(512, 512, 'x' - '!' + 256, 512, 'a' - '!', 'x' - '!' + 256));
}

}  // namespace
}  // namespace actionclip
