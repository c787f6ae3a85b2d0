// Small weights files of every kind that is read, for tests and fuzz targets to change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/weights/bytes.h"
#include "tests/weights/crafted_safetensors.h"
#include "tests/weights/pickle_builder.h"
#include "tests/weights/zip_builder.h"

namespace actionclip {

// Two numbers of each type, a scalar, an empty tensor, metadata.
inline std::string valid_safetensors() {
  std::string header = R"({"__metadata__":{"format":"pt","labels":"a\nb"})";
  std::size_t place = 0;
  const auto add = [&](const std::string& name, const std::string& dtype, const std::string& shape,
                       std::size_t size) {
    header += fmt::format(R"(,"{}":{{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})", name, dtype, shape,
                          place, place + size);
    place += size;
  };
  for (const char* dtype : {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"})
    add(fmt::format("block.{}.weight", dtype), dtype, "[2]", 2 * item_size(*dtype_from_name(dtype)));
  add("logit_scale", "F32", "[]", 4);
  add("empty", "F16", "[0,3]", 0);
  add("visual.proj", "F32", "[2,3]", 24);
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  return safetensors(header, std::string(place, 'x'));
}

// Of an archive, for build_zip().
using Records = std::vector<ZipEntry>;

// A state dict whose tensors are views of one storage, and one of their own.
inline Records valid_state_dict() {
  using namespace pickles;
  const std::string shared = storage("0", "FloatStorage", 16);
  const std::string ordered_dict = global("collections", "OrderedDict") + ")R";
  const std::string ops = ordered_dict + "(" + text("visual.proj") + tensor(shared, 0, {4, 4}, {1, 4}) +
                          text("visual.bias") + tensor(shared, 5, {2, 3}, {4, 1}) + text("empty") +
                          tensor(storage("1", "HalfStorage", 0), 0, {0, 3}, {3, 1}) + text("steps") +
                          tensor(storage("2", "LongStorage", 3), 0, {3}, {1}) + "u}" + text("_metadata") +
                          "}s" + "b";
  return {{.name = "m/data.pkl", .data = program(ops)},       {.name = "m/byteorder", .data = "little"},
          {.name = "m/data/0", .data = std::string(64, 'f')}, {.name = "m/data/1", .data = ""},
          {.name = "m/data/2", .data = std::string(24, 'i')}, {.name = "m/version", .data = "3\n"}};
}

// As published checkpoints are: a model, a fusion head, an optimizer's state with numbers for keys; memo and
// parameters as torch.save writes them.
inline Records valid_checkpoint() {
  using namespace pickles;
  const std::string weight =
      tensor(storage("0", "FloatStorage", 6), 0, {2, 3}, {3, 1}) + std::string("q\0", 2);
  const std::string again = std::string("h\0", 2);
  const std::string parameter = global("torch._utils", "_rebuild_parameter") +
                                tuple({tensor(storage("1", "BFloat16Storage", 4), 0, {4}, {1}), "\x88",
                                       global("collections", "OrderedDict") + ")R"}) +
                                "R";
  const std::string moments = dict({text("step"), tensor(storage("2", "FloatStorage", 1), 0, {}, {}),
                                    text("exp_avg"), tensor(storage("3", "DoubleStorage", 2), 0, {2}, {1})});
  const std::string groups =
      "](" +
      dict({text("lr"), std::string("G\x3f\xe0\0\0\0\0\0\0", 9), text("betas"),
            std::string("G\x3f\xe0\0\0\0\0\0\0", 9) + "N\x86", text("params"), "](K\0K\1e"}) +
      "e";
  const std::string ops =
      dict({text("epoch"), "K\3", text("seed"), "\x8a\x09" + std::string(9, '\x7f'), text("model_state_dict"),
            dict({text("module.a"), weight, text("module.b"), again}), text("fusion_model_state_dict"),
            dict({text("module.c"), parameter}), text("optimizer_state_dict"),
            dict({text("state"), dict({"K\1", moments}), text("param_groups"), groups}), text("device"),
            global("torch", "device") + text("cpu") + "\x85R", text("dtype"), global("torch", "float16")});
  return {{.name = "checkpoint/data.pkl", .data = program(ops)},
          {.name = "checkpoint/byteorder", .data = "little"},
          {.name = "checkpoint/data/0", .data = std::string(24, 'a')},
          {.name = "checkpoint/data/1", .data = std::string(8, 'b')},
          {.name = "checkpoint/data/2", .data = std::string(4, 'c')},
          {.name = "checkpoint/data/3", .data = std::string(16, 'd')}};
}

// As torch.jit.save writes modules.
inline Records valid_script_archive() {
  using namespace pickles;
  const std::string inner = global("__torch__.torch.nn.modules.linear", "Linear") + ")\x81" +
                            dict({text("training"), "\x89", text("weight"),
                                  tensor(storage("0", "HalfStorage", 6), 0, {2, 3}, {3, 1})}) +
                            "b";
  const std::string sizes = global("torch.jit._pickle", "build_intlist") + tuple({"](K\1K\2e"}) + "R";
  const std::string ops = global("__torch__", "Clip") + ")\x81" +
                          dict({text("visual"), inner, text("sizes"), sizes, text("logit_scale"),
                                tensor(storage("1", "FloatStorage", 1), 0, {}, {})}) +
                          "b";
  return {{.name = "clip/data.pkl", .data = program(ops)},
          {.name = "clip/code/__torch__.py", .data = "class Clip(Module):\n", .method = 8},
          {.name = "clip/constants.pkl", .data = program(")")},
          {.name = "clip/data/0", .data = std::string(12, 'h')},
          {.name = "clip/data/1", .data = std::string(4, 's')},
          {.name = "clip/version", .data = "3\n"}};
}

// --- a small model, its tensors under their real names

struct NamedShape {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string dtype = "F32";
};
using NamedShapes = std::vector<NamedShape>;

inline std::size_t element_count(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) {
    if (size == 0) return 0;
  }
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  return count;
}

// `metadata`: "" or the header's entry of this name.
inline std::string safetensors_of(const NamedShapes& tensors, const std::string& metadata = "") {
  std::string header = "{" + metadata;
  std::size_t place = 0;
  for (const auto& [name, shape, dtype] : tensors) {
    const std::size_t end = place + element_count(shape) * item_size(*dtype_from_name(dtype));
    header += fmt::format(R"({}"{}":{{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})",
                          header.size() > 1 ? "," : "", name, dtype, shape_string(shape), place, end);
    place = end;
  }
  return safetensors(header + "}", std::string(place, 'x'));
}

inline NamedShapes clip_tensors() {
  NamedShapes tensors = {{"visual.conv1.weight", {8, 3, 2, 2}},
                         {"visual.class_embedding", {8}},
                         {"visual.positional_embedding", {5, 8}},
                         {"visual.ln_pre.weight", {8}},
                         {"visual.ln_pre.bias", {8}},
                         {"visual.ln_post.weight", {8}},
                         {"visual.ln_post.bias", {8}},
                         {"visual.proj", {8, 8}},
                         {"token_embedding.weight", {20, 8}},
                         {"positional_embedding", {8, 8}},
                         {"ln_final.weight", {8}},
                         {"ln_final.bias", {8}},
                         {"text_projection", {8, 8}},
                         {"logit_scale", {}}};
  const NamedShapes block = {{"attn.in_proj_weight", {24, 8}},
                             {"attn.in_proj_bias", {24}},
                             {"attn.out_proj.weight", {8, 8}},
                             {"attn.out_proj.bias", {8}},
                             {"ln_1.weight", {8}},
                             {"ln_1.bias", {8}},
                             {"ln_2.weight", {8}},
                             {"ln_2.bias", {8}},
                             {"mlp.c_fc.weight", {32, 8}},
                             {"mlp.c_fc.bias", {32}},
                             {"mlp.c_proj.weight", {8, 32}},
                             {"mlp.c_proj.bias", {8}}};
  for (const std::string encoder : {"visual.transformer", "transformer"}) {
    for (const NamedShape& tensor : block)
      tensors.push_back({fmt::format("{}.resblocks.0.{}", encoder, tensor.name), tensor.shape});
  }
  return tensors;
}

inline NamedShapes huggingface_tensors() {
  NamedShapes tensors = {{"vision_model.embeddings.patch_embedding.weight", {8, 3, 2, 2}},
                         {"vision_model.embeddings.class_embedding", {8}},
                         {"vision_model.embeddings.position_embedding.weight", {5, 8}},
                         {"vision_model.pre_layrnorm.weight", {8}},
                         {"vision_model.pre_layrnorm.bias", {8}},
                         {"vision_model.post_layernorm.weight", {8}},
                         {"vision_model.post_layernorm.bias", {8}},
                         {"visual_projection.weight", {8, 8}},
                         {"text_model.embeddings.token_embedding.weight", {20, 8}},
                         {"text_model.embeddings.position_embedding.weight", {8, 8}},
                         {"text_model.final_layer_norm.weight", {8}},
                         {"text_model.final_layer_norm.bias", {8}},
                         {"text_projection.weight", {8, 8}},
                         {"logit_scale", {}}};
  const NamedShapes block = {{"self_attn.q_proj.weight", {8, 8}},   {"self_attn.q_proj.bias", {8}},
                             {"self_attn.k_proj.weight", {8, 8}},   {"self_attn.k_proj.bias", {8}},
                             {"self_attn.v_proj.weight", {8, 8}},   {"self_attn.v_proj.bias", {8}},
                             {"self_attn.out_proj.weight", {8, 8}}, {"self_attn.out_proj.bias", {8}},
                             {"layer_norm1.weight", {8}},           {"layer_norm1.bias", {8}},
                             {"layer_norm2.weight", {8}},           {"layer_norm2.bias", {8}},
                             {"mlp.fc1.weight", {32, 8}},           {"mlp.fc1.bias", {32}},
                             {"mlp.fc2.weight", {8, 32}},           {"mlp.fc2.bias", {8}}};
  for (const std::string encoder : {"vision_model", "text_model"}) {
    for (const NamedShape& tensor : block)
      tensors.push_back({fmt::format("{}.encoder.layers.0.{}", encoder, tensor.name), tensor.shape});
  }
  return tensors;
}

// The pickled dictionary of these tensors, all views of the storage `key`, whose record is added.
inline std::string flat_state(const NamedShapes& tensors, const std::string& key, Records& records) {
  using namespace pickles;
  std::size_t count = 0;
  for (const NamedShape& entry : tensors) count += element_count(entry.shape);
  const std::string shared = storage(key, "FloatStorage", static_cast<std::int64_t>(count));
  std::vector<std::string> items;
  std::size_t place = 0;
  for (const auto& [name, shape, dtype] : tensors) {
    items.push_back(text(name));
    items.push_back(tensor(shared, static_cast<std::int64_t>(place), shape, contiguous_strides(shape)));
    place += element_count(shape);
  }
  records.push_back({.name = "m/data/" + key, .data = std::string(4 * count, 'f')});
  return dict(items);
}

// A state dict of views of one storage.
inline Records flat_clip_archive() {
  Records records = {{.name = "m/data.pkl", .data = {}}};
  const std::string state = flat_state(clip_tensors(), "0", records);
  records.front().data = pickles::program(state);
  return records;
}

// Published ActionCLIP with the head Conv_1D.
inline Records published_archive() {
  using namespace pickles;
  Records records = {{.name = "m/data.pkl", .data = {}}};
  const std::string model = flat_state(clip_tensors(), "0", records);
  const std::string head = flat_state({{"module.shift.weight", {8, 1, 3}}}, "1", records);
  records.front().data = program(
      dict({text("epoch"), "K\3", text("model_state_dict"), model, text("fusion_model_state_dict"), head}));
  return records;
}

inline std::vector<std::string> valid_models() {
  return {safetensors_of(clip_tensors()), safetensors_of(huggingface_tensors()),
          build_zip(flat_clip_archive()), build_zip(published_archive())};
}

inline std::vector<Records> valid_archives() {
  return {valid_state_dict(), valid_checkpoint(), valid_script_archive()};
}

}  // namespace actionclip
