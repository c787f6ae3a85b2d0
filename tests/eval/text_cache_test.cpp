#include "actionclip/eval/text_cache.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/eval/classifier.h"

#include "tests/log_capture.h"
#include "tests/parity/reference_files.h"
#include "tests/temporary_folder.h"
#include "tests/weights/small_model.h"

namespace actionclip {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Prompts [P, C, L], the largest token last.
at::Tensor random_tokens(std::int64_t templates, std::int64_t labels) {
  const auto& text = small_sizes().text;
  auto tokens = at::randint(1, text.vocabulary_size - 1, {templates, labels, text.context_length}, at::kLong);
  tokens.select(2, text.context_length - 1).fill_(text.vocabulary_size - 1);
  return tokens;
}

ActionClip small_model(std::int64_t context = 0) {
  at::manual_seed(31);
  auto sizes = small_sizes();
  sizes.context.length = context;
  return ActionClip(sizes);
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) files.push_back(file.path());
  return files;
}

TEST(EncodePrompts, OfManyPromptsEachIsEncodedAsAlone) {
  const at::NoGradGuard no_grad;
  auto model = small_model();
  const auto tokens = random_tokens(3, 301);  // no multiple of what goes through at once
  const auto embeddings = encode_prompts(model, tokens);
  ASSERT_EQ(embeddings.sizes(), at::IntArrayRef({3, 301, 64}));
  for (const auto& [p, c] : std::vector<std::pair<int, int>>{{0, 0}, {0, 255}, {0, 256}, {1, 7}, {2, 300}}) {
    const auto alone = l2_normalize(model->encode_text(tokens[p][c].unsqueeze(0)))[0];
    EXPECT_LT(relative_error(embeddings[p][c], alone), 1e-5) << p << ", " << c;
  }
}

TEST(EncodePrompts, ALearnedContextGoesWithEveryPrompt) {
  const at::NoGradGuard no_grad;
  auto model = small_model(/*context=*/2);
  const std::int64_t labels = 200;
  const auto tokens = random_tokens(2, labels);
  auto places = at::tensor({1, 2}, at::kLong).repeat({labels, 1});
  places[150] = at::tensor({2, 3}, at::kLong);
  const auto ids = at::arange(labels, at::kLong);
  const auto embeddings = encode_prompts(model, {tokens, places, ids});
  for (const int p : {0, 1}) {
    const auto alone = l2_normalize(model->encode_text(
        {tokens[p][150].unsqueeze(0), places[150].unsqueeze(0), ids.narrow(0, 150, 1)}))[0];
    EXPECT_LT(relative_error(embeddings[p][150], alone), 1e-5) << p;
  }
}

TEST(TextCache, ASecondStartHasTheVeryEmbeddingsWithoutEncoding) {
  const TemporaryFolder folder;
  auto model = small_model();
  const auto tokens = random_tokens(16, 1000);
  const auto first = TextCache(folder / "new/text").embeddings(model, tokens, Precision::fp32);
  auto again = small_model();
  const LogCapture log;
  const auto begin = std::chrono::steady_clock::now();
  const auto second = TextCache(folder / "new/text").embeddings(again, tokens, Precision::fp32);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_TRUE(at::equal(first, second));
  EXPECT_THAT(log.text(), HasSubstr("16 x 1000 prompts, encoded before"));
  EXPECT_EQ(files_in(folder / "new/text").size(), 1u) << "and no temporary file";
}

TEST(TextCache, WhatChangesTheEmbeddingsChangesTheKey) {
  const at::NoGradGuard no_grad;
  const auto tokens = random_tokens(2, 3);
  const auto key = [&](const ActionClip& model) { return embeddings_key(model, tokens, Precision::fp32); };
  auto model = small_model();
  const auto expected = key(model);
  EXPECT_EQ(key(small_model()), expected);
  model->visual->parameters().front().add_(1);
  model->logit_scale.add_(1);
  EXPECT_EQ(key(model), expected) << "no part of the text encoder";
  model->text->text_projection[0][0].add_(1e-6);
  EXPECT_NE(key(model), expected);

  const auto clean = small_model();
  EXPECT_NE(embeddings_key(clean, tokens, Precision::bf16), expected);
  EXPECT_NE(embeddings_key(clean, tokens.transpose(0, 1), Precision::fp32), expected);
  auto other = tokens.clone();
  other[1][2][0] = other[1][2][0].item<std::int64_t>() == 1 ? 2 : 1;
  EXPECT_NE(embeddings_key(clean, other, Precision::fp32), expected);
  const auto places = at::tensor({1, 2}, at::kLong).repeat({3, 1});
  auto with_context = small_model(2);
  const auto placed = embeddings_key(with_context, {tokens, places, at::arange(3)}, Precision::fp32);
  EXPECT_NE(embeddings_key(with_context, {tokens, places + 1, at::arange(3)}, Precision::fp32), placed);
  with_context->context->vectors[0][0].add_(1);
  EXPECT_NE(embeddings_key(with_context, {tokens, places, at::arange(3)}, Precision::fp32), placed);
}

