// Times the training step (Learner::step) on random clips and texts that are in memory: a run's without
// loader and log. Prints one line of JSON; train_step.py prints the same for the step written in Python. See
// compare_steps.sh.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/DeviceAccelerator.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "actionclip/core/error.h"
#include "actionclip/core/statistics.h"
#include "actionclip/model/cost.h"
#include "actionclip/train/learner.h"
#include "actionclip/weights/initialize.h"
#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/state_dict.h"
#include "actionclip/weights/tensor_convert.h"

#include "tools/bench/process_memory.h"
#include "tools/bench/run_benchmark.h"
#include "tools/device_option.h"

namespace actionclip {
namespace {

struct StepOptions {
  std::string arch = "ViT-B/32";
  std::int64_t videos = 4;
  std::int64_t frames = 8;
  std::int64_t text_length = 0;  // tokens of each text; 0: kShortestText to kLongestText
  std::int64_t steps = 5;        // timed, behind those that warm up
  Precision precision = Precision::fp32;
  bool activation_checkpointing = false;
  TrainTask task = TrainTask::finetune;
  double lr = 5e-6;
  std::string device = "auto";
  bool measure_peak = false;
  std::filesystem::path load;  // a folder of weights and inputs; empty: random ones
};

// Start and end tokens included: what label sentences come to ("a photo of action riding a bike" is 9).
constexpr std::int64_t kShortestText = 8;
constexpr std::int64_t kLongestText = 14;

// One step warms up; in fp16 more, so many at most, until the loss scale is small enough for the gradients.
constexpr std::int64_t kMostWarmUp = 40;

struct Timings {
  std::vector<double> losses;                    // of every step, those that warm up first
  std::vector<double> seconds;                   // of the timed steps
  std::map<std::string, double> gradient_norms;  // of the first step, by parameter
};

TrainBatch random_inputs(const StepOptions& options, const ActionClipConfig& model) {
  const std::int64_t size = model.vision.image_size, words = model.text.vocabulary_size - 2;
  TrainBatch inputs;
  inputs.clips = at::randint(0, 256, {options.videos, options.frames, 3, size, size}, at::kByte);
  inputs.label_ids = at::arange(options.videos);
  inputs.tokens = at::zeros({options.videos, model.text.context_length}, at::kLong);
  for (std::int64_t i = 0; i < options.videos; ++i) {
    const std::int64_t length =
        options.text_length > 0 ? options.text_length : kLongestText - i % (kLongestText - kShortestText + 1);
    auto row = inputs.tokens[i].narrow(0, 0, length);
    row.copy_(at::randint(1, words, {length}, at::kLong));
    row[0] = words;
    row[length - 1] = words + 1;
  }
  return inputs;
}

TrainBatch load_inputs(const std::filesystem::path& path) {
  const TensorFile file = read_safetensors(path);
  const auto read = [&](const char* name) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end())
      throw Error(fmt::format("{}: tensor '{}' is missing", path.string(), name));
    return to_tensor(found->second);
  };
  return {.clips = read("clips"), .tokens = read("tokens"), .label_ids = read("label_ids")};
}

ActionClip make_model(const StepOptions& options) {
  if (!options.load.empty())
    return build_model(load_weights(options.load / "weights.safetensors", options.frames));
  ModelConfig config;
  config.arch = options.arch;
  config.frames = options.frames;
  config.init = {.image = InitSource::random, .text = InitSource::random};
  return build_model(config, /*seed=*/1);
}

TrainConfig train_config(const StepOptions& options) {
  TrainConfig config;
  config.task = options.task;
  config.precision = options.precision;
  config.activation_checkpointing = options.activation_checkpointing;
  config.lr = options.lr;
  return config;
}

void synchronize(c10::Device device) {
  if (device.is_cuda()) at::accelerator::synchronizeDevice(device.index());
}

double seconds_of(c10::Device device, const std::function<void()>& work) {
  synchronize(device);
  const auto start = std::chrono::steady_clock::now();
  work();
  synchronize(device);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::map<std::string, double> gradient_norms(const ActionClip& model) {
  std::map<std::string, double> norms;
  for (const auto& parameter : model->named_parameters()) {
    const auto& gradient = parameter.value().grad();
    if (gradient.defined()) norms[parameter.key()] = gradient.norm().item<double>();
  }
  return norms;
}

Timings run_steps(Learner& learner, const TrainBatch& inputs, const StepOptions& options) {
  Timings timings;
  StepReport report;
  const auto step = [&] { report = learner.step(options.lr, [&] { return inputs; }); };
  const auto timed_step = [&] {
    const double seconds = seconds_of(learner.model()->device(), step);
    timings.losses.push_back(report.loss);
    return seconds;
  };
  for (std::int64_t i = 0; i < kMostWarmUp; ++i) {
    timed_step();
    if (i == 0) timings.gradient_norms = gradient_norms(learner.model());
    if (report.finite) break;
  }
  for (std::int64_t i = 0; i < options.steps; ++i) timings.seconds.push_back(timed_step());
  if (!report.finite) throw Error("the gradients are not finite");
  return timings;
}

// Floating-point operations of a step.
double step_flops(const ActionClipConfig& sizes, const TrainBatch& inputs, const StepOptions& options) {
  StepSettings step;
  step.batch_size = inputs.clips.size(0);
  step.frames = inputs.clips.size(1);
  step.text_length = inputs.tokens.argmax(-1).max().item<std::int64_t>() + 1;
  step.trained = trained_parts(train_config(options), /*fix_text=*/false, /*classifier=*/false);
  step.activation_checkpointing = options.activation_checkpointing;
  return training_flops(sizes, step).total();
}

at::ScalarType scalar_type(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return at::kFloat;
    case Precision::bf16:
      return at::kBFloat16;
    case Precision::fp16:
      return at::kHalf;
  }
  throw Error("unknown precision");
}

