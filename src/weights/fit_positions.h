// Positions of an image encoder for another resolution or number of frames.
#pragma once

#include "actionclip/weights/state_dict.h"

namespace actionclip {

// Resizes the positions of the image encoder in `tensors` (image_encoder.h) where they are of another grid or
// number of frames than those of `fresh`, the tensors of the model that they are for, and says so in the log.
// Positions in time that are missing become those of `fresh`. What does not fit in another way is left as it
// is.
void fit_positions(StateDict& tensors, const StateDict& fresh);

}  // namespace actionclip
