#include "actionclip/train/published_config.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/config/reader.h"
#include "actionclip/text/templates.h"
#include "actionclip/train/experiment.h"

#include "published_settings.h"

namespace actionclip {
namespace {

using detail::PublishedConfig;
using detail::PublishedFile;

// YAML reads JSON's texts; those of a comment must stay on its line.
std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

template <typename Enum>
std::string name_of(Enum value) {
  return boost::describe::enum_to_string(value, "");
}

// The mapped settings, line by line.
class Writer {
 public:
  void comment(std::string_view text) { text_ += fmt::format("{}# {}\n", indent(), text); }
  // What a run does otherwise than one of the published code.
  void difference(std::string_view text) { comment(fmt::format("differs: {}", text)); }

  template <typename T>
  void set(std::string_view key, const T& value, std::string_view from) {
    text_ += fmt::format("{}{}: {}", indent(), key, value);
    text_ += from.empty() ? "\n" : fmt::format("  # {}\n", from);
  }

  void open(std::string_view key) {
    text_ += fmt::format("{}{}:\n", indent(), key);
    ++depth_;
  }
  void close() { --depth_; }

  std::string take() { return std::move(text_); }

 private:
  std::string indent() const { return std::string(static_cast<std::size_t>(2 * depth_), ' '); }

