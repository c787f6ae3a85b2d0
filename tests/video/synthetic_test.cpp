#include "actionclip/video/synthetic.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <numbers>
#include <set>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <tuple>
#include <turbojpeg.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

#include "video/synthetic_labels.h"
#include "video/synthetic_motion.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::set<std::string> sentences(const std::vector<SyntheticLabel>& labels) {
  std::set<std::string> result;
  for (const auto& label : labels) result.insert(label.sentence());
  return result;
}

RandomStream stream_of(std::uint64_t index) { return {7, RandomPurpose::kSynthetic, 99, index}; }

SyntheticMotion motion_of(int number) { return static_cast<SyntheticMotion>(number); }

constexpr int kPairedMotions = 2 * kSyntheticMotionPairs;
constexpr int kMotions = kPairedMotions + kFewShotMotions;

TEST(SyntheticLabels, TrainingAndZeroShotShareOutAllSentences) {
  const auto train = sentences(synthetic_train_labels());
  const auto zero_shot = sentences(synthetic_zero_shot_labels());
  EXPECT_EQ(train.size(), 152u);
  EXPECT_EQ(zero_shot.size(), 40u);
  for (const auto& sentence : zero_shot) EXPECT_FALSE(train.contains(sentence)) << sentence;
}

TEST(SyntheticLabels, AnyTwoPartsOfAHeldOutSentenceOccurTogetherInTraining) {
  std::set<std::tuple<int, int>> subjects, colour_motions, shape_motions;
  for (const auto& label : synthetic_train_labels()) {
    const int colour = static_cast<int>(label.colour), shape = static_cast<int>(label.shape);
    const int motion = static_cast<int>(label.motion);
    subjects.emplace(colour, shape);
    colour_motions.emplace(colour, motion);
    shape_motions.emplace(shape, motion);
  }
  EXPECT_EQ(subjects.size(), 16u);
  EXPECT_EQ(colour_motions.size(), 48u);
  EXPECT_EQ(shape_motions.size(), 48u);
}

TEST(SyntheticLabels, PairIsTheSameSubjectInReversedMotion) {
  for (const auto& labels : {synthetic_train_labels(), synthetic_zero_shot_labels()}) {
    for (std::size_t id = 0; id < labels.size(); ++id) {
      const auto& partner = labels.at(static_cast<std::size_t>(labels[id].pair));
      EXPECT_EQ(partner.pair, static_cast<std::int64_t>(id));
      EXPECT_EQ(partner.colour, labels[id].colour);
      EXPECT_EQ(partner.shape, labels[id].shape);
      EXPECT_EQ(static_cast<int>(partner.motion), static_cast<int>(labels[id].motion) ^ 1);
    }
  }
}

TEST(SyntheticLabels, FewShotMotionsOccurNowhereElse) {
  std::set<SyntheticMotion> known;
  for (const auto& label : synthetic_train_labels()) known.insert(label.motion);
  const auto few_shot = synthetic_few_shot_labels();
  EXPECT_EQ(sentences(few_shot).size(), 10u);
  for (std::size_t id = 0; id < few_shot.size(); ++id) {
    EXPECT_FALSE(known.contains(few_shot[id].motion)) << few_shot[id].sentence();
    EXPECT_EQ(few_shot[id].pair, static_cast<std::int64_t>(id));
  }
}

TEST(SyntheticMotion, MotionsOfAPairAreEachOthersReversal) {
  for (int first = 0; first < kPairedMotions; first += 2) {
    for (std::uint64_t index = 0; index < 20; ++index) {
      RandomStream a = stream_of(index), b = stream_of(index);
      const auto forwards = random_motion(motion_of(first), 16, a);
      auto backwards = random_motion(motion_of(first + 1), 16, b);
      std::reverse(backwards.begin(), backwards.end());
      for (std::size_t i = 0; i < forwards.size(); ++i) {
        EXPECT_EQ(forwards[i].x, backwards[i].x);
        EXPECT_EQ(forwards[i].y, backwards[i].y);
        EXPECT_EQ(forwards[i].size, backwards[i].size);
        EXPECT_EQ(forwards[i].angle, backwards[i].angle);
        EXPECT_EQ(forwards[i].opacity, backwards[i].opacity);
      }
    }
  }
}

