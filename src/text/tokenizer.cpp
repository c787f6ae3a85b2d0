#include "actionclip/text/tokenizer.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/text/bpe_tokenizer.h"
#include "actionclip/text/sentencepiece_tokenizer.h"

#include "text/utf8.h"

namespace actionclip {
namespace {

constexpr std::size_t kModelFileLimit = 256u << 20;

void require_hash(const std::filesystem::path& file, const std::string& hash, const std::string& wanted) {
  if (wanted.empty() || hash == wanted) return;
  throw Error(fmt::format(
      "{}: has the SHA-256 {}, but {} is wanted, by text.sha256 or by the weights; give that file",
      file.string(), hash, wanted));
}

std::shared_ptr<const Tokenizer> make_clip(const TextConfig& config) {
  const auto file = config.vocabulary.empty() ? default_vocabulary_path() : config.vocabulary.path;
  if (!config.sha256.empty()) require_hash(file, sha256_of_file(file), config.sha256);
  return std::make_shared<BpeTokenizer>(file);
}

std::shared_ptr<const Tokenizer> make_sentencepiece(const TextConfig& config) {
  const std::string file = config.vocabulary.string();
  const std::string model = read_text_file(file, kModelFileLimit);
  const std::string hash = sha256_of(model);
  require_hash(file, hash, config.sha256);
  if (config.sha256.empty()) {
    spdlog::warn(
        "{}: text.sha256 is not set, so any file of this name is read, and sentencepiece's reader is not "
        "meant for "
        "files from just anywhere (CVE-2026-1260); that of this one is {}",
        file, hash);
  }
  return std::make_shared<SentencePieceTokenizer>(
      model, file, SpecialPieces{config.start_token, config.end_token, config.pad_token});
}

}  // namespace

std::shared_ptr<const Tokenizer> make_tokenizer(const TextConfig& config) {
  switch (config.tokenizer) {
    case TokenizerKind::clip:
      return make_clip(config);
    case TokenizerKind::sentencepiece:
      return make_sentencepiece(config);
  }
  throw Error("text.tokenizer: this kind has no implementation");
}

std::vector<std::int64_t> tokenize(const Tokenizer& tokenizer, std::span<const std::string> texts,
                                   std::int64_t context_length, bool truncate) {
  if (context_length < 2) {
    throw Error(
        fmt::format("context length {} has no room for the start and the end token; it must be at least 2",
                    context_length));
  }
  const auto length = static_cast<std::size_t>(context_length);
  std::vector<std::int64_t> rows(texts.size() * length, tokenizer.pad_token());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto tokens = tokenizer.encode(texts[i]);
    if (tokens.size() > length) {
      if (!truncate) {
        throw Error(
            fmt::format("text \"{}\" has {} tokens, the context holds {}; shorten it or have it cut "
                        "(text.truncate, predict's --truncate)",
                        detail::excerpt(texts[i]), tokens.size(), length));
      }
      tokens.resize(length);
      tokens.back() = tokenizer.end_token();
    }
    std::ranges::copy(tokens, rows.begin() + static_cast<std::ptrdiff_t>(i * length));
  }
  return rows;
}

}  // namespace actionclip