// What the device gives at best: floating-point operations a second of products of big matrices, the fastest
// of some rounds.
double measured_peak(c10::Device device, Precision precision) {
  constexpr int kRounds = 6, kProducts = 4;  // the first round warms up
  const std::int64_t size = device.is_cuda() ? 8192 : 2048;
  const auto options = at::TensorOptions(device).dtype(scalar_type(precision));
  const auto a = at::randn({size, size}, options), b = at::randn({size, size}, options);
  auto product = at::empty({size, size}, options);
  double fastest = std::numeric_limits<double>::infinity();
  for (int round = 0; round < kRounds; ++round) {
    fastest = std::min(fastest, seconds_of(device, [&] {
                         for (int i = 0; i < kProducts; ++i) at::mm_out(product, a, b);
                       }));
  }
  return kProducts * 2 * std::pow(static_cast<double>(size), 3) / fastest;
}

std::int64_t peak_device_memory(c10::Device device) {
  if (!device.is_cuda()) return 0;
  return c10::getDeviceAllocator(device.type())->getDeviceStats(device.index()).allocated_bytes[0].peak;
}

nlohmann::ordered_json run(const StepOptions& options) {
  const std::int64_t resident = process_memory("VmRSS");
  const c10::Device device = choose_device(options.device);
  Learner learner(make_model(options), train_config(options), /*fix_text=*/false, device);
  const TrainBatch inputs = options.load.empty() ? random_inputs(options, learner.model()->config())
                                                 : load_inputs(options.load / "inputs.safetensors");
  const Timings timings = run_steps(learner, inputs, options);
  const std::int64_t peak = process_memory("VmHWM");
  const double seconds = median_of(timings.seconds);
  const double flops = step_flops(learner.model()->config(), inputs, options);
  nlohmann::ordered_json result = {
      {"program", "actionclip"},
      {"torch", TORCH_VERSION},
      {"device", device.str()},
      {"threads", at::get_num_threads()},
      {"arch", options.load.empty() ? options.arch : options.load.string()},
      {"videos", inputs.clips.size(0)},
      {"frames", inputs.clips.size(1)},
      {"seconds", seconds},
      {"seconds_min", *std::min_element(timings.seconds.begin(), timings.seconds.end())},
      {"steps", timings.seconds.size()},
      {"losses", timings.losses},
      {"memory_added", peak - resident},
      {"memory_peak", peak},
      {"device_memory_peak", peak_device_memory(device)},
      {"flops", flops},
      {"tflops", flops / seconds * 1e-12},
  };
  if (options.measure_peak) {
    const double best = measured_peak(device, options.precision);
    result["peak_tflops"] = best * 1e-12;
    result["share_of_peak"] = flops / seconds / best;
  }
  if (!options.load.empty()) result["gradient_norms"] = timings.gradient_norms;
  return result;
}

StepOptions parse(CLI::App& program, int argc, char** argv) {
  const std::map<std::string, Precision> precisions = {
      {"fp32", Precision::fp32}, {"bf16", Precision::bf16}, {"fp16", Precision::fp16}};
  const std::map<std::string, TrainTask> tasks = {{"finetune", TrainTask::finetune},
                                                  {"prompt", TrainTask::prompt}};
  StepOptions options;
  program.add_option("--arch", options.arch, "the architecture")
      ->check(CLI::IsMember(architecture_names()))
      ->capture_default_str();
  program.add_option("--videos", options.videos, "videos a step")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  program.add_option("--frames", options.frames, "frames a video")
      ->check(CLI::Range(1, 77))
      ->capture_default_str();
  program
      .add_option("--text-length", options.text_length,
                  "tokens of each text, 77 at most; 0: 8 to 14, as label sentences have")
      ->check(CLI::IsMember({0}) | CLI::Range(2, 77))
      ->capture_default_str();
  program.add_option("--steps", options.steps, "timed steps, behind those that warm up")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  program.add_option("--precision", options.precision, "what is computed in")
      ->transform(CLI::CheckedTransformer(precisions))
      ->option_text("fp32|bf16|fp16 [fp32]");
  program.add_flag("--activation-checkpointing", options.activation_checkpointing,
                   "blocks keep their input alone and are computed twice");
  program.add_option("--task", options.task, "what learns: everything, or the fusion head alone")
      ->transform(CLI::CheckedTransformer(tasks))
      ->option_text("finetune|prompt [finetune]");
  program.add_option("--lr", options.lr, "the learning rate")
      ->check(CLI::Range(1e-6, 1e3))
      ->capture_default_str();
  add_device_option(program, options.device);
  program.add_flag("--measure-peak", options.measure_peak,
                   "also time products of big matrices, and say which share of their speed the step reaches");
  program
      .add_option("--load", options.load,
                  "a folder with weights.safetensors and inputs.safetensors, instead of random ones")
      ->check(CLI::ExistingDirectory);
  program.parse(argc, argv);
  return options;
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  using namespace actionclip;
  CLI::App program("Times the training step on random clips; prints one line of JSON.",
                   "train_step_benchmark");
  return run_benchmark(program, [&] { fmt::print("{}\n", run(parse(program, argc, argv)).dump()); });
}
