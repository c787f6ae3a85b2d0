#include "actionclip/train/published_config.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"
#include "actionclip/train/experiment.h"

#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// All keys of the published code, in its manner of writing, with values that no default has.
constexpr const char* kAllKeys = R"(resume:
pretrain:
seed: 7
data:
    dataset: kinetics400
    modality: RGB
    num_segments: 16
    seg_length: 1
    batch_size: 128
    workers: 3
    num_classes: 400
    image_tmpl: 'frame_{:06d}.jpg'
    train_list: 'lists/train frames.txt'
    val_list: lists/val.txt
    label_list: lists/labels.csv
    index_bias: 0
    input_size: 224
    randaug:
        N: 2
        M: 8
network:
    arch: ViT-B/16
    init: True
    tsm: True
    drop_out: 0.1
    emb_dropout: 0.05
    sim_header: "LSTM"
    fix_text: yes
    type: clip_k400
    describe:
solver:
    type: cosine
    epochs: 40
    start_epoch: 0
    epoch_offset: 0
    optim: adamw
    lr: 5.e-6
    lr_warmup_step: 4
    momentum: 0.8
    weight_decay: 0.1
    lr_decay_step: 15
    lr_decay_factor: 0.2
    clip_gradient: 20
    loss_type: nll
    ratio: 2
    f_ratio: 20
    evaluate: False
logging:
    print_freq: 10
    eval_freq: 5
)";

Experiment mapped(const std::string& text) {
  return read_config<Experiment>(parse_yaml(map_published_text(text, "published.yaml"), "mapped"), {""});
}

