// JSON as events that know their line. A tree of a long file would take many times its memory, would keep the
// last of two equal keys, and tells no lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace actionclip {

class JsonEvents {
 public:
  // `file` stands for the text in messages.
  explicit JsonEvents(std::string file) : file_(std::move(file)) {}
  virtual ~JsonEvents() = default;
  JsonEvents(const JsonEvents&) = delete;
  JsonEvents& operator=(const JsonEvents&) = delete;

  // Calls what follows for all of `text`, until one returns false. Throws Error "file:line: ..." for what is
  // no JSON.
  void read(std::string_view text);

 protected:
  friend class JsonAdapter;

  // Each returns whether to go on.
  virtual bool open(bool is_object) = 0;  // "{", else "["
  virtual bool close() = 0;
  virtual bool key(std::string& name) = 0;
  virtual bool text(std::string& value) = 0;
  virtual bool integer(std::int64_t value) = 0;
  virtual bool other(std::string_view what) = 0;  // "null", "a fraction" ...

  std::int64_t line() const { return line_; }
  [[noreturn]] void fail(std::string_view message) const;

 private:
  std::string file_;
  std::int64_t line_ = 1;
};

}  // namespace actionclip
