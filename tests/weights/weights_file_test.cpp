// Folders of weights: what is taken from them, what the files beside the tensors say, and what is refused.
#include "actionclip/weights/weights_file.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/weights/export.h"

#include "tests/temporary_folder.h"
#include "tests/weights/files.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

// The encoders of small_sizes() as Hugging Face's and as open_clip's folder.
class WeightsFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    weights_.config = small_sizes();
    weights_.config.fusion.type = FusionType::meanP;
    weights_.config.vision.activation = weights_.config.text.activation = Activation::gelu;
    weights_.config.mean = {0.1, 0.2, 0.3};
    weights_.told.activation = weights_.told.heads = true;
    weights_.tensors = state_dict(ActionClip(weights_.config));
  }

  std::filesystem::path write(NameScheme scheme) {
    const auto folder = folder_ / scheme_name(scheme);
    write_exported(export_weights(weights_, scheme), folder, /*overwrite=*/true);
    return folder;
  }

  // The message of the error for a folder, one of whose JSON files was changed.
  std::string error_with(NameScheme scheme, const char* file, const std::function<void(json&)>& change) {
    const auto folder = write(scheme);
    auto content = json::parse(read_text(folder / file));
    change(content);
    write_text(folder / file, content.dump());
    return weights_error([&] { load_weights(folder); });
  }

  std::string huggingface_error(const std::function<void(json&)>& change) {
    return error_with(NameScheme::huggingface, "config.json", change);
  }

  std::string open_clip_error(const std::function<void(json&)>& change) {
    return error_with(NameScheme::open_clip, "open_clip_config.json", change);
  }

  TemporaryFolder folder_;
  LoadedWeights weights_;
};

TEST_F(WeightsFolder, BothTellWhatNoTensorShows) {
  for (const auto scheme : {NameScheme::huggingface, NameScheme::open_clip}) {
    const auto folder = write(scheme);
    const auto weights = load_weights(folder);
    EXPECT_EQ(weights.scheme, scheme);
    EXPECT_EQ(weights.config.vision.heads, 2);
    EXPECT_EQ(weights.config.text.heads, 2);
    EXPECT_EQ(weights.config.fusion.heads, 2);
    EXPECT_EQ(weights.config.vision.activation, Activation::gelu);
    EXPECT_EQ(weights.config.text.activation, Activation::gelu);
    EXPECT_EQ(weights.config.mean, weights_.config.mean);
    EXPECT_TRUE(weights.told.heads && weights.told.activation && weights.told.input &&
                weights.told.end_token);
    EXPECT_FALSE(weights.has_fusion);
    EXPECT_EQ(weights.tensors.size(), weights_.tensors.size());
    for (const auto& [name, tensor] : weights_.tensors)
      EXPECT_TRUE(at::equal(weights.tensors.at(name), tensor)) << name;
  }
}

TEST_F(WeightsFolder, AFileThatIsNamedItselfIsDescribedByWhatLiesBesideIt) {
  const auto file = write(NameScheme::huggingface) / "model.safetensors";
  EXPECT_EQ(load_weights(file).config.vision.heads, 2);
  const auto other = folder_ / "huggingface/other.safetensors";
  std::filesystem::rename(file, other);
  EXPECT_EQ(load_weights(other).config.vision.heads, 1) << "which may not belong to it";
}

TEST_F(WeightsFolder, ThePreprocessorNeedNotBeThere) {
  const auto folder = write(NameScheme::huggingface);
  std::filesystem::remove(folder / "preprocessor_config.json");
  EXPECT_EQ(load_weights(folder).config.mean, ActionClipConfig().mean);
  EXPECT_FALSE(load_weights(folder).told.input);
}

TEST_F(WeightsFolder, AConfigurationBesideNativeWeightsIsNotRead) {
  write_weights(folder_ / "model.safetensors", weights_.tensors, to_metadata(weights_.config));
  write_text(folder_ / "config.json", "{\"model_type\": \"bert\"}");
  write_text(folder_ / "open_clip_config.json", "{");
  EXPECT_TRUE(load_weights(folder_.path()).described);
}

TEST_F(WeightsFolder, AFolderWithoutWeightsIsRefusedWithTheNamesThatAreLookedFor) {
  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_THAT(weights_error([&] { load_weights(folder_ / "empty"); }),
              AllOf(HasSubstr("empty: no weights in this folder"), HasSubstr("model.safetensors"),
                    HasSubstr("open_clip_pytorch_model.bin")));
}

