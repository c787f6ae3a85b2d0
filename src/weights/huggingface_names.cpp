#include "weights/huggingface_names.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/weights/tensor_convert.h"

#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

enum class Form { same, transposed, query, key, value };  // the last three: a third of the native tensor

struct Row {
  std::string_view other, native;
  Form form = Form::same;
};

constexpr std::array kModel = {
    Row{"vision_model.embeddings.class_embedding", "visual.class_embedding"},
    Row{"vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"},
    Row{"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"},
    Row{"vision_model.pre_layrnorm.weight", "visual.ln_pre.weight"},  // spelled so
    Row{"vision_model.pre_layrnorm.bias", "visual.ln_pre.bias"},
    Row{"vision_model.post_layernorm.weight", "visual.ln_post.weight"},
    Row{"vision_model.post_layernorm.bias", "visual.ln_post.bias"},
    Row{"visual_projection.weight", "visual.proj", Form::transposed},
    Row{"text_model.embeddings.token_embedding.weight", "token_embedding.weight"},
    Row{"text_model.embeddings.position_embedding.weight", "positional_embedding"},
    Row{"text_model.final_layer_norm.weight", "ln_final.weight"},
    Row{"text_model.final_layer_norm.bias", "ln_final.bias"},
    Row{"text_projection.weight", "text_projection", Form::transposed},
    Row{"logit_scale", "logit_scale"},
};

constexpr std::array kEncoders = {
    Row{"vision_model.encoder.layers.", "visual.transformer.resblocks."},
    Row{"text_model.encoder.layers.", "transformer.resblocks."},
};

// Behind the number of a block.
constexpr std::array kBlock = {
    Row{"self_attn.q_proj.weight", "attn.in_proj_weight", Form::query},
    Row{"self_attn.k_proj.weight", "attn.in_proj_weight", Form::key},
    Row{"self_attn.v_proj.weight", "attn.in_proj_weight", Form::value},
    Row{"self_attn.q_proj.bias", "attn.in_proj_bias", Form::query},
    Row{"self_attn.k_proj.bias", "attn.in_proj_bias", Form::key},
    Row{"self_attn.v_proj.bias", "attn.in_proj_bias", Form::value},
    Row{"self_attn.out_proj.weight", "attn.out_proj.weight"},
    Row{"self_attn.out_proj.bias", "attn.out_proj.bias"},
    Row{"layer_norm1.weight", "ln_1.weight"},
    Row{"layer_norm1.bias", "ln_1.bias"},
    Row{"layer_norm2.weight", "ln_2.weight"},
    Row{"layer_norm2.bias", "ln_2.bias"},
    Row{"mlp.fc1.weight", "mlp.c_fc.weight"},
    Row{"mlp.fc1.bias", "mlp.c_fc.bias"},
    Row{"mlp.fc2.weight", "mlp.c_proj.weight"},
    Row{"mlp.fc2.bias", "mlp.c_proj.bias"},
};

// Of a name and of a row, the side that is given.
using Side = std::string_view Row::*;

struct Counterpart {
  std::string name;
  Form form;
};

// The names on the other side that `name` stands for: one, three for a packed projection, none if the tables
// do not know it.
std::vector<Counterpart> counterparts(const std::string& name, Side from, Side to) {
  std::vector<Counterpart> found;
  for (const Row& row : kModel) {
    if (row.*from == name) found.push_back({std::string(row.*to), row.form});
  }
  for (const Row& encoder : kEncoders) {
    if (!name.starts_with(encoder.*from)) continue;
    const auto number = name.substr((encoder.*from).size());
    const auto dot = number.find('.');
    if (dot == std::string::npos) continue;
    for (const Row& row : kBlock) {
      if (row.*from != std::string_view(number).substr(dot + 1)) continue;
      found.push_back(
          {fmt::format("{}{}.{}", encoder.*to, std::string_view(number).substr(0, dot), row.*to), row.form});
    }
  }
  return found;
}

bool is_third(Form form) { return form >= Form::query; }

std::size_t index_of(Form third) {
  return static_cast<std::size_t>(third) - static_cast<std::size_t>(Form::query);
}

struct Third {
  std::string origin;
  at::Tensor tensor;
};

using Thirds = std::array<std::optional<Third>, 3>;  // query, key, value

std::string shape_of(const Third& third) { return shortened(shape_string(third.tensor.sizes().vec())); }

