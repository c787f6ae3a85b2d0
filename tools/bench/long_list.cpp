// Times the reading of a list of videos, and measures the memory it takes. Prints one line of JSON. See
// long_list.sh.

#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/text/labels.h"
#include "actionclip/video/video_list.h"

#include "tools/bench/process_memory.h"
#include "tools/bench/run_benchmark.h"

namespace actionclip {
namespace {

// By their names in the settings.
std::map<std::string, ListFormat> formats() {
  std::map<std::string, ListFormat> formats;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<ListFormat>>(
      [&](auto format) { formats.emplace(format.name, format.value); });
  return formats;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void measure(const DatasetConfig& config, const LabelSet& labels) {
  const std::int64_t resident = process_memory("VmRSS");
  const std::clock_t cpu_start = std::clock();
  auto start = std::chrono::steady_clock::now();
  const auto list = read_video_list(config, &labels);
  const double read_seconds = seconds_since(start);
  const double cpu_seconds = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  const std::int64_t kept = process_memory("VmRSS") - resident;

  start = std::chrono::steady_clock::now();
  std::int64_t path_bytes = 0;
  for (std::int64_t i = 0; i < list.size(); ++i)
    path_bytes += static_cast<std::int64_t>(list.entry(i).path.native().size());
  const double entry_seconds = seconds_since(start);

  const nlohmann::ordered_json result = {{"videos", list.size()},
                                         {"path_bytes", path_bytes},
                                         {"seconds", read_seconds},
                                         {"cpu_seconds", cpu_seconds},
                                         {"entry_seconds", entry_seconds},
                                         {"memory_kept", kept},
                                         {"memory_added", process_memory("VmHWM") - resident}};
  fmt::print("{}\n", result.dump());
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  using namespace actionclip;
  CLI::App program("Times the reading of a list of videos; prints one line of JSON.", "long_list_benchmark");
  DatasetConfig config;
  std::filesystem::path labels;
  program.add_option("format", config.format, "what the list is")
      ->transform(CLI::CheckedTransformer(formats()))
      ->required();
  program.add_option("list", config.list.path, "the list")->check(CLI::ExistingPath)->required();
  program.add_option("labels", labels, "its labels")->check(CLI::ExistingFile)->required();
  return run_benchmark(program, [&] {
    program.parse(argc, argv);
    measure(config, read_labels(labels));
  });
}