TEST_F(WeightsFolder, TheEndOfTextsIsTold) {
  const auto end_of = [&](json end) {
    const auto folder = write(NameScheme::huggingface);
    auto content = json::parse(read_text(folder / "config.json"));
    content["text_config"]["eos_token_id"] = std::move(end);
    write_text(folder / "config.json", content.dump());
    return load_weights(folder).config.text.end_token;
  };
  EXPECT_EQ(end_of(2), kLargestToken) << "transformers' old word for it";
  EXPECT_EQ(end_of(19), kLargestToken) << "the vocabulary's last";
  EXPECT_EQ(end_of(17), 17);
  EXPECT_EQ(end_of(nullptr), kLargestToken);
  weights_.config.text.end_token = 17;
  for (const auto scheme : {NameScheme::huggingface, NameScheme::open_clip})
    EXPECT_EQ(load_weights(write(scheme)).config.text.end_token, 17);
}

TEST_F(WeightsFolder, SizesThatTheTensorsContradictAreRefused) {
  EXPECT_THAT(huggingface_error([](json& config) { config["vision_config"]["num_hidden_layers"] = 2; }),
              EndsWith("config.json says vision.layers 2, the tensors show 1"));
  EXPECT_THAT(huggingface_error([](json& config) { config["projection_dim"] = 65; }),
              HasSubstr("config.json says vision.output_dim 65"));
  EXPECT_THAT(open_clip_error([](json& config) { config["model_cfg"]["text_cfg"]["mlp_ratio"] = 3; }),
              EndsWith("open_clip_config.json says text.mlp_width 192, the tensors show 256"));
  EXPECT_THAT(open_clip_error([](json& config) {
                config["model_cfg"]["vision_cfg"]["layers"] = {1, 1, 1, 1};
              }),
              HasSubstr("vision.stages"));
}

TEST_F(WeightsFolder, SettingsThatTheEncodersHereDoNotHaveAreRefusedWithTheirPlace) {
  EXPECT_THAT(huggingface_error([](json& config) { config["model_type"] = "siglip"; }),
              AllOf(HasSubstr("config.json: model_type: "), HasSubstr("siglip")));
  EXPECT_THAT(huggingface_error([](json& config) { config["text_config"]["hidden_act"] = "relu"; }),
              AllOf(HasSubstr("text_config.hidden_act: "), HasSubstr("relu")));
  EXPECT_THAT(huggingface_error([](json& config) { config["vision_config"]["layer_norm_eps"] = 1e-6; }),
              HasSubstr("vision_config.layer_norm_eps: 1e-06 is not supported, 1e-05 is"));
  EXPECT_THAT(open_clip_error([](json& config) { config["model_cfg"]["vision_cfg"]["pool_type"] = "avg"; }),
              HasSubstr("model_cfg.vision_cfg.pool_type: models with this setting are not supported"));
  EXPECT_THAT(open_clip_error([](json& config) { config["model_cfg"]["text_cfg"]["pool_type"] = "last"; }),
              HasSubstr("model_cfg.text_cfg.pool_type"));
  EXPECT_THAT(open_clip_error([](json& config) {
                config["model_cfg"]["multimodal_cfg"] = {{"width", 4}};
              }),
              HasSubstr("model_cfg.multimodal_cfg"));
}

TEST_F(WeightsFolder, DamagedConfigurationsAreRefusedWithTheirPlace) {
  EXPECT_THAT(huggingface_error([](json& config) { config.erase("vision_config"); }),
              HasSubstr("vision_config: is missing"));
  EXPECT_THAT(huggingface_error([](json& config) {
                config["text_config"] = {1, 2};
              }),
              HasSubstr("text_config: an object is needed"));
  EXPECT_THAT(huggingface_error([](json& config) { config["text_config"]["num_attention_heads"] = "two"; }),
              HasSubstr("text_config.num_attention_heads: an integer is needed"));
  EXPECT_THAT(huggingface_error([](json& config) { config["vision_config"]["num_attention_heads"] = 0; }),
              HasSubstr("vision.heads"));
  EXPECT_THAT(open_clip_error([](json& config) { config["model_cfg"]["vision_cfg"]["head_width"] = 0; }),
              HasSubstr("vision_cfg.head_width: must be a size"));
  EXPECT_THAT(open_clip_error([](json& config) { config["preprocess_cfg"]["mean"] = {0.5}; }),
              HasSubstr("mean"));
  EXPECT_THAT(open_clip_error([](json& config) { config = {1, 2}; }), HasSubstr("not a JSON object"));
  const auto folder = write(NameScheme::huggingface);
  write_text(folder / "config.json", "{\"model_type\": \"bert\", \"model_type\": \"clip\"}");
  EXPECT_THAT(weights_error([&] { load_weights(folder); }), HasSubstr("appears twice"));
  write_text(folder / "config.json", "{\"model_type\": ");
  EXPECT_THAT(weights_error([&] { load_weights(folder); }), HasSubstr("config.json: "));
  write_text(folder / "config.json", std::string(100, '[') + std::string(100, ']'));
  EXPECT_THAT(weights_error([&] { load_weights(folder); }), HasSubstr("nested deeper"));
}

