// A trainer on frame folders of noise, and a model of one layer a part.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/core/random.h"
#include "actionclip/train/trainer.h"
#include "actionclip/video/image_file.h"

#include "tests/temporary_folder.h"
#include "tests/train/tiny_experiment.h"

namespace actionclip {

inline constexpr int kVideos = 12;
inline constexpr int kLabels = 4;
inline constexpr int kFrames = 3;

inline Image noise(std::uint64_t index) {
  RandomStream random(1, RandomPurpose::kSynthetic, index);
  Image image{.width = 24, .height = 24, .rgb = {}};
  for (int i = 0; i < 3 * 24 * 24; ++i) image.rgb.push_back(static_cast<std::uint8_t>(random.next() & 0xff));
  return image;
}

// Frame folders of noise, and a model of one layer a part.
class TrainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string list, names;
    for (int i = 0; i < kVideos; ++i) {
      const auto video = folder_ / fmt::format("video {}", i);
      std::filesystem::create_directory(video);
      for (int frame = 0; frame < kFrames; ++frame) {
        write_jpeg(video / fmt::format("img_{:05d}.jpg", frame + 1), noise(100 * i + frame), 95);
      }
      list += fmt::format("video {} {} {}\n", i, kFrames, i % kLabels);
    }
    for (int label = 0; label < kLabels; ++label) names += fmt::format("label {}\n", label);
    folder_.write("list.txt", list);
    folder_.write("labels.txt", names);
  }

  Experiment experiment() const {
    Experiment result = tiny_experiment(folder_.path());
    result.seed = 3;
    result.train.epochs = 2;
    result.train.batch_size = 4;
    result.train.lr = 1e-3;
    return result;
  }

  TrainerOptions options() const { return {.output = folder_ / "run"}; }

  std::string error_of(const Experiment& experiment) const {
    try {
      Trainer(experiment, options());
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  const TemporaryFolder folder_;
};

// Of every line of a run's log, in which there is no validation.
inline std::vector<double> losses_of(const std::filesystem::path& run) {
  std::vector<double> losses;
  std::ifstream lines(run / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);) losses.push_back(nlohmann::json::parse(line).at("loss"));
  return losses;
}

}  // namespace actionclip
