#include "throughput.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <fmt/format.h>

namespace actionclip {
namespace {

std::vector<double> shares(const std::vector<double>& parts, double whole) {
  std::vector<double> result;
  for (const double part : parts) result.push_back(std::clamp(part / whole, 0.0, 1.0));
  return result;
}

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

double mean(const std::vector<double>& values) { return sum(values) / static_cast<double>(values.size()); }

}  // namespace

Throughput::Throughput(const StepReport& report, std::int64_t videos, double seconds)
    : data_wait_(shares(report.data_wait, seconds)),
      communication_(shares(report.communication, seconds)),
      load_(report.load),
      waited_(sum(report.data_wait)),
      videos_per_second_(static_cast<double>(videos) / seconds) {}

nlohmann::ordered_json Throughput::to_json() const {
  nlohmann::ordered_json record = {
      {"videos_per_second", videos_per_second_},
      {"data_wait_fraction", mean(data_wait_)},
      {"communication_fraction", mean(communication_)},
      {"data",
       {{"read", load_.read}, {"decode", load_.decode}, {"transform", load_.transform}, {"wait", waited_}}}};
  const auto ranks = static_cast<double>(communication_.size());
  if (ranks == 1) return record;
  constexpr double kLeast = 1e-3;  // of the time: no rank does nothing but wait
  std::vector<double> speeds;
  for (const double share : communication_)
    speeds.push_back(videos_per_second_ / ranks / std::max(kLeast, 1 - share));
  record["ranks"] = {{"videos_per_second", speeds},
                     {"data_wait_fraction", data_wait_},
                     {"communication_fraction", communication_}};
  return record;
}

std::string Throughput::describe() const {
  constexpr double kPercent = 100;
  auto text = fmt::format("{:.1f} videos a second", videos_per_second_);
  const auto ranks = communication_.size();
  if (ranks > 1) text += fmt::format(" ({:.1f} a rank)", videos_per_second_ / static_cast<double>(ranks));
  text += fmt::format(", {:.0f} % of the time waiting for data", kPercent * mean(data_wait_));
  if (ranks > 1) text += fmt::format(", {:.0f} % in communication", kPercent * mean(communication_));
  return text;
}

StepTimes step_times(const StepReport& report, double seconds, double cpu_seconds) {
  const auto ranks = static_cast<double>(report.data_wait.size());
  const auto& load = report.load;
  return {.whole = seconds,
          .waiting = mean(report.data_wait),
          .communication = mean(report.communication),
          .cpu = cpu_seconds,
          .load = {
              .read = load.read / ranks, .decode = load.decode / ranks, .transform = load.transform / ranks}};
}

}  // namespace actionclip
