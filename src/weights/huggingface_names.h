// Between CLIP's names and those of transformers' CLIPModel, which keeps query, key and value apart and its
// projections transposed.
#pragma once

#include <string>

#include "actionclip/weights/state_dict.h"
#include "actionclip/weights/tensor_file.h"

#include "weights/native_names.h"

namespace actionclip {

// `prefix`: of the model's names in the file. Of a block that lacks its query, key or value the others are
// left over. Throws WeightsError for two tensors of one native name, and for query, key and value of
// different shapes.
NativeTensors from_huggingface(TensorFile file, const std::string& prefix);

// The encoders' tensors and logit_scale under transformers' names; other tensors have none and are left out.
StateDict to_huggingface(const StateDict& tensors);

}  // namespace actionclip
