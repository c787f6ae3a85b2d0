// A training without its files: what is made up, what is made smaller, and that a Trainer takes a step of it.

#include "actionclip/train/rehearsal.h"

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/model/cost.h"
#include "actionclip/train/step_settings.h"
#include "actionclip/train/trainer.h"

#include "tests/places.h"
#include "tests/train/trainer_case.h"
#include "train/stand_ins.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Rehearsing : public TrainerTest {
 protected:
  StepReport step_of(Rehearsal rehearsal) const {
    auto own = options();
    own.keep_frame_counts = false;
    Trainer trainer(std::move(rehearsal.experiment), own, std::make_shared<SingleProcess>(),
                    std::move(rehearsal.inputs));
    return trainer.dry_step();
  }

  // None of its files is there.
  Experiment without_files() const {
    auto own = tiny_experiment(folder_ / "nowhere");
    own.train.batch_size = 8;
    return own;
  }
};

TEST_F(Rehearsing, WithAllFilesThereNothingIsMadeUpOrSmaller) {
  const auto rehearsal = rehearse(experiment(), 1, /*reduce=*/true);
  EXPECT_THAT(rehearsal.stand_ins, IsEmpty());
  EXPECT_THAT(rehearsal.reductions, IsEmpty());
  EXPECT_EQ(rehearsal.videos, kVideos);
  EXPECT_EQ(rehearsal.experiment.train.batch_size, 4);
  Trainer trainer(experiment(), options());
  EXPECT_EQ(step_of(rehearse(experiment(), 1, true)).loss, trainer.dry_step().loss)
      << "the step of the training itself";
}

