// actionclip dataset extract: videos as folders of frames.

#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/exit_code.h"
#include "actionclip/core/json_text.h"
#include "actionclip/video/extract.h"

#include "tools/dataset_commands.h"

namespace actionclip {
namespace {

struct Options {
  ListOptions list;
  ExtractOptions extract;
  std::string output;
  bool json = false;
};

nlohmann::ordered_json to_json(const ExtractReport& report) {
  auto failed = nlohmann::ordered_json::array();
  for (const auto& [video, reason] : report.failed) {
    failed.push_back({{"video", video.string()}, {"error", reason}});
  }
  return {
      {"videos", report.videos}, {"skipped", report.skipped}, {"frames", report.frames}, {"failed", failed}};
}

int extract(const Options& options) {
  const auto report = extract_frames(options.list.read(), options.extract, options.output);
  if (options.json) {
    fmt::print("{}\n", json_text(to_json(report)));
  } else {
    for (const auto& failed : report.failed) fmt::print("failed: {}\n", failed.reason);
    fmt::print("{}: {} videos, {} frames; {} were there before, {} failed\n", options.output, report.videos,
               report.frames, report.skipped, report.failed.size());
  }
  return report.failed.empty() ? kExitDone : kExitError;
}

}  // namespace

void add_dataset_extract(CLI::App& dataset, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = dataset.add_subcommand(
      "extract", "decode videos into folders of JPEG frames, and make a list of those");
  options->list.add_to(*command, /*required=*/true);
  command->add_option("--output", options->output, "folder of the frames")->required();
  command
      ->add_option("--short-side", options->extract.short_side,
                   "pixels that larger frames are resized to (bicubic, as Pillow); 0: as they are")
      ->check(CLI::Range(0, 8192))
      ->capture_default_str();
  command->add_option("--quality", options->extract.quality, "of the JPEG files, 1 to 100")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option("--video-seconds", options->extract.seconds, "that a video may take; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_workers_option(*command, options->extract.workers);
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Example:\n  actionclip dataset extract --list data/ucf101/lists/train.txt --root data/ucf101/UCF-101 "
      "--short-side 256 --output data/ucf101/frames\n"
      "Give the same command again to go on where it was stopped. A video that cannot be decoded is "
      "reported, "
      "and the exit code is 1.\nThe list of frame folders lies in --output, under the name of --list.");
  command->callback([options, &exit_code] { exit_code = extract(*options); });
}

}  // namespace actionclip
