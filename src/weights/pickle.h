// The pickles inside PyTorch's archives, interpreted as data. Python's own machine can call anything a file
// names; this one knows the op codes that torch.save (protocols 2 to 4) and torch.jit.save write, a fixed
// list of names (pickle_calls.cpp), and nothing else. Written here because no packaged library reads pickles
// in this way, and libtorch's own unpickler reads past tensors whose records are too short. Op codes:
// Python's documentation of the module pickletools.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "actionclip/weights/tensor_file.h"

namespace actionclip {

// A value's place in PickleDocument::values. Places instead of pointers: a pickle may hold cycles.
using PickleRef = std::uint32_t;

enum class PickleCallee {
  kOrderedDict,
  kRebuildTensor,
  kRebuildParameter,
  kStorageType,
  kSize,
  kInertCall,    // torch.device
  kInertValue,   // torch.float16, ...
  kScriptClass,  // TorchScript: a module's class
  kScriptTag     // TorchScript: marks of a list's or dictionary's element type
};

struct PickleNone {};
// A value that no reader needs and that is therefore not kept, such as torch.device("cpu") or bytes.
struct PickleOpaque {};
struct PickleGlobal {
  PickleCallee callee;
  std::string name;
};
struct PickleTuple {
  std::vector<PickleRef> items;
};
struct PickleList {
  std::vector<PickleRef> items;
};
struct PickleDict {
  std::vector<std::pair<PickleRef, PickleRef>> items;
};
// An instance of a TorchScript class; its attributes are a dictionary.
struct PickleObject {
  std::optional<PickleRef> attributes;
};

// A record of the archive, <prefix>/data/<key>.
struct PickledStorage {
  DType dtype = DType::kFloat32;
  std::string key;
  std::int64_t element_count = 0;
};
// A strided view into a storage, every element of which lies inside it.
struct PickledTensor {
  PickledStorage storage;
  std::int64_t offset = 0;  // in elements, as the strides
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

using PickleValue = std::variant<PickleNone, bool, std::int64_t, double, std::string, PickleOpaque,
                                 PickleGlobal, PickleTuple, PickleList, PickleDict, PickleObject,
                                 std::shared_ptr<const PickledStorage>, std::shared_ptr<const PickledTensor>>;

struct PickleDocument {
  std::vector<PickleValue> values;
  PickleRef root = 0;
  std::size_t memory = 0;  // bytes that the values take, about

  const PickleValue& operator[](PickleRef ref) const { return values[ref]; }
};

// Which names a pickle may use: torch.save's, or TorchScript's classes as well.
enum class PickleDialect { kState, kTorchScript };

// Interprets `program`. `source` names it in errors. Memory stays within 40 MiB whatever the program says.
// Throws WeightsError (source, byte, reason).
PickleDocument run_pickle(std::span<const std::byte> program, PickleDialect dialect, std::string_view source);

}  // namespace actionclip