TEST(TextCache, ADamagedFileIsWarnedOfAndReplaced) {
  const TemporaryFolder folder;
  auto model = small_model();
  const auto tokens = random_tokens(2, 3);
  const TextCache cache(folder.path());
  const auto expected = cache.embeddings(model, tokens, Precision::fp32);
  const auto file = files_in(folder.path()).at(0);
  auto flipped = read_text(file);
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  for (const auto& bytes : {flipped, flipped.substr(0, 20), std::string()}) {
    write_text(file, bytes);
    const LogCapture log;
    EXPECT_TRUE(at::equal(cache.embeddings(model, tokens, Precision::fp32), expected));
    EXPECT_THAT(log.text(), HasSubstr("encoded anew"));
    const LogCapture mended;
    EXPECT_TRUE(at::equal(cache.embeddings(model, tokens, Precision::fp32), expected));
    EXPECT_THAT(mended.text(), HasSubstr("encoded before"));
  }
}

TEST(TextCache, AFolderThatCannotBeWrittenCostsAWarning) {
  const TemporaryFolder folder;
  folder.write("taken", "a file");
  auto model = small_model();
  const auto tokens = random_tokens(2, 3);
  const LogCapture log;
  const auto embeddings = TextCache(folder / "taken").embeddings(model, tokens, Precision::fp32);
  EXPECT_TRUE(at::equal(embeddings, encode_prompts(model, tokens)));
  EXPECT_THAT(log.text(), HasSubstr("text cache:"));
}

TEST(TextCache, OneThatDoesNotWriteAndOneWithoutAFolderLeaveNothing) {
  const TemporaryFolder folder;
  auto model = small_model();
  const auto tokens = random_tokens(2, 3);
  TextCache(folder.path(), /*writes=*/false).embeddings(model, tokens, Precision::fp32);
  const LogCapture log;
  TextCache().embeddings(model, tokens, Precision::fp32);
  EXPECT_TRUE(files_in(folder.path()).empty());
  EXPECT_THAT(log.text(), Not(HasSubstr("text")));
}

TEST(TextCache, EmbeddingsThatAreNotFiniteAreNotKept) {
  const at::NoGradGuard no_grad;
  const TemporaryFolder folder;
  auto model = small_model();
  model->text->text_projection.fill_(std::numeric_limits<float>::quiet_NaN());
  TextCache(folder.path()).embeddings(model, random_tokens(1, 2), Precision::fp32);
  EXPECT_TRUE(files_in(folder.path()).empty());
}

TEST(TextCache, WhenItIsFullWhatWasNotUsedForTheLongestTimeGoes) {
  const TemporaryFolder folder;
  auto model = small_model();
  const auto keep = [&](const at::Tensor& tokens, std::uintmax_t max_bytes) {
    TextCache(folder.path(), true, max_bytes).embeddings(model, tokens, Precision::fp32);
  };
  const auto a = random_tokens(1, 3), b = random_tokens(1, 3), c = random_tokens(1, 3);
  keep(a, 1 << 20);
  keep(b, 1 << 20);
  const auto hour_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  std::uintmax_t size = 0;
  for (const auto& file : files_in(folder.path())) {
    std::filesystem::last_write_time(file, hour_ago);
    size = std::filesystem::file_size(file);
  }
  keep(a, 1 << 20);  // is used again
  keep(c, 2 * size);
  EXPECT_EQ(files_in(folder.path()).size(), 2u);
  const LogCapture log;
  keep(a, 2 * size);
  EXPECT_THAT(log.text(), HasSubstr("encoded before"));
  keep(b, 1);
  EXPECT_EQ(files_in(folder.path()).size(), 1u) << "the newest stays, however large it is";
}

TEST(TextCache, AClassifierScoresTheSameWithIt) {
  const TemporaryFolder folder;
  auto model = small_model();
  const auto tokens = random_tokens(3, 5);
  const auto clips = at::randint(0, 256, {2, 1, 4, 3, 32, 32}, at::kByte);
  for (const auto ensemble : {Ensemble::mean_of_softmax, Ensemble::mean_embedding}) {
    const auto expected = Classifier(model, tokens, Precision::fp32, ensemble).classify(clips);
    for (int start = 0; start < 2; ++start) {
      Classifier classifier(model, tokens, Precision::fp32, ensemble, TextCache(folder.path()));
      EXPECT_LT(relative_error(classifier.classify(clips).probabilities, expected.probabilities), 1e-6);
    }
  }
  EXPECT_EQ(files_in(folder.path()).size(), 1u) << "both ensembles are of the same embeddings";
}

}  // namespace
}  // namespace actionclip