// What each motion's name says, from its first frame to its last.
TEST(SyntheticMotion, GoesTheWayItsWordsSay) {
  for (std::uint64_t index = 0; index < 50; ++index) {
    const auto change = [&](SyntheticMotion motion, double Pose::*property) {
      RandomStream random = stream_of(index);
      const auto poses = random_motion(motion, 16, random);
      return poses.back().*property - poses.front().*property;
    };
    EXPECT_LT(change(SyntheticMotion::kMovingLeft, &Pose::x), -0.3);
    EXPECT_GT(change(SyntheticMotion::kMovingRight, &Pose::x), 0.3);
    EXPECT_LT(change(SyntheticMotion::kMovingUp, &Pose::y), -0.3);
    EXPECT_GT(change(SyntheticMotion::kMovingDown, &Pose::y), 0.3);
    EXPECT_GT(change(SyntheticMotion::kGrowing, &Pose::size), 0.07);
    EXPECT_LT(change(SyntheticMotion::kShrinking, &Pose::size), -0.07);
    EXPECT_GT(change(SyntheticMotion::kTurningClockwise, &Pose::angle), 1.7);
    EXPECT_LT(change(SyntheticMotion::kTurningCounterclockwise, &Pose::angle), -1.7);
    EXPECT_GT(change(SyntheticMotion::kFadingIn, &Pose::opacity), 0.5);
    EXPECT_LT(change(SyntheticMotion::kFadingOut, &Pose::opacity), -0.5);
  }
}

// Between frames drawn from neighbouring eighths of a clip (up to three frames apart) a turn must stay well
// under half a revolution, or it would look like a turn the other way.
TEST(SyntheticMotion, TurnsAndCirclesAreSlowEnoughToTellTheirSense) {
  constexpr double kHalf = std::numbers::pi;
  for (std::uint64_t index = 0; index < 50; ++index) {
    RandomStream random = stream_of(index);
    const auto turn = random_motion(SyntheticMotion::kTurningClockwise, 16, random);
    const auto circle = random_motion(SyntheticMotion::kCirclingClockwise, 16, random);
    for (std::size_t i = 0; i + 3 < turn.size(); ++i) {
      EXPECT_LT(turn[i + 3].angle - turn[i].angle, 0.65 * kHalf);
      // The steps' cross product: y is down, so positive is clockwise.
      const double x0 = circle[i + 1].x - circle[i].x, y0 = circle[i + 1].y - circle[i].y;
      const double x1 = circle[i + 2].x - circle[i + 1].x, y1 = circle[i + 2].y - circle[i + 1].y;
      EXPECT_GT(x0 * y1 - y0 * x1, 0.0);
    }
  }
}

TEST(SyntheticMotion, ShapeStaysInTheFrame) {
  for (int motion = 0; motion < kMotions; ++motion) {
    for (std::uint64_t index = 0; index < 100; ++index) {
      RandomStream random = stream_of(index);
      for (const Pose& pose : random_motion(motion_of(motion), 24, random)) {
        const double margin = 0.6 * pose.size;
        EXPECT_GE(pose.x, margin) << words(motion_of(motion));
        EXPECT_LE(pose.x, 1 - margin) << words(motion_of(motion));
        EXPECT_GE(pose.y, margin) << words(motion_of(motion));
        EXPECT_LE(pose.y, 1 - margin) << words(motion_of(motion));
        EXPECT_GE(pose.opacity, 0.0);
        EXPECT_LE(pose.opacity, 1.0);
      }
    }
  }
}

