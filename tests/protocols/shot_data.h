// A data set for runs on few clips: folders of one grey frame, five classes, and a model of one layer a part.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "actionclip/train/experiment.h"
#include "actionclip/video/image_file.h"

#include "tests/temporary_folder.h"
#include "tests/train/tiny_experiment.h"

namespace actionclip {

constexpr int kShotLabels = 5;
constexpr int kShotClips = 10;  // to train on; half as many to test

inline void write_grey_video(const std::filesystem::path& folder, int grey) {
  std::filesystem::create_directory(folder);
  write_jpeg(folder / "img_00001.jpg",
             {.width = 24,
              .height = 24,
              .rgb = std::vector<std::uint8_t>(3 * 24 * 24, static_cast<std::uint8_t>(grey))},
             95);
}

// list.txt ("video 0" ...), test.txt ("test 0" ...), the classes taking turns, and labels.txt.
inline void write_shot_data(const TemporaryFolder& folder) {
  std::string list, test, names;
  for (int i = 0; i < kShotClips; ++i) {
    write_grey_video(folder / fmt::format("video {}", i), 20 * i);
    list += fmt::format("video {} 1 {}\n", i, i % kShotLabels);
  }
  for (int i = 0; i < kShotLabels; ++i) {
    write_grey_video(folder / fmt::format("test {}", i), 20 * i + 10);
    test += fmt::format("test {} 1 {}\n", i, i);
    names += fmt::format("label {}\n", i);
  }
  folder.write("list.txt", list);
  folder.write("test.txt", test);
  folder.write("labels.txt", names);
}

inline Experiment shot_experiment(const TemporaryFolder& folder) {
  Experiment result = tiny_experiment(folder.path());
  result.data.test = result.data.train;
  result.data.test.list.path = folder / "test.txt";
  result.train.epochs = 1;
  result.train.batch_size = kShotClips;
  return result;
}

}  // namespace actionclip
