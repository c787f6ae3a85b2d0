#include "actionclip/text/sentencepiece_trainer.h"

#include <algorithm>
#include <array>
#include <sentencepiece_trainer.h>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"
#include "actionclip/text/csv.h"
#include "actionclip/text/labels.h"

#include "text/sentencepiece_status.h"
#include "text/utf8.h"

namespace actionclip {
namespace {

constexpr std::array<std::string_view, 4> kTypes = {"unigram", "bpe", "word", "char"};
constexpr std::int64_t kSpecialPieces = 4;
constexpr std::int64_t kMaxVocabulary = 1'000'000;
// The sums of the unigram model's training depend on how the texts are dealt to threads.
constexpr int kThreads = 8;
constexpr unsigned kSeed = 1024;
constexpr std::int32_t kMaxTextBytes =
    1 << 30;                // the most that it can be set to: it leaves longer texts out silently
constexpr int kSilent = 4;  // log level above every message: what matters is in the status

class Texts : public sentencepiece::SentenceIterator {
 public:
  explicit Texts(const std::vector<std::string>& texts) : next_(texts.begin()), end_(texts.end()) {}

  bool done() const override { return next_ == end_; }
  void Next() override { ++next_; }
  const std::string& value() const override { return *next_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string>::const_iterator next_, end_;
};

void check(const std::vector<std::string>& texts, const SentencePieceTraining& settings) {
  if (std::ranges::find(kTypes, settings.type) == kTypes.end()) {
    throw Error(fmt::format("there are vocabularies of type {}, not \"{}\"", fmt::join(kTypes, ", "),
                            detail::excerpt(settings.type)));
  }
  if (settings.vocabulary_size <= kSpecialPieces || settings.vocabulary_size > kMaxVocabulary) {
    throw Error(fmt::format("the vocabulary must have {} to {} pieces, {} are asked for", kSpecialPieces + 1,
                            kMaxVocabulary, settings.vocabulary_size));
  }
  if (!(settings.character_coverage > 0 && settings.character_coverage <= 1)) {
    throw Error(fmt::format("the character coverage must be above 0 and at most 1, {} is asked for",
                            settings.character_coverage));
  }
  if (std::ranges::all_of(texts, [](const auto& text) { return trimmed(text).empty(); }))
    throw Error("there is no text to learn a vocabulary from");
}

// The last whole number in `text`; empty if there is none.
std::string_view last_number(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  const auto end = text.find_last_of(kDigits);
  if (end == std::string_view::npos) return {};
  const auto before = text.find_last_not_of(kDigits, end);
  const auto begin = before == std::string_view::npos ? 0 : before + 1;
  return text.substr(begin, end + 1 - begin);
}

// What the library says, in this program's words where it is to be expected.
[[noreturn]] void fail(std::string_view message, std::int64_t vocabulary_size) {
  if (const auto high = message.find("Vocabulary size too high"); high != std::string_view::npos) {
    throw Error(fmt::format("a vocabulary of {} is too large for these texts, which give {} pieces at most",
                            vocabulary_size, last_number(message.substr(high))));
  }
  constexpr std::string_view kVersus = " vs ";
  const auto low = message.find("Vocabulary size is smaller than required_chars");
  const auto versus = message.find(kVersus, low);
  if (low != std::string_view::npos && versus != std::string_view::npos) {
    const auto needed = message.substr(versus + kVersus.size());
    throw Error(
        fmt::format("a vocabulary of {} is too small for these texts, whose characters need {} pieces, fewer "
                    "with a lower "
                    "character coverage",
                    vocabulary_size, needed.substr(0, needed.find_first_not_of("0123456789"))));
  }
  throw Error(
      fmt::format("SentencePiece cannot learn a vocabulary of these texts: {}", detail::reason_of(message)));
}

std::vector<std::string> captions_of(std::string_view text, const std::string& file) {
  std::vector<std::string> captions;
  auto rows = parse_csv(text, file);
  for (std::size_t r = 1; r < rows.size(); ++r) {
    if (rows[r].fields.size() != 2) {
      throw Error(
          fmt::format("{}:{}: {} fields, expected 2 (path,caption); a field with a comma needs quotes", file,
                      rows[r].line, rows[r].fields.size()));
    }
    detail::require_utf8(rows[r].fields[1], fmt::format("{}:{}: the caption", file, rows[r].line));
    captions.push_back(std::move(rows[r].fields[1]));
  }
  return captions;
}

std::vector<std::string> lines_of(std::string_view text, const std::string& file) {
  std::vector<std::string> lines;
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    detail::require_utf8(line, fmt::format("{}:{}: the text", file, number));
    lines.emplace_back(line);
  }
  return lines;
}

}  // namespace

std::string train_sentencepiece(const std::vector<std::string>& texts,
                                const SentencePieceTraining& settings) {
  check(texts, settings);
  sentencepiece::SetRandomGeneratorSeed(kSeed);
  const std::unordered_map<std::string, std::string> options = {
      {"model_type", settings.type},
      {"vocab_size", std::to_string(settings.vocabulary_size)},
      {"character_coverage", fmt::format("{}", settings.character_coverage)},
      {"normalization_rule_name", settings.lower_case ? "nmt_nfkc_cf" : "nmt_nfkc"},
      {"pad_id", std::to_string(kSpecialPieces - 1)},
      {"num_threads", std::to_string(kThreads)},
      {"max_sentence_length", std::to_string(kMaxTextBytes)},
      {"minloglevel", std::to_string(kSilent)}};
  Texts iterator(texts);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(options, &iterator, &model);
  if (!status.ok()) fail(status.error_message(), settings.vocabulary_size);
  return model;
}

std::vector<std::string> read_texts(const std::filesystem::path& file) {
  const std::string name = file.string(), content = read_text_file(file);
  const auto text = without_byte_order_mark(content);
  const auto first_line = trimmed(text.substr(0, text.find('\n')));
  if (first_line == "path,caption") return captions_of(text, name);
  if (first_line == "id,name" || first_line.starts_with("id,name,")) return parse_labels(text, name).names();
  if (file.extension() == ".csv") {
    throw Error(
        fmt::format("{}:1: the first line must be the header path,caption (of captions), or begin with "
                    "id,name (of labels)",
                    name));
  }
  return lines_of(text, name);
}

}  // namespace actionclip
