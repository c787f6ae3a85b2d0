#include "weights/native_names.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/error.h"
#include "actionclip/weights/tensor_convert.h"

#include "weights/huggingface_names.h"
#include "weights/tensor_blocks.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

// A name of an encoder goes on with one of these behind its prefix.
constexpr std::array<std::string_view, 3> kAnchors = {"visual.", "vision_model.", "text_model."};

constexpr std::string_view kPublishedModel = "model_state_dict/";
constexpr std::string_view kPublishedFusion = "fusion_model_state_dict/";
constexpr std::string_view kDataParallel = "module.";
constexpr std::string_view kMmactionModel = "clip.";
constexpr std::string_view kMmactionFusion = "adapter.";
constexpr std::string_view kTextTower = "text.";
constexpr std::string_view kShiftedBlock = "net.";
constexpr std::string_view kFusionPositionsName = "fusion.frame_position_embeddings.weight";

// Beside the weights in state dicts: sizes of OpenAI's archives, masks, SigLIP's bias of the logits, which
// moves all labels alike.
constexpr std::array<std::string_view, 6> kNoWeights = {"input_resolution", "context_length",   "vocab_size",
                                                        "attn_mask",        "visual.attn_mask", "logit_bias"};

bool has_prefix(const TensorFile& file, const std::string& prefix) {
  const auto next = file.tensors.lower_bound(prefix);
  return next != file.tensors.end() && next->first.starts_with(prefix);
}

// What stands before the first anchor of a name; none if it has no anchor.
std::optional<std::string> prefix_of(const std::string& name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (i > 0 && name[i - 1] != '.' && name[i - 1] != '/') continue;
    const auto rest = std::string_view(name).substr(i);
    if (std::ranges::any_of(kAnchors, [&](std::string_view anchor) { return rest.starts_with(anchor); }))
      return name.substr(0, i);
  }
  return std::nullopt;
}

std::set<std::string> prefixes_of(const TensorFile& file) {
  std::set<std::string> prefixes;
  for (const auto& [name, tensor] : file.tensors) {
    if (auto prefix = prefix_of(name)) prefixes.insert(*std::move(prefix));
  }
  return prefixes;
}

// Of the model that mmaction2's encoders are a part of; none if `prefix` is not that of its encoders.
std::optional<std::string> mmaction_prefix(const std::string& prefix) {
  if (!prefix.ends_with(kMmactionModel)) return std::nullopt;
  return prefix.substr(0, prefix.size() - kMmactionModel.size());
}

// Others too keep their model below kPublishedModel. What is published ActionCLIP's own is its fusion head,
// which has no tensors in meanP, and the blocks behind its temporal shift.
bool is_published(const TensorFile& file, const std::string& prefix) {
  if (has_prefix(file, std::string(kPublishedFusion))) return true;
  if (!prefix.starts_with(kPublishedModel)) return false;
  const auto shifted_block = fmt::format("{}visual.transformer.resblocks.0.{}", prefix, kShiftedBlock);
  return file.empty_fusion_head || has_prefix(file, shifted_block);
}

NameScheme scheme_of(const TensorFile& file, const std::string& prefix) {
  const auto has = [&](std::string_view name) { return has_prefix(file, fmt::format("{}{}", prefix, name)); };
  if (has("vision_model.") || has("text_model.")) return NameScheme::huggingface;
  if (is_published(file, prefix)) return NameScheme::actionclip;
  const auto outer = mmaction_prefix(prefix);
  if (outer && has_prefix(file, fmt::format("{}{}", *outer, kMmactionFusion))) return NameScheme::mmaction2;
  if (has("fusion.") || has("context.") || has("classifier.")) return NameScheme::native;
  const bool layer_scale =
      has("visual.transformer.resblocks.0.ls_1.") || has("transformer.resblocks.0.ls_1.");
  if (has(kTextTower) || has("logit_bias") || layer_scale) return NameScheme::open_clip;
  return NameScheme::openai;
}

// The native name of an entry that is named below `prefix` as CLIP names it; empty for one that is no weight.
// `shifted`: becomes true for the name of an image block behind a temporal shift.
std::string native_name_of_encoder(const std::string& plain, NameScheme scheme, bool& shifted) {
  if (scheme == NameScheme::native) return plain;
  const auto name = scheme == NameScheme::open_clip ? without_prefix(plain, kTextTower) : plain;
  if (std::ranges::find(kNoWeights, name) != kNoWeights.end()) return "";
  const auto block = image_block_of(name);
  if (block.empty()) return name;
  const auto rest = name.substr(block.size());
  shifted = shifted || rest.starts_with(kShiftedBlock);
  return block + without_prefix(rest, kShiftedBlock);
}

