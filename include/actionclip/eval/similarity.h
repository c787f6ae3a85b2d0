// Features of videos and embeddings of texts -> scores: what the classifier and a cache of features share.
#pragma once

#include <ATen/core/Tensor.h>

namespace actionclip {

// The method's scale of cosines at test time, whatever logit_scale has learnt.
inline constexpr double kTestLogitScale = 100;

// The cosines of video_features [B, V, D], not normalised, and text_embeddings [P, C, D], normalised:
// [B, V, P, C].
at::Tensor cosine_similarities(const at::Tensor& video_features, const at::Tensor& text_embeddings);

// CLIP's prompt ensemble: the mean of each class's embeddings [P, C, D], normalised again: [1, C, D]. A
// prompt that a class has several times, by its tokens [P, C, L], counts once.
at::Tensor mean_embedding(const at::Tensor& text_embeddings, const at::Tensor& tokens);

}  // namespace actionclip
