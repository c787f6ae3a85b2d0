// What a user sees of weights that were made to do harm: one line, and nothing happens.
#include <filesystem>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"
#include "tests/weights/crafted_archives.h"
#include "tests/weights/crafted_safetensors.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;

TEST(HostileWeights, AreRefusedByTheProgramWithOneLine) {
  const std::set<std::string> chosen = {"PickleCalls os.system",
                                        "PickleStackGlobalWithANewLine",
                                        "PickleTerminalCodeInAName",
                                        "StorageElsewhere",
                                        "CutInTheData",
                                        "Overlap",
                                        "HeaderIsLarge"};
  CraftedFiles files = crafted_archives();
  append(files, archives_of_pickles());
  append(files, crafted_safetensors());
  std::set<std::string> tried;
  for (const CraftedFile& file : files) {
    if (!chosen.contains(file.name)) continue;
    SCOPED_TRACE(file.name);
    tried.insert(file.name);
    const TemporaryFolder folder;
    const auto path = folder.write("weights.pt", file.bytes);
    const auto result = run_program({"inspect", "weights", path.string()});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.output, "");
    ASSERT_EQ(lines_of(result.errors).size(), 1u) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(path.string()));
    EXPECT_THAT(result.errors, HasSubstr(file.message));
    EXPECT_FALSE(std::filesystem::exists("executed"));
  }
  EXPECT_EQ(tried, chosen);
}

}  // namespace
}  // namespace actionclip
