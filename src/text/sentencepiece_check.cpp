#include "text/sentencepiece_check.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <pb_decode.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"

namespace actionclip::detail {
namespace {

// The library's arrays for the keys that begin a text have so many places, and it fills them without looking.
constexpr std::int64_t kMaxNestedReplacements = 32;
constexpr std::size_t kMaxNestedPieces = 64;

// Fields of sentencepiece_model.proto.
constexpr std::uint32_t kPieces = 1, kNormalizer = 3, kDenormalizer = 5;  // of ModelProto
constexpr std::uint32_t kPieceText = 1, kPieceType = 3;                   // of its pieces
constexpr std::uint32_t kReplacements = 2;                                // of its normalizers
constexpr std::uint32_t kUserDefined = 4;                                 // type of a piece

// A field of a protocol buffer: the bytes of one with a length, the number of a varint.
struct Field {
  std::uint32_t tag = 0;
  std::string_view bytes;
  std::uint64_t number = 0;
};

// Hands every field with a length or a varint to `visit`; false if `message` is damaged.
bool for_each_field(std::string_view message, const std::function<bool(const Field&)>& visit) {
  auto stream = pb_istream_from_buffer(reinterpret_cast<const pb_byte_t*>(message.data()), message.size());
  pb_wire_type_t type{};
  bool at_end = false;
  for (Field field; pb_decode_tag(&stream, &type, &field.tag, &at_end); field = {}) {
    if (type == PB_WT_STRING) {
      std::uint32_t size = 0;
      if (!pb_decode_varint32(&stream, &size) || size > stream.bytes_left) return false;
      field.bytes = message.substr(message.size() - stream.bytes_left, size);
      if (!pb_read(&stream, nullptr, size) || !visit(field)) return false;
    } else if (type == PB_WT_VARINT) {
      if (!pb_decode_varint(&stream, &field.number) || !visit(field)) return false;
    } else if (!pb_skip_field(&stream, type)) {
      return false;
    }
  }
  return at_end;
}

// A unit of darts-clone's double array. A node at place p leads with a byte c to place p ^ offset ^ c, which
// is its child if that unit's label is c; a node that ends a key has its value at p ^ offset.
struct Unit {
  std::uint32_t bits;

  bool is_value() const { return (bits >> 31) != 0; }
  bool ends_key() const { return ((bits >> 8) & 1) != 0; }
  std::uint32_t value() const { return bits & 0x7fffffff; }
  std::uint32_t label() const { return bits & 0xff; }
  std::uint32_t offset() const { return (bits >> 10) << ((bits & 0x200) >> 6); }
};

constexpr std::uint32_t kBlock = 256;  // children that a node may have
constexpr std::uint32_t kNone = UINT32_MAX;

// The trie of a table of replacements, whose values are places in a text.
class Trie {
 public:
  explicit Trie(std::string_view bytes) : units_(bytes.size() / sizeof(Unit)) {
    if (!units_.empty()) std::memcpy(units_.data(), bytes.data(), units_.size() * sizeof(Unit));
  }

  // Whether every step from every node, and every value, stays inside.
  bool stays_inside(std::size_t text_size) const {
    if (units_.empty() || units_.size() % kBlock != 0) return false;
    for (std::uint32_t place = 0; place < size(); ++place) {
      if (place != 0 && units_[place].is_value()) continue;
      const std::uint32_t base = base_of(place);
      if ((base | (kBlock - 1)) >= size()) return false;
      if (units_[place].ends_key() && units_[base].value() >= text_size) return false;
    }
    return true;
  }

