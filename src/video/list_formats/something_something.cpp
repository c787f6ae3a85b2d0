// Something-Something v2's JSON files.

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"
#include "actionclip/text/label_matcher.h"
#include "actionclip/video/annotations.h"

#include "core/json_events.h"
#include "video/list_formats/list_text.h"

namespace actionclip {
namespace {

constexpr const char* kExpected = "expected a list of objects with id and template";

class AnnotationReader : public JsonEvents {
 public:
  AnnotationReader(std::string file, const AnnotationVisitor& visit)
      : JsonEvents(std::move(file)), visit_(visit) {}

 private:
  // 1: in the list, 2: in the object of a video, more: in a value of it.
  bool open(bool is_object) override {
    ++depth_;
    if (depth_ == 1 && is_object) fail(kExpected);
    if (depth_ == 2) {
      if (!is_object) fail(kExpected);
      annotation_ = {};
      annotation_.line = line();
    }
    if (depth_ == 3 && is_wanted())
      fail(fmt::format("{} is {}, not a text", key_, is_object ? "an object" : "a list"));
    return true;
  }

  bool close() override {
    if (depth_-- != 2) return true;
    if (annotation_.id.empty()) fail("an object without id");
    return visit_(annotation_);
  }

  bool key(std::string& name) override {
    if (depth_ == 2) key_ = std::move(name);
    return true;
  }

  bool text(std::string& value) override {
    if (depth_ < 2) fail(kExpected);
    if (depth_ > 2 || !is_wanted()) return true;
    return key_ == "id" ? set_id(std::move(value)) : set_template(value);
  }

  bool integer(std::int64_t value) override {
    if (depth_ < 2) fail(kExpected);
    if (depth_ > 2 || !is_wanted()) return true;
    if (key_ != "id") fail("template is a number, not a text");
    return set_id(std::to_string(value));
  }

  bool other(std::string_view what) override {
    if (depth_ < 2) fail(kExpected);
    if (depth_ == 2 && is_wanted()) fail(fmt::format("{} is {}, not a text", key_, what));
    return true;
  }

  bool is_wanted() const { return key_ == "id" || key_ == "template"; }

  bool set_id(std::string id) {
    if (!annotation_.id.empty()) fail("an object with two ids");
    if (trimmed(id).empty()) fail("an object without id");
    if (std::ranges::any_of(id, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
      fail("an id holds a control character");
    annotation_.id = std::move(id);
    return true;
  }

  // The brackets mark what the sentence of a video fills in.
  bool set_template(std::string& name) {
    if (!annotation_.labels.empty()) fail("an object with two templates");
    std::erase_if(name, [](char c) { return c == '[' || c == ']'; });
    if (trimmed(name).empty()) fail("a template is empty");
    annotation_.labels.emplace_back(trimmed(name));
    return true;
  }

  const AnnotationVisitor& visit_;
  int depth_ = 0;
  std::string key_;
  Annotation annotation_;
};

}  // namespace

void parse_something_something_annotations(std::string_view text, const std::string& file,
                                           const AnnotationVisitor& visit) {
  AnnotationReader(file, visit).read(checked_text(text, file));
}

void add_something_something(const ListText& source, VideoList& list) {
  const LabelMatcher matcher(required_labels(source.labels, source.file));
  NameResolver names(matcher, source.file);
  parse_something_something_annotations(source.text, source.file, [&](const Annotation& video) {
    if (video.labels.empty())
      fail_at(source.file, video.line,
              fmt::format("video {} has no template: a test split has no labels", video.id));
    const auto label_id = static_cast<std::int32_t>(names.resolve(video.labels.front(), video.line));
    const std::string path = video.id + ".webm";
    list.add(VideoEntryView{.path = path, .label_ids = {&label_id, 1}, .line = video.line});
    return true;
  });
  names.finish();
}

}  // namespace actionclip
