#include "text/byte_pair_encoder.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <queue>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "text/utf8.h"

namespace actionclip::detail {
namespace {

constexpr std::int32_t kBytes = 256;
constexpr std::int32_t kFirstMerge = 2 * kBytes;
constexpr std::string_view kEndOfWord = "</w>";

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return (static_cast<std::uint64_t>(left) << 32) | static_cast<std::uint32_t>(right);
}

// The bytes that CLIP's alphabet shows as themselves (in Latin-1); the others get code points from 256 on.
bool is_shown_as_itself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
}

struct ByteSymbol {
  int byte;
  std::string spelling;
};

// The alphabet in the order of its tokens.
std::vector<ByteSymbol> byte_alphabet() {
  std::vector<ByteSymbol> alphabet;
  for (int byte = 0; byte < kBytes; ++byte) {
    if (is_shown_as_itself(byte)) alphabet.push_back({byte, ""});
  }
  for (int byte = 0; byte < kBytes; ++byte) {
    if (!is_shown_as_itself(byte)) alphabet.push_back({byte, ""});
  }
  char32_t next_code_point = kBytes;
  for (auto& [byte, spelling] : alphabet) {
    append_utf8(spelling, is_shown_as_itself(byte) ? static_cast<char32_t>(byte) : next_code_point++);
  }
  return alphabet;
}

// Hands out the lines of a text, numbered from 1; the last needs no line feed.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}

  std::optional<std::string_view> next() {
    if (text_.empty()) return std::nullopt;
    ++number_;
    const std::size_t end = std::min(text_.find('\n'), text_.size());
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(std::min(end + 1, text_.size()));
    return line;
  }

  std::int64_t number() const { return number_; }

 private:
  std::string_view text_;
  std::int64_t number_ = 0;
};

// A word during merging: a linked list of symbols in an array, so that a merge costs the same wherever it
// happens.
class Word {
 public:
  Word(std::string_view bytes, const std::array<std::int32_t, 256>& byte_tokens,
       const std::unordered_map<std::uint64_t, std::int32_t>& ranks)
      : ranks_(ranks) {
    symbols_.reserve(bytes.size());
    for (const char byte : bytes) {
      const auto position = static_cast<std::int32_t>(symbols_.size());
      symbols_.push_back({byte_tokens[static_cast<unsigned char>(byte)], position - 1, position + 1});
    }
    symbols_.back().token += kBytes;
    symbols_.back().next = kNone;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(symbols_.size()); ++i) consider(i);
  }

  void merge_all() {
    while (!candidates_.empty()) merge_best();
  }

  void append_to(std::vector<std::int64_t>& tokens) const {
    for (std::int32_t i = 0; i != kNone; i = symbols_[i].next) tokens.push_back(symbols_[i].token);
  }

 private:
  static constexpr std::int32_t kNone = -1;
  static constexpr std::int32_t kGone = -1;  // token of a symbol that was merged into its left neighbour

  struct Symbol {
    std::int32_t token;
    std::int32_t previous;
    std::int32_t next;
  };
  using Candidate = std::pair<std::int32_t, std::int32_t>;  // rank, position of the left symbol

  std::optional<std::int32_t> rank_at(std::int32_t position) const {
    const Symbol& left = symbols_[position];
    if (left.token == kGone || left.next == kNone) return std::nullopt;
    const auto found = ranks_.find(pair_key(left.token, symbols_[left.next].token));
    return found == ranks_.end() ? std::nullopt : std::optional(found->second);
  }

  void consider(std::int32_t position) {
    if (position == kNone) return;
    if (const auto rank = rank_at(position)) candidates_.emplace(*rank, position);
  }

  // CLIP merges all occurrences of the best pair, left to right, before it looks for the next best. The
  // queue's order is the same: a pair that holds the new symbol ranks behind the only merge that makes it.
  void merge_best() {
    const auto [rank, position] = candidates_.top();
    candidates_.pop();
    if (rank_at(position) != rank) return;  // an earlier merge took one of its symbols
    merge_with_next(position, kFirstMerge + rank);
    consider(symbols_[position].previous);
    consider(position);
  }

  void merge_with_next(std::int32_t position, std::int32_t token) {
    Symbol& left = symbols_[position];
    Symbol& right = symbols_[left.next];
    left.token = token;
    left.next = right.next;
    right.token = kGone;
    if (left.next != kNone) symbols_[left.next].previous = position;
  }

  const std::unordered_map<std::uint64_t, std::int32_t>& ranks_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

}  // namespace

BytePairEncoder::BytePairEncoder(std::string_view merges, const std::string& name, std::int64_t count) {
  std::unordered_map<std::string, std::int32_t> tokens;  // by spelling
  const auto alphabet = byte_alphabet();
  for (std::int32_t i = 0; i < kBytes; ++i) {
    byte_tokens_[static_cast<std::size_t>(alphabet[i].byte)] = i;
    tokens.emplace(alphabet[i].spelling, i);
    tokens.emplace(alphabet[i].spelling + std::string(kEndOfWord), kBytes + i);
  }

  LineReader lines(merges);
  const auto refuse = [&](const std::string& reason) {
    throw Error(fmt::format("{}:{}: {}; run scripts/setup.sh to fetch CLIP's vocabulary again", name,
                            std::max<std::int64_t>(lines.number(), 1), reason));
  };
  const auto header = lines.next();
  if (!header || header->find("#version") == std::string_view::npos)
    refuse("no '#version' header, not a BPE merges file");
  ranks_.reserve(static_cast<std::size_t>(count));
  for (std::int32_t rank = 0; rank < count; ++rank) {
    const auto line = lines.next();
    if (!line) refuse(fmt::format("ends after {} of {} merges", rank, count));
    const std::size_t space = line->find(' ');
    if (space == std::string_view::npos) refuse("a merge is two symbols with one space between");
    const std::string left(line->substr(0, space));
    const std::string right(line->substr(space + 1));
    const auto left_token = tokens.find(left);
    const auto right_token = tokens.find(right);
    if (left_token == tokens.end() || right_token == tokens.end())
      refuse("a merge of a symbol that no earlier line makes");
    ranks_.emplace(pair_key(left_token->second, right_token->second), rank);
    if (!tokens.emplace(left + right, kFirstMerge + rank).second)
      refuse("a merge that makes a symbol a second time");
  }
}

std::int64_t BytePairEncoder::size() const { return kFirstMerge + static_cast<std::int64_t>(ranks_.size()); }

void BytePairEncoder::encode(std::string_view word, std::vector<std::int64_t>& tokens) const {
  if (word.empty()) return;
  Word symbols(word, byte_tokens_, ranks_);
  symbols.merge_all();
  symbols.append_to(tokens);
}

}  // namespace actionclip::detail
