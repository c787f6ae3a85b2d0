#include "architectures.h"

#include <array>

namespace actionclip {
namespace {

constexpr std::string_view kQuickGelu = "-quickgelu";

// Sizes as the papers have them: CLIP (Radford et al. 2021, tables 19 and 20), OpenCLIP (Cherti et al. 2023)
// and its model list. `heads` 0: of width 64.
struct VitRow {
  std::string_view name;
  std::int64_t embed_dim, image_size, patch_size, width, layers, heads, mlp_width;
  std::int64_t text_width, text_heads, text_layers;
  Activation activation = Activation::gelu;
  bool layer_scale = false;
};

constexpr std::array kVits = {
    VitRow{"ViT-B/32", 512, 224, 32, 768, 12, 0, 0, 512, 8, 12, Activation::quick_gelu},
    VitRow{"ViT-B/16", 512, 224, 16, 768, 12, 0, 0, 512, 8, 12, Activation::quick_gelu},
    VitRow{"ViT-L/14", 768, 224, 14, 1024, 24, 0, 0, 768, 12, 12, Activation::quick_gelu},
    VitRow{"ViT-L/14@336px", 768, 336, 14, 1024, 24, 0, 0, 768, 12, 12, Activation::quick_gelu},
    VitRow{"ViT-S-32", 384, 224, 32, 384, 12, 0, 0, 384, 6, 12},
    VitRow{"ViT-S-32-alt", 256, 224, 32, 384, 12, 0, 0, 256, 4, 10},
    VitRow{"ViT-S-16", 384, 224, 16, 384, 12, 0, 0, 384, 6, 12},
    VitRow{"ViT-S-16-alt", 256, 224, 16, 384, 12, 0, 0, 256, 4, 10},
    VitRow{"ViT-M-32", 512, 224, 32, 512, 12, 0, 0, 512, 8, 12},
    VitRow{"ViT-M-32-alt", 384, 224, 32, 512, 12, 0, 0, 384, 6, 12},
    VitRow{"ViT-M-16", 512, 224, 16, 512, 12, 0, 0, 512, 8, 12},
    VitRow{"ViT-M-16-alt", 384, 224, 16, 512, 12, 0, 0, 384, 6, 12, Activation::gelu, true},
    VitRow{"ViT-B-32", 512, 224, 32, 768, 12, 0, 0, 512, 8, 12},
    VitRow{"ViT-B-32-256", 512, 256, 32, 768, 12, 0, 0, 512, 8, 12},
    VitRow{"ViT-B-32-plus-256", 640, 256, 32, 896, 12, 0, 0, 640, 10, 12},
    VitRow{"ViT-B-16", 512, 224, 16, 768, 12, 0, 0, 512, 8, 12},
    VitRow{"ViT-B-16-plus", 640, 224, 16, 896, 12, 0, 0, 640, 10, 12},
    VitRow{"ViT-B-16-plus-240", 640, 240, 16, 896, 12, 0, 0, 640, 10, 12},
    VitRow{"ViT-L-16", 768, 224, 16, 1024, 24, 0, 0, 768, 12, 12},
    VitRow{"ViT-L-16-320", 768, 320, 16, 1024, 24, 0, 0, 768, 12, 12},
    VitRow{"ViT-L-14", 768, 224, 14, 1024, 24, 0, 0, 768, 12, 12},
    VitRow{"ViT-L-14-280", 768, 280, 14, 1024, 24, 0, 0, 768, 12, 12},
    VitRow{"ViT-L-14-336", 768, 336, 14, 1024, 24, 0, 0, 768, 12, 12},
    VitRow{"ViT-H-16", 1024, 224, 16, 1280, 32, 16, 0, 1024, 16, 24},
    VitRow{"ViT-H-14", 1024, 224, 14, 1280, 32, 16, 0, 1024, 16, 24},
    VitRow{"ViT-H-14-378", 1024, 378, 14, 1280, 32, 16, 0, 1024, 16, 24},
    VitRow{"ViT-g-14", 1024, 224, 14, 1408, 40, 16, 6144, 1024, 16, 24},
    VitRow{"ViT-bigG-14", 1280, 224, 14, 1664, 48, 16, 8192, 1280, 20, 32},
    VitRow{"ViT-e-14", 1280, 224, 14, 1792, 56, 16, 15360, 1280, 20, 36},
};

struct ResNetRow {
  std::string_view name;
  std::int64_t embed_dim, image_size, width;
  std::array<std::int64_t, 4> stages;
  std::int64_t text_width, text_heads;
};

constexpr std::array kResNets = {
    ResNetRow{"RN50", 1024, 224, 64, {3, 4, 6, 3}, 512, 8},
    ResNetRow{"RN101", 512, 224, 64, {3, 4, 23, 3}, 512, 8},
    ResNetRow{"RN50x4", 640, 288, 80, {4, 6, 10, 6}, 640, 10},
    ResNetRow{"RN50x16", 768, 384, 96, {6, 8, 18, 8}, 768, 12},
    ResNetRow{"RN50x64", 1024, 448, 128, {3, 15, 36, 10}, 1024, 16},
};

TextTransformerConfig text_of(std::int64_t embed_dim, std::int64_t width, std::int64_t heads,
                              std::int64_t layers, Activation activation) {
  return {
      .width = width, .layers = layers, .heads = heads, .output_dim = embed_dim, .activation = activation};
}

Architecture architecture_of(const VitRow& row, Activation activation) {
  VisionConfig vision{.image_size = row.image_size,
                      .patch_size = row.patch_size,
                      .width = row.width,
                      .layers = row.layers,
                      .heads = row.heads > 0 ? row.heads : row.width / 64,
                      .output_dim = row.embed_dim,
                      .mlp_width = row.mlp_width,
                      .activation = activation,
                      .layer_scale = row.layer_scale,
                      .stages = {}};
  return {row.embed_dim, std::move(vision),
          text_of(row.embed_dim, row.text_width, row.text_heads, row.text_layers, activation)};
}

Architecture architecture_of(const ResNetRow& row) {
  VisionConfig vision{.image_size = row.image_size,
                      .width = row.width,
                      .heads = row.width * kResNetExpansion / 64,
                      .output_dim = row.embed_dim,
                      .stages = {row.stages.begin(), row.stages.end()}};
  return {row.embed_dim, std::move(vision),
          text_of(row.embed_dim, row.text_width, row.text_heads, 12, Activation::quick_gelu)};
}

}  // namespace

std::optional<Architecture> find_architecture(std::string_view name) {
  for (const auto& row : kResNets) {
    if (row.name == name) return architecture_of(row);
  }
  const bool quick = name.ends_with(kQuickGelu);
  const auto plain = quick ? name.substr(0, name.size() - kQuickGelu.size()) : name;
  for (const auto& row : kVits) {
    const bool of_open_clip = row.activation == Activation::gelu;
    if (row.name == plain && (of_open_clip || !quick))
      return architecture_of(row, quick ? Activation::quick_gelu : row.activation);
  }
  return std::nullopt;
}

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const auto& row : kVits) names.emplace_back(row.name);
  for (const auto& row : kVits) {
    if (row.activation == Activation::gelu) names.push_back(std::string(row.name) + std::string(kQuickGelu));
  }
  for (const auto& row : kResNets) names.emplace_back(row.name);
  return names;
}

}  // namespace actionclip
