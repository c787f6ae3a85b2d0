#include "config/yaml_parser.h"

#include <sstream>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <unicode/utf8.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "actionclip/core/error.h"

namespace actionclip::detail {
namespace {

[[noreturn]] void fail(const ConfigMark& mark, const std::string& message) {
  throw ConfigError(fmt::format("{}: {}", mark.text(), message));
}

bool is_control(UChar32 character) {
  return (character < 0x20 && character != '\t' && character != '\n') ||
         (character >= 0x7f && character < 0xa0 && character != 0x85);
}

// yaml-cpp lets control bytes and broken UTF-8 through.
void check_characters(const std::string& text, const std::shared_ptr<const ConfigSource>& source) {
  const auto size = static_cast<std::int32_t>(text.size());
  ConfigMark mark{source, 1, 1};
  for (std::int32_t next = 0; next < size;) {
    const std::int32_t start = next;
    UChar32 character = 0;
    U8_NEXT(text.data(), next, size, character);
    if (character < 0) fail(mark, "not valid UTF-8; save the file as UTF-8");
    const bool windows_line_end =
        character == '\r' && next < size && text[static_cast<std::size_t>(next)] == '\n';
    if (is_control(character) && !windows_line_end) {
      fail(mark, fmt::format("control character 0x{:02x} is not allowed", character));
    }
    if (character == '\n') {
      ++mark.line;
      mark.column = 1;
    } else {
      mark.column += next - start;
    }
  }
}

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::shared_ptr<const ConfigSource> source) : source_(std::move(source)) {
    root_.mark = {source_, 1, 1};
  }

  ConfigNode take() { return std::move(root_); }

  ConfigMark mark_of(const YAML::Mark& mark) const {
    if (mark.is_null()) return {source_, 1, 1};
    return {source_, mark.line + 1, mark.column + 1};
  }

