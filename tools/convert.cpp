// actionclip convert: weights under the names of another program.

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"
#include "actionclip/weights/export.h"

#include "tools/command.h"
#include "tools/weights_report.h"

namespace actionclip {
namespace {

const std::map<std::string, NameScheme> kSchemes = {{"native", NameScheme::native},
                                                    {"openai", NameScheme::openai},
                                                    {"open_clip", NameScheme::open_clip},
                                                    {"huggingface", NameScheme::huggingface},
                                                    {"actionclip", NameScheme::actionclip}};

const std::map<std::string, Activation> kActivations = {{"quick_gelu", Activation::quick_gelu},
                                                        {"gelu", Activation::gelu}};

const std::map<std::string, at::ScalarType> kTypes = {
    {"fp32", at::kFloat}, {"fp16", at::kHalf}, {"bf16", at::kBFloat16}};

struct ConvertOptions {
  std::string input, output, to, arch, activation;
  std::string dtype = "keep";
  std::int64_t frames = 8;
  bool force = false;
  bool json = false;
};

template <typename Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

// The heads and the activation that --arch has, where the file does not tell them.
void take_architecture(const std::string& arch, LoadedWeights& weights) {
  const auto refuse = [&](const std::string& reason) {
    throw UsageError(fmt::format("--arch {}: {}", arch, reason));
  };
  ModelConfig named;
  named.arch = arch;
  named.fusion = FusionType::meanP;  // goes with any encoders
  ActionClipConfig sizes;
  try {
    sizes = resolve(named);
  } catch (const ConfigError& problem) {
    refuse(problem.what());
  }
  auto& config = weights.config;
  if (!weights.told.heads) {
    config.vision.heads = sizes.vision.heads;
    config.text.heads = config.fusion.heads = sizes.text.heads;
  }
  if (!weights.told.activation) {
    config.vision.activation = sizes.vision.activation;
    config.text.activation = sizes.text.activation;
  }
  weights.told.heads = weights.told.activation = true;
  const auto names = matching_architectures(weights);
  if (std::ranges::find(names, arch) == names.end()) {
    refuse(fmt::format("the weights are of {}",
                       names.empty() ? "another architecture" : fmt::format("{}", fmt::join(names, " or "))));
  }
}

void take_activation(const std::string& name, LoadedWeights& weights) {
  const Activation activation = kActivations.at(name);
  auto& config = weights.config;
  const bool same = config.vision.activation == activation && config.text.activation == activation;
  if (weights.told.activation && !same)
    throw UsageError(fmt::format("--activation {}: the model has another, as its file or --arch says", name));
  config.vision.activation = config.text.activation = activation;
  weights.told.activation = true;
}

LoadedWeights read(const ConvertOptions& options, WeightsFile file) {
  const auto path = file.path;
  LoadedWeights weights;
  try {
    weights = to_weights(std::move(file), options.frames);
  } catch (const Error& problem) {
    throw WeightsError(fmt::format("{}: {}", path.string(), problem.what()));
  }
  weights.file = path;
  if (!options.arch.empty()) take_architecture(options.arch, weights);
  if (!options.activation.empty()) take_activation(options.activation, weights);
  try {
    require_buildable(weights.config);
    require_no_surplus(report_keys(weights));
  } catch (const Error& problem) {
    throw WeightsError(with_file(weights, problem.what()));
  }
  return weights;
}

void take_type(const std::string& type, LoadedWeights& weights) {
  if (type == "keep") return;
  try {
    convert_floats(weights.tensors, kTypes.at(type));
  } catch (const WeightsError& problem) {
    throw WeightsError(with_file(weights, problem.what()));
  }
}

nlohmann::ordered_json to_json(const ConvertOptions& options, const WeightsFile& file,
                               const LoadedWeights& weights, const ExportedWeights& exported) {
  nlohmann::ordered_json json = {{"input", file.path.string()},
                                 {"format", format_text(file)},
                                 {"scheme", scheme_name(weights.scheme)},
                                 {"architecture", architecture_json(weights)},
                                 {"parameters", to_json(count_parameters(weights))}};
  const auto keys = report_keys(weights);
  json.update(to_json(keys));
  json["native"] = native_names(weights, keys);
  json["output"] = options.output;
  json["to"] = options.to;
  json["written"] = exported.tensors.size();
  json["left_out"] = exported.left_out;
  json["notes"] = exported.notes;
  return json;
}

void print_report(const ConvertOptions& options, const WeightsFile& file, const LoadedWeights& weights,
                  const ExportedWeights& exported) {
  const auto keys = report_keys(weights);
  fmt::print("{}: {}, names of {}\n", file.path.string(), format_text(file), scheme_name(weights.scheme));
  fmt::print("{}; {} parameters\n", architecture_text(weights), count_parameters(weights).total());
  fmt::print("used: {} of {} tensors\n", keys.used.size(), file.content.tensors.size());
  print_names("missing", keys.missing);
  print_names("left over", keys.left_over);
  fmt::print("{}: {} tensors, names of {}\n", options.output, exported.tensors.size(), options.to);
  print_names("left out, as these names have no place for them", exported.left_out);
  for (const auto& note : exported.notes) fmt::print("note: {}\n", note);
}

void convert(const ConvertOptions& options) {
  require_parent(options.output);
  WeightsFile input = open_weights(options.input);
  const WeightsFile file = without_bytes(input);
  LoadedWeights weights = read(options, std::move(input));
  take_type(options.dtype, weights);
  const auto exported = export_weights(weights, kSchemes.at(options.to));
  write_exported(exported, options.output, options.force);
  if (options.json) {
    fmt::print("{}\n", json_text(to_json(options, file, weights, exported)));
  } else {
    print_report(options, file, weights, exported);
  }
}

// Lines of names, without those that a -quickgelu makes.
std::string known_architectures() {
  constexpr std::size_t kWidth = 100;
  std::string text, line;
  for (const auto& name : architecture_names()) {
    if (name.ends_with("-quickgelu")) continue;
    if (line.size() + name.size() > kWidth) text += std::exchange(line, "") + "\n";
    line += "  " + name;
  }
  return text + line;
}

constexpr const char* kAbout =
    "Written are safetensors files: one for native, openai and actionclip, a folder for open_clip\n"
    "(open_clip.create_model('local-dir:OUT')) and huggingface (CLIPModel.from_pretrained('OUT')). What the\n"
    "names of a program have no place for, as a fusion head in CLIP's, is told and left out.\n"
    "\n"
    "Published ActionCLIP keeps two state dicts in one file; their names are joined by '/'. In Python:\n"
    "  tensors = safetensors.torch.load_file('OUT')\n"
    "  part = lambda name: {k[len(name):]: v for k, v in tensors.items() if k.startswith(name)}\n"
    "  model.load_state_dict(part('model_state_dict/'))\n"
    "  fusion_model.load_state_dict(part('fusion_model_state_dict/'))  # in its DataParallel";

constexpr const char* kExamples =
    "Examples:\n"
    "  actionclip convert ViT-B-16.pt clip_b16 --to huggingface\n"
    "  actionclip convert laion_b32.bin laion_b32.safetensors --to native --arch ViT-B-32\n"
    "  actionclip convert runs/k400/checkpoints/best k400.safetensors --to actionclip --dtype fp16";

}  // namespace

void add_convert_command(CLI::App& program, int& /*exit_code*/) {
  auto options = std::make_shared<ConvertOptions>();
  auto* command = program.add_subcommand("convert", "weights under the names of another program");
  command
      ->add_option("input", options->input,
                   "weights file, checkpoint folder, or folder of Hugging Face's or open_clip's")
      ->required();
  command->add_option("output", options->output, "file or folder to write")->required();
  command->add_option("--to", options->to, "whose names")
      ->required()
      ->check(CLI::IsMember(keys_of(kSchemes)));
  auto types = keys_of(kTypes);
  types.emplace_back("keep");
  command->add_option("--dtype", options->dtype, "type of floating tensors: keep, fp32, fp16 or bf16")
      ->check(CLI::IsMember(types))
      ->capture_default_str();
  command->add_option(
      "--arch", options->arch,
      "architecture that the heads and the activation are of, where the file does not say: one of "
      "those below");
  command
      ->add_option("--activation", options->activation,
                   "gelu (most of open_clip's) or quick_gelu (OpenAI's), where the file does not say")
      ->check(CLI::IsMember(keys_of(kActivations)));
  command->add_option("--frames", options->frames, "frames a video, where the file does not say")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_flag("--force", options->force, "overwrite files that are there");
  command->add_flag("--json", options->json, "print a JSON object");
  command->footer(fmt::format(
      "{}\n\nArchitectures, the ViTs of open_clip also with -quickgelu behind their name:\n{}\n\n{}", kAbout,
      known_architectures(), kExamples));
  command->callback([options] { convert(*options); });
}

}  // namespace actionclip