// Also that three times the rows can be counted.
void require_same_shapes(const std::string& native, const Thirds& thirds) {
  constexpr std::int64_t kMaxRows = std::numeric_limits<std::int64_t>::max() / 3;
  for (const auto& third : thirds) {
    const at::Tensor& tensor = third->tensor;
    const bool same = tensor.dim() > 0 && tensor.sizes() == thirds[0]->tensor.sizes();
    if (same && tensor.size(0) <= kMaxRows) continue;
    throw WeightsError(fmt::format("{} cannot be put together: {} is {}, {} is {}{}", shortened(native),
                                   shortened(thirds[0]->origin), shape_of(*thirds[0]),
                                   shortened(third->origin), shape_of(*third),
                                   same ? ": no model is so large" : ""));
  }
}

class Collector {
 public:
  void add(const std::string& origin, const Counterpart& place, const at::Tensor& tensor) {
    if (is_third(place.form)) {
      add_third(origin, place, tensor);
      return;
    }
    if (const auto [known, fresh] = native_.origins.emplace(place.name, std::vector{origin}); !fresh)
      fail(known->second.front(), origin, place.name);
    const bool matrix = place.form == Form::transposed && tensor.dim() == 2;
    native_.tensors.emplace(place.name, matrix ? tensor.t().contiguous() : tensor);
  }

  void leave_over(const std::string& origin) { native_.left_over.push_back(origin); }

  NativeTensors take() {
    for (const auto& [name, thirds] : thirds_) {
      for (const auto& third : thirds) {
        if (third) leave_over(third->origin);
      }
    }
    return std::move(native_);
  }

 private:
  [[noreturn]] static void fail(const std::string& first, const std::string& second, const std::string& own) {
    throw WeightsError(fmt::format("tensors '{}' and '{}' would both be {}", shortened(first),
                                   shortened(second), shortened(own)));
  }

  // Puts the three together as soon as they are there, so that few are in memory twice.
  void add_third(const std::string& origin, const Counterpart& place, const at::Tensor& tensor) {
    if (const auto packed = native_.origins.find(place.name); packed != native_.origins.end())
      fail(packed->second.front(), origin, place.name);
    Thirds& thirds = thirds_[place.name];
    auto& third = thirds[index_of(place.form)];
    if (third) fail(third->origin, origin, place.name);
    third = Third{origin, tensor};
    if (!std::ranges::all_of(thirds, [](const auto& part) { return part.has_value(); })) return;
    pack(place.name, thirds);
    thirds_.erase(place.name);
  }

  void pack(const std::string& name, const Thirds& thirds) {
    require_same_shapes(name, thirds);
    std::vector<at::Tensor> tensors;
    auto& origins = native_.origins[name];
    for (const auto& third : thirds) {
      tensors.push_back(third->tensor);
      origins.push_back(third->origin);
    }
    native_.tensors.emplace(name, at::cat(tensors));
  }

  NativeTensors native_;
  std::map<std::string, Thirds> thirds_;  // those that lack a part, by their native name
};

// The part of a native tensor that `form` names.
at::Tensor part_of_tensor(const std::string& name, const at::Tensor& tensor, Form form) {
  if (form == Form::transposed) return tensor.t().contiguous();
  if (!is_third(form)) return tensor;
  const auto rows = tensor.size(0) / 3;
  if (rows * 3 != tensor.size(0)) {
    throw WeightsError(fmt::format("{} is {}: query, key and value need as many rows each", name,
                                   shape_string(tensor.sizes().vec())));
  }
  return tensor.narrow(0, static_cast<std::int64_t>(index_of(form)) * rows, rows).contiguous();
}

}  // namespace

NativeTensors from_huggingface(TensorFile file, const std::string& prefix) {
  Collector collector;
  auto tensors = std::move(file.tensors);
  for (auto& [name, tensor] : tensors) {
    const auto places = name.starts_with(prefix)
                            ? counterparts(name.substr(prefix.size()), &Row::other, &Row::native)
                            : std::vector<Counterpart>{};
    if (places.empty()) {
      collector.leave_over(name);
    } else {
      collector.add(name, places.front(), to_tensor(std::move(tensor)));
    }
  }
  return collector.take();
}

StateDict to_huggingface(const StateDict& tensors) {
  StateDict renamed;
  for (const auto& [name, tensor] : tensors) {
    for (const auto& [other, form] : counterparts(name, &Row::native, &Row::other))
      renamed.emplace(other, part_of_tensor(name, tensor, form));
  }
  return renamed;
}

}  // namespace actionclip