TEST_F(WeightsFolder, SizesThatCannotBeMultipliedAreRefusedWithTheirPlace) {
  EXPECT_THAT(huggingface_error([](json& config) {
                config["text_config"]["vocab_size"] = std::numeric_limits<std::int64_t>::min();
              }),
              HasSubstr("config.json: text_config.vocab_size: must be a size, found -9223372036854775808"));
  EXPECT_THAT(huggingface_error(
                  [](json& config) { config["vision_config"]["hidden_size"] = 9'000'000'000'000'000'000; }),
              HasSubstr("vision_config.hidden_size: must be a size, found 9000000000000000000"));
  EXPECT_THAT(huggingface_error([](json& config) {
                config["vision_config"]["image_size"] = {3'000'000'000, 3'000'000'000};
              }),
              HasSubstr("vision_config.image_size: must be a size"));
  EXPECT_THAT(huggingface_error([](json& config) {
                config["text_config"]["eos_token_id"] = std::numeric_limits<std::uint64_t>::max();
              }),
              HasSubstr("text_config.eos_token_id: an integer is needed"));
  EXPECT_THAT(open_clip_error([](json& config) { config["model_cfg"]["text_cfg"]["context_length"] = -1; }),
              HasSubstr("model_cfg.text_cfg.context_length: must be a size, found -1"));
}

TEST_F(WeightsFolder, AMessageDoesNotRepeatALongList) {
  EXPECT_LT(open_clip_error([](json& config) {
              config["model_cfg"]["vision_cfg"]["layers"] = std::vector<std::int64_t>(100'000, 1);
            }).size(),
            1000u);
}

// --- shards

class Shards : public WeightsFolder {
 protected:
  void SetUp() override {
    WeightsFolder::SetUp();
    folder = write(NameScheme::huggingface);
    std::filesystem::remove(folder / "model.safetensors");
    const auto exported = export_weights(weights_, NameScheme::huggingface);
    for (const auto& [name, tensor] : exported.tensors) {
      const std::string shard = name.starts_with("text_") ? "b.safetensors" : "a.safetensors";
      shards[shard][name] = tensor;
      index["weight_map"][name] = shard;
    }
  }

  LoadedWeights load() {
    for (const auto& [name, tensors] : shards) write_weights(folder / name, tensors, {{"format", "pt"}});
    write_text(folder / "model.safetensors.index.json", index.dump());
    return load_weights(folder);
  }

  std::string error() {
    return weights_error([&] { load(); });
  }

  std::filesystem::path folder;
  std::map<std::string, StateDict> shards;
  json index = {{"metadata", {{"total_size", 1}}}};
};

TEST_F(Shards, TheyMakeOneModel) {
  const auto weights = load();
  EXPECT_EQ(weights.tensors.size(), weights_.tensors.size());
  EXPECT_EQ(weights.config.vision.heads, 2);
  EXPECT_EQ(open_weights(folder).shards, 2u);
  EXPECT_EQ(open_weights(folder / "model.safetensors.index.json").content.tensors.size(),
            index["weight_map"].size());
}

TEST_F(Shards, EveryOneMustBeThere) {
  shards.erase("b.safetensors");
  EXPECT_THAT(error(), AllOf(HasSubstr("b.safetensors: no such file"), HasSubstr("not complete")));
}

TEST_F(Shards, NamesThatLeadOutOfTheFolderAreRefused) {
  for (const std::string name :
       {"../a.safetensors", "/etc/passwd", "sub/a.safetensors", "..", ".", "", "a\\b"}) {
    index["weight_map"]["logit_scale"] = name;
    EXPECT_THAT(error(), HasSubstr("the name of a file beside the index is needed")) << name;
  }
  index["weight_map"]["logit_scale"] = 3;
  EXPECT_THAT(error(), HasSubstr("the name of a file beside the index is needed"));
}

TEST_F(Shards, EachHoldsTheTensorsThatTheIndexSays) {
  shards["a.safetensors"]["text_projection.weight"] = at::zeros({1});
  EXPECT_THAT(error(), HasSubstr("a.safetensors: tensor \"text_projection.weight\" is surplus"));
  shards["a.safetensors"].erase("text_projection.weight");
  shards["b.safetensors"].erase("text_projection.weight");
  EXPECT_THAT(error(), HasSubstr("b.safetensors: tensor \"text_projection.weight\" is missing"));
}

TEST_F(Shards, AnIndexThatIsNoneIsRefused) {
  index.erase("weight_map");
  EXPECT_THAT(error(), HasSubstr("model.safetensors.index.json: weight_map: is missing"));
  write_text(folder / "model.safetensors.index.json",
             R"({"weight_map": {"logit_scale": "a.safetensors", "logit_scale": "b.safetensors"}})");
  EXPECT_THAT(weights_error([&] { load_weights(folder); }), HasSubstr("appears twice"));
}

}  // namespace
}  // namespace actionclip
