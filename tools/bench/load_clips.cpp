// Training clips a second that a loader makes with so many workers, each number in turn. Prints a table. See
// load_clips.sh.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/memory.h"
#include "actionclip/core/statistics.h"
#include "actionclip/text/labels.h"
#include "actionclip/video/dataset.h"
#include "actionclip/video/loader.h"
#include "actionclip/video/video_list.h"

#include "tools/bench/run_benchmark.h"

namespace actionclip {
namespace {

struct Options {
  DatasetConfig list;
  std::filesystem::path labels;
  std::vector<std::int64_t> workers = {1, 2};
  std::int64_t rounds = 5;
  std::int64_t frames = 8;
  std::int64_t input_size = 224;
  std::int64_t batch_size = 8;
};

// Clips a second of one epoch.
double rate(const ClipDataset& dataset, const Options& options, std::int64_t workers, std::int64_t epoch) {
  Loader loader(dataset, {.batch_size = options.batch_size, .workers = workers, .drop_last = true});
  const auto start = std::chrono::steady_clock::now();
  std::int64_t clips = 0;
  loader.start_epoch(epoch);
  while (const auto batch = loader.next()) clips += batch->label_ids.size(0);
  return static_cast<double>(clips) /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void measure(const Options& options) {
  const auto labels = read_labels(options.labels);
  ClipDatasetOptions clips;
  clips.frames = options.frames;
  clips.classes = labels.size();
  clips.transforms = resolve(TransformConfig(), options.input_size);
  const ClipDataset dataset(read_video_list(options.list, &labels), clips);
  rate(dataset, options, options.workers.front(), 0);  // what is found out once is known then
  std::vector<std::vector<double>> rates(options.workers.size());
  for (std::int64_t round = 0; round < options.rounds; ++round) {
    for (std::size_t i = 0; i < rates.size(); ++i)
      rates[i].push_back(rate(dataset, options, options.workers[i], round + 1));
  }
  if (dataset.failed_count() > 0) throw Error(fmt::format("{} videos failed", dataset.failed_count()));
  fmt::print("workers  clips/s  ratio\n");
  const double first = median_of(rates.front());
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const double own = median_of(rates[i]);
    fmt::print("{:>7}  {:>7.1f}  {:>5.2f}\n", options.workers[i], own, own / first);
  }
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  using namespace actionclip;
  CLI::App program("Times a loader's epochs through a list of videos with different numbers of workers.",
                   "load_clips_benchmark");
  Options options;
  program.add_option("list", options.list.list.path, "list of videos, lines PATH LABEL_ID")->required();
  program.add_option("--labels", options.labels, "file of labels")->required();
  program.add_option("--workers", options.workers, "numbers of threads")->delimiter(',');
  program.add_option("--rounds", options.rounds, "epochs for each number; the median counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  program.add_option("--frames", options.frames, "of a clip")->capture_default_str();
  program.add_option("--batch-size", options.batch_size, "clips")->capture_default_str();
  return run_benchmark(program, [&] {
    program.parse(argc, argv);
    at::set_num_threads(1);  // of libtorch's own: the workers alone are compared
    keep_freed_memory();     // as the program does
    measure(options);
  });
}