  // Where the innermost open sequence or map begins: yaml-cpp reports the end of the text when a bracket is
  // missing.
  const ConfigMark* open(ConfigNode::Kind kind) const {
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
      if (frame->node.kind == kind) return &frame->node.mark;
    }
    return nullptr;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) fail(mark_of(mark), "a second document; only one is allowed in a file");
  }
  void OnDocumentEnd() override {}

  void OnAnchor(const YAML::Mark& mark, const std::string&) override { refuse_anchor(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (anchor != 0) refuse_anchor(mark);
    ConfigNode node;
    node.mark = mark_of(mark);
    // The mark of a value that was left out is that of the next token, often a line below its key.
    if (!frames_.empty() && frames_.back().has_key) node.mark = frames_.back().key_mark;
    add(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // yaml-cpp says "!" of a quoted scalar and "?" of a plain one.
    if (tag != "!" && tag != "?" && !tag.empty()) refuse_tag(mark, tag);
    if (anchor != 0) refuse_anchor(mark);
    for (const char c : value) {  // written as an escape: "\0"
      if (is_control(static_cast<unsigned char>(c)) && static_cast<unsigned char>(c) < 0x80) {
        fail(mark_of(mark), fmt::format("control character 0x{:02x} is not allowed", c));
      }
    }
    ConfigNode node;
    node.kind = ConfigNode::Kind::scalar;
    node.scalar = value;
    node.quoted = tag == "!";
    node.mark = mark_of(mark);
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(ConfigNode::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(ConfigNode::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Frame {
    ConfigNode node;
    std::unordered_set<std::string> keys;  // of a map: finds equal keys in large maps at once
    bool has_key = false;                  // a map's key was read, its value comes next
    std::string key;
    ConfigMark key_mark;
  };

  [[noreturn]] void refuse_anchor(const YAML::Mark& mark) const {
    fail(mark_of(mark), "anchors (&) and aliases (*) are not supported; write the value out, or use base:");
  }
  [[noreturn]] void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    fail(mark_of(mark), fmt::format("tag {} is not supported; remove it", tag));
  }

  void begin(ConfigNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (tag != "?" && !tag.empty()) refuse_tag(mark, tag);
    if (anchor != 0) refuse_anchor(mark);
    if (!frames_.empty()) refuse_as_key(mark_of(mark));
    if (frames_.size() == kMaxYamlDepth) {
      fail(mark_of(mark), fmt::format("nested more than {} levels deep", kMaxYamlDepth));
    }
    Frame frame;
    frame.node.kind = kind;
    frame.node.mark = mark_of(mark);
    frames_.push_back(std::move(frame));
  }

  void end() {
    ConfigNode node = std::move(frames_.back().node);
    frames_.pop_back();
    add(std::move(node));
  }

  // yaml-cpp also takes a list or map for a key when its bracket is not closed.
  void refuse_as_key(const ConfigMark& mark) const {
    const Frame& frame = frames_.back();
    if (frame.node.kind == ConfigNode::Kind::map && !frame.has_key) {
      fail(mark, "a list or map cannot be a key; is its bracket closed?");
    }
  }

  void add(ConfigNode node) {
    if (++nodes_ > kMaxYamlNodes) fail(node.mark, fmt::format("more than {} values", kMaxYamlNodes));
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == ConfigNode::Kind::sequence) {
      frame.node.items.push_back(std::move(node));
    } else if (frame.has_key) {
      frame.node.entries.push_back({std::move(frame.key), std::move(frame.key_mark), std::move(node)});
      frame.has_key = false;
    } else {
      set_key(frame, std::move(node));
    }
  }

  void set_key(Frame& frame, ConfigNode node) {
    if (node.kind != ConfigNode::Kind::scalar) fail(node.mark, "a key must be a plain text");
    if (!frame.keys.insert(node.scalar).second) {
      const ConfigEntry* first = frame.node.find(node.scalar);
      fail(node.mark,
           fmt::format("key '{}' is given twice, first in line {}", node.scalar, first->key_mark.line));
    }
    frame.key = std::move(node.scalar);
    frame.key_mark = std::move(node.mark);
    frame.has_key = true;
  }

  std::shared_ptr<const ConfigSource> source_;
  ConfigNode root_;
  std::vector<Frame> frames_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// Whether a tab indents the line, or follows a key or a dash in it, before `mark`: YAML takes spaces there,
// and yaml-cpp complains of something else.
bool has_tab_before(const std::string& text, const YAML::Mark& mark) {
  if (mark.is_null()) return false;
  std::size_t begin = 0;
  for (int line = 0; line < mark.line; ++line) {
    const auto end = text.find('\n', begin);
    if (end == std::string::npos) return false;
    begin = end + 1;
  }
  const auto line = std::string_view(text).substr(begin, text.find('\n', begin) - begin);
  bool separates = true;
  for (const char c : line.substr(0, static_cast<std::size_t>(mark.column) + 1)) {
    if (c == '\t' && separates) return true;
    if (c != ' ') separates = c == ':' || c == '-' || c == ',' || c == '?';
  }
  return false;
}

[[noreturn]] void explain(const YAML::Exception& error, const TreeBuilder& builder, const std::string& text) {
  const std::string_view message = error.msg;
  const ConfigMark* open = nullptr;
  if (message == YAML::ErrorMsg::END_OF_SEQ_FLOW) open = builder.open(ConfigNode::Kind::sequence);
  if (message == YAML::ErrorMsg::END_OF_MAP_FLOW) open = builder.open(ConfigNode::Kind::map);
  if (open != nullptr) {
    fail(*open, fmt::format("not valid YAML: the {} that begins here is not closed",
                            message == YAML::ErrorMsg::END_OF_SEQ_FLOW ? "list" : "map"));
  }
  if (message == YAML::ErrorMsg::DOC_IN_SCALAR || message == YAML::ErrorMsg::EOF_IN_SCALAR) {
    fail(builder.mark_of(error.mark), "not valid YAML: a quote before this place is not closed");
  }
  fail(builder.mark_of(error.mark),
       fmt::format("not valid YAML: {}{}", message,
                   has_tab_before(text, error.mark)
                       ? "; the line holds a tab where YAML takes spaces: replace it by spaces"
                       : ""));
}

}  // namespace

ConfigNode parse_yaml_text(const std::string& text, const std::shared_ptr<const ConfigSource>& source) {
  if (text.size() > kMaxYamlBytes) {
    fail({source, 1, 1}, fmt::format("larger than {} bytes, refused", kMaxYamlBytes));
  }
  check_characters(text, source);
  // An explicit end of the document: without it yaml-cpp accepts a double quote that is never closed.
  const bool complete_line = text.empty() || text.back() == '\n';
  std::istringstream stream(text + (complete_line ? "...\n" : "\n...\n"));
  TreeBuilder builder(source);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    explain(error, builder, text);
  }
  return builder.take();
}

}  // namespace actionclip::detail
