#include "actionclip/train/bottleneck.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include <fmt/format.h>

namespace actionclip {
namespace {

constexpr double kNotable = 0.1;  // a share of the time that is worth a change
constexpr double kBusy =
    0.5;  // a share of their time that workers work for at least, where they are the limit

std::string percent(double share) {
  constexpr double kPercent = 100;
  return fmt::format("{:.0f} %", kPercent * share);
}

}  // namespace

RunSetup run_setup(const Experiment& experiment, std::int64_t machine_ranks) {
  return {.workers = experiment.data.num_workers,
          .prefetch = experiment.data.prefetch,
          .cores = std::max<std::int64_t>(1, std::thread::hardware_concurrency()),
          .machine_ranks = machine_ranks,
          .full_precision = experiment.train.precision == Precision::fp32,
          .frame_folders = experiment.data.train.format == ListFormat::frames};
}

void Bottleneck::add(const StepTimes& step) {
  if (++steps_ == 1) return;
  sum_.whole += step.whole;
  sum_.waiting += step.waiting;
  sum_.communication += step.communication;
  sum_.cpu += step.cpu;
  sum_.load += step.load;
}

std::optional<Bottleneck::Verdict> Bottleneck::verdict() const {
  if (steps_ < kLeastSteps || sum_.whole <= 0) return std::nullopt;
  const double waiting = std::clamp(sum_.waiting / sum_.whole, 0.0, 1.0);
  const double communication = std::clamp(sum_.communication / sum_.whole, 0.0, 1.0 - waiting);
  Verdict verdict;
  if (waiting >= kNotable && waiting >= communication) {
    verdict = verdict_of_loading(waiting);
  } else if (communication >= kNotable) {
    verdict.limited_by = "communication";
    verdict.sentence = fmt::format(
        "communication limited the run: the ranks waited {} of the time for the network and for each other; "
        "let them speak less often by a larger train.batch_size, or find a slow one below `ranks` in "
        "metrics.jsonl",
        percent(communication));
  } else {
    verdict.limited_by = "computing";
    verdict.sentence = fmt::format(
        "computing limited the run: it took {} of the time; {}more or faster devices (--nproc) shorten it",
        percent(1 - waiting - communication), setup_.full_precision ? "train.precision: bf16, or " : "");
  }
  verdict.waiting = waiting;
  verdict.communication = communication;
  return verdict;
}

Bottleneck::Verdict Bottleneck::verdict_of_loading(double waiting) const {
  Verdict verdict;
  const auto& load = sum_.load;
  const auto threads = static_cast<double>(std::max<std::int64_t>(1, setup_.workers));
  const double busy = load.total() / (threads * sum_.whole);
  std::string change;
  if (setup_.workers > 0 && busy < kBusy) {
    verdict.limited_by = "prefetching";
    change = fmt::format("its workers stood still for {} of it: raise data.prefetch from {}",
                         percent(1 - busy), setup_.prefetch);
  } else if (load.read >= std::max(load.decode, load.transform)) {
    verdict.limited_by = "reading";
    change = fmt::format(
        "move the videos to a faster or nearer disk, or raise data.num_workers from {}, as a worker that "
        "reads needs no core",
        setup_.workers);
  } else if (load.decode >= load.transform) {
    verdict.limited_by = "decoding";
    change =
        more_workers() +
        (setup_.frame_folders
             ? "if the frames are larger, scale them down to a short side of 256 pixels"
             : "if the videos are larger, scale them down to a short side of 256 pixels (as frames, with "
               "`actionclip dataset extract`)");
  } else {
    verdict.limited_by = "transforming";
    change = more_workers() + "leave out the dearest of data.transforms (rand_augment, color_jitter, blur)";
  }
  verdict.sentence = fmt::format("{} limited the run: it waited {} of the time for clips; {}",
                                 verdict.limited_by, percent(waiting), change);
  return verdict;
}

// Where cores have nothing to do; else that none has.
std::string Bottleneck::more_workers() const {
  const double busy = sum_.cpu / sum_.whole * static_cast<double>(setup_.machine_ranks);
  const auto idle = static_cast<std::int64_t>(std::floor(static_cast<double>(setup_.cores) - busy));
  if (idle < 1) return "no core is idle, so ";
  return fmt::format("raise data.num_workers from {} ({} {} idle), or ", setup_.workers, idle,
                     idle == 1 ? "core is" : "cores are");
}

nlohmann::ordered_json Bottleneck::Verdict::to_json() const {
  return {{"limited_by", limited_by},
          {"data_wait_fraction", waiting},
          {"communication_fraction", communication},
          {"advice", sentence}};
}

}  // namespace actionclip
