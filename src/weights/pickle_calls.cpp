#include "weights/pickle_calls.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

// Far above real files (a ViT-L checkpoint with its optimizer: 3 MB), low enough that a hostile one stays
// small, the spare room of growing containers included.
constexpr std::size_t kMaxMemory = 16u << 20;
constexpr std::size_t kMaxKey = 1024;

struct NamedCallee {
  std::string_view name;
  PickleCallee callee;
};

constexpr std::array kStateNames{
    NamedCallee{"collections.OrderedDict", PickleCallee::kOrderedDict},
    NamedCallee{"torch._utils._rebuild_tensor_v2", PickleCallee::kRebuildTensor},
    NamedCallee{"torch._utils._rebuild_parameter", PickleCallee::kRebuildParameter},
    NamedCallee{"torch.Size", PickleCallee::kSize},
    NamedCallee{"torch.device", PickleCallee::kInertCall},
    NamedCallee{"torch.float64", PickleCallee::kInertValue},
    NamedCallee{"torch.float32", PickleCallee::kInertValue},
    NamedCallee{"torch.float16", PickleCallee::kInertValue},
    NamedCallee{"torch.bfloat16", PickleCallee::kInertValue},
    NamedCallee{"torch.int64", PickleCallee::kInertValue},
    NamedCallee{"torch.int32", PickleCallee::kInertValue},
    NamedCallee{"torch.int16", PickleCallee::kInertValue},
    NamedCallee{"torch.int8", PickleCallee::kInertValue},
    NamedCallee{"torch.uint8", PickleCallee::kInertValue},
    NamedCallee{"torch.bool", PickleCallee::kInertValue},
};

constexpr std::array kScriptNames{
    NamedCallee{"torch.jit._pickle.restore_type_tag", PickleCallee::kScriptTag},
    NamedCallee{"torch.jit._pickle.build_intlist", PickleCallee::kScriptTag},
    NamedCallee{"torch.jit._pickle.build_doublelist", PickleCallee::kScriptTag},
    NamedCallee{"torch.jit._pickle.build_boollist", PickleCallee::kScriptTag},
    NamedCallee{"torch.jit._pickle.build_tensorlist", PickleCallee::kScriptTag},
};

struct StorageType {
  std::string_view name;
  DType dtype;
};

constexpr std::array kStorageTypes{
    StorageType{"torch.DoubleStorage", DType::kFloat64},
    StorageType{"torch.FloatStorage", DType::kFloat32},
    StorageType{"torch.HalfStorage", DType::kFloat16},
    StorageType{"torch.BFloat16Storage", DType::kBFloat16},
    StorageType{"torch.LongStorage", DType::kInt64},
    StorageType{"torch.IntStorage", DType::kInt32},
    StorageType{"torch.ShortStorage", DType::kInt16},
    StorageType{"torch.CharStorage", DType::kInt8},
    StorageType{"torch.ByteStorage", DType::kUInt8},
    StorageType{"torch.BoolStorage", DType::kBool},
};

template <class T>
const T& expect(const PickleDocument& document, PickleRef ref, const char* what) {
  const T* value = std::get_if<T>(&document[ref]);
  if (value == nullptr) throw PickleFailure(fmt::format("{} has the wrong type", what));
  return *value;
}

const std::vector<PickleRef>& expect_tuple(const PickleDocument& document, PickleRef ref, std::size_t least,
                                           std::size_t most, const std::string& what) {
  const auto* tuple = std::get_if<PickleTuple>(&document[ref]);
  if (tuple == nullptr || tuple->items.size() < least || tuple->items.size() > most) {
    throw PickleFailure(
        fmt::format("{} is called with arguments that PyTorch does not write", quoted_name(what)));
  }
  return tuple->items;
}

std::vector<std::int64_t> integers(const PickleDocument& document, PickleRef ref, const char* what) {
  std::vector<std::int64_t> numbers;
  const auto& items = expect<PickleTuple>(document, ref, what).items;
  if (items.size() > kMaxDimensions)
    throw PickleFailure(fmt::format("{} has more than {} numbers", what, kMaxDimensions));
  for (const PickleRef item : items) numbers.push_back(expect<std::int64_t>(document, item, what));
  return numbers;
}

// Throws unless every element lies inside the storage, and there are no more elements than the storage has: a
// file must not be able to ask for more memory than it holds.
void check_view(const PickledTensor& tensor) {
  const auto fail = [&](const char* what) {
    throw PickleFailure(
        fmt::format("a tensor of shape {}, strides {} and offset {} {} (storage {}, {} elements)",
                    shape_string(tensor.shape), shape_string(tensor.strides), tensor.offset, what,
                    quoted_name(tensor.storage.key), tensor.storage.element_count));
  };
  if (tensor.strides.size() != tensor.shape.size()) fail("does not have a stride for each dimension");
  const auto bytes = checked_byte_count(tensor.storage.dtype, tensor.shape);
  if (!bytes) fail("is too large");
  const auto count = *bytes / static_cast<std::int64_t>(item_size(tensor.storage.dtype));
  std::int64_t last = tensor.offset;
  bool outside = tensor.offset < 0;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.strides[i] < 0) fail("has a negative stride");
    std::int64_t span = 0;
    outside = outside || (tensor.shape[i] > 1 &&
                          (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &span) ||
                           __builtin_add_overflow(last, span, &last)));
  }
  if (outside || (count > 0 && last >= tensor.storage.element_count)) fail("reaches outside of its storage");
  if (count > tensor.storage.element_count)
    fail("repeats elements of its storage: save its .contiguous() copy");
}

