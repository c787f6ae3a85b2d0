// JSON files that come with weights, read as what anybody may have written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace actionclip {

// Throws WeightsError (path, reason) for what is no regular file or no JSON object, holds a key twice or is
// very large.
nlohmann::json read_json_object(const std::filesystem::path& path);

// A part of such a file, with the keys that lead to it for messages.
class JsonSection {
 public:
  JsonSection(const nlohmann::json& object, std::string where) : object_(&object), where_(std::move(where)) {}

  const nlohmann::json& object() const { return *object_; }
  const std::string& where() const { return where_; }

  // None where the key is missing or null. Throw WeightsError for a value of another kind.
  std::optional<std::int64_t> integer(const std::string& key) const;
  std::optional<double> number(const std::string& key) const;
  std::optional<bool> boolean(const std::string& key) const;
  std::optional<std::string> text(const std::string& key) const;
  std::optional<std::vector<double>> numbers(const std::string& key) const;
  std::optional<std::vector<std::int64_t>> integers(const std::string& key) const;
  std::optional<std::int64_t> size(const std::string& key) const;         // an integer of 0 to 2^31
  std::optional<std::int64_t> square_side(const std::string& key) const;  // a size, or two equal ones
  std::optional<JsonSection> section(const std::string& key) const;

  // The same for a section that must be there.
  JsonSection required_section(const std::string& key) const;

  // Whether the key has a value other than null.
  bool has(const std::string& key) const;
  bool is_list(const std::string& key) const { return has(key) && object_->at(key).is_array(); }

  // Throws WeightsError: "FILE: KEYS.key: what".
  [[noreturn]] void fail(const std::string& key, const std::string& what) const;

 private:
  template <typename T>
  std::optional<T> value(const std::string& key, bool (*fits)(const nlohmann::json&), const char* kind) const;

  void require_size(const std::string& key, std::int64_t value) const;

  const nlohmann::json* object_;
  std::string where_;
};

}  // namespace actionclip