class SyntheticFolder : public ::testing::Test {
 protected:
  SyntheticFolder() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) /
              (std::string("synthetic_") + test->name() + "_" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~SyntheticFolder() override { std::filesystem::remove_all(folder_); }

  static SyntheticConfig small() {
    SyntheticConfig config;
    config.train_clips = 20;
    config.val_clips = 5;
    config.test_clips = 5;
    config.zero_shot_clips = 5;
    config.few_shot_train_clips = 1;
    config.few_shot_test_clips = 1;
    config.stills = 60;
    return config;
  }

  // Relative path and hash of every file under `folder`.
  static std::map<std::string, std::string> hashes(const std::filesystem::path& folder) {
    std::map<std::string, std::string> result;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      result[std::filesystem::relative(entry.path(), folder)] = sha256_of_file(entry.path());
    }
    return result;
  }

  std::vector<std::string> names_in(const std::filesystem::path& folder) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      names.push_back(entry.path().filename());
    return names;
  }

  std::filesystem::path folder_;
};

TEST_F(SyntheticFolder, SameSeedGivesSameBytesWithAnyNumberOfThreads) {
  auto config = small();
  config.threads = 0;
  synthesize(config, folder_ / "a");
  config.threads = 4;
  synthesize(config, folder_ / "b");
  EXPECT_EQ(hashes(folder_ / "a"), hashes(folder_ / "b"));
}

TEST_F(SyntheticFolder, OtherSeedGivesOtherPictures) {
  auto config = small();
  synthesize(config, folder_ / "a");
  config.seed += 1;
  synthesize(config, folder_ / "b");
  const auto a = hashes(folder_ / "a"), b = hashes(folder_ / "b");
  for (const auto& [path, hash] : a) {
    if (path.ends_with(".mp4") || path.ends_with(".jpg")) {
      EXPECT_NE(hash, b.at(path)) << path;
    } else if (path.ends_with("labels.csv") || path.ends_with(".txt")) {
      EXPECT_TRUE(path == "README.txt" || hash == b.at(path)) << path;
    }
  }
}

TEST_F(SyntheticFolder, NoClipOccursTwice) {
  synthesize(small(), folder_ / "a");
  std::set<std::string> seen;
  for (const auto& [path, hash] : hashes(folder_ / "a" / "videos"))
    EXPECT_TRUE(seen.insert(hash).second) << path;
  EXPECT_EQ(seen.size(), 20u + 5 + 5 + 5 + 10 + 10);
}

TEST_F(SyntheticFolder, ListsNameClipsThatExistAndLabelsThatAreListed) {
  synthesize(small(), folder_ / "a");
  const std::map<std::string, std::string> label_files = {
      {"train", "labels.csv"},
      {"val", "labels.csv"},
      {"test", "labels.csv"},
      {"zero_shot", "zero_shot_labels.csv"},
      {"few_shot_train", "few_shot_labels.csv"},
      {"few_shot_test", "few_shot_labels.csv"},
  };
  for (const auto& [list, labels] : label_files) {
    const auto rows = split(read_text_file(folder_ / "a" / labels), '\n');
    EXPECT_EQ(rows.at(0), "id,name,motion,pair");
    for (std::size_t id = 0; id + 1 < rows.size(); ++id) {
      const auto cells = split(rows[id + 1], ',');
      ASSERT_EQ(cells.size(), 4u);
      EXPECT_EQ(cells[0], std::to_string(id));
      EXPECT_TRUE(cells[1].ends_with(cells[2]));
    }
    const auto lines = split(read_text_file(folder_ / "a" / (list + ".txt")), '\n');
    EXPECT_FALSE(lines.empty());
    for (const auto& line : lines) {
      const auto parts = split(line, ' ');
      ASSERT_EQ(parts.size(), 2u) << line;
      EXPECT_TRUE(std::filesystem::is_regular_file(folder_ / "a" / parts[0])) << line;
      EXPECT_LT(std::stoul(parts[1]), rows.size() - 1) << line;
    }
  }
}

