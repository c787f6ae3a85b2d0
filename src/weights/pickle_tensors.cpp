#include "weights/pickle_tensors.h"

#include <algorithm>

#include <fmt/format.h>

#include "actionclip/core/error.h"

#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

constexpr int kMaxDepth = 100;
constexpr std::size_t kMaxNameLength = 1024;

// A tensor may have any number of names. What each takes: nodes of two trees, shape and strides.
constexpr std::size_t kMaxMemory = 16u << 20;
constexpr std::size_t kNameMemory = 512;

class Walker {
 public:
  Walker(const PickleDocument& document, std::string_view source)
      : document_(document), source_(source), visits_left_(4 * document.values.size() + 1000) {}

  std::map<std::string, std::shared_ptr<const PickledTensor>> run() {
    visit(document_.root, "", 0);
    return std::move(tensors_);
  }

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& what) const {
    throw WeightsError(fmt::format("{}: {}: {}", source_, quoted_name(name), what));
  }

  void visit(PickleRef ref, const std::string& name, int depth) {
    if (depth > kMaxDepth) fail(name, fmt::format("nested deeper than {} levels", kMaxDepth));
    // Containers may be shared, so that a small file can describe any number of values.
    if (visits_left_-- == 0) fail(name, "the same values are repeated too often");
    const PickleValue& value = document_[ref];
    if (const auto* tensor = std::get_if<std::shared_ptr<const PickledTensor>>(&value)) {
      if (name.empty()) fail(name, "the file holds a single tensor, a state dict is needed");
      if (!is_plain_text(name)) fail(name, "a tensor's name holds control characters");
      spend_name(name, **tensor);
      if (!tensors_.emplace(name, *tensor).second) fail(name, "two tensors have this name");
    } else if (const auto* tuple = std::get_if<PickleTuple>(&value)) {
      visit_items(tuple->items, name, depth);
    } else if (const auto* list = std::get_if<PickleList>(&value)) {
      visit_items(list->items, name, depth);
    } else if (const auto* dict = std::get_if<PickleDict>(&value)) {
      visit_dict(*dict, name, '/', depth);
    } else if (const auto* object = std::get_if<PickleObject>(&value);
               object != nullptr && object->attributes) {
      visit_dict(std::get<PickleDict>(document_[*object->attributes]), name, '.', depth);
    }
  }

  void spend_name(const std::string& name, const PickledTensor& tensor) {
    memory_ += kNameMemory + 2 * name.size() + 2 * sizeof(std::int64_t) * tensor.shape.size();
    if (memory_ > kMaxMemory)
      fail(name, fmt::format("the names of its tensors take more than {} MiB", kMaxMemory >> 20));
  }

  void visit_items(const std::vector<PickleRef>& items, const std::string& name, int depth) {
    for (std::size_t i = 0; i < items.size(); ++i)
      visit(items[i], join(name, '/', std::to_string(i)), depth + 1);
  }

  void visit_dict(const PickleDict& dict, const std::string& name, char separator, int depth) {
    for (const auto& [key, item] : dict.items)
      visit(item, join(name, separator, key_text(key, name)), depth + 1);
  }

  std::string key_text(PickleRef key, const std::string& name) const {
    if (const auto* text = std::get_if<std::string>(&document_[key])) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&document_[key])) return std::to_string(*number);
    fail(name, "a dictionary key is neither a text nor an integer");
  }

  std::string join(const std::string& name, char separator, const std::string& part) const {
    if (name.size() + part.size() >= kMaxNameLength) fail(name, "the names below it are too long");
    return name.empty() ? part : name + separator + part;
  }

  const PickleDocument& document_;
  std::string_view source_;
  std::size_t visits_left_;
  std::size_t memory_ = 0;
  std::map<std::string, std::shared_ptr<const PickledTensor>> tensors_;
};

}  // namespace

std::map<std::string, std::shared_ptr<const PickledTensor>> name_tensors(const PickleDocument& document,
                                                                         std::string_view source) {
  return Walker(document, source).run();
}

bool holds_empty_dictionary(const PickleDocument& document, std::string_view key) {
  const auto* root = std::get_if<PickleDict>(&document[document.root]);
  if (root == nullptr) return false;
  return std::ranges::any_of(root->items, [&](const auto& item) {
    const auto* name = std::get_if<std::string>(&document[item.first]);
    const auto* value = std::get_if<PickleDict>(&document[item.second]);
    return name != nullptr && *name == key && value != nullptr && value->items.empty();
  });
}

}  // namespace actionclip
