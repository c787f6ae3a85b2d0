#include "actionclip/eval/similarity.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>

#include <ATen/ops/einsum.h>
#include <ATen/ops/ones.h>

#include "actionclip/model/action_clip.h"

namespace actionclip {
namespace {

// [P, C]: 1 for a prompt unlike those of its class before it, 0 for others. tokens [P, C, L].
at::Tensor mark_distinct(const at::Tensor& tokens) {
  const auto rows = tokens.cpu().contiguous();
  const std::int64_t classes = rows.size(1), bytes = rows.size(2) * rows.element_size();
  const auto* data = static_cast<const char*>(rows.const_data_ptr());
  auto marks = at::ones({rows.size(0), classes});
  for (std::int64_t c = 0; c < classes; ++c) {
    std::set<std::string_view> seen;
    for (std::int64_t p = 0; p < rows.size(0); ++p) {
      const std::string_view row(data + (p * classes + c) * bytes, static_cast<std::size_t>(bytes));
      if (!seen.insert(row).second) marks[p][c] = 0;
    }
  }
  return marks;
}

}  // namespace

at::Tensor cosine_similarities(const at::Tensor& video_features, const at::Tensor& text_embeddings) {
  return at::einsum("bvd,pcd->bvpc", {l2_normalize(video_features), text_embeddings});
}

at::Tensor mean_embedding(const at::Tensor& text_embeddings, const at::Tensor& tokens) {
  const auto marks = mark_distinct(tokens).to(text_embeddings.device()).unsqueeze(-1);
  return l2_normalize((text_embeddings * marks).sum(0, /*keepdim=*/true));
}

}  // namespace actionclip
