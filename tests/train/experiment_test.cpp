#include "actionclip/train/experiment.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/config/reader.h"
#include "actionclip/core/error.h"

#include "tests/log_capture.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Everything starts at random: needs no files.
const std::vector<std::string> kRandom = {"model.init.image=random", "model.init.text=random"};

std::string error_of(const std::string& text) {
  try {
    read_config<Experiment>(parse_yaml("model: {init: {image: random, text: random}}\n" + text, "a.yaml"));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(LoadExperiment, ReadsFilesBasesAndOverrides) {
  const TemporaryFolder folder;
  folder.write("base.yaml", "model: {arch: ViT-B/32, weights: w.pt}\ntrain: {lr: 5.e-6, epochs: 3}\n");
  const auto weights = folder.write("w.pt", "");
  const auto file = folder.write("a.yaml", "base: base.yaml\ntrain: {schedule: {warmup_epochs: 1}}\n");
  const auto experiment = load_experiment(file, {"train.epochs=7", "eval.clips=10", "model.mean=[0, 0, 0]"});
  EXPECT_EQ(experiment.model.arch, "ViT-B/32");
  EXPECT_EQ(experiment.model.weights.path, weights);
  EXPECT_EQ(experiment.train.lr, 5e-6);
  EXPECT_EQ(experiment.train.epochs, 7);
  EXPECT_EQ(experiment.train.schedule.warmup_epochs, 1);
  EXPECT_EQ(experiment.eval.clips, 10);
}

TEST(LoadExperiment, TheResolvedExperimentReadsBackTheSame) {
  const TemporaryFolder folder;
  const auto list = folder.write("lists/train list.txt", "");
  const auto file =
      folder.write("a.yaml",
                   "data: {train: {list: lists/train list.txt, format: captions}, transforms: {scales: []}}\n"
                   "train: {task: pretrain, lr: 0.1, schedule: {kind: multistep, milestones: [1.5, "
                   "3]}}\nmodel: {embed_dim: 256}\n");
  const std::string yaml = to_yaml(load_experiment(file, kRandom));
  const auto again = load_experiment(folder.write("elsewhere/config.yaml", yaml), {});
  EXPECT_EQ(to_yaml(again), yaml);
  EXPECT_EQ(again.data.train.list.path, list);
  EXPECT_EQ(again.model.embed_dim, 256);
  EXPECT_EQ(again.train.lr, 0.1);
}

TEST(LoadExperiment, EveryKeyOfTheSchemaIsWritten) {
  const auto root = parse_yaml(to_yaml(Experiment()), "written");
  for (const std::string& key : config_keys<Experiment>()) {
    const ConfigNode* node = &root;
    for (std::size_t begin = 0; begin < key.size();) {
      const auto end = std::min(key.find('.', begin), key.size());
      const auto* entry = node->find(key.substr(begin, end - begin));
      ASSERT_NE(entry, nullptr) << key;
      node = &entry->value;
      begin = end + 1;
    }
  }
}

TEST(LoadExperiment, WrongOverridesAreUsageErrors) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.yaml", "model: {init: {image: random, text: random}}\n");
  EXPECT_THROW(load_experiment(file, {"train.epohcs=3"}), UsageError);
  EXPECT_THROW(load_experiment(file, {"train.epochs=x"}), UsageError);
  EXPECT_THROW(load_experiment(file, {"train.accumulate_steps=3"}), UsageError);
  EXPECT_THROW(load_experiment(file, {"model.weights=nowhere.pt"}), UsageError);
}

TEST(LoadExperiment, KeysOfAnotherSectionAreSentThere) {
  EXPECT_EQ(error_of("lr: 1"), "a.yaml:2:1: lr: unknown key, it belongs to train.lr");
  EXPECT_EQ(error_of("train: {weight_decay: 1}"),
            "a.yaml:2:9: train.weight_decay: unknown key, it belongs to train.optimizer.weight_decay");
}

TEST(Experiment, ASectionThatStartsFromWeightsNeedsThem) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.yaml", "seed: 1\nmodel:\n  frames: 8\n");
  try {
    load_experiment(file, {"model.init.text=random"});
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_EQ(
        std::string(error.what()),
        file.string() +
            ":2:1: model.weights: not given, but the image encoder starts from it; set it to a file, or "
            "model.init.image to random");
  }
  EXPECT_THROW(load_experiment(file, {}), ConfigError);
  EXPECT_NO_THROW(load_experiment(file, kRandom));
}

