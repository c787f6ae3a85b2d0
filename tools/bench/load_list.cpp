// How long a training loader of a long list takes to its first batch, and what memory it has added by then.
// Prints one line of JSON. With --remember it fills the cache beside the list instead, as an epoch through
// all of its videos, which are one, would. See load_list.sh.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/describe/enum_from_string.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/text/labels.h"
#include "actionclip/video/dataset.h"
#include "actionclip/video/frame_index_cache.h"
#include "actionclip/video/loader.h"
#include "actionclip/video/open_source.h"
#include "actionclip/video/video_list.h"

#include "tools/bench/process_memory.h"
#include "tools/bench/run_benchmark.h"

namespace actionclip {
namespace {

struct Options {
  DatasetConfig list;
  std::filesystem::path labels;
  std::int64_t frames = 8;
  std::int64_t input_size = 224;
  std::int64_t batch_size = 16;
  bool remember = false;
};

class Clock {
 public:
  // Since the last call, or the making of the clock.
  double seconds() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

ClipDatasetOptions dataset_options(const Options& options, const LabelSet& labels) {
  ClipDatasetOptions result;
  result.frames = options.frames;
  result.classes = labels.size();
  result.transforms = resolve(TransformConfig(), options.input_size);
  return result;
}

// Without workers, so that nothing is decoded before the first batch is asked for.
LoaderOptions loader_options(const Options& options) {
  return {.batch_size = options.batch_size, .shuffle = true, .drop_last = true};
}

nlohmann::ordered_json measure(const Options& options) {
  const auto labels = read_labels(options.labels);
  const auto resident = process_memory("VmRSS");
  const auto added = [&](const char* key) { return process_memory(key) - resident; };
  Clock clock;
  auto list = read_video_list(options.list, &labels);
  nlohmann::ordered_json result = {{"videos", list.size()}, {"list_seconds", clock.seconds()}};
  const ClipDataset dataset(std::move(list), dataset_options(options, labels));
  Loader loader(dataset, loader_options(options));
  loader.start_epoch(0);
  result["loader_seconds"] = clock.seconds();
  result["memory_peak"] = added("VmHWM");
  result["memory_kept"] = added("VmRSS");
  const auto batch = loader.next();
  result["first_batch_seconds"] = clock.seconds();
  result["failed"] = dataset.failed_count();
  return result;
}

// All of load_list.sh's paths lead to one video, which is thus read but once.
void remember(const Options& options) {
  const auto labels = read_labels(options.labels);
  const auto list = read_video_list(options.list, &labels);
  const auto first_frame = [](std::int64_t /*n*/) { return std::vector<std::int64_t>{0}; };
  const auto chosen = open_frames(list.entry(0), list.config())->read_chosen(first_frame);
  const auto index = chosen.index.value_or(FrameIndex(chosen.frame_count));
  FrameIndexCache cache(frame_index_file(list.file()));
  for (std::int64_t i = 0; i < list.size(); ++i) cache.put(list.entry(i).path, index);
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  using namespace actionclip;
  CLI::App program(
      "Times the start of a loader of a long list of videos, and measures its memory; prints JSON.",
      "load_list_benchmark");
  Options options;
  std::string format = "video";
  program.add_option("list", options.list.list.path, "list of videos")->required();
  program.add_option("--format", format, "of the list, as data.train.format")->capture_default_str();
  program.add_option("--root", options.list.root.path, "folder that its paths are relative to");
  program.add_option("--labels", options.labels, "file of labels")->required();
  program.add_option("--frames", options.frames, "of a clip")->capture_default_str();
  program.add_option("--batch-size", options.batch_size, "clips")->capture_default_str();
  program.add_flag("--remember", options.remember, "fill the cache beside the list");
  return run_benchmark(program, [&] {
    program.parse(argc, argv);
    if (!boost::describe::enum_from_string(format.c_str(), options.list.format))
      throw Error("--format: unknown: " + format);
    if (options.remember) {
      remember(options);
    } else {
      fmt::print("{}\n", measure(options).dump());
    }
  });
}