// Arguments: storage, offset, size, stride, requires_grad, backward_hooks and, since PyTorch 2, metadata.
PickleRef rebuild_tensor(PickleDocument& document, PickleRef arguments, const std::string& name) {
  const auto& items = expect_tuple(document, arguments, 6, 7, name);
  auto tensor = std::make_shared<PickledTensor>();
  tensor->storage = *expect<std::shared_ptr<const PickledStorage>>(document, items[0], "a tensor's storage");
  tensor->offset = expect<std::int64_t>(document, items[1], "a tensor's offset");
  tensor->shape = integers(document, items[2], "a tensor's size");
  tensor->strides = integers(document, items[3], "a tensor's stride");
  check_view(*tensor);
  const std::size_t held =
      sizeof(PickledTensor) + tensor->storage.key.size() + 4 * sizeof(std::int64_t) * tensor->shape.size();
  return add_value(document, std::shared_ptr<const PickledTensor>(std::move(tensor)), held);
}

}  // namespace

void spend_memory(PickleDocument& document, std::size_t bytes) {
  document.memory += bytes;
  if (document.memory > kMaxMemory)
    throw PickleFailure(fmt::format("its values take more than {} MiB", kMaxMemory >> 20));
}

PickleRef add_value(PickleDocument& document, PickleValue value, std::size_t held) {
  spend_memory(document, sizeof(PickleValue) + held);
  document.values.push_back(std::move(value));
  return static_cast<PickleRef>(document.values.size() - 1);
}

PickleGlobal find_pickle_global(const std::string& name, PickleDialect dialect) {
  for (const auto& [known, callee] : kStateNames) {
    if (known == name) return {callee, name};
  }
  for (const auto& [known, dtype] : kStorageTypes) {
    if (known == name) return {PickleCallee::kStorageType, name};
  }
  if (dialect == PickleDialect::kTorchScript) {
    if (name.starts_with("__torch__.")) return {PickleCallee::kScriptClass, name};
    for (const auto& [known, callee] : kScriptNames) {
      if (known == name) return {callee, name};
    }
  }
  throw PickleFailure(fmt::format(
      "it uses {}, which is not needed to hold tensors and is never run; save the state dict alone: "
      "torch.save(model.state_dict(), path), or, if you trust its source, in Python: "
      "torch.save(torch.load(FILE, weights_only=False)['state_dict'], NEW)",
      quoted_name(name)));
}

PickleRef pickle_reduce(PickleDocument& document, PickleRef callee, PickleRef arguments) {
  // A copy: adding a value may move the values.
  const PickleGlobal global = expect<PickleGlobal>(document, callee, "what is called");
  switch (global.callee) {
    case PickleCallee::kOrderedDict:
      expect_tuple(document, arguments, 0, 0, global.name);
      return add_value(document, PickleDict{});
    case PickleCallee::kRebuildTensor:
      return rebuild_tensor(document, arguments, global.name);
    case PickleCallee::kRebuildParameter: {
      const PickleRef tensor = expect_tuple(document, arguments, 3, 3, global.name)[0];
      expect<std::shared_ptr<const PickledTensor>>(document, tensor, "a parameter's tensor");
      return tensor;
    }
    case PickleCallee::kSize:
      return expect_tuple(document, arguments, 1, 1, global.name)[0];
    case PickleCallee::kScriptTag:
      return expect_tuple(document, arguments, 1, 2, global.name)[0];
    case PickleCallee::kInertCall:
      expect_tuple(document, arguments, 1, 2, global.name);
      return add_value(document, PickleOpaque{});
    case PickleCallee::kStorageType:
    case PickleCallee::kInertValue:
    case PickleCallee::kScriptClass:
      break;
  }
  throw PickleFailure(fmt::format("{} cannot be called", quoted_name(global.name)));
}

PickleRef pickle_new_object(PickleDocument& document, PickleRef callee, PickleRef arguments) {
  const auto& global = expect<PickleGlobal>(document, callee, "a class");
  if (global.callee != PickleCallee::kScriptClass) {
    throw PickleFailure(fmt::format("{} cannot be instantiated", quoted_name(global.name)));
  }
  expect_tuple(document, arguments, 0, 0, global.name);
  return add_value(document, PickleObject{});
}

PickleRef pickle_persistent(PickleDocument& document, PickleRef id) {
  const auto& items = expect_tuple(document, id, 5, 5, "storage");
  const char* what = "a storage's description";
  if (expect<std::string>(document, items[0], what) != "storage")
    throw PickleFailure("a persistent id is not a storage");
  const auto& type = expect<PickleGlobal>(document, items[1], what).name;
  expect<std::string>(document, items[3], what);
  auto storage = std::make_shared<PickledStorage>();
  const auto& key = expect<std::string>(document, items[2], what);
  if (key.size() > kMaxKey) throw PickleFailure("a storage's key is too long");
  storage->key = key;
  storage->element_count = expect<std::int64_t>(document, items[4], what);
  if (storage->element_count < 0) throw PickleFailure("a storage has a negative size");
  for (const auto& [name, dtype] : kStorageTypes) {
    if (name != type) continue;
    storage->dtype = dtype;
    const std::size_t held = sizeof(PickledStorage) + storage->key.size();
    return add_value(document, std::shared_ptr<const PickledStorage>(std::move(storage)), held);
  }
  throw PickleFailure(fmt::format("{} is not a type of storage", quoted_name(type)));
}

void pickle_build(PickleDocument& document, PickleRef target, PickleRef state) {
  expect<PickleDict>(document, state, "an object's state");
  if (auto* object = std::get_if<PickleObject>(&document.values[target])) {
    if (object->attributes) throw PickleFailure("an object's state is set twice");
    object->attributes = state;
  } else {
    // The attributes of an OrderedDict: state_dict() keeps version numbers there, which nothing here needs.
    expect<PickleDict>(document, target, "what has a state");
  }
}

}  // namespace actionclip
