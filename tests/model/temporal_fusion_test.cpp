#include "actionclip/model/temporal_fusion.h"

#include <gtest/gtest.h>

namespace actionclip {
namespace {

// Standard deviation of the frame positions of a fresh head.
double position_deviation(const TemporalFusionConfig& config) {
  at::manual_seed(11);
  const auto head = make_temporal_fusion(config);
  return head->named_parameters()["frame_position_embeddings.weight"].std().item<double>();
}

TEST(TransformerFusion, PositionsStartWithTheDeviationThatIsSet) {
  TemporalFusionConfig config{.width = 64, .layers = 1, .heads = 1};
  EXPECT_NEAR(position_deviation(config), 0.02, 0.002);
  config.position_std = 0.5;
  EXPECT_NEAR(position_deviation(config), 0.5, 0.05);
}

}  // namespace
}  // namespace actionclip
