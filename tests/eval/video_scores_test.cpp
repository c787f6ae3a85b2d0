#include "actionclip/eval/video_scores.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/weights/safetensors.h"

#include "tests/eval/random_scores.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

void expect_equal(const VideoScores& a, const VideoScores& b) {
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.multi_label, b.multi_label);
  EXPECT_EQ(a.origin, b.origin);
  ASSERT_EQ(a.videos.size(), b.videos.size());
  for (std::size_t i = 0; i < a.videos.size(); ++i) {
    EXPECT_EQ(a.videos[i].path, b.videos[i].path);
    EXPECT_EQ(a.videos[i].label_ids, b.videos[i].label_ids);
    EXPECT_EQ(a.videos[i].failure, b.videos[i].failure);
  }
  EXPECT_TRUE(std::ranges::equal(a.probabilities, b.probabilities, [](float x, float y) {
    return x == y || (std::isnan(x) && std::isnan(y));
  }));
}

TEST(VideoScores, AreReadAsTheyWereSaved) {
  const TemporaryFolder folder;
  for (const bool multi_label : {false, true}) {
    auto scores = random_scores_of({.multi_label = multi_label, .failed_every = 8});
    scores.videos[0].path = "a folder/caf\xe9, \"b\".mp4";
    scores.labels[1] = "käse, \"x\"";
    scores.origin = {{"list", "val.txt"}, {"views", "3"}};
    save_scores(scores, folder / "scores.safetensors");
    expect_equal(load_scores(folder / "scores.safetensors"), scores);
  }
}

TEST(VideoScores, ThatDoNotHangTogetherAreNotSaved) {
  const TemporaryFolder folder;
  const auto refuse = [&](const std::function<void(VideoScores&)>& change) {
    auto scores = random_scores_of({.failed_every = 8});
    change(scores);
    EXPECT_THROW(save_scores(scores, folder / "scores.safetensors"), std::invalid_argument);
    EXPECT_FALSE(std::filesystem::exists(folder / "scores.safetensors"));
  };
  refuse([](VideoScores& s) { s.probabilities.pop_back(); });
  refuse([](VideoScores& s) { s.videos[0].label_ids = {0, 1}; });
  refuse([](VideoScores& s) { s.videos[0].label_ids = {}; });
  refuse([](VideoScores& s) { s.videos[0].label_ids = {9}; });
  refuse([](VideoScores& s) { s.probabilities[0] = std::numeric_limits<float>::quiet_NaN(); });
  refuse([](VideoScores& s) { s.probabilities[0] = -0.1F; });
  refuse([](VideoScores& s) { s.videos[0].failure = "it has scores"; });
  refuse([](VideoScores& s) { s.videos[7].failure = ""; });
  refuse([](VideoScores& s) { s.labels[1] = s.labels[0]; });
}

// A file of scores with something changed that save_scores() would not write.
class ForgedScores : public ::testing::Test {
 protected:
  void SetUp() override {
    save_scores(random_scores_of({.videos = 5, .classes = 3}), file_);
    content_ = read_safetensors(file_);
  }

  std::string error() {
    write_safetensors(file_, {content_.tensors.begin(), content_.tensors.end()}, content_.metadata);
    try {
      load_scores(file_);
    } catch (const WeightsError& problem) {
      return problem.what();
    }
    return "";
  }

  void reshape(const std::string& name, std::vector<std::int64_t> shape) {
    auto& tensor = content_.tensors.at(name);
    tensor.strides = contiguous_strides(shape);
    tensor.shape = std::move(shape);
  }

  // The first 4 bytes of a tensor.
  template <typename T>
  void set_first(const std::string& name, T value) {
    auto& tensor = content_.tensors.at(name);
    auto bytes = std::make_shared<std::vector<std::byte>>(tensor.bytes.begin(), tensor.bytes.end());
    std::memcpy(bytes->data(), &value, sizeof(value));
    tensor.bytes = *bytes;
    tensor.owner = bytes;
  }

  TemporaryFolder folder_;
  std::string file_ = folder_ / "scores.safetensors";
  TensorFile content_;
};

TEST_F(ForgedScores, UnchangedAreRead) { EXPECT_EQ(error(), ""); }

TEST_F(ForgedScores, AnotherShapeIsRefused) {
  reshape("probabilities", {3, 5});
  EXPECT_THAT(error(), AllOf(HasSubstr(file_), HasSubstr("probabilities"), HasSubstr("[3, 5]")));
}

TEST_F(ForgedScores, AVideoTooManyIsRefused) {
  set_first<std::int32_t>("label_counts", 2);
  EXPECT_THAT(error(), HasSubstr("video 4 has 1 labels, and 0 are left"));
  set_first<std::int32_t>("label_counts", -1);
  EXPECT_THAT(error(), HasSubstr("-1 labels"));
}

TEST_F(ForgedScores, ALabelOutOfRangeIsRefused) {
  set_first<std::int32_t>("label_ids", 3);
  EXPECT_THAT(error(), HasSubstr("label id 3 is outside 0..2"));
}

TEST_F(ForgedScores, NanWithoutAFailureIsRefused) {
  set_first("probabilities", std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(error(), HasSubstr("video 0 (videos/0.mp4): a score is no probability"));
}

TEST_F(ForgedScores, TensorsThatAreMissingOrTooManyAreRefused) {
  content_.tensors.emplace("more", content_.tensors.at("label_ids"));
  EXPECT_THAT(error(), HasSubstr("tensor more"));
  content_.tensors.erase("more");
  content_.tensors.erase("paths");
  EXPECT_THAT(error(), HasSubstr("tensor paths is missing"));
}

TEST_F(ForgedScores, MetadataThatDoNotFitAreRefused) {
  content_.metadata["actionclip.labels"] = "{\"a\": 1}";
  EXPECT_THAT(error(), HasSubstr("actionclip.labels"));
  content_.metadata["actionclip.labels"] = "[\"a\", \"b\"";
  EXPECT_THAT(error(), HasSubstr("actionclip.labels"));
  content_.metadata["actionclip.scores"] = "9";
  EXPECT_THAT(error(), HasSubstr("version '9'"));
  content_.metadata.erase("actionclip.scores");
  EXPECT_THAT(error(), HasSubstr("it holds no scores"));
}

TEST(LoadScores, WhatIsNoFileOfScoresIsRefused) {
  const TemporaryFolder folder;
  EXPECT_THROW(load_scores(folder.write("a.safetensors", "something")), WeightsError);
  EXPECT_THROW(load_scores(folder / "absent.safetensors"), Error);
}

}  // namespace
}  // namespace actionclip
