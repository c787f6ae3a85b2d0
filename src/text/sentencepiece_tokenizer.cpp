#include "actionclip/text/sentencepiece_tokenizer.h"

#include <exception>
#include <sentencepiece_processor.h>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"

#include "text/sentencepiece_check.h"
#include "text/sentencepiece_status.h"
#include "text/utf8.h"

namespace actionclip {
namespace {

using sentencepiece::SentencePieceProcessor;

std::unique_ptr<const SentencePieceProcessor> load(std::string_view model, const std::string& name) {
  detail::require_sound_model(model, name);
  auto processor = std::make_unique<SentencePieceProcessor>();
  std::string problem;
  try {
    const auto status = processor->LoadFromSerializedProto(model);
    if (!status.ok()) problem = status.error_message();
  } catch (const std::exception& error) {  // of its trie of pieces
    problem = error.what();
  }
  if (problem.empty()) return processor;
  throw Error(
      fmt::format("{}: is no SentencePiece model, or a damaged one: {}", name, detail::reason_of(problem)));
}

// The id of the piece that the setting `key` names.
std::int64_t find_piece(const SentencePieceProcessor& processor, const std::string& piece, const char* key,
                        const std::string& name) {
  const int id = processor.PieceToId(piece);  // of an unknown piece: the id for unknown ones
  if (processor.IdToPiece(id) == piece) return id;
  throw Error(fmt::format("{}: has no piece \"{}\", which {} names", name, detail::excerpt(piece), key));
}

std::optional<std::int64_t> find_start(const SentencePieceProcessor& processor, const SpecialPieces& pieces,
                                       const std::string& name) {
  if (pieces.start && pieces.start->empty()) return std::nullopt;
  if (pieces.start) return find_piece(processor, *pieces.start, "text.start_token", name);
  const int id = processor.bos_id();
  return id >= 0 ? std::optional<std::int64_t>(id) : std::nullopt;
}

std::int64_t find_end(const SentencePieceProcessor& processor, const SpecialPieces& pieces,
                      const std::string& name) {
  if (!pieces.end) {
    const int id = processor.eos_id();
    if (id >= 0) return id;
    throw Error(fmt::format("{}: declares no piece that ends a text; name one with text.end_token", name));
  }
  const std::int64_t id = find_piece(processor, *pieces.end, "text.end_token", name);
  if (processor.IsControl(static_cast<int>(id))) return id;
  throw Error(fmt::format("{}: text.end_token \"{}\" is a piece that texts may hold; name a control symbol",
                          name, detail::excerpt(*pieces.end)));
}

std::int64_t find_pad(const SentencePieceProcessor& processor, const SpecialPieces& pieces,
                      const std::string& name) {
  if (pieces.pad) return find_piece(processor, *pieces.pad, "text.pad_token", name);
  const int id = processor.pad_id();
  return id >= 0 ? id : 0;
}

}  // namespace

SentencePieceTokenizer::SentencePieceTokenizer(std::string_view model, const std::string& name,
                                               const SpecialPieces& pieces)
    : processor_(load(model, name)),
      start_(find_start(*processor_, pieces, name)),
      end_(find_end(*processor_, pieces, name)),
      pad_(find_pad(*processor_, pieces, name)),
      fingerprint_(sha256_of(model)) {}

SentencePieceTokenizer::~SentencePieceTokenizer() = default;

std::int64_t SentencePieceTokenizer::vocabulary_size() const { return processor_->GetPieceSize(); }

std::vector<std::int64_t> SentencePieceTokenizer::encode(std::string_view text) const {
  detail::require_utf8(text, "text to tokenise");
  std::vector<int> ids;
  const auto status = processor_->Encode(text, &ids);
  if (!status.ok()) {
    throw Error(fmt::format("text \"{}\" cannot be tokenised: {}", detail::excerpt(text),
                            detail::reason_of(status.error_message())));
  }
  std::vector<std::int64_t> tokens;
  tokens.reserve(ids.size() + 2);
  if (start_) tokens.push_back(*start_);
  tokens.insert(tokens.end(), ids.begin(), ids.end());
  tokens.push_back(end_);
  return tokens;
}

}  // namespace actionclip
