#include "weights/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"

#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

// What the parsed header may take, tree nodes included; and a single text or number of it, of which the
// parser makes several copies.
constexpr std::size_t kMaxMemory = 32u << 20;
constexpr std::size_t kMaxToken = 1u << 20;
constexpr std::size_t kEntryMemory = 256;

// Receives the parser's events. A document tree would not do: it forgets duplicate keys, and builds whatever
// depth a file asks for.
class HeaderHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderHandler(std::string_view source) : source_(source) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a boolean"); }
  bool number_integer(number_integer_t value) override {
    unexpected(fmt::format("the negative number {}", value));
  }
  bool number_float(number_float_t, const string_t& text) override {
    unexpected(fmt::format("the number {}", quoted_name(text)));
  }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (state_ != State::kShape && state_ != State::kOffsets) unexpected(fmt::format("the number {}", value));
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      fail(fmt::format("the number {} does not fit in 63 bits", value));
    }
    auto& list = state_ == State::kShape ? *shape_ : *offsets_;
    const std::size_t limit = state_ == State::kShape ? kMaxDimensions : 2;
    if (list.size() == limit) fail(fmt::format("{} has more than {} numbers", key_, limit));
    list.push_back(static_cast<std::int64_t>(value));
    return true;
  }

  bool string(string_t& value) override {
    if (state_ == State::kMetadata) {
      spend(key_.size() + value.size());
      if (!header_.metadata.emplace(key_, value).second) fail_duplicate();
    } else if (state_ == State::kTensor && key_ == "dtype") {
      dtype_ = dtype_from_name(value);
      if (!dtype_) {
        fail(fmt::format("type {} is not supported (F64, F32, F16, BF16, I64, I32, I16, I8, U8 and BOOL are)",
                         quoted_name(value)));
      }
    } else {
      unexpected("text");
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (state_ == State::kStart) {
      state_ = State::kTop;
    } else if (state_ == State::kTop && key_ == kSafetensorsMetadataKey) {
      if (std::exchange(metadata_seen_, true)) fail_duplicate();
      state_ = State::kMetadata;
    } else if (state_ == State::kTop) {
      tensor_ = key_;
      if (header_.entries.contains(*tensor_)) fail("the name appears twice");
      if (!is_plain_text(*tensor_)) fail("its name holds control characters");
      dtype_.reset();
      shape_.reset();
      offsets_.reset();
      state_ = State::kTensor;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(string_t& value) override {
    key_ = value;
    if (state_ == State::kTensor) check_tensor_key();
    return true;
  }

  bool end_object() override {
    if (state_ == State::kTensor) {
      finish_tensor();
      tensor_.reset();
    }
    state_ = state_ == State::kTop ? State::kStart : State::kTop;
    return true;
  }

  bool start_array(std::size_t) override {
    if (state_ == State::kTensor && key_ == "shape") {
      shape_.emplace();
      state_ = State::kShape;
    } else if (state_ == State::kTensor && key_ == "data_offsets") {
      offsets_.emplace();
      state_ = State::kOffsets;
    } else {
      unexpected("a list");
    }
    return true;
  }

  bool end_array() override {
    state_ = State::kTensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    throw WeightsError(
        fmt::format("{}: the header is not valid JSON (byte {} of it): damaged, or not a safetensors file",
                    source_, position));
  }

 private:
  enum class State { kStart, kTop, kMetadata, kTensor, kShape, kOffsets };

  [[noreturn]] void fail(const std::string& what) const {
    const std::string place = tensor_ ? fmt::format("tensor {}", quoted_name(*tensor_)) : "header";
    throw WeightsError(fmt::format("{}: {}: {}", source_, place, what));
  }
  [[noreturn]] void unexpected(const std::string& what) const {
    fail(fmt::format("{} is not allowed at key {}", what, quoted_name(key_)));
  }
  [[noreturn]] void fail_duplicate() const { fail(fmt::format("key {} appears twice", quoted_name(key_))); }

  void spend(std::size_t bytes) {
    memory_ += kEntryMemory + bytes;
    if (memory_ > kMaxMemory)
      fail(fmt::format("the header's tensors and metadata take more than {} MiB", kMaxMemory >> 20));
  }

  void check_tensor_key() const {
    const bool seen =
        (key_ == "dtype" && dtype_) || (key_ == "shape" && shape_) || (key_ == "data_offsets" && offsets_);
    if (seen) fail_duplicate();
    if (key_ != "dtype" && key_ != "shape" && key_ != "data_offsets") {
      fail(fmt::format("unknown key {}", quoted_name(key_)));
    }
  }

  void finish_tensor() {
    if (!dtype_) fail("key \"dtype\" is missing");
    if (!shape_) fail("key \"shape\" is missing");
    if (!offsets_ || offsets_->size() != 2) fail("key \"data_offsets\" must give two numbers");
    spend(tensor_->size() + shape_->capacity() * sizeof(std::int64_t));
    header_.entries.emplace(
        *tensor_, SafetensorsEntry{*dtype_, std::move(*shape_), static_cast<std::uint64_t>((*offsets_)[0]),
                                   static_cast<std::uint64_t>((*offsets_)[1])});
  }

  std::string_view source_;
  SafetensorsHeader header_;
  State state_ = State::kStart;
  bool metadata_seen_ = false;
  std::size_t memory_ = 0;
  std::string key_;
  std::optional<std::string> tensor_;  // the tensor being read
  std::optional<DType> dtype_;
  std::optional<std::vector<std::int64_t>> shape_;
  std::optional<std::vector<std::int64_t>> offsets_;
};

// The length of the longest text or number.
std::size_t longest_token(std::string_view json) {
  constexpr std::string_view kBetweenTokens = "{}[]:, \t\r\n";
  std::size_t longest = 0, length = 0;
  bool quoted = false, escaped = false;
  for (const char c : json) {
    const bool ends = quoted ? c == '"' && !escaped : kBetweenTokens.find(c) != std::string_view::npos;
    if (!quoted && c == '"') {
      quoted = true;
      length = 0;
    } else if (ends) {
      quoted = false;
      length = 0;
    }
    escaped = quoted && c == '\\' && !escaped;
    longest = std::max(longest, ++length);
  }
  return longest;
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::string_view source) {
  const std::size_t last = json.find_last_not_of(' ');
  if (!json.starts_with('{') || json[last] != '}') {
    throw WeightsError(
        fmt::format("{}: the header must start with '{{' and end with '}}' and spaces", source));
  }
  json = json.substr(0, last + 1);
  // nlohmann's lexer takes a zero byte for the end of its input, which would hide what follows.
  if (json.find('\0') != std::string_view::npos) {
    throw WeightsError(fmt::format("{}: the header holds a zero byte", source));
  }
  if (longest_token(json) > kMaxToken) {
    throw WeightsError(
        fmt::format("{}: the header holds a text or a number of more than {} bytes", source, kMaxToken));
  }
  HeaderHandler handler(source);
  nlohmann::json::sax_parse(json, &handler);
  return handler.take();
}

}  // namespace actionclip