TEST_F(Rehearsing, WithoutAnyFileAStepIsTakenOfTwoVideos) {
  auto own = without_files();
  own.model.weights.path = folder_ / "nowhere.pt";
  own.model.init = {.image = InitSource::weights, .text = InitSource::weights};
  own.data.val.list.path = folder_ / "nowhere/val.txt";
  auto rehearsal = rehearse(own, 1, /*reduce=*/true);
  EXPECT_THAT(rehearsal.stand_ins, ElementsAre(AllOf(HasSubstr("model.weights"), HasSubstr("random weights")),
                                               HasSubstr("data.labels"), HasSubstr("data.val.list"),
                                               HasSubstr("data.train.list")));
  EXPECT_EQ(rehearsal.experiment.train.batch_size, 2);
  EXPECT_FALSE(rehearsal.videos.has_value());
  const auto report = step_of(std::move(rehearsal));
  EXPECT_TRUE(report.finite);
  EXPECT_GT(report.grad_norm, 0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(Rehearsing, AListWhoseVideosAreNotThereIsReadAndCounted) {
  folder_.write("absent.txt", "gone 3 0\nlost 3 1\ngone too 3 2\n");
  auto own = experiment();
  own.data.train.list.path = folder_ / "absent.txt";
  own.train.batch_size = 2;
  auto rehearsal = rehearse(own, 1, /*reduce=*/true);
  EXPECT_EQ(rehearsal.videos, 3);
  EXPECT_THAT(rehearsal.stand_ins, ElementsAre(HasSubstr("none of the first 3 videos is there")));
  EXPECT_TRUE(step_of(std::move(rehearsal)).finite);
}

TEST_F(Rehearsing, AListThatIsThereAndWrongIsRefused) {
  folder_.write("wrong.txt", "a video 3 99\n");
  auto own = experiment();
  own.data.train.list.path = folder_ / "wrong.txt";
  EXPECT_THROW(rehearse(own, 1, true), Error);
  own.data.train.list = {};
  EXPECT_THROW(rehearse(own, 1, true), ConfigError);
}

TEST_F(Rehearsing, EveryTaskAndObjectiveTakesAStep) {
  auto captions = without_files();
  captions.train.task = TrainTask::pretrain;
  captions.data.train.format = ListFormat::captions;
  auto prompt = without_files();
  prompt.train.task = TrainTask::prompt;
  prompt.model.context.length = 2;
  auto classes = without_files();
  classes.train.objective = Objective::cross_entropy;
  auto linear = without_files();
  linear.model.classifier = true;
  auto several = without_files();
  several.data.train.format = ListFormat::charades;
  auto mixed = without_files();
  mixed.train.mix.mixup_alpha = 0.8;
  mixed.data.sampling.repeats = 2;
  for (const auto& own : {captions, prompt, classes, linear, several, mixed}) {
    for (const bool reduce : {true, false}) {
      const auto report = step_of(rehearse(own, 1, reduce));
      EXPECT_TRUE(report.finite) << to_yaml(own);
    }
  }
}

TEST_F(Rehearsing, FilesOfMadeUpLabelsAreNotUsed) {
  auto own = without_files();
  own.text.descriptions.path = folder_.write("described.yaml", "descriptions: {archery: [a bow]}\n");
  own.data.transforms.flip_labels.path = folder_ / "nowhere.csv";
  const auto rehearsal = rehearse(own, 1, true);
  EXPECT_TRUE(rehearsal.experiment.text.descriptions.empty());
  EXPECT_TRUE(rehearsal.experiment.data.transforms.flip_labels.empty());
  EXPECT_THAT(fmt::format("{}", rehearsal.stand_ins), HasSubstr("not used beside made-up labels"));
}

TEST_F(Rehearsing, RanksShareTheVideosAndAnEpochHasItsSteps) {
  auto own = without_files();
  own.train.batch_size = 16;
  EXPECT_EQ(rehearse(own, 4, true).experiment.train.batch_size, 8);
  EXPECT_EQ(rehearse(own, 4, false).experiment.train.batch_size, 16);
  own.train.accumulate_steps = 2;
  own.data.sampling.repeats = 2;
  EXPECT_EQ(steps_per_epoch(own, 100), 12) << "200 clips, 25 parts of 8";
}

// Of the largest models too: sizes alone, no model is built.
TEST(RehearsalSize, AStepOfAnyRecipeFitsALaptop) {
  for (const char* name : {"vit_b32_8f", "vit_b16_32f", "vit_l14_8f"}) {
    const auto own =
        load_experiment(source_folder() / "configs/kinetics400" / (std::string(name) + ".yaml"), {}, {""});
    const auto rehearsal = rehearse(own, 1, true);
    const auto sizes = resolve(rehearsal.experiment.model);
    const auto step = step_settings(rehearsal.experiment, sizes, 1, usual_text_length(sizes), 0);
    EXPECT_EQ(step.batch_size, 2);
    EXPECT_GE(step.frames, 2);
    EXPECT_LE(step_memory(sizes, step).total(), 3.0 * (1 << 30)) << name;
    EXPECT_LE(training_flops(sizes, step).total(), 1e12) << name;
    EXPECT_EQ(count_parameters(sizes).total(), count_parameters(resolve(own.model)).total())
        << name << ": the sizes of the model are its own";
  }
}

TEST(StandIns, BytesAreTokensBetweenStartAndEnd) {
  const ByteTokenizer bytes(300);
  EXPECT_THAT(bytes.encode("a\xFF"), ElementsAre(298, 97, 255, 299));
  EXPECT_THAT(ByteTokenizer(300, 97).encode("ab"), ElementsAre(298, 98, 97)) << "the end is nowhere else";
  EXPECT_THROW(ByteTokenizer(200), std::invalid_argument);
}

TEST(StandIns, FramesAreAsManyAsChosenAndTellVideosApart) {
  const auto choose = [](std::int64_t n) { return std::vector<std::int64_t>{0, n - 1}; };
  const auto first = made_up_frames({.line = 1}, choose), second = made_up_frames({.line = 2}, choose);
  ASSERT_THAT(first.frames, SizeIs(2));
  EXPECT_NE(first.frames[0].rgb, first.frames[1].rgb);
  EXPECT_NE(first.frames[0].rgb, second.frames[0].rgb);
}

}  // namespace
}  // namespace actionclip