// The native name of an entry of any scheme but huggingface; empty for one that is no weight of the model.
std::string native_name(const std::string& name, const Naming& naming, bool& shifted) {
  if (naming.scheme == NameScheme::actionclip && name.starts_with(kPublishedFusion)) {
    auto rest = name.substr(kPublishedFusion.size());
    while (rest.starts_with(kDataParallel)) rest = without_prefix(rest, kDataParallel);
    return "fusion." + rest;
  }
  if (naming.scheme == NameScheme::mmaction2) {
    const auto adapter = fmt::format("{}{}", mmaction_prefix(naming.prefix).value_or(""), kMmactionFusion);
    if (name.starts_with(adapter)) return "fusion." + name.substr(adapter.size());
  }
  if (!name.starts_with(naming.prefix)) return "";
  return native_name_of_encoder(name.substr(naming.prefix.size()), naming.scheme, shifted);
}

// Each tensor takes about a kilobyte beside its bytes and its name is held several times, which must not
// make much of a small file.
void require_plausible_count(const TensorFile& file) {
  constexpr std::size_t kMostTensors = 25'000;  // two encoders of 1024 blocks of 12 tensors each
  constexpr std::size_t kMostBytes = 4u << 20;  // of their names
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : file.tensors) bytes += name.size();
  if (file.tensors.size() <= kMostTensors && bytes <= kMostBytes) return;
  throw WeightsError(fmt::format(
      "it holds {} tensors, whose names have {} bytes, at most {} and {} are read: save the model's state "
      "dict alone",
      file.tensors.size(), bytes, kMostTensors, kMostBytes));
}

// Published heads other than Transf hold frame positions that they do not use.
void leave_out_unused_positions(NativeTensors& native) {
  const auto has = [&](const char* prefix) { return has_names_below(native.tensors, prefix); };
  if (!has("fusion.shift.") && !has("fusion.lstm_visual.") && !has("fusion.transformer.cls_token")) return;
  const auto positions = native.origins.find(std::string(kFusionPositionsName));
  if (positions == native.origins.end()) return;
  native.left_over.insert(native.left_over.end(), positions->second.begin(), positions->second.end());
  native.tensors.erase(positions->first);
  native.origins.erase(positions);
}

}  // namespace

std::string without_prefix(const std::string& text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

std::string image_block_of(const std::string& name) {
  constexpr std::string_view kBlocks = "visual.transformer.resblocks.";
  if (!name.starts_with(kBlocks)) return "";
  const auto dot = name.find('.', kBlocks.size());
  return dot == std::string::npos ? "" : name.substr(0, dot + 1);
}

Naming find_naming(const TensorFile& file) {
  require_plausible_count(file);
  if (file.metadata.contains(std::string(kModelConfigKey))) return {};
  const auto prefixes = prefixes_of(file);
  if (prefixes.empty()) {
    throw WeightsError(fmt::format(
        "the {} tensors in it are named by no scheme that is known (CLIP's, open_clip's, Hugging Face's, "
        "published ActionCLIP's, mmaction2's, this program's); the first is {}",
        file.tensors.size(), quoted_name(file.tensors.empty() ? "" : file.tensors.begin()->first)));
  }
  if (prefixes.size() > 1) {
    throw WeightsError(fmt::format("it holds more than one model, with names below {} and {}: save one alone",
                                   quoted_name(*prefixes.begin()), quoted_name(*prefixes.rbegin())));
  }
  return {.scheme = scheme_of(file, *prefixes.begin()), .prefix = *prefixes.begin()};
}

NativeTensors to_native(TensorFile file, const Naming& naming) {
  if (naming.scheme == NameScheme::huggingface) return from_huggingface(std::move(file), naming.prefix);
  NativeTensors native;
  for (auto& [name, tensor] : file.tensors) {
    const std::string own = native_name(name, naming, native.temporal_shift);
    if (own.empty()) {
      native.left_over.push_back(name);
      continue;
    }
    auto& origins = native.origins[own];
    if (!origins.empty()) {
      throw WeightsError(fmt::format("tensors '{}' and '{}' would both be {}", shortened(origins.front()),
                                     shortened(name), shortened(own)));
    }
    origins.push_back(name);
    native.tensors.emplace(own, to_tensor(std::move(tensor)));
  }
  if (naming.scheme == NameScheme::actionclip) leave_out_unused_positions(native);
  return native;
}

}  // namespace actionclip
