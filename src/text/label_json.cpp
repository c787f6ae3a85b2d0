#include "text/label_json.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"

#include "core/json_events.h"

namespace actionclip::detail {
namespace {

struct Member {
  std::string key;    // empty in a list
  std::string value;  // a text, or a number's digits
  bool is_text;
  std::int64_t line;
};

// The members of the list or object that a text is.
class MemberReader : public JsonEvents {
 public:
  using JsonEvents::JsonEvents;

  bool is_object() const { return is_object_; }
  std::vector<Member> take() { return std::move(members_); }

 private:
  bool open(bool is_object) override {
    if (std::exchange(is_open_, true)) {
      fail(fmt::format("names and ids are expected here, found {}", is_object ? "an object" : "a list"));
    }
    is_object_ = is_object;
    return true;
  }
  bool close() override { return true; }
  bool key(std::string& name) override {
    key_ = std::move(name);
    return true;
  }
  bool text(std::string& value) override { return add(std::move(value), true); }
  bool integer(std::int64_t value) override { return add(std::to_string(value), false); }
  bool other(std::string_view what) override {
    fail(fmt::format("names and ids are expected here, found {}", what));
  }

  bool add(std::string value, bool is_text) {
    if (!is_open_) fail("a list of names, or an object of names and ids, is expected");
    members_.push_back({std::move(key_), std::move(value), is_text, line()});
    key_.clear();
    return true;
  }

  bool is_open_ = false;
  bool is_object_ = false;
  std::string key_;
  std::vector<Member> members_;
};

bool is_number(const std::string& text) { return parse_integer(text).has_value(); }

NamesWithLines names_of_list(std::vector<Member> members, const std::string& file) {
  NamesWithLines result;
  for (auto& member : members) {
    if (!member.is_text)
      throw Error(fmt::format("{}:{}: {} is a number, not a name", file, member.line, member.value));
    result.names.emplace_back(trimmed(member.value));
    result.lines.push_back(member.line);
  }
  return result;
}

NamesWithLines names_of_object(std::vector<Member> members, const std::string& file) {
  const bool ids_first = std::ranges::all_of(
      members, [](const Member& member) { return member.is_text && is_number(member.key); });
  NamesWithLines result{std::vector<std::string>(members.size()),
                        std::vector<std::int64_t>(members.size(), 0)};
  for (const auto& member : members) {
    const auto place = fmt::format("{}:{}", file, member.line);
    const auto id = read_label_id(ids_first ? member.key : member.value, members.size(), place);
    if (result.lines[id] != 0)
      throw Error(fmt::format("{}: id {} was given before, at {}:{}", place, id, file, result.lines[id]));
    result.names[id] = trimmed(ids_first ? member.value : member.key);
    result.lines[id] = member.line;
  }
  return result;
}

}  // namespace

NamesWithLines labels_of_json(std::string_view text, const std::string& file) {
  MemberReader reader(file);
  reader.read(text);
  auto members = reader.take();
  if (members.empty()) throw Error(fmt::format("{}: holds no labels", file));
  return reader.is_object() ? names_of_object(std::move(members), file)
                            : names_of_list(std::move(members), file);
}

std::size_t read_label_id(std::string_view text, std::size_t labels, const std::string& place) {
  const auto number = parse_integer(text);
  if (!number || *number < 0) throw Error(fmt::format("{}: the id must be a whole number from 0 on", place));
  const auto id = static_cast<std::size_t>(*number);
  if (id >= labels) {
    throw Error(
        fmt::format("{}: id {} is too large; {} labels have the ids 0 to {}", place, id, labels, labels - 1));
  }
  return id;
}

}  // namespace actionclip::detail
