// Small weights files of every kind that is read, for tests and fuzz targets to change.
#pragma once

#include <string>
#include <vector>

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

inline std::vector<Records> valid_archives() {
  return {valid_state_dict(), valid_checkpoint(), valid_script_archive()};
}

}  // namespace actionclip
