// What a run keeps in its checkpoints, and how it goes on from one.
#include <string>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/train/checkpoint.h"
#include "actionclip/train/settle_text.h"
#include "actionclip/train/trainer.h"
#include "actionclip/weights/initialize.h"
#include "actionclip/weights/tensor_convert.h"

namespace actionclip {
namespace {

// What a checkpoint had that does not tell a key of the identity, as there was no such setting then.
nlohmann::json before_there_was(const std::string& key) {
  return key == "data.sampling.repeats" ? nlohmann::json(1) : nlohmann::json();
}

}  // namespace

// All that a run needs to go on, but for the tensors.
nlohmann::json Trainer::state() const {
  nlohmann::json state = progress_;
  state["run"] = identity_;
  if (const auto& scaler = learner_->scaler()) state["grad_scaler"] = scaler->state();
  if (const auto* average = learner_->average()) state["ema"] = {{"updates", average->updates()}};
  return state;
}

void Trainer::save() {
  if (!leads()) return;
  CheckpointContents contents;
  auto tensors = state_dict(model());
  contents.model = from_tensors({tensors.begin(), tensors.end()});
  if (average() != nullptr) {
    for (const auto& [name, tensor] : average()->state_dict()) tensors.at(name) = tensor;
    contents.ema = from_tensors({tensors.begin(), tensors.end()});
  }
  contents.model_metadata = to_metadata(model()->config());
  contents.model_metadata.merge(
      to_metadata(preprocessing_of(experiment_, *tokenizer_, model()->config().vision.image_size)));
  contents.model_metadata["actionclip.step"] = std::to_string(progress_.step);
  if (prompts_) {
    contents.model_metadata[std::string(kLabelsKey)] = nlohmann::json(prompts_->labels()).dump();
    contents.model_metadata[std::string(kTemplatesKey)] = nlohmann::json(prompts_->templates()).dump();
    if (!prompts_->descriptions().empty())
      contents.model_metadata[std::string(kDescriptionsKey)] =
          nlohmann::json(prompts_->descriptions()).dump();
  }
  contents.optimizer = from_tensors(learner_->optimizer().state_dict());
  contents.state = state();
  const auto folder = save_checkpoint(options_.output, progress_.step, contents);
  prune_checkpoints(options_.output, experiment_.train.keep_checkpoints);
  spdlog::info("step {}: saved {}", progress_.step, folder.string());
}

void Trainer::resume(const std::filesystem::path& folder) {
  Checkpoint checkpoint = load_checkpoint(folder);
  for (const auto& [key, value] : identity_.items()) {
    const auto saved = checkpoint.state.at("run").value(key, before_there_was(key));
    if (saved != value) {
      throw Error(fmt::format("cannot resume {}: {} is {}, the checkpoint was made with {}", folder.string(),
                              key, value.dump(), saved.dump()));
    }
  }
  LoadedWeights weights = to_weights(std::move(checkpoint.model));
  weights.file = folder;
  require_vocabulary(read_preprocessing(weights), *tokenizer_, experiment_.text, "text.vocabulary");
  ActionClip model(resolve(experiment_.model, weights));
  load_state_dict(model, std::move(weights));
  learn_with(std::move(model));
  learner_->optimizer().load_state_dict(to_tensors(std::move(checkpoint.optimizer)));
  auto& scaler = learner_->scaler();
  if (scaler && checkpoint.state.contains("grad_scaler"))  // not if it was made in another precision
    scaler->load_state(checkpoint.state.at("grad_scaler"));
  if (average() != nullptr && checkpoint.ema) {  // else it begins with the weights of the checkpoint
    average()->load(to_weights(std::move(*checkpoint.ema)).tensors,
                    checkpoint.state.at("ema").at("updates").get<std::int64_t>());
  }
  progress_ = checkpoint.state.get<TrainProgress>();
}

}  // namespace actionclip
