// actionclip inspect weights: what a weights file holds.

#include <algorithm>
#include <compare>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"

#include "tools/command.h"
#include "tools/weights_report.h"

namespace actionclip {
namespace {

struct InspectOptions {
  std::string file;
  std::int64_t frames = 8;
  bool all = false;
  bool json = false;
};

// The file's weights as a model, or why they are none.
struct Finding {
  std::optional<LoadedWeights> weights;
  KeyReport keys;
  std::map<std::string, std::string> native;  // by the names in the file
  std::string problem;

  bool whole() const { return weights && keys.missing.empty() && keys.surplus.empty(); }
};

const char* what_is_wrong(const Finding& finding) {
  if (!finding.weights) return "it holds no whole model";
  return finding.keys.missing.empty() ? "it holds tensors of a model of another kind"
                                      : "tensors of the model are missing";
}

Finding find_model(WeightsFile file, std::int64_t frames) {
  Finding finding;
  try {
    finding.weights = to_weights(std::move(file), frames);
    finding.keys = report_keys(*finding.weights);
    finding.native = native_names(*finding.weights, finding.keys);
  } catch (const Error& problem) {
    finding.problem = problem.what();
  }
  return finding;
}

// "visual.transformer.resblocks.*.ln_1.weight": with a star for every number among the parts of a name.
std::string pattern_of(const std::string& name) {
  std::string pattern, part;
  const auto finish_part = [&] {
    const bool number =
        !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    pattern += number ? "*" : part;
    part.clear();
  };
  for (const char c : name) {
    if (c == '.' || c == '/') {
      finish_part();
      pattern += c;
    } else {
      part += c;
    }
  }
  finish_part();
  return pattern;
}

struct Row {
  std::string name, dtype, shape;

