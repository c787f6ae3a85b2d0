// Brings weights into a model.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "actionclip/model/action_clip.h"
#include "actionclip/weights/state_dict.h"

namespace actionclip {

// Copies the tensors into the parameters and buffers (statistics of batch normalisation) of the same names,
// converted to their type and device. `wanted` says which of them must come from `tensors`; tensors of others
// are not looked at. A missing,
// surplus or misshapen tensor is an error that lists them all with both shapes (WeightsError).
void load_state_dict(ActionClip& model, const StateDict& tensors,
                     const std::function<bool(const std::string& name)>& wanted = nullptr);

// The same, but the model takes the memory of tensors that nothing else has and that need no conversion,
// instead of a copy. `tensors` is empty then.
void load_state_dict(ActionClip& model, StateDict&& tensors,
                     const std::function<bool(const std::string& name)>& wanted = nullptr);

// The same of the tensors of `weights` (which is else left as it is); the error names their file too.
void load_state_dict(ActionClip& model, const LoadedWeights& weights,
                     const std::function<bool(const std::string& name)>& wanted = nullptr);
void load_state_dict(ActionClip& model, LoadedWeights&& weights,
                     const std::function<bool(const std::string& name)>& wanted = nullptr);

// The parameters and buffers of the model, detached, by name.
StateDict state_dict(const ActionClip& model);

// The parts of a model that come from a weights file.
struct LoadedParts {
  bool image = true, text = true, fusion = true;
};

// The sizes of `config` for a model of which `parts` come from `weights`: what no shape shows (mean and std
// with the image encoder, heads and activation of each, the end token of texts, the layout, positions and
// epsilon of the fusion head) is as the weights were trained, where their file says it. Throws ConfigError if
// `config` gives anything else (but for conv1d_layout, which is warned of), or lacks a visual prompt
// (temporal_shift, joint) that the image encoder was trained with; one may be added. The fusion head has the
// text encoder's heads.
ActionClipConfig resolve(const ModelConfig& config, const LoadedWeights& weights,
                         const LoadedParts& parts = {});

// Throws ConfigError if `config` gives another mean or std than the model was trained with.
void require_same_input(const ModelConfig& config, const ActionClipConfig& trained);

// A model for an experiment: sizes from `config`, parts from `config.weights` or at random as `config.init`
// says; the fusion head, the learned context and a classifier come from the weights where they hold one of
// the same kind and size, else they start fresh: the context from the embeddings of `context_tokens`, one a
// vector, if there are any. What is of each label's own (a classifier, a class-specific context) starts fresh
// too where the weights name other labels than `labels`, or in another order; none: they are not compared.
// Positions of the image encoder are interpolated where `config` has another resolution or number of frames
// (image_encoder.h); positions in time that the weights do not have start fresh.
// Random numbers: at::manual_seed(seed). Throws ConfigError if there are weights that no encoder takes.
ActionClip build_model(const ModelConfig& config, std::uint64_t seed,
                       const std::vector<std::int64_t>& context_tokens = {},
                       const std::vector<std::string>& labels = {});

// A model exactly as the weights say.
ActionClip build_model(const LoadedWeights& weights);

// The same; the model takes the tensors, so that they are not in memory twice, and `weights` keeps the rest.
ActionClip take_model(LoadedWeights& weights);

}  // namespace actionclip
