// What is said of a model against what its tensors show.
#pragma once

#include <string>

#include "actionclip/model/config.h"
#include "actionclip/weights/weights_file.h"

namespace actionclip {

// Both throw WeightsError that names the size. Of what no shape shows, nothing is compared.
void require_agreement(const ActionClipConfig& described, const ActionClipConfig& held);
void require_agreement(const ModelDescription& described, const ActionClipConfig& held);

}  // namespace actionclip
