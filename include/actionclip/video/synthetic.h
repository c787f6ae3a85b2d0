// Synthetic data to try the whole method on without a download: short clips of one coloured shape in motion,
// as H.264 MP4 files, and stills with captions for pre-training.
//
// A label is a sentence, colour x shape x motion: "a red arrow moving left". The 4 x 4 x 12 sentences come in
// pairs whose motions are each other's reversal in time (left and right, growing and shrinking ...): a clip
// of one is distributed exactly as a clip of the other played backwards, so that only the order of the frames
// tells them apart. 20 of the 96 pairs are held out for zero-shot; every colour, shape and motion, and any
// two of them together, still occur in training. Few-shot has 10 classes of its own: 5 motions that occur
// nowhere else, each with a subject that training knows (red heart) and one that it does not (purple star).
// Words that a model never saw tell it nothing, so without examples it can at best tell the two subjects
// apart (20 %), and the clips have to teach the rest.
#pragma once

#include <cstdint>
#include <filesystem>

namespace actionclip {

struct SyntheticConfig {
  std::uint64_t seed = 1024;
  std::int64_t train_clips = 3000;
  std::int64_t val_clips = 304;
  std::int64_t test_clips = 600;
  std::int64_t zero_shot_clips = 400;
  std::int64_t few_shot_train_clips = 16;  // a class
  std::int64_t few_shot_test_clips = 20;   // a class
  std::int64_t stills = 10000;
  std::int64_t frame_size = 64;  // pixels, both sides; even
  std::int64_t frames_per_clip = 16;
  int threads = 2;  // does not change the result

  // Throws Error naming the first setting that cannot be used.
  void check() const;
};

// Writes into the folder `output`:
//   labels.csv, zero_shot_labels.csv, few_shot_labels.csv
//       `id,name,motion,pair`; pair: the class of the clip played backwards (its own id for few-shot's
//       motions)
//   train.txt, val.txt, test.txt (labels.csv), zero_shot.txt, few_shot_train.txt, few_shot_test.txt
//       lines `PATH LABEL_ID`
//   captions.csv
//       `path,caption` of the stills
//   videos/<list's name>/NNNNN.mp4, stills/NNNNN.jpg, README.txt, settings.json
// The same settings give the same bytes. The folder appears whole or not at all; one that was made with the
// same settings is left as it is; what a killed run left beside it is removed. Throws Error if `output`
// exists and holds anything else, or if a file cannot be written.
void synthesize(const SyntheticConfig& config, const std::filesystem::path& output);

}  // namespace actionclip
