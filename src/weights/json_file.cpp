#include "weights/json_file.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/json_text.h"

#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

using nlohmann::json;

// An index of ten thousand tensors; what is parsed takes up to thirty times as much.
constexpr std::size_t kMaxBytes = 1u << 20;
constexpr std::size_t kMaxDepth = 64;

// In 63 bits: what is larger would be read as another number.
bool is_integer(const json& value) {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return value.is_number_unsigned() ? value.get<std::uint64_t>() <= kLargest : value.is_number_integer();
}
bool is_number(const json& value) { return value.is_number(); }
bool is_boolean(const json& value) { return value.is_boolean(); }
bool is_text(const json& value) { return value.is_string(); }

template <bool (*fits)(const json&)>
bool is_list_of(const json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), fits);
}

// Looks at a text before it is parsed: the parser alone would keep the last of two equal keys, and would take
// any depth. (Its own callbacks take time that grows with the square of a list's length.)
class TextCheck : public nlohmann::json_sax<json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }

  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second)
      throw WeightsError(fmt::format("the key {} appears twice", quoted_name(name)));
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& problem) override {
    throw WeightsError(on_one_line(problem.what()));
  }

 private:
  bool open() {
    if (keys_.size() == kMaxDepth) throw WeightsError(fmt::format("nested deeper than {} levels", kMaxDepth));
    keys_.emplace_back();
    return true;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> keys_;  // of the objects and lists that are open
};

}  // namespace

json read_json_object(const std::filesystem::path& path) {
  std::error_code absent;
  if (std::filesystem::is_other(std::filesystem::status(path, absent)))  // a pipe would wait for its writer
    throw WeightsError(fmt::format("{}: is not a regular file", path.string()));
  const std::string text = read_text_file(path, kMaxBytes);
  try {
    TextCheck check;
    json::sax_parse(text, &check);
    auto content = json::parse(text);
    if (!content.is_object()) throw WeightsError("not a JSON object");
    return content;
  } catch (const WeightsError& problem) {
    throw WeightsError(fmt::format("{}: {}", path.string(), problem.what()));
  }
}

void JsonSection::fail(const std::string& key, const std::string& what) const {
  throw WeightsError(fmt::format("{}{}: {}", where_, key, what));
}

void JsonSection::require_size(const std::string& key, std::int64_t value) const {
  constexpr std::int64_t kMaxSize = std::int64_t{1} << 31;
  if (value < 0 || value > kMaxSize) fail(key, fmt::format("must be a size, found {}", value));
}

bool JsonSection::has(const std::string& key) const {
  const auto found = object_->find(key);
  return found != object_->end() && !found->is_null();
}

template <typename T>
std::optional<T> JsonSection::value(const std::string& key, bool (*fits)(const json&),
                                    const char* kind) const {
  if (!has(key)) return std::nullopt;
  const json& found = object_->at(key);
  if (!fits(found)) fail(key, fmt::format("{} is needed, found {}", kind, quoted_name(json_text(found, -1))));
  return found.get<T>();
}

std::optional<std::int64_t> JsonSection::integer(const std::string& key) const {
  return value<std::int64_t>(key, is_integer, "an integer");
}

std::optional<std::int64_t> JsonSection::size(const std::string& key) const {
  const auto found = integer(key);
  if (found) require_size(key, *found);
  return found;
}

std::optional<double> JsonSection::number(const std::string& key) const {
  return value<double>(key, is_number, "a number");
}

std::optional<bool> JsonSection::boolean(const std::string& key) const {
  return value<bool>(key, is_boolean, "true or false");
}

std::optional<std::string> JsonSection::text(const std::string& key) const {
  return value<std::string>(key, is_text, "a text");
}

std::optional<std::vector<double>> JsonSection::numbers(const std::string& key) const {
  return value<std::vector<double>>(key, is_list_of<is_number>, "a list of numbers");
}

std::optional<std::vector<std::int64_t>> JsonSection::integers(const std::string& key) const {
  return value<std::vector<std::int64_t>>(key, is_list_of<is_integer>, "a list of integers");
}

std::optional<std::int64_t> JsonSection::square_side(const std::string& key) const {
  if (!has(key) || !object_->at(key).is_array()) return size(key);
  const auto sides = integers(key);
  if (sides->size() != 2 || sides->front() != sides->back()) fail(key, "must be square");
  require_size(key, sides->front());
  return sides->front();
}

std::optional<JsonSection> JsonSection::section(const std::string& key) const {
  if (!has(key)) return std::nullopt;
  const json& found = object_->at(key);
  if (!found.is_object()) fail(key, "an object is needed");
  return JsonSection(found, fmt::format("{}{}.", where_, key));
}

JsonSection JsonSection::required_section(const std::string& key) const {
  auto found = section(key);
  if (!found) fail(key, "is missing");
  return *std::move(found);
}

}  // namespace actionclip