// The mean place (share of width, share of height) of a still's strongly coloured pixels; the background has
// none.
std::pair<double, double> coloured_place(const std::filesystem::path& jpeg) {
  const std::string bytes = read_text_file(jpeg);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const tjhandle decoder = tjInitDecompress();
  int width = 0, height = 0, subsampling = 0, colours = 0;
  EXPECT_EQ(tjDecompressHeader3(decoder, data, bytes.size(), &width, &height, &subsampling, &colours), 0);
  std::vector<unsigned char> rgb(static_cast<std::size_t>(3) * width * height);
  EXPECT_EQ(tjDecompress2(decoder, data, bytes.size(), rgb.data(), width, 0, height, TJPF_RGB, 0), 0);
  tjDestroy(decoder);
  EXPECT_EQ(width, 64);
  EXPECT_EQ(height, 64);
  double x = 0, y = 0, count = 0;
  for (int i = 0; i < width * height; ++i) {
    const auto [low, high] = std::minmax({rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]});
    if (high - low < 100) continue;
    x += i % width;
    y += i / width;
    ++count;
  }
  EXPECT_GT(count, 0) << jpeg;
  return {x / count / width, y / count / height};
}

TEST_F(SyntheticFolder, CaptionsSayWhereTheShapeIs) {
  auto config = small();
  config.stills = 300;
  synthesize(config, folder_ / "a");
  const auto rows = split(read_text_file(folder_ / "a" / "captions.csv"), '\n');
  EXPECT_EQ(rows.at(0), "path,caption");
  ASSERT_EQ(rows.size(), 301u);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto cells = split(rows[i], ',');
    ASSERT_EQ(cells.size(), 2u);
    const std::string& caption = cells[1];
    if (caption.find("faint") != std::string::npos) continue;
    // The centroid of a large shape lies up to 0.08 from its centre, to which the words refer.
    const auto [x, y] = coloured_place(folder_ / "a" / cells[0]);
    const std::string place = caption.substr(caption.rfind(" the "));
    if (place.ends_with("left")) {
      EXPECT_LT(x, 0.48) << rows[i];
    } else if (place.ends_with("right")) {
      EXPECT_GT(x, 0.52) << rows[i];
    } else {
      EXPECT_NEAR(x, 0.5, 0.18) << rows[i];
    }
    if (place.starts_with(" the top")) {
      EXPECT_LT(y, 0.48) << rows[i];
    } else if (place.starts_with(" the bottom")) {
      EXPECT_GT(y, 0.52) << rows[i];
    } else {
      EXPECT_NEAR(y, 0.5, 0.18) << rows[i];
    }
  }
}

TEST_F(SyntheticFolder, FolderOfTheSameSettingsIsLeftAsItIs) {
  auto config = small();
  synthesize(config, folder_ / "a");
  const auto list = folder_ / "a" / "train.txt";
  const auto before = std::filesystem::last_write_time(list);
  config.threads = 1;
  synthesize(config, folder_ / "a" / "");
  EXPECT_EQ(std::filesystem::last_write_time(list), before);
}

TEST_F(SyntheticFolder, FolderOfOtherContentIsRefusedAndKept) {
  auto config = small();
  synthesize(config, folder_ / "a");
  config.seed += 1;
  const auto before = hashes(folder_ / "a");
  try {
    synthesize(config, folder_ / "a");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder_ / "a").string()));
    EXPECT_THAT(error.what(), HasSubstr("not made with these settings"));
  }
  EXPECT_EQ(hashes(folder_ / "a"), before);
  write_file_atomically(folder_ / "file", "text");
  EXPECT_THROW(synthesize(config, folder_ / "file"), Error);
}

