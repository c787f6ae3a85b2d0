// report.html: what a run measured, in one file for people. Torch-free.
//
// The page holds all that it shows (style, script, drawings, pictures) and asks no network for anything; it
// can be read without its script, in light and in dark.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "actionclip/protocols/run_record.h"

namespace actionclip {

// A video of the split that was scored, as the model saw it.
struct ExampleClip {
  std::string path;   // as its list has it
  std::string truth;  // label; several of a multi-label list, with commas
  std::string predicted;
  double probability = 0;        // of `predicted`
  double truth_probability = 0;  // of `truth`; of several, of the least probable
  bool right = false;            // `predicted` is true
  std::string jpeg;              // its frames side by side
  std::int64_t width = 0;        // of that, in pixels
};

struct ExampleClips {
  std::vector<ExampleClip> clips;
  std::string absence;  // why there are none, or fewer: a sentence; may be empty
};

// Some videos that were given their label, and some that were not with the highest confidence, of different
// classes where there are enough; their frames are read from where the run's settings say the videos lie.
// Reads a few videos, and never throws for what is not there any more: `absence` tells.
ExampleClips find_examples(const RunRecord& run);

// The page. Under 5 MB whatever the run holds: what is too much is left out, and the page says so.
std::string report_html(const RunRecord& run, const ExampleClips& examples);

// read_run(), find_examples() and report_html() into `output`, which appears whole or not at all. Throws
// Error as read_run() does, or if the file cannot be written.
void write_report(const std::filesystem::path& run_folder, const std::filesystem::path& output);

// The same into the folder's own report.html; logs a warning instead of throwing, as the results that it
// tells of are safe.
void write_report_or_warn(const std::filesystem::path& run_folder);

}  // namespace actionclip
