// Files that are whole, with the names of a model's tensors, but not the tensors of one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/weights/crafted_archives.h"
#include "tests/weights/valid_files.h"

namespace actionclip {

// `tensors` with those of `others` added, or in place of those of their names.
inline NamedShapes with(NamedShapes tensors, const NamedShapes& others) {
  for (const NamedShape& other : others) {
    std::erase_if(tensors, [&](const NamedShape& tensor) { return tensor.name == other.name; });
    tensors.push_back(other);
  }
  return tensors;
}

// Sizes of tensors without elements, whose products do not fit in 63 bits.
inline CraftedFiles models_of_absurd_sizes() {
  constexpr std::int64_t k61 = std::int64_t{1} << 61, k62 = std::int64_t{1} << 62;
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  const NamedShape no_channels = {"visual.conv1.weight", {0, 3, 2, 2}},
                   many_features = {"visual.proj", {0, k62}, "U8"};
  const auto file = [](std::string name, const NamedShapes& others, std::string message) {
    return CraftedFile{std::move(name), safetensors_of(with(clip_tensors(), others)), std::move(message),
                       true};
  };
  const std::string layer = "vision_model.encoder.layers.0.self_attn.";
  const NamedShapes thirds = {{layer + "q_proj.weight", {k62, 0}, "U8"},
                              {layer + "k_proj.weight", {k62, 0}, "U8"},
                              {layer + "v_proj.weight", {k62, 0}, "U8"}};
  return {
      file("ChannelsOfNoPixels", {{"visual.conv1.weight", {k61, 3, 0, 0}, "U8"}},
           "visual.conv1.weight is [2305843009213693952, 3, 0, 0] in the file: no model is so large"),
      file("PatchesOfNoChannels", {{"visual.conv1.weight", {0, 3, 1, k61}, "U8"}},
           "visual.conv1.weight is [0, 3, 1, 2305843009213693952]"),
      file("PositionsOfNoWidth", {no_channels, {"visual.positional_embedding", {kLargest, 0}, "U8"}},
           "visual.positional_embedding is [9223372036854775807, 0]"),
      file("FeaturesOfNoWidth", {no_channels, many_features}, "visual.proj is [0, 4611686018427387904]"),
      file("LstmOfManyFeatures",
           {no_channels, many_features, {"fusion.lstm_visual.weight_hh_l0", {0, k62}, "U8"}},
           "visual.proj is [0, 4611686018427387904]"),
      file("TransformerOfManyFeatures",
           {no_channels,
            many_features,
            {"fusion.transformer.resblocks.0.attn.out_proj.weight", {k62, 0}, "U8"}},
           "visual.proj is [0, 4611686018427387904]"),
      file("WordsOfNoWidth", {{"token_embedding.weight", {k62, 0}, "U8"}},
           "token_embedding.weight is [4611686018427387904, 0]"),
      file("PerceptronOfManyRows", {{"transformer.resblocks.0.mlp.c_fc.weight", {k61, 0}, "U8"}},
           "transformer.resblocks.0.mlp.c_fc.weight is [2305843009213693952, 0]"),
      {"ThirdsOfNoColumns", safetensors_of(with(huggingface_tensors(), thirds)),
       "cannot be put together: vision_model.encoder.layers.0.self_attn.q_proj.weight is "
       "[4611686018427387904, 0]",
       true},
  };
}

// Small files that ask for much: memory, long messages.
inline CraftedFiles greedy_models() {
  using namespace pickles;
  const auto scalars = [](int count) {
    NamedShapes tensors;
    for (int i = 0; i < count; ++i) tensors.push_back({fmt::format("visual.{}", i), {}, "U8"});
    return safetensors_of(tensors);
  };
  const auto more = [](const NamedShapes& others) { return safetensors_of(with(clip_tensors(), others)); };
  const std::string long_name = "visual." + std::string(500'000, 'n');
  const NamedShape no_rows = {"visual.proj", {0}};  // so that all that is wrong is listed
  std::vector<std::string> few;                     // within what views of one storage may have
  for (int i = 0; i < 5; ++i) {
    few.push_back(text(fmt::format("visual.{}", i)));
    few.push_back(tensor(storage("0", "FloatStorage", 1 << 20), 0, {1 << 20}, {1}));
  }
  return {
      {"ManyScalars", scalars(20'000), " more", true},
      {"TooManyScalars", scalars(115'000), "it holds 115000 tensors", true},
      {"LongNames", more({no_rows, {long_name + "a", {1}}, {long_name + "b", {1}}, {long_name + "c", {1}}}),
       "cannot tell the architecture", true},
      {"ManyLongNames",
       [&] {
         NamedShapes tensors;
         for (int i = 0; i < 8000; ++i)
           tensors.push_back({fmt::format("visual.{}{}", std::string(1000, 'n'), i), {}, "U8"});
         return safetensors_of(tensors);
       }(),
       "it holds 8000 tensors, whose names have", true},
      {"FarBlock", more({{"visual.transformer.resblocks.1023.ln_1.weight", {0}}}), " more", true},
      {"MetadataOfManyNumbers",
       safetensors_of(clip_tensors(),
                      R"("__metadata__":{"actionclip.model":"mean: [)" + repeated("0,", 250'000) + R"(0]"})"),
       "metadata actionclip.model: larger than 65536 bytes", true},
      {"FewTensorsOfOneStorage",
       build_zip({{.name = "m/data.pkl", .data = program(dict(few))},
                  {.name = "m/data/0", .data = std::string(4u << 20, 'f')}}),
       "cannot tell the architecture", true},
  };
}

}  // namespace actionclip