TEST(Experiment, ListsWithLabelIdsNeedLabels) {
  const TemporaryFolder folder;
  folder.write("list.txt", "");
  folder.write("labels.csv", "");
  const auto load = [&](const std::string& text) { load_experiment(folder.write("a.yaml", text), kRandom); };
  EXPECT_THROW(load("data: {val: {list: list.txt}}\n"), ConfigError);
  EXPECT_NO_THROW(load("data: {val: {list: list.txt}, labels: labels.csv}\n"));
  EXPECT_NO_THROW(load("data: {train: {list: list.txt, format: captions}}\ntrain: {task: pretrain}\n"));
  EXPECT_THROW(load("data: {train: {list: list.txt, format: captions}}\ntrain: {task: finetune}\n"),
               ConfigError);
  for (const auto* format : {"video", "frames"}) {
    EXPECT_THROW(load(fmt::format("data: {{train: {{list: list.txt, format: {}}}, labels: labels.csv}}\n"
                                  "train: {{task: pretrain}}\n",
                                  format)),
                 ConfigError)
        << "pre-training learns from captions";
  }
}

TEST(Experiment, ALearnedContextStandsBesideLabels) {
  const auto with = [](const std::string& context, const std::string& more) {
    try {
      read_config<Experiment>(parse_yaml(
          "model: {init: {image: random, text: random}, context: {" + context + "}}\n" + more, "a.yaml"));
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  for (const char* task : {"prompt", "finetune"}) {
    EXPECT_EQ(with("length: 4, class_specific: true, position: middle, init: a video of a",
                   fmt::format("train: {{task: {}}}", task)),
              "no error");
  }
  EXPECT_EQ(with("length: 4", "train: {task: pretrain}"),
            "a.yaml:1:64: model.context.length: must be 0 for train.task: pretrain, as a learned context "
            "stands beside labels, and captions have none");
  EXPECT_THAT(with("init: a video of", ""),
              HasSubstr("model.context.length: must be set for model.context.init to have an effect"));
  EXPECT_THAT(with("class_specific: true", ""), HasSubstr("must be set for model.context.class_specific"));
  EXPECT_THAT(with("length: 76", ""), HasSubstr("model.context.length: must lie between 0 and 75"));
  EXPECT_THAT(with("length: -1", ""), HasSubstr("model.context.length"));
  EXPECT_THAT(with("length: 4, position: front", ""), HasSubstr("model.context.position"));
}

TEST(Experiment, DescriptionsCannotStandBesideALearnedContext) {
  const TemporaryFolder folder;
  const auto descriptions = "text.descriptions=" + folder.write("d.yaml", "").string();
  const auto file = folder.write("a.yaml", "model: {init: {image: random, text: random}}\n");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"model.context.length=4", descriptions},
       "text.descriptions: cannot stand beside model.context: its vectors surround the label"},
      {{"model.context.length=4", "model.context.class_specific=true", descriptions},
       "text.descriptions: cannot stand beside model.context"},
      {{"model.context.length=0", descriptions}, "no error"},
      {{"model.context.length=4"}, "no error"},
  };
  for (const auto& [overrides, finding] : cases) {
    std::string found = "no error";
    try {
      load_experiment(file, overrides);
    } catch (const Error& error) {
      found = error.what();
    }
    EXPECT_THAT(found, HasSubstr(finding)) << overrides.front();
  }
}

