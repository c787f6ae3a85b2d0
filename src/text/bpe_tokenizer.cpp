#include "actionclip/text/bpe_tokenizer.h"

#include <array>
#include <ranges>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/data_file.h"
#include "actionclip/core/error.h"

#include "text/byte_pair_encoder.h"
#include "text/gzip_file.h"
#include "text/text_cleaning.h"
#include "text/utf8.h"
#include "text/word_splitter.h"

namespace actionclip {
namespace {

// Single bytes, single bytes that end a word, merges and the two special tokens make up 49,408.
constexpr std::int64_t kMerges = 49408 - 256 - 256 - 2;
constexpr std::size_t kVocabularyFileLimit = 64u << 20;

// The header and the merges in use, without what follows the last of them.
std::string_view used_lines(std::string_view merges) {
  std::size_t end = 0;
  for (std::int64_t line = 0; line <= kMerges; ++line) {
    end = merges.find('\n', line == 0 ? 0 : end + 1);
    if (end == std::string_view::npos) return merges;
  }
  return merges.substr(0, end);
}

}  // namespace

std::filesystem::path detail::find_vocabulary(std::span<const std::filesystem::path> places) {
  if (const auto found = first_file(places)) return *found;
  throw Error(fmt::format(
      "CLIP's vocabulary is not at {}; run scripts/setup.sh or set text.vocabulary",
      fmt::join(places | std::views::transform([](const auto& p) { return p.string(); }), " nor at ")));
}

std::filesystem::path default_vocabulary_path() {
  const std::filesystem::path name = "bpe_simple_vocab_16e6.txt.gz";
  const std::array<std::filesystem::path, 2> places{
      share_folder() / name, std::filesystem::path(ACTIONCLIP_VOCABULARY_FOLDER) / name};
  return detail::find_vocabulary(places);
}

BpeTokenizer::BpeTokenizer(const std::filesystem::path& vocabulary) {
  const std::string merges = detail::read_gzip_file(vocabulary, kVocabularyFileLimit);
  encoder_ = std::make_unique<detail::BytePairEncoder>(merges, vocabulary.string(), kMerges);
  fingerprint_ = sha256_of(used_lines(merges));
}

BpeTokenizer::~BpeTokenizer() = default;

std::optional<std::int64_t> BpeTokenizer::start_token() const { return encoder_->size(); }
std::int64_t BpeTokenizer::end_token() const { return encoder_->size() + 1; }
std::int64_t BpeTokenizer::vocabulary_size() const { return encoder_->size() + 2; }

std::vector<std::int64_t> BpeTokenizer::encode(std::string_view text) const {
  detail::require_utf8(text, "text to tokenise");
  const std::int64_t start = encoder_->size();
  const std::string cleaned = detail::clean_text(text);
  std::vector<std::int64_t> tokens{start};
  for (const std::string_view word : detail::split_words(cleaned)) {
    if (word == detail::kStartOfText) {
      tokens.push_back(start);
    } else if (word == detail::kEndOfText) {
      tokens.push_back(end_token());
    } else {
      encoder_->encode(word, tokens);
    }
  }
  tokens.push_back(end_token());
  return tokens;
}

}  // namespace actionclip
