// How the tensors of a weights file are named.
#pragma once

#include <string>

#include <boost/describe.hpp>

namespace actionclip {

// native       this program's: CLIP's names for the encoders, the fusion head's below `fusion.`, learned
//              context below `context.`, a linear classifier's below `classifier.`
// openai       CLIP's own: `visual.*`, `transformer.*`, `token_embedding.weight`, ..., `logit_scale`
// open_clip    the same; with LayerScale (`ls_1.gamma`), or the text encoder below `text.`
// huggingface  transformers' CLIPModel: `vision_model.*`, `text_model.*`, separate query, key and value
// actionclip   published ActionCLIP: `model_state_dict/` with CLIP's names (`net.` within each image block of
// a
//              model with temporal shift) and `fusion_model_state_dict/module.`, one of which it must have: a
//              pickle's empty `fusion_model_state_dict` (meanP) counts
// mmaction2    its ActionCLIP: `clip.` with CLIP's names and `adapter.` with the fusion head's
enum class NameScheme { native, openai, open_clip, huggingface, actionclip, mmaction2 };
BOOST_DESCRIBE_ENUM(NameScheme, native, openai, open_clip, huggingface, actionclip, mmaction2)

// "openai"
inline std::string scheme_name(NameScheme scheme) { return boost::describe::enum_to_string(scheme, "?"); }

}  // namespace actionclip