TEST(Experiment, TransformsFitTheModel) {
  EXPECT_EQ(
      error_of("data: {transforms: {input_size: 256}}"),
      "a.yaml:2:33: data.transforms.input_size: must be the model's image size 224 (0 takes it), found 256");
  EXPECT_EQ(
      error_of("data: {transforms: {test_resize: 200}}"),
      "a.yaml:2:34: data.transforms.test_resize: must be at least the model's image size 224, found 200");
  EXPECT_EQ(error_of("data: {transforms: {input_size: 224, test_resize: 256}}"), "no error");
}

TEST(Experiment, ASentencePieceVocabularyMayBeSmaller) {
  const TemporaryFolder folder;
  folder.write("m.model", "");
  const auto file = folder.write("a.yaml",
                                 "model: {text: {vocabulary_size: 1000}}\n"
                                 "text: {tokenizer: sentencepiece, vocabulary: m.model}\n");
  EXPECT_NO_THROW(load_experiment(file, kRandom));
}

TEST(Experiment, EveryVocabularyOfTheTokeniserNeedsItsSize) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.yaml", "model: {text: {vocabulary_size: 1000}}\n");
  folder.write("merges.txt", "");
  EXPECT_THROW(load_experiment(file, kRandom), ConfigError);
  auto overrides = kRandom;
  overrides.push_back("text.vocabulary=" + (folder.path() / "merges.txt").string());
  EXPECT_THROW(load_experiment(file, overrides), ConfigError);
  overrides.push_back("model.text.vocabulary_size=49408");
  EXPECT_NO_THROW(load_experiment(file, overrides));
}

TEST(Experiment, EveryRangeIsChecked) {
  for (const auto* text : {
           "seed: -1",
           "train: {epochs: 0}",
           "train: {batch_size: 0}",
           "train: {accumulate_steps: 0}",
           "train: {accumulate_steps: 3}",
           "train: {batch_size: 1}",
           "train: {batch_size: 32, accumulate_steps: 32}",
           "train: {lr: 0}",
           "train: {lr: -1}",
           "train: {lr_ratio: {image: -1}}",
           "train: {lr_ratio: {fusion: -1}}",
           "train: {lr_ratio: {classifier: -1}}",
           "train: {layer_decay: 0}",
           "train: {layer_decay: 1.1}",
           "train: {image_blocks: -1}",
           "train: {text_blocks: -1}",
           "train: {image_blocks: 13}",
           "train: {text_blocks: 13}",
           "train: {image_blocks: 1, task: prompt}",
           "train: {label_smoothing: 0.1}",
           "train: {label_smoothing: 1, objective: cross_entropy}",
           "train: {ema_decay: 1}",
           "train: {ema_decay: -0.1}",
           "train: {lr_ratio: {context: -1}}",
           "train: {clip_grad_norm: -1}",
           "train: {max_steps: -1}",
           "train: {max_nonfinite: -1}",
           "train: {checkpoint_every: 0}",
           "train: {keep_checkpoints: 0}",
           "train: {optimizer: {beta1: 1}}",
           "train: {optimizer: {beta2: -0.1}}",
           "train: {optimizer: {momentum: 1.5}}",
           "train: {optimizer: {eps: 0}}",
           "train: {optimizer: {weight_decay: -1}}",
           "train: {schedule: {warmup_epochs: -1}}",
           "train: {schedule: {warmup_epochs: 50}}",
           "train: {epochs: 5}",
           "train: {schedule: {stop_epoch: -1}}",
           "train: {schedule: {stop_epoch: 51}}",
           "train: {schedule: {gamma: 0}}",
           "train: {schedule: {kind: multistep}}",
           "train: {schedule: {milestones: [3, 2]}}",
           "train: {schedule: {milestones: [0]}}",
           "eval: {clips: 0}",
           "eval: {crops: 2}",
           "eval: {batch_size: 0}",
           "eval: {every_epochs: -1}",
           "eval: {group_by: [a, a]}",
           "data: {num_workers: -1}",
           "data: {prefetch: 0}",
           "data: {max_failed_share: 1.5}",
           "data: {transforms: {input_size: -1}}",
           "data: {transforms: {scales: [1, 0]}}",
           "data: {transforms: {scales: [1.2]}}",
           "data: {transforms: {scales: [1.0e-9]}}",
           "data: {transforms: {crop: random_resized, area: [1.0e-9, 1]}}",
           "data: {transforms: {crop: random_resized, aspect: [0.001, 1]}}",
           "data: {transforms: {blur: {sigma: [1.0e-9, 1]}}}",
           "data: {sampling: {strategy: dense, stride: 65536}}",
           "data: {transforms: {flip: 1.5}}",
           "data: {transforms: {test_resize: -1}}",
           "data: {train: {index_bias: -1}}",
           "data: {train: {frame_pattern: img.jpg}}",
           "data: {train: {frame_pattern: 'img_{:5q}.jpg'}}",
           "data: {train: {frame_pattern: 'img_{}_{}.jpg'}}",
           "data: {train: {format: class_folders, root: .}}",
       }) {
    EXPECT_THAT(error_of(text), StartsWith("a.yaml:2:")) << text;
  }
  EXPECT_EQ(error_of("train: {epochs: 1, max_steps: 1, batch_size: 8, accumulate_steps: 4, schedule: "
                     "{warmup_epochs: 0}}\n"
                     "eval: {crops: 3}"),
            "no error");
  for (const auto* crops : {"1", "5", "10"})
    EXPECT_EQ(error_of("eval: {crops: " + std::string(crops) + "}"), "no error");
}