  std::string text_;
  int depth_ = 0;
};

// OpenAI's name of the file of an architecture's weights.
std::string weights_name(std::string arch) {
  std::ranges::replace(arch, '/', '-');
  std::ranges::replace(arch, '@', '-');
  return arch + ".pt";
}

void map_start(const PublishedConfig& from, Writer& to) {
  if (from.pretrain && !from.pretrain->empty()) {
    to.comment("Read whole: the fusion head comes from it too, where it holds one of the same kind.");
    to.set("weights", quoted(*from.pretrain), "pretrain");
  } else if (from.network.init.value_or(true)) {
    to.difference("nothing is downloaded: put OpenAI's file of the architecture there");
    to.set("weights", quoted("weights/" + weights_name(*from.network.arch)), "network.init");
  } else {
    to.set("init", "{image: random, text: random}", "network.init");
  }
}

void map_fusion(const PublishedConfig& from, Writer& to) {
  const auto& network = from.network;
  const bool joint = network.joint.value_or(false);
  if (joint) {
    to.difference("as the paper describes it; the published code for it does not run");
    to.set("joint", true, "network.joint");
  }
  if (joint && network.sim_header != FusionType::meanP) {
    to.difference("joint space-time gives one vector a video, which leaves a head nothing to fuse");
    to.set("fusion", "meanP", "network.sim_header");
  } else if (network.sim_header) {
    to.set("fusion", name_of(*network.sim_header), "network.sim_header");
  }
  if (!joint && network.sim_header == FusionType::Conv_1D) {
    to.comment("`time`, the default, transposes the frames as the paper means it.");
    to.set("conv1d_layout", "published", "");
  }
}

void map_model(const PublishedConfig& from, Writer& to) {
  const auto& network = from.network;
  to.open("model");
  to.set("arch", quoted(*network.arch), "network.arch");
  map_start(from, to);
  if (from.data.num_segments) to.set("frames", *from.data.num_segments, "data.num_segments");
  map_fusion(from, to);
  if (network.tsm) to.set("temporal_shift", *network.tsm, "network.tsm");
  if (network.drop_out) {
    to.set("drop_path", *network.drop_out, "network.drop_out");
    to.set("text_drop_path", *network.drop_out, "network.drop_out");
  }
  if (network.emb_dropout) to.set("embedding_dropout", *network.emb_dropout, "network.emb_dropout");
  to.close();
}

void map_text(const PublishedConfig& from, Writer& to) {
  to.open("text");
  to.comment("The 16 templates of the method.");
  to.set("templates", quoted(default_templates_path().string()), "");
  if (from.network.fix_text) to.set("fix_text", *from.network.fix_text, "network.fix_text");
  to.close();
}

void map_split(const PublishedConfig& from, const char* split, const std::string& list, const char* key,
               Writer& to) {
  to.open(split);
  to.set("list", quoted(list), key);
  to.set("format", "frames", "");
  if (from.data.image_tmpl) to.set("frame_pattern", quoted(*from.data.image_tmpl), "data.image_tmpl");
  if (from.data.index_bias) to.set("index_bias", *from.data.index_bias, "data.index_bias");
  to.close();
}

bool mirrors(const PublishedConfig& from) {
  const auto dataset = from.data.dataset.value_or("");
  return dataset.find("something") == std::string::npos && dataset.find("sth") == std::string::npos;
}

void map_transforms(const PublishedConfig& from, Writer& to) {
  to.open("transforms");
  if (from.data.input_size) to.set("input_size", *from.data.input_size, "data.input_size");
  if (from.data.randaug) {
    to.comment("Drawn for each frame, as the published code does; per_frame: false draws once a clip.");
    to.set("rand_augment",
           fmt::format("{{operations: {}, magnitude: {}, per_frame: true}}", from.data.randaug->N,
                       from.data.randaug->M),
           "data.randaug: N, M");
  }
  if (!mirrors(from)) to.set("flip", 0, "data.dataset: labels that tell left from right");
  to.comment("The published code has these two without a key.");
  to.set("color_jitter",
         "{probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1, per_frame: true}",
         "");
  to.set("grayscale", 0.2, "");
  to.close();
}

void map_data(const PublishedConfig& from, Writer& to) {
  const auto& data = from.data;
  to.comment(
      "Paths as in the published file, whose code starts from its own folder; here they are relative to");
  to.comment("the file they stand in.");
  to.open("data");
  if (data.label_list) to.set("labels", quoted(*data.label_list), "data.label_list");
  if (data.train_list) map_split(from, "train", *data.train_list, "data.train_list", to);
  if (data.val_list) {
    map_split(from, "val", *data.val_list, "data.val_list", to);
    map_split(from, "test", *data.val_list, "data.val_list", to);
  }
  if (data.workers) to.set("num_workers", *data.workers, "data.workers: threads, not processes");
  map_transforms(from, to);
  to.close();
}

void map_optimizer(const PublishedConfig& from, Writer& to) {
  const auto& solver = from.solver;
  if (solver.optim || solver.momentum || solver.weight_decay) {
    to.open("optimizer");
    if (solver.optim) to.set("kind", name_of(*solver.optim), "solver.optim");
    if (solver.momentum) to.set("momentum", *solver.momentum, "solver.momentum, of sgd");
    if (solver.weight_decay) to.set("weight_decay", *solver.weight_decay, "solver.weight_decay");
    to.close();
  }
  if (solver.clip_gradient) {
    to.comment("The published code reads solver.clip_gradient and does not clip.");
    to.set("clip_grad_norm", 0, "solver.clip_gradient");
  }
}

// Epochs after which the rate falls.
std::vector<std::int64_t> milestones(const PublishedFile& file) {
  const auto& solver = file.config.solver;
  if (!file.steady_decay) return solver.lr_decay_step;
  std::vector<std::int64_t> result;
  const std::int64_t period = solver.lr_decay_step.front(), epochs = solver.epochs.value_or(period);
  for (std::int64_t epoch = period; epoch < epochs; epoch += period) result.push_back(epoch);
  return result;
}

void map_schedule(const PublishedFile& file, Writer& to) {
  const auto& solver = file.config.solver;
  to.difference(
      "the rate follows the schedule in every step; the published code sets it every 10 iterations");
  to.open("schedule");
  if (solver.type) to.set("kind", name_of(*solver.type), "solver.type");
  if (solver.lr_warmup_step) to.set("warmup_epochs", *solver.lr_warmup_step, "solver.lr_warmup_step: epochs");
  if (solver.type == ScheduleKind::multistep) {
    const auto epochs = nlohmann::json(milestones(file)).dump();
    if (!solver.lr_decay_step.empty()) to.set("milestones", epochs, "solver.lr_decay_step");
    if (solver.lr_decay_factor) to.set("gamma", *solver.lr_decay_factor, "solver.lr_decay_factor");
  }
  to.close();
}

void map_ratios(const PublishedConfig& from, Writer& to) {
  const auto& solver = from.solver;
  if (!solver.ratio && !solver.f_ratio) return;
  to.open("lr_ratio");
  if (solver.ratio) to.set("image", *solver.ratio, "solver.ratio");
  if (solver.f_ratio) to.set("fusion", *solver.f_ratio, "solver.f_ratio");
  to.close();
}

void map_train(const PublishedFile& file, Writer& to) {
  const auto& from = file.config;
  const auto& solver = from.solver;
  to.open("train");
  to.set("task", "finetune", "");
  if (solver.epochs) to.set("epochs", *solver.epochs, "solver.epochs");
  if (from.data.batch_size)
    to.set("batch_size", *from.data.batch_size, "data.batch_size; the paper has 256 on Kinetics-400");
  if (solver.lr) to.set("lr", *solver.lr, "solver.lr");
  map_ratios(from, to);
  if (from.network.fix_img.value_or(false)) to.set("image_blocks", 0, "network.fix_img: frozen");
  to.comment("softmax(10 G), whatever solver.loss_type says; normalized is the paper's.");
  to.set("target", "softmax", "solver.loss_type");
  map_optimizer(from, to);
  map_schedule(file, to);
  to.difference("fp32 weights throughout; the published code turns them to fp16 between the steps of a GPU");
  to.set("precision", "bf16", "");
  to.close();
}

void map_rest(const PublishedFile& file, Writer& to) {
  const auto& from = file.config;
  if (from.logging.eval_freq) {
    to.open("eval");
    to.set("every_epochs", *from.logging.eval_freq, "logging.eval_freq");
    to.close();
  }
  const auto unused = [&](const char* key, bool given, const char* why) {
    if (given) to.comment(fmt::format("not used: {} ({})", key, why));
  };
  unused("data.dataset", from.data.dataset.has_value(), "a name");
  unused("data.num_classes", from.data.num_classes.has_value(), "as many as data.labels has");
  unused("network.type", from.network.type.has_value(), "a name");
  unused("network.describe", from.network.describe.has_value(), "a name");
  unused("logging.print_freq", from.logging.print_freq.has_value(), "metrics.jsonl has every step");
  unused("solver.evaluate", from.solver.evaluate.has_value(), "the command `actionclip evaluate`");
  unused("resume", from.resume.has_value(),
         "`train --resume`, of a run of this program; a published checkpoint can be model.weights");
  unused("solver.start_epoch", from.solver.start_epoch.value_or(0) != 0, "a run begins at 0");
  unused("solver.epoch_offset", from.solver.epoch_offset.value_or(0) != 0, "a run begins at 0");
  for (const auto& [line, path] : file.unknown)
    to.comment(fmt::format("unknown key, not mapped: {} (line {})", quoted(path), line));
}

std::string map_file(ConfigNode root, const std::string& name) {
  const auto file = detail::read_published(std::move(root));
  Writer to;
  to.comment(fmt::format("From {} of the published code.", quoted(name)));
  if (file.config.seed) to.set("seed", *file.config.seed, "seed");
  map_model(file.config, to);
  map_text(file.config, to);
  map_data(file.config, to);
  map_train(file, to);
  map_rest(file, to);
  std::string mapped = to.take();
  // What the settings can only be told by together, as a number of frames that the head does not take.
  read_config<Experiment>(parse_yaml(mapped, fmt::format("{}, mapped", name)), {""});
  return mapped;
}

}  // namespace

std::string map_published_config(const std::filesystem::path& file) {
  return map_file(load_yaml(file), file.string());
}

std::string map_published_text(const std::string& text, const std::string& name) {
  return map_file(parse_yaml(text, name), name);
}

}  // namespace actionclip
