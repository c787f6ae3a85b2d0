#include "core/json_events.h"

#include <cstddef>
#include <iterator>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

// Counts the lines that the parser has read.
class LineCounting {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  LineCounting(const char* place, std::int64_t& line) : place_(place), line_(&line) {}

  reference operator*() const { return *place_; }
  LineCounting& operator++() {
    if (*place_ == '\n') ++*line_;
    ++place_;
    return *this;
  }
  LineCounting operator++(int) {
    const auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const LineCounting& other) const { return place_ == other.place_; }

 private:
  const char* place_;
  std::int64_t* line_;
};

}  // namespace

// What the parser calls.
class JsonAdapter : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit JsonAdapter(JsonEvents& events) : events_(events) {}

  bool null() override { return events_.other("null"); }
  bool boolean(bool value) override { return events_.other(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return events_.integer(value); }
  bool number_unsigned(number_unsigned_t value) override {
    constexpr auto kLargest = static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max());
    if (value > kLargest) events_.fail(fmt::format("the number {} does not fit in 63 bits", value));
    return events_.integer(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t, const string_t&) override { return events_.other("a fraction"); }
  bool string(string_t& value) override { return events_.text(value); }
  bool binary(binary_t&) override { return events_.other("binary data"); }

  bool start_object(std::size_t) override { return events_.open(true); }
  bool start_array(std::size_t) override { return events_.open(false); }
  bool end_object() override { return events_.close(); }
  bool end_array() override { return events_.close(); }
  bool key(string_t& name) override { return events_.key(name); }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& problem) override {
    // "[json.exception...] parse error at line 1, column 2: reason"
    std::string_view reason = problem.what();
    if (const auto colon = reason.find(": "); colon != std::string_view::npos)
      reason.remove_prefix(colon + 2);
    events_.fail(fmt::format("is no JSON: {}", reason));
  }

 private:
  JsonEvents& events_;
};

void JsonEvents::read(std::string_view text) {
  // The parser takes a zero byte for the end of its input, which would hide what follows.
  line_ = 1;
  for (const char c : text.substr(0, text.find('\0'))) line_ += c == '\n' ? 1 : 0;
  if (text.find('\0') != std::string_view::npos) fail("holds a zero byte, so it is not a text file");
  line_ = 1;
  JsonAdapter adapter(*this);
  nlohmann::json::sax_parse(LineCounting(text.data(), line_), LineCounting(text.data() + text.size(), line_),
                            &adapter);
}

void JsonEvents::fail(std::string_view message) const {
  throw Error(fmt::format("{}:{}: {}", file_, line_, message));
}

}  // namespace actionclip
