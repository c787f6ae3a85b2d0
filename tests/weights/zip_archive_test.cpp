#include "weights/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/weights/files.h"
#include "tests/weights/zip_builder.h"

namespace actionclip {
namespace {

using testing::HasSubstr;

std::string text_of(const ZipRecord& record) {
  return {reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size()};
}

ZipArchive archive_of(const std::string& bytes) { return ZipArchive(MemorySource(bytes_of(bytes), "x.pt")); }

std::string read_error(const std::string& bytes, const std::string& name) {
  return weights_error([&] { archive_of(bytes).read(name); });
}

TEST(ZipArchive, ReadsStoredRecords) {
  const std::string bytes = build_zip({{.name = "a/one", .data = "first"}, {.name = "a/two", .data = ""}});
  const ZipArchive archive = archive_of(bytes);
  EXPECT_EQ(archive.records().size(), 2u);
  EXPECT_TRUE(archive.contains("a/two"));
  EXPECT_FALSE(archive.contains("a/three"));
  EXPECT_EQ(archive.size("a/one"), 5u);
  EXPECT_EQ(text_of(archive.read("a/one")), "first");
  EXPECT_EQ(text_of(archive.read("a/two")), "");
}

TEST(ZipArchive, ReadsZip64) {
  const std::string bytes =
      build_zip({{.name = "a", .data = "first"}, {.name = "b", .data = "second"}}, true);
  EXPECT_EQ(text_of(archive_of(bytes).read("b")), "second");
}

TEST(ZipArchive, RecordsOutliveTheArchiveAndItsFile) {
  const TemporaryFolder folder;
  write_text(folder / "x.pt", build_zip({{.name = "a", .data = "kept"}}));
  const ZipRecord record = ZipArchive(FileSource(folder / "x.pt")).read("a");
  std::filesystem::remove(folder / "x.pt");
  EXPECT_EQ(text_of(record), "kept");
}

TEST(ZipArchive, RefusesCompressedRecordsOnlyWhenTheyAreRead) {
  const std::string bytes = build_zip(
      {{.name = "code", .data = "\x03\x00", .method = 8, .claimed_size = 0}, {.name = "a", .data = "x"}});
  EXPECT_EQ(text_of(archive_of(bytes).read("a")), "x");
  EXPECT_THAT(read_error(bytes, "code"), HasSubstr("x.pt: record \"code\" is compressed"));
}

TEST(ZipArchive, RefusesStoredRecordsThatClaimAnotherSize) {
  const std::string bytes = build_zip({{.name = "a", .data = "x", .claimed_size = 1u << 30}});
  EXPECT_THROW(archive_of(bytes).read("a"), WeightsError);
}

TEST(ZipArchive, RefusesEncryptedRecords) {
  const std::string bytes = build_zip({{.name = "a", .data = "0123456789abcdef", .flags = 1}});
  EXPECT_THAT(read_error(bytes, "a"), HasSubstr("encrypted"));
}

TEST(ZipArchive, RefusesWrongChecksums) {
  const std::string bytes = build_zip({{.name = "a", .data = "x", .crc_error = 1}});
  EXPECT_THAT(read_error(bytes, "a"), HasSubstr("CRC"));
}

TEST(ZipArchive, RefusesMissingRecords) {
  EXPECT_THAT(read_error(build_zip({{.name = "a", .data = "x"}}), "b"), HasSubstr("record \"b\" is missing"));
}

TEST(ZipArchive, RefusesTwoRecordsOfOneName) {
  const std::string bytes = build_zip({{.name = "a", .data = "x"}, {.name = "a", .data = "y"}});
  EXPECT_THAT(read_error(bytes, "a"), HasSubstr("already exists"));
}

TEST(ZipArchive, RefusesDirectoriesThatDisagreeWithLocalHeaders) {
  const std::string bytes = build_zip({{.name = "a", .data = "x", .local_name = "b"}});
  EXPECT_THAT(read_error(bytes, "a"), HasSubstr("not a whole zip archive"));
}

TEST(ZipArchive, RefusesRecordsThatShareBytes) {
  constexpr std::size_t kHeader = 30 + 1;  // a local header with a name of one letter
  const std::string data(1000, 'x');
  // "b" is a whole record inside of the bytes of "a".
  const std::string b = build_zip({{.name = "b", .data = data}}).substr(0, kHeader + data.size());
  const std::string bytes =
      build_zip({{.name = "a", .data = b}, {.name = "b", .data = data, .place = kHeader}});
  EXPECT_THAT(read_error(bytes, "b"), HasSubstr("claim more bytes than the file has"));
}

TEST(ZipArchive, RefusesEveryTruncation) {
  const std::string bytes = build_zip({{.name = "a", .data = "x"}, {.name = "b", .data = "y"}});
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_THROW(archive_of(bytes.substr(0, size)), WeightsError) << size;
  }
}

TEST(ZipArchive, NamesAMissingFile) {
  EXPECT_THAT(weights_error([] { ZipArchive(FileSource("/nowhere/x.pt")); }), HasSubstr("/nowhere/x.pt"));
}

}  // namespace
}  // namespace actionclip