TEST_F(SyntheticFolder, NothingIsLeftBehindWhenWritingFails) {
  auto config = small();
  // A folder that holds a broken link of this name: it does not "exist", but cannot be replaced by a folder
  // either.
  std::filesystem::create_symlink(folder_ / "nowhere", folder_ / "a");
  EXPECT_THROW(synthesize(config, folder_ / "a"), Error);
  EXPECT_THAT(names_in(folder_), ::testing::ElementsAre("a"));
}

TEST_F(SyntheticFolder, AFolderThatCannotBeMadeIsNamedWithTheReason) {
  std::ofstream(folder_ / "file") << "x";
  try {
    synthesize(small(), folder_ / "file" / "data");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              fmt::format("cannot make {}: Not a directory", (folder_ / "file" / "data").string()));
  }
}

// A full disk: no file may grow while it lives.
class NoRoom {
 public:
  NoRoom() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{0, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
  }
  ~NoRoom() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  NoRoom(const NoRoom&) = delete;
  NoRoom& operator=(const NoRoom&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(SyntheticFolder, TheFirstFileThatCannotBeWrittenStopsTheWork) {
  SyntheticConfig clips = small(), stills = small();
  clips.frame_size = stills.frame_size = 512;
  clips.train_clips = stills.stills = 100000;  // would take many minutes
  stills.train_clips = stills.val_clips = stills.test_clips = stills.zero_shot_clips = 0;
  stills.few_shot_train_clips = stills.few_shot_test_clips = 0;
  for (const auto& config : {clips, stills}) {
    std::string message;
    const auto start = std::chrono::steady_clock::now();
    try {
      const NoRoom full_disk;
      synthesize(config, folder_ / "a");
    } catch (const Error& error) {
      message = error.what();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
    EXPECT_THAT(message, AllOf(HasSubstr("cannot write"), HasSubstr(config.train_clips > 0 ? ".mp4" : ".jpg"),
                               HasSubstr(std::strerror(EFBIG))));
    EXPECT_THAT(names_in(folder_), IsEmpty());
  }
}

TEST_F(SyntheticFolder, WhatAKilledRunLeftIsRemovedAndWhatOthersWriteIsKept) {
  const pid_t dead = fork();
  if (dead == 0) _exit(0);
  waitpid(dead, nullptr, 0);
  const auto temporary = [](const char* name, pid_t process) {
    return std::string(name) + ".tmp." + std::to_string(process);
  };
  for (const auto& name : {temporary("a", dead), temporary("a", getpid()), temporary("a", getppid()),
                           temporary("b", dead), temporary("a.b", dead)})
    std::filesystem::create_directories(folder_ / name / "videos");
  synthesize(small(), folder_ / "a");
  EXPECT_THAT(names_in(folder_), UnorderedElementsAre("a", temporary("a", getppid()), temporary("b", dead),
                                                      temporary("a.b", dead)));
}

TEST(SyntheticConfig, NamesTheSettingThatCannotBeUsed) {
  const auto message = [](auto change) -> std::string {
    SyntheticConfig config;
    change(config);
    try {
      config.check();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message([](auto&) {}), IsEmpty());
  EXPECT_THAT(message([](auto& config) { config.train_clips = -1; }), HasSubstr("train_clips is -1"));
  EXPECT_THAT(message([](auto& config) { config.stills = 100001; }), HasSubstr("stills is 100001"));
  EXPECT_THAT(message([](auto& config) { config.frame_size = 63; }), HasSubstr("frame_size is 63"));
  EXPECT_THAT(message([](auto& config) { config.frame_size = 8; }), HasSubstr("frame_size is 8"));
  EXPECT_THAT(message([](auto& config) { config.frames_per_clip = 1; }), HasSubstr("frames_per_clip is 1"));
  EXPECT_THAT(message([](auto& config) { config.few_shot_test_clips = 10001; }),
              HasSubstr("few_shot_test_clips"));
  EXPECT_THAT(message([](auto& config) { config.threads = -1; }), HasSubstr("threads is -1"));
}

}  // namespace
}  // namespace actionclip
