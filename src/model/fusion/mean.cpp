#include "heads.h"

namespace actionclip {
namespace {

class MeanFusion : public TemporalFusion {
 public:
  at::Tensor forward(const at::Tensor& frame_features) override { return frame_features.mean(1); }
};

}  // namespace

std::shared_ptr<TemporalFusion> make_mean_fusion() { return std::make_shared<MeanFusion>(); }

}  // namespace actionclip