// What reading `text` logs.
std::string warnings_of(const std::string& text) {
  const LogCapture log;
  EXPECT_EQ(error_of(text), "no error") << text;
  return log.text();
}

TEST(Experiment, SettingsThatOthersLeaveWithoutEffectAreWarnedOf) {
  const TemporaryFolder folder;
  const std::string flips = folder.write("flip.csv", "label,flipped\n").string();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"data: {transforms: {area: [0.5, 1]}}", "data.transforms.area"},
      {"data: {transforms: {aspect: [1, 1]}}", "data.transforms.aspect"},
      {"data: {transforms: {crop: random_resized, scales: [1]}}", "data.transforms.scales"},
      {"data: {transforms: {solarize_threshold: 100}}", "data.transforms.solarize_threshold"},
      {"data: {transforms: {flip: 0, flip_labels: " + flips + "}}", "data.transforms.flip_labels"},
      {"data: {sampling: {stride: 4}}", "data.sampling.stride"},
      {"data: {sampling: {strategy: uniform, stride: 4}}", "data.sampling.stride"},
      {"train: {mix: {probability: 0.5}}", "train.mix.probability"},
      {"train: {mix: {mixup_alpha: 0.8, switch_probability: 0.3}}", "train.mix.switch_probability"},
  };
  for (const auto& [text, key] : cases) {
    EXPECT_THAT(warnings_of(text), HasSubstr(key + ": without effect ")) << text;
    EXPECT_THAT(warnings_of(text), HasSubstr("a.yaml:2:")) << text;
  }
}

TEST(Experiment, SettingsThatHaveAnEffectAndTheUsualOnesAreNotWarnedOf) {
  for (const std::string text : {"data: {transforms: {crop: random_resized, area: [0.5, 1], aspect: [1, 1]}}",
                                 "data: {transforms: {scales: [1], solarize: 0.1, solarize_threshold: 100}}",
                                 "data: {sampling: {strategy: dense, stride: 4}}",
                                 "train: {mix: {cutmix_alpha: 1, probability: 0.5}}"})
    EXPECT_EQ(warnings_of(text), "") << text;
  // All settings are given there, as in the config.yaml of a run.
  Experiment usual;
  usual.model.init = {.image = InitSource::random, .text = InitSource::random};
  const LogCapture log;
  EXPECT_NO_THROW(read_config<Experiment>(parse_yaml(to_yaml(usual), "a.yaml")));
  EXPECT_EQ(log.text(), "");
}

