// A trainer on frame folders of noise, and a model of one layer a part.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

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

// What libraries make at their first use, made before there are threads: ThreadSanitizer does not see how ICU
// and spdlog guard it.
inline void make_singletons(const Experiment& experiment) {
  make_tokenizer(experiment.text)->encode("text");
  spdlog::default_logger();
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
    folder_.write("several.csv", several_labels());
    folder_.write("labels.txt", names);
  }

  // The same videos, every other one of two labels.
  static std::string several_labels() {
    std::string list = "path,label,frames\n";
    for (int i = 0; i < kVideos; ++i) {
      const auto second = i % 2 == 0 ? fmt::format(";{}", (i + 1) % kLabels) : "";
      list += fmt::format("video {},{}{},{}\n", i, i % kLabels, second, kFrames);
    }
    return list;
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

// What a run's log says of `split`, a record a line.
inline std::vector<nlohmann::json> records_of(const std::filesystem::path& run, const std::string& split) {
  std::vector<nlohmann::json> records;
  std::ifstream lines(run / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);) {
    auto record = nlohmann::json::parse(line);
    if (record.at("split") == split) records.push_back(std::move(record));
  }
  return records;
}

// Of every step.
inline std::vector<double> losses_of(const std::filesystem::path& run) {
  std::vector<double> losses;
  for (const auto& record : records_of(run, "train")) losses.push_back(record.at("loss"));
  return losses;
}

}  // namespace actionclip
