#include "actionclip/weights/preprocessing.h"

#include <map>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

LoadedWeights weights_with(std::map<std::string, std::string> metadata) {
  LoadedWeights weights;  // of 224 pixels
  weights.metadata = std::move(metadata);
  return weights;
}

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const WeightsError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Preprocessing, WhatAWeightsFileTellsReadsBackTheSame) {
  const auto read = read_preprocessing(
      weights_with(to_metadata({.test_resize = 300, .truncate = true, .vocabulary = "1234e5678"})));
  EXPECT_EQ(read.test_resize, 300);
  EXPECT_TRUE(read.truncate);
  EXPECT_EQ(read.vocabulary, "1234e5678");
}

TEST(Preprocessing, WithoutMetadataItIsTheMethods) {
  const auto read = read_preprocessing(weights_with({}));
  EXPECT_EQ(read.test_resize, 256);
  EXPECT_FALSE(read.truncate);
  EXPECT_EQ(read.vocabulary, "");
}

TEST(Preprocessing, DamagedMetadataAreRefusedByName) {
  const auto error = [](const std::string& text) {
    return error_of([&] { read_preprocessing(weights_with({{"actionclip.preprocessing", text}})); });
  };
  EXPECT_THAT(error("{"), HasSubstr("metadata of the weights: actionclip.preprocessing:"));
  EXPECT_THAT(error("test_resize: -1"), HasSubstr("test_resize"));
  EXPECT_THAT(error("test_resize: 99999999"), HasSubstr("test_resize"));
  EXPECT_THAT(error("test_resize: 223"), HasSubstr("223 is smaller than the images, 224"));
}

TEST(Preprocessing, DamagedMetadataAreRefusedWithTheFileTheyAreIn) {
  auto weights = weights_with({{"actionclip.preprocessing", "{"}, {"actionclip.labels", "{"}});
  weights.file = "runs/a.safetensors";
  EXPECT_THAT(error_of([&] { read_preprocessing(weights); }),
              StartsWith("runs/a.safetensors: metadata of the weights: "));
  EXPECT_THAT(error_of([&] { read_text_list(weights, "actionclip.labels"); }),
              StartsWith("runs/a.safetensors: metadata of the weights: "));
}

TEST(TextList, IsReadOrRefusedByName) {
  const auto read = [](const std::string& text) {
    return read_text_list(weights_with({{"actionclip.labels", text}}), "actionclip.labels");
  };
  EXPECT_THAT(read(R"(["run", "jump, high"])"), ElementsAre("run", "jump, high"));
  EXPECT_THAT(read_text_list(weights_with({}), "actionclip.labels"), IsEmpty());
  for (const char* text : {"{", "[1, 2]", "{\"a\": 1}", "null", ""}) {
    EXPECT_THAT(error_of([&] { read(text); }), HasSubstr("metadata of the weights: actionclip.labels:"))
        << text;
  }
}

}  // namespace
}  // namespace actionclip