  // The most keys that begin one text; -1 if the trie leads back into itself. It must stay inside.
  std::int64_t most_nested_keys() const {
    const auto children = children_by_base();
    constexpr std::int64_t kUnseen = -1, kOpen = -2;
    std::vector<std::int64_t> nested(units_.size(), kUnseen);                // by base
    std::vector<std::pair<std::uint32_t, bool>> stack{{base_of(0), false}};  // base, children done
    while (!stack.empty()) {
      const auto [base, done] = stack.back();
      stack.pop_back();
      if (!done && nested[base] != kUnseen) continue;
      nested[base] = done ? 0 : kOpen;
      if (!done) stack.emplace_back(base, true);
      for (std::uint32_t child = children.first[base]; child != kNone; child = children.next[child]) {
        const std::int64_t below = nested[base_of(child)];
        if (done)
          nested[base] = std::max(nested[base], below + (units_[child].ends_key() ? 1 : 0));
        else if (below == kOpen)
          return -1;
        else if (below == kUnseen)
          stack.emplace_back(base_of(child), false);
      }
    }
    return nested[base_of(0)];
  }

 private:
  // Linked lists of places, ended by kNone.
  struct Children {
    std::vector<std::uint32_t> first, next;  // by base, by child
  };

  std::uint32_t size() const { return static_cast<std::uint32_t>(units_.size()); }
  std::uint32_t base_of(std::uint32_t place) const { return place ^ units_[place].offset(); }

  Children children_by_base() const {
    const std::vector<std::uint32_t> none(units_.size(), kNone);
    Children children{none, none};
    for (std::uint32_t place = 0; place < size(); ++place) {
      if (units_[place].is_value()) continue;
      auto& first = children.first[place ^ units_[place].label()];
      children.next[place] = first;
      first = place;
    }
    return children;
  }

  std::vector<Unit> units_;
};

// A table: the size of its trie, the trie, and the replacements, each ended by a zero byte.
bool is_sound_table(std::string_view table) {
  if (table.empty()) return true;
  std::uint32_t trie_size = 0;
  if (table.size() <= sizeof(trie_size)) return false;
  std::memcpy(&trie_size, table.data(), sizeof(trie_size));
  table.remove_prefix(sizeof(trie_size));
  if (trie_size >= table.size() || trie_size % sizeof(Unit) != 0) return false;
  const std::string_view replacements = table.substr(trie_size);
  const Trie trie(table.substr(0, trie_size));
  if (replacements.back() != '\0' || !trie.stays_inside(replacements.size())) return false;
  const std::int64_t nested = trie.most_nested_keys();
  return nested >= 0 && nested <= kMaxNestedReplacements;
}

// The most of `texts` that begin each other.
std::size_t most_nested(std::vector<std::string_view> texts) {
  std::ranges::sort(texts);
  std::vector<std::string_view> open;  // each begins the next
  std::size_t most = 0;
  for (const auto text : texts) {
    while (!open.empty() && !text.starts_with(open.back())) open.pop_back();
    open.push_back(text);
    most = std::max(most, open.size());
  }
  return most;
}

}  // namespace

void require_sound_model(std::string_view model, const std::string& name) {
  std::vector<std::string_view> user_defined;
  const auto read_piece = [&](std::string_view message) {
    std::string_view text;
    bool is_user_defined = false;
    const bool whole = for_each_field(message, [&](const Field& field) {
      if (field.tag == kPieceText) text = field.bytes;
      // The library drops the upper half of the number, and a type that it does not know.
      if (field.tag == kPieceType && static_cast<std::uint32_t>(field.number) == kUserDefined)
        is_user_defined = true;
      return true;
    });
    if (is_user_defined) user_defined.push_back(text);
    return whole;
  };
  const auto check_normalizer = [](std::string_view message) {
    return for_each_field(message, [](const Field& field) {
      return field.tag != kReplacements || is_sound_table(field.bytes);
    });
  };
  const bool sound = for_each_field(model, [&](const Field& field) {
    if (field.tag == kPieces) return read_piece(field.bytes);
    if (field.tag == kNormalizer || field.tag == kDenormalizer) return check_normalizer(field.bytes);
    return true;
  });
  if (!sound || most_nested(std::move(user_defined)) > kMaxNestedPieces)
    throw Error(fmt::format("{}: is no SentencePiece model, or a damaged one; get it anew", name));
}

}  // namespace actionclip::detail