TEST(Experiment, WhatIsTrainedFitsTheModel) {
  EXPECT_EQ(
      error_of("train: {image_blocks: 13}"),
      "a.yaml:2:23: train.image_blocks: must be at most the 12 blocks of the encoder, found 13; leave it "
      "out to train all of it");
  EXPECT_EQ(error_of("train: {image_blocks: 12, text_blocks: 0}"), "no error");
  EXPECT_EQ(error_of("train: {image_blocks: 0, task: prompt}"), "no error");
  EXPECT_EQ(
      error_of("train: {text_blocks: 2}\ntext: {fix_text: true}"),
      "a.yaml:2:22: train.text_blocks: text.fix_text: true freezes the text encoder; leave one of them out");
  EXPECT_EQ(error_of("train: {text_blocks: 0}\ntext: {fix_text: true}"), "no error");
}

TEST(Experiment, CrossEntropyNeedsLabelsButNoOtherVideos) {
  const std::string one_video = "batch_size: 4, accumulate_steps: 4";
  EXPECT_THAT(error_of("train: {" + one_video + "}"), HasSubstr("1 sample a contrastive batch"));
  EXPECT_EQ(error_of("train: {" + one_video + ", objective: cross_entropy, label_smoothing: 0.1}"),
            "no error");
  EXPECT_THAT(error_of("train: {task: pretrain, objective: cross_entropy}"),
              HasSubstr("train.objective: needs labels; train.task: pretrain learns from captions"));
  EXPECT_THAT(error_of("train: {label_smoothing: 0.1}"),
              HasSubstr("train.label_smoothing: is of train.objective: cross_entropy and model.classifier"));
}

TEST(Experiment, TheClipsOfAVideoAndMixedPairsFillABatch) {
  EXPECT_EQ(error_of("data: {sampling: {repeats: 4}}\ntrain: {batch_size: 8}"), "no error");
  EXPECT_EQ(error_of("data: {sampling: {repeats: 3}}\ntrain: {batch_size: 8}"),
            "a.yaml:2:28: data.sampling.repeats: must divide the 8 clips of a batch (train.batch_size / "
            "train.accumulate_steps), found 3");
  EXPECT_THAT(error_of("data: {sampling: {repeats: 4}}\ntrain: {batch_size: 8, accumulate_steps: 4}"),
              HasSubstr("must divide the 2 clips"));
  EXPECT_EQ(error_of("train: {batch_size: 8, mix: {mixup_alpha: 0.8}}"), "no error");
  EXPECT_THAT(error_of("train: {batch_size: 7, mix: {cutmix_alpha: 1}}"),
              HasSubstr("train.mix: clips are mixed in pairs of videos: the 7 clips"));
  EXPECT_THAT(error_of("train: {batch_size: 4, mix: {cutmix_alpha: 1}}\ndata: {sampling: {repeats: 4}}"),
              HasSubstr("must be a multiple of 8"));
}

TEST(Experiment, MixingNeedsLabelsAndATargetThatHasPartsOfThem) {
  EXPECT_THAT(error_of("train: {mix: {mixup_alpha: 1}, target: identity}"), HasSubstr("train.target"));
  EXPECT_EQ(error_of("train: {mix: {mixup_alpha: 1}, target: normalized}"), "no error");
  EXPECT_EQ(error_of("train: {mix: {mixup_alpha: 1}, target: identity, objective: cross_entropy}"),
            "no error");
  EXPECT_THAT(error_of("train: {mix: {mixup_alpha: 1}, task: pretrain}"),
              HasSubstr("train.mix: needs labels"));
  EXPECT_THAT(error_of("train: {task: pretrain}\ndata: {sampling: {repeats: 2}}"),
              HasSubstr("data.sampling.repeats: must be 1"));
  EXPECT_THAT(error_of("train: {task: pretrain}\ndata: {transforms: {flip_labels: /dev/null}}"),
              HasSubstr("data.transforms.flip_labels: is of labels"));
}

