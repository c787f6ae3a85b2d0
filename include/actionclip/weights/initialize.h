// Brings weights into a model.
#pragma once

#include <functional>
#include <string>

#include "actionclip/model/action_clip.h"
#include "actionclip/weights/state_dict.h"

namespace actionclip {

// Copies the tensors into the parameters of the same names (converted to their type and device). `wanted`
// says which parameters must come from `tensors`; tensors of other parameters are not looked at. A missing,
// surplus or misshapen tensor is an error that lists them all with both shapes (WeightsError).
void load_state_dict(ActionClip& model, const StateDict& tensors,
                     const std::function<bool(const std::string& name)>& wanted = nullptr);

// The same; the error names the file of the weights too.
void load_state_dict(ActionClip& model, const LoadedWeights& weights,
                     const std::function<bool(const std::string& name)>& wanted = nullptr);

// The parameters of the model, detached, by name.
StateDict state_dict(const ActionClip& model);

// The parts of a model that come from a weights file.
struct LoadedParts {
  bool image = true, text = true, fusion = true;
};

// The sizes of `config` for a model of which `parts` come from `weights`: what no shape shows (mean and std
// with the image encoder, the heads of each part) is as the weights were trained, where their file says it.
// Throws ConfigError if `config` gives anything else. The fusion head has the text encoder's heads.
ActionClipConfig resolve(const ModelConfig& config, const LoadedWeights& weights,
                         const LoadedParts& parts = {});

// Throws ConfigError if `config` gives another mean or std than the model was trained with.
void require_same_input(const ModelConfig& config, const ActionClipConfig& trained);

// A model for an experiment: sizes from `config`, parts from `config.weights` or at random as `config.init`
// says; the fusion head comes from the weights where they hold one of the same kind, else it starts fresh.
// Random numbers: at::manual_seed(seed). Throws ConfigError if there are weights that no encoder takes.
ActionClip build_model(const ModelConfig& config, std::uint64_t seed);

// A model exactly as the weights say.
ActionClip build_model(const LoadedWeights& weights);

}  // namespace actionclip