  auto operator<=>(const Row&) const = default;
};

Row row_of(const std::string& name, const TensorData& tensor) {
  return {name, std::string(dtype_name(tensor.dtype)), shape_string(tensor.shape)};
}

// Each tensor, with its native name where that is another.
void print_each_tensor(const TensorFile& content, const std::map<std::string, std::string>& native) {
  std::vector<Row> rows;
  std::size_t name_width = 0, shape_width = 0;
  for (const auto& [name, tensor] : content.tensors) {
    rows.push_back(row_of(name, tensor));
    name_width = std::max(name_width, name.size());
    shape_width = std::max(shape_width, rows.back().shape.size());
  }
  for (const auto& row : rows) {
    const auto found = native.find(row.name);
    const bool other = found != native.end() && found->second != row.name;
    const auto shape = other ? fmt::format("{:<{}}  {}", row.shape, shape_width, found->second) : row.shape;
    fmt::print("  {:<{}}  {:<4}  {}\n", row.name, name_width, row.dtype, shape);
  }
}

void print_alike_tensors(const TensorFile& content) {
  std::map<Row, std::size_t> rows;
  std::size_t width = 0;
  for (const auto& [name, tensor] : content.tensors) {
    auto row = row_of(pattern_of(name), tensor);
    width = std::max(width, row.name.size());
    ++rows[std::move(row)];
  }
  for (const auto& [row, count] : rows) {
    fmt::print("  {:<{}}  {:<4}  {}{}\n", row.name, width, row.dtype, row.shape,
               count > 1 ? fmt::format("  {} tensors", count) : "");
  }
}

// Elements and bytes by type.
std::map<std::string, std::pair<std::int64_t, std::int64_t>> totals_of(const TensorFile& content) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> totals;
  for (const auto& [name, tensor] : content.tensors) {
    auto& [elements, bytes] = totals[std::string(dtype_name(tensor.dtype))];
    const auto count = tensor.element_count();
    elements += count;
    bytes += count * static_cast<std::int64_t>(item_size(tensor.dtype));
  }
  return totals;
}

void print_metadata(const TensorFile& content) {
  for (const auto& [key, value] : content.metadata)
    fmt::print("metadata {}: {}\n", beginning_of(key), beginning_of(value));
}

void print_model(const Finding& finding) {
  if (!finding.weights) {
    fmt::print("architecture: {}\n", finding.problem);
    return;
  }
  const LoadedWeights& weights = *finding.weights;
  const auto parameters = count_parameters(weights);
  fmt::print("names: {}\n", scheme_name(weights.scheme));
  fmt::print("architecture: {}\n", architecture_text(weights));
  fmt::print("{}", settings_text(weights));
  fmt::print("parameters: {} (image {}, text {}, fusion {}, context {}, classifier {})\n", parameters.total(),
             parameters.image, parameters.text, parameters.fusion, parameters.context, parameters.classifier);
  fmt::print("used: {} tensors\n", finding.keys.used.size());
  print_names("missing", finding.keys.missing);
  print_names("surplus, of a model of another kind", finding.keys.surplus);
  print_names("left over", finding.keys.left_over);
}

void print_report(const InspectOptions& options, const WeightsFile& file, const Finding& finding) {
  fmt::print("{}: {}, {} tensors\n", file.path.string(), format_text(file), file.content.tensors.size());
  if (!file.description.origin.empty()) fmt::print("described by: {}\n", file.description.origin);
  print_metadata(file.content);
  for (const auto& [dtype, total] : totals_of(file.content))
    fmt::print("{}: {} numbers, {:.1f} MiB\n", dtype, total.first,
               static_cast<double>(total.second) / (1 << 20));
  print_model(finding);
  if (options.all) {
    fmt::print("tensors, with this program's name for them where it is another\n");
    print_each_tensor(file.content, finding.native);
  } else {
    fmt::print("tensors, those alike but for a number together (--all: each)\n");
    print_alike_tensors(file.content);
  }
}

// What the tensor is in this program; null if the model does not take it.
nlohmann::ordered_json native_json(const Finding& finding, const std::string& name) {
  const auto found = finding.native.find(name);
  if (found == finding.native.end()) return nullptr;
  return found->second;
}

nlohmann::ordered_json to_json(const WeightsFile& file, const Finding& finding) {
  auto tensors = nlohmann::ordered_json::array();
  for (const auto& [name, tensor] : file.content.tensors)
    tensors.push_back({{"name", name},
                       {"dtype", dtype_name(tensor.dtype)},
                       {"shape", tensor.shape},
                       {"native", native_json(finding, name)}});
  auto types = nlohmann::ordered_json::object();
  for (const auto& [dtype, total] : totals_of(file.content))
    types[dtype] = {{"numbers", total.first}, {"bytes", total.second}};
  nlohmann::ordered_json json = {{"file", file.path.string()},
                                 {"format", format_text(file)},
                                 {"described_by", file.description.origin},
                                 {"metadata", file.content.metadata},
                                 {"types", types}};
  if (finding.weights) {
    json["scheme"] = scheme_name(finding.weights->scheme);
    json["architecture"] = architecture_json(*finding.weights);
    json["parameters"] = to_json(count_parameters(*finding.weights));
    json.update(to_json(finding.keys));
  } else {
    json["problem"] = finding.problem;
  }
  json["tensors"] = tensors;
  return json;
}

int inspect_weights(const InspectOptions& options) {
  std::string refused;  // why the description beside the tensors is none
  WeightsFile input = open_weights(options.file, refused);
  const WeightsFile file = without_bytes(input);
  Finding finding;
  if (refused.empty()) {
    finding = find_model(std::move(input), options.frames);
  } else {
    finding.problem = refused;
  }
  if (options.json) {
    fmt::print("{}\n", json_text(to_json(file, finding)));
  } else {
    print_report(options, file, finding);
  }
  if (finding.whole()) return kExitDone;
  return report(fmt::format("{}: {}", file.path.string(), what_is_wrong(finding)), kExitError);
}

}  // namespace

void add_inspect_weights(CLI::App& inspect, int& exit_code) {
  auto options = std::make_shared<InspectOptions>();
  auto* command = inspect.add_subcommand(
      "weights", "tensors, names, architecture and parameters of a weights file, and what of it is used");
  command
      ->add_option("file", options->file,
                   "weights file, checkpoint folder, or folder of Hugging Face's or open_clip's")
      ->required();
  command->add_flag("--all", options->all, "a line for each tensor, with its native name");
  command->add_option("--frames", options->frames, "frames a video, where the file does not say")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_flag("--json", options->json, "print a JSON object, with every tensor");
  command->footer(
      "The exit code is 1 if no model can be built from the file.\n"
      "Examples:\n  actionclip inspect weights ViT-B-16.pt\n"
      "  actionclip inspect weights runs/k400/checkpoints/best --all");
  command->callback([options, &exit_code] { exit_code = inspect_weights(*options); });
}

}  // namespace actionclip