// The first line of the file is the model's; the settings come as overrides.
TEST(Experiment, AClassifierHasNoTexts) {
  const TemporaryFolder folder;
  const auto file =
      folder.write("a.yaml", "model: {init: {image: random, text: random}, classifier: true}\n");
  const auto error_with = [&](std::vector<std::string> overrides) -> std::string {
    try {
      load_experiment(file, overrides);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_with({"train.label_smoothing=0.1", "train.image_blocks=0", "train.fix_fusion=true",
                        "train.batch_size=1"}),
            "no error")
      << "a linear probe";
  EXPECT_THAT(error_with({"train.task=pretrain"}), HasSubstr("model.classifier: needs labels"));
  EXPECT_THAT(error_with({"train.text_blocks=1"}), HasSubstr("train.text_blocks: no text is encoded"));
  EXPECT_THAT(error_with({"model.context.length=4"}), HasSubstr("model.context.length: no text is encoded"));
}

TEST(Experiment, AWarmUpAsLongAsTheCosineIsFoundInTheFile) {
  EXPECT_EQ(
      error_of("train: {epochs: 3, schedule: {warmup_epochs: 3}}"),
      "a.yaml:2:46: train.schedule.warmup_epochs: must be less than epochs = 3, found 3: the cosine falls "
      "after the warm-up");
  EXPECT_EQ(error_of("train: {epochs: 3, schedule: {warmup_epochs: 2.5}}"), "no error");
  EXPECT_EQ(error_of("train: {epochs: 3, schedule: {kind: multistep, milestones: [1], warmup_epochs: 3}}"),
            "no error");
}

TEST(RequireList, NamesTheKeyOfASplitWithoutAList) {
  DatasetConfig split;
  try {
    require_list(split, "val");
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("data.val.list"));
  }
  split.list.path = "list.txt";
  EXPECT_NO_THROW(require_list(split, "val"));
}

// All texts one edit away from `word`: a letter left out, doubled, replaced, or swapped with the next.
std::set<std::string> one_edit_typos(const std::string& word) {
  std::set<std::string> typos;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const auto before = word.substr(0, i), after = word.substr(i + 1);
    typos.insert(before + after);
    typos.insert(before + word[i] + word[i] + after);
    typos.insert(before + 'x' + after);
    typos.insert(before + 'e' + after);
    if (i + 1 < word.size()) typos.insert(before + word[i + 1] + word[i] + word.substr(i + 2));
  }
  typos.erase("");
  return typos;
}

TEST(LoadExperiment, TypingErrorsInKeysAreUnderstood) {
  const auto keys = config_keys<Experiment>();
  const std::set<std::string> known(keys.begin(), keys.end());
  int typos = 0, understood = 0;
  std::string misunderstood;
  for (const std::string& key : keys) {
    const auto dot = key.rfind('.');
    const std::string section = dot == std::string::npos ? "" : key.substr(0, dot + 1);
    const std::string name = key.substr(section.size());
    for (const std::string& typo : one_edit_typos(name)) {
      if (known.contains(section + typo)) continue;
      std::string text = typo + ": 1";
      for (auto rest = section; !rest.empty();) {
        rest.pop_back();
        const auto last = rest.rfind('.') + 1;
        text = rest.substr(last) + ": {" + text + "}";
        rest.resize(last);
      }
      std::string message;
      try {
        read_config<Experiment>(parse_yaml(text, "a.yaml"));
      } catch (const ConfigError& error) {
        message = error.what();
      }
      ++typos;
      const std::string expected = fmt::format("{}{}: unknown key, did you mean '{}'?", section, typo, name);
      if (message.find(expected) != std::string::npos) {
        ++understood;
      } else {
        misunderstood += fmt::format(" {}{}", section, typo);
      }
    }
  }
  EXPECT_GE(typos, 1000);
  EXPECT_GE(understood, 0.97 * typos) << misunderstood;
  RecordProperty("understood", fmt::format("{} of {}", understood, typos));
}

}  // namespace
}  // namespace actionclip
