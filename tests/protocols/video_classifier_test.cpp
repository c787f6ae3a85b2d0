#include "actionclip/protocols/video_classifier.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"
#include "actionclip/video/image_file.h"
#include "actionclip/weights/preprocessing.h"

#include "tests/random_model.h"
#include "tests/temporary_folder.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Classifying : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_ / "video");
    for (int frame = 1; frame <= 3; ++frame) {
      Image image{.width = 24, .height = 24, .rgb = {}};
      image.rgb.assign(3u * 24 * 24, static_cast<std::uint8_t>(60 * frame));
      write_jpeg(folder_ / fmt::format("video/img_{:05d}.jpg", frame), image, 95);
    }
  }

  // Weights of a random model that say what labels it was trained on; none: they do not.
  std::filesystem::path weights(const std::vector<std::string>& labels) const {
    ActionClip model = build_model(random_model({.context_length = 24}), /*seed=*/1);
    auto metadata = to_metadata(model->config());
    if (!labels.empty()) metadata[std::string(kLabelsKey)] = nlohmann::json(labels).dump();
    write_weights(folder_ / "model.safetensors", state_dict(model), metadata);
    return folder_ / "model.safetensors";
  }

  const TemporaryFolder folder_;
};

TEST_F(Classifying, LabelsAreRankedAsPredictRanksThem) {
  VideoClassifier classifier(weights({}), LabelSet({"archery", "bowling"}));
  const auto prediction = classifier.classify(folder_ / "video");
  ASSERT_THAT(prediction.predictions, SizeIs(2));
  EXPECT_GE(prediction.predictions[0].probability, prediction.predictions[1].probability);
  EXPECT_NEAR(prediction.predictions[0].probability + prediction.predictions[1].probability, 1, 1e-5);
  const auto same = predict(classifier.classifier(), classifier.labels(), classifier.model(),
                            classifier.test_resize(), folder_ / "video");
  EXPECT_EQ(same.predictions[0].probability, prediction.predictions[0].probability);
}

TEST_F(Classifying, WithoutLabelsThoseOfTheWeightsAreTaken) {
  EXPECT_THAT(VideoClassifier(weights({"diving", "fencing"})).labels(), ElementsAre("diving", "fencing"));
  EXPECT_THROW(VideoClassifier(weights({})), Error);
}

TEST_F(Classifying, AVideoThatCannotBeDecodedGivesAnError) {
  VideoClassifier classifier(weights({"diving", "fencing"}));
  const auto prediction = classifier.classify(folder_.write("clip.mp4", "no video"));
  EXPECT_THAT(prediction.error, HasSubstr("clip.mp4"));
  EXPECT_THAT(prediction.predictions, IsEmpty());
}

TEST_F(Classifying, OtherTemplatesGiveOtherScores) {
  const auto file = weights({"diving", "fencing"});
  const auto templates = folder_.write("templates.yaml", "templates: [\"nobody is {} here\"]\n");
  const auto score = [&](VideoClassifier classifier) {
    return classifier.classify(folder_ / "video").predictions[0].similarity;
  };
  EXPECT_NE(score(VideoClassifier(file)), score(VideoClassifier(file, {}, {.templates = templates})));
}

}  // namespace
}  // namespace actionclip
