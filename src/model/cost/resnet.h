// The cost of CLIP's modified ResNet.
#pragma once

#include "actionclip/model/config.h"

#include "segment.h"

namespace actionclip {

// Of one video's images, each by itself.
CostPart resnet_cost(const VisionConfig& vision, const StepSettings& step);

double image_values(const VisionConfig& vision);  // of one image: 3 S S

}  // namespace actionclip