std::string error_of(const std::string& text) {
  try {
    map_published_text(text, "published.yaml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(PublishedConfig, ModelAndTextsAreMapped) {
  const auto experiment = mapped(kAllKeys);
  EXPECT_EQ(experiment.seed, 7);
  EXPECT_EQ(experiment.model.arch, "ViT-B/16");
  EXPECT_EQ(experiment.model.weights.path.filename(), "ViT-B-16.pt");
  EXPECT_EQ(experiment.model.frames, 16);
  EXPECT_EQ(experiment.model.fusion, FusionType::LSTM);
  EXPECT_TRUE(experiment.model.temporal_shift);
  EXPECT_FALSE(experiment.model.joint);
  EXPECT_EQ(experiment.model.drop_path, 0.1);
  EXPECT_EQ(experiment.model.text_drop_path, 0.1);
  EXPECT_EQ(experiment.model.embedding_dropout, 0.05);
  EXPECT_TRUE(experiment.text.fix_text);
}

TEST(PublishedConfig, DataIsMapped) {
  const auto data = mapped(kAllKeys).data;
  EXPECT_EQ(data.train.list.path.filename(), "train frames.txt");
  EXPECT_EQ(data.val.list.path, data.test.list.path);
  EXPECT_EQ(data.train.format, ListFormat::frames);
  EXPECT_EQ(data.train.frame_pattern, "frame_{:06d}.jpg");
  EXPECT_EQ(data.val.index_bias, 0);
  EXPECT_EQ(data.num_workers, 3);
  EXPECT_EQ(data.transforms.input_size, 224);
  EXPECT_EQ(data.transforms.rand_augment.operations, 2);
  EXPECT_EQ(data.transforms.rand_augment.magnitude, 8);
  EXPECT_TRUE(data.transforms.rand_augment.per_frame);
  EXPECT_EQ(data.transforms.color_jitter.probability, 0.8);
  EXPECT_EQ(data.transforms.flip, 0.5);
}

TEST(PublishedConfig, TheSolverIsMapped) {
  const auto experiment = mapped(kAllKeys);
  const auto& train = experiment.train;
  EXPECT_EQ(train.epochs, 40);
  EXPECT_EQ(train.batch_size, 128);
  EXPECT_EQ(train.lr, 5e-6);
  EXPECT_EQ(train.lr_ratio.image, 2);
  EXPECT_EQ(train.lr_ratio.fusion, 20);
  EXPECT_EQ(train.optimizer.kind, OptimizerKind::adamw);
  EXPECT_EQ(train.optimizer.weight_decay, 0.1);
  EXPECT_EQ(train.schedule.kind, ScheduleKind::cosine);
  EXPECT_EQ(train.schedule.warmup_epochs, 4);
  EXPECT_EQ(train.target, LossTarget::softmax);
  EXPECT_EQ(train.clip_grad_norm, 0) << "the published code does not clip";
  EXPECT_EQ(experiment.eval.every_epochs, 5);
}

TEST(PublishedConfig, DifferencesAreCommentedAndKeysThatAreNotUsedAreNamed) {
  const auto yaml = map_published_text(kAllKeys, "published.yaml");
  EXPECT_THAT(yaml, HasSubstr("every 10 iterations"));
  EXPECT_THAT(yaml, HasSubstr("Drawn for each frame"));
  EXPECT_THAT(yaml, HasSubstr("does not clip"));
  EXPECT_THAT(yaml, HasSubstr("frames: 16  # data.num_segments"));
  EXPECT_THAT(yaml, HasSubstr("# not used: data.num_classes"));
  EXPECT_THAT(yaml, Not(HasSubstr("unknown key")));
}

TEST(PublishedConfig, UnknownKeysAreListedWithTheirLines) {
  const auto yaml = map_published_text(
      "network:\n  arch: ViT-B/32\n  adapter: {width: 3}\nextra\xC2\xA0key: 1\n", "p.yaml");
  EXPECT_THAT(yaml, HasSubstr("# unknown key, not mapped: \"network.adapter\" (line 3)"));
  EXPECT_THAT(yaml, HasSubstr("(line 4)"));
}

TEST(PublishedConfig, AKeyWithALineBreakStaysInItsComment) {
  const auto experiment = mapped("network: {arch: ViT-B/32}\n\"a\\nseed: 9\": 1\n");
  EXPECT_EQ(experiment.seed, Experiment().seed);
}

TEST(PublishedConfig, AStartFromAnotherFileOrFromNothing) {
  const auto continued = mapped("pretrain: old/model_best.pt\nnetwork: {arch: ViT-B/32, init: False}\n");
  EXPECT_EQ(continued.model.weights.path.filename(), "model_best.pt");
  EXPECT_EQ(continued.model.init.image, InitSource::weights);
  const auto fresh = mapped("network: {arch: ViT-B/32, init: False}\n");
  EXPECT_TRUE(fresh.model.weights.empty());
  EXPECT_EQ(fresh.model.init.text, InitSource::random);
}

TEST(PublishedConfig, JointSpaceTimeHasNoHead) {
  const std::string text = "network: {arch: ViT-B/32, joint: True, sim_header: Transf}\n";
  const auto experiment = mapped(text);
  EXPECT_TRUE(experiment.model.joint);
  EXPECT_EQ(experiment.model.fusion, FusionType::meanP);
  EXPECT_THAT(map_published_text(text, "p.yaml"), HasSubstr("# differs: joint space-time gives one vector"));
}

TEST(PublishedConfig, TheConvolutionReadsFramesAsPublished) {
  EXPECT_EQ(mapped("network: {arch: ViT-B/32, sim_header: Conv_1D}\n").model.conv1d_layout,
            Conv1dLayout::published);
}

TEST(PublishedConfig, StepsOfTheRateAreAPeriodOrAList) {
  const std::string solver =
      "network: {arch: ViT-B/32}\nsolver: {type: multistep, epochs: 50, lr_decay_step: ";
  EXPECT_THAT(mapped(solver + "15}\n").train.schedule.milestones, ElementsAre(15, 30, 45));
  EXPECT_THAT(mapped(solver + "[10, 40], lr_decay_factor: 0.5}\n").train.schedule.milestones,
              ElementsAre(10, 40));
  EXPECT_EQ(mapped(solver + "[10, 40], lr_decay_factor: 0.5}\n").train.schedule.gamma, 0.5);
}

TEST(PublishedConfig, FrozenImagesAndLabelsOfDirections) {
  const auto experiment = mapped("network: {arch: ViT-B/32, fix_img: True}\ndata: {dataset: something}\n");
  EXPECT_EQ(experiment.train.image_blocks, 0);
  EXPECT_EQ(experiment.data.transforms.flip, 0);
}

TEST(PublishedConfig, MistakesAreToldWithTheirLines) {
  EXPECT_THAT(error_of("network:\n  arch: ViT-B/64\n"), HasSubstr("published.yaml:2:"));
  EXPECT_THAT(error_of("network: {arch: ViT-B/32}\nsolver:\n  lr: fast\n"),
              HasSubstr("published.yaml:3:7: solver.lr: expected a number"));
  EXPECT_THAT(error_of("network: {arch: ViT-B/32}\ndata: {modality: Flow}\n"), HasSubstr("data.modality"));
  EXPECT_THAT(error_of("network: {arch: ViT-B/32, sim_header: Transformer}\n"),
              HasSubstr("network.sim_header: expected one of meanP"));
  EXPECT_THAT(error_of("model: {arch: ViT-B/32}\n"), HasSubstr("network.arch: not given"));
  EXPECT_THAT(error_of(""), HasSubstr("network.arch: not given"));
  EXPECT_THAT(error_of("network: {arch: ViT-B/32}\ndata: {num_segments: 100000}\n"), HasSubstr("mapped:"));
}

TEST(PublishedConfig, AFileIsReadAndAMissingOneNamed) {
  const TemporaryFolder folder;
  EXPECT_THAT(map_published_config(folder.write("a.yaml", kAllKeys)), HasSubstr("a.yaml"));
  EXPECT_THROW(map_published_config(folder / "none.yaml"), Error);
}

}  // namespace
}  // namespace actionclip
