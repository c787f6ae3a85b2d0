#include "weights/pickle.h"

#include <bit>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <unicode/utf8.h>

#include "actionclip/core/error.h"

#include "weights/pickle_calls.h"

namespace actionclip {
namespace {

// Far above real files (a ViT-L checkpoint with its optimizer: 1 MB, 50,000 values), low enough that a
// hostile one stays small. What the values take is limited in pickle_calls.cpp.
constexpr std::size_t kMaxProgram = 16u << 20;
constexpr std::size_t kMaxStack = 500'000;
constexpr std::size_t kMaxGlobalName = 1024;

constexpr std::size_t kMemoMemory = 48;  // an entry of a hash table
constexpr std::size_t kHeapMemory = 32;  // the smallest block that a container takes

enum class Op : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kNone = 'N',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kPersistentId = 'Q',
  kReduce = 'R',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kGet = 'h',
  kLongGet = 'j',
  kPut = 'q',
  kLongPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kEmptyList = ']',
  kEmptyTuple = ')',
  kProtocol = 0x80,
  kNewObject = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kTrue = 0x88,
  kFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

class Machine {
 public:
  Machine(std::span<const std::byte> program, PickleDialect dialect) : program_(program), dialect_(dialect) {}

  PickleDocument run() {
    if (program_.size() > kMaxProgram)
      throw PickleFailure(fmt::format("it is larger than {} bytes", kMaxProgram));
    while (true) {
      const Op op{static_cast<std::uint8_t>(read_integer(1))};
      if (op == Op::kStop) break;
      if (!do_scalar(op) && !do_container(op) && !do_memo(op) && !do_object(op)) {
        throw PickleFailure(
            fmt::format("op code 0x{:02x} is not one that PyTorch writes", static_cast<int>(op)));
      }
    }
    document_.root = pop();
    if (!stack_.empty() || !marks_.empty()) throw PickleFailure("values are left behind its end");
    return std::move(document_);
  }

  std::size_t position() const { return position_; }

 private:
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > program_.size() - position_) throw PickleFailure("it ends too early: truncated or damaged");
    const auto bytes = program_.subspan(position_, count);
    position_ += count;
    return bytes;
  }

  // Little-endian, at most 8 bytes.
  std::uint64_t read_integer(std::size_t size) {
    const auto bytes = take(size);
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    return value;
  }

  std::string read_text(std::uint64_t size) {
    const auto bytes = take(size);
    spend_memory(document_, bytes.size());
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    const auto length = static_cast<std::int32_t>(bytes.size());
    for (std::int32_t i = 0; i < length;) {
      UChar32 c = 0;
      U8_NEXT(text, i, length, c);
      if (c < 0) throw PickleFailure("a text is not valid UTF-8");
    }
    return {text, bytes.size()};
  }

  std::string read_line() {
    std::string line;
    for (char c = 0; (c = static_cast<char>(read_integer(1))) != '\n';) {
      if (line.size() == kMaxGlobalName) throw PickleFailure("a global's name is too long");
      line += c;
    }
    return line;
  }

  void push(PickleRef ref) {
    if (stack_.size() == kMaxStack)
      throw PickleFailure(fmt::format("its stack grows above {} values", kMaxStack));
    stack_.push_back(ref);
  }

  void push_value(PickleValue value) { push(add_value(document_, std::move(value))); }

  void push_tuple(std::vector<PickleRef> items) {
    spend_memory(document_, kHeapMemory + items.size() * sizeof(PickleRef));
    push_value(PickleTuple{std::move(items)});
  }

  void remember(std::uint64_t key, PickleRef ref) {
    if (memo_.insert_or_assign(key, ref).second) spend_memory(document_, kMemoMemory);
  }

  // Values below the newest mark belong to a container that is still open.
  void expect_on_stack(std::size_t count) const {
    if (stack_.size() - (marks_.empty() ? 0 : marks_.back()) < count)
      throw PickleFailure("its stack is empty: damaged");
  }

  PickleRef top() const {
    expect_on_stack(1);
    return stack_.back();
  }

  PickleRef pop() {
    const PickleRef ref = top();
    stack_.pop_back();
    return ref;
  }

  std::vector<PickleRef> pop_many(std::size_t count) {
    expect_on_stack(count);
    std::vector<PickleRef> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }

  std::vector<PickleRef> pop_to_mark() {
    if (marks_.empty()) throw PickleFailure("a mark is missing: damaged");
    auto items = pop_many(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }

  template <class T>
  T& top_as(const char* what) {
    T* value = std::get_if<T>(&document_.values[top()]);
    if (value == nullptr) throw PickleFailure(fmt::format("{} are added to something else", what));
    return *value;
  }

  // Lists and dictionaries grow, to twice their size at most.
  void spend_items(std::size_t count) {
    spend_memory(document_, kHeapMemory + 2 * count * sizeof(PickleRef));
  }

  void append(const std::vector<PickleRef>& added) {
    spend_items(added.size());
    auto& items = top_as<PickleList>("list items").items;
    items.insert(items.end(), added.begin(), added.end());
  }

  void set_items(const std::vector<PickleRef>& added) {
    auto& items = top_as<PickleDict>("dictionary items").items;
    if (added.size() % 2 != 0) throw PickleFailure("a dictionary key has no value");
    spend_items(added.size());
    for (std::size_t i = 0; i < added.size(); i += 2) items.emplace_back(added[i], added[i + 1]);
  }

  // Python's integers have any size; those above 64 bits (random seeds) are of no use here.
  void push_long() {
    const auto bytes = take(read_integer(1));
    if (bytes.size() > 8) return push_value(PickleOpaque{});
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    if (!bytes.empty() && bytes.size() < 8 && std::to_integer<int>(bytes.back()) >= 0x80)
      value |= ~0ull << (8 * bytes.size());
    push_value(static_cast<std::int64_t>(value));
  }

  void push_float() {
    std::uint64_t bits = 0;
    for (const std::byte byte : take(8)) bits = bits << 8 | std::to_integer<std::uint64_t>(byte);
    push_value(std::bit_cast<double>(bits));
  }

  void push_global(const std::string& module, const std::string& name) {
    PickleGlobal global = find_pickle_global(module + "." + name, dialect_);
    spend_memory(document_, global.name.size());
    push_value(std::move(global));
  }

  bool do_scalar(Op op) {
    switch (op) {
      case Op::kNone:
        push_value(PickleNone{});
        return true;
      case Op::kTrue:
      case Op::kFalse:
        push_value(op == Op::kTrue);
        return true;
      case Op::kBinInt:
        push_value(std::int64_t{static_cast<std::int32_t>(read_integer(4))});
        return true;
      case Op::kBinInt1:
        push_value(static_cast<std::int64_t>(read_integer(1)));
        return true;
      case Op::kBinInt2:
        push_value(static_cast<std::int64_t>(read_integer(2)));
        return true;
      case Op::kLong1:
        push_long();
        return true;
      case Op::kBinFloat:
        push_float();
        return true;
      case Op::kBinUnicode:
        push_value(read_text(read_integer(4)));
        return true;
      case Op::kShortBinUnicode:
        push_value(read_text(read_integer(1)));
        return true;
      case Op::kBinBytes:
      case Op::kShortBinBytes:
        take(read_integer(op == Op::kBinBytes ? 4 : 1));
        push_value(PickleOpaque{});
        return true;
      default:
        return false;
    }
  }

  bool do_container(Op op) {
    switch (op) {
      case Op::kMark:
        if (marks_.size() == kMaxStack) throw PickleFailure("it nests too deeply");
        marks_.push_back(stack_.size());
        return true;
      case Op::kEmptyTuple:
        push_value(PickleTuple{});
        return true;
      case Op::kTuple:
        push_tuple(pop_to_mark());
        return true;
      case Op::kTuple1:
      case Op::kTuple2:
      case Op::kTuple3:
        push_tuple(pop_many(static_cast<std::size_t>(op) - static_cast<std::size_t>(Op::kTuple1) + 1));
        return true;
      case Op::kEmptyList:
        push_value(PickleList{});
        return true;
      case Op::kAppend:
        append(pop_many(1));
        return true;
      case Op::kAppends:
        append(pop_to_mark());
        return true;
      case Op::kEmptyDict:
        push_value(PickleDict{});
        return true;
      case Op::kSetItem:
        set_items(pop_many(2));
        return true;
      case Op::kSetItems:
        set_items(pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  bool do_memo(Op op) {
    switch (op) {
      case Op::kGet:
      case Op::kLongGet: {
        const auto found = memo_.find(read_integer(op == Op::kGet ? 1 : 4));
        if (found == memo_.end()) throw PickleFailure("it refers to a value that was not stored: damaged");
        push(found->second);
        return true;
      }
      case Op::kPut:
      case Op::kLongPut:
        remember(read_integer(op == Op::kPut ? 1 : 4), top());
        return true;
      case Op::kMemoize:
        remember(memo_.size(), top());
        return true;
      default:
        return false;
    }
  }

  bool do_object(Op op) {
    switch (op) {
      case Op::kProtocol:
        if (const auto version = read_integer(1); version > 4) {
          throw PickleFailure(fmt::format("pickle protocol {} is not supported, 2 to 4 are", version));
        }
        return true;
      case Op::kFrame:
        read_integer(8);
        return true;
      case Op::kGlobal: {
        const std::string module = read_line();
        push_global(module, read_line());
        return true;
      }
      case Op::kStackGlobal: {
        const auto names = pop_many(2);
        const auto* module = std::get_if<std::string>(&document_[names[0]]);
        const auto* name = std::get_if<std::string>(&document_[names[1]]);
        if (module == nullptr || name == nullptr) throw PickleFailure("a global's name is not a text");
        push_global(*module, *name);
        return true;
      }
      case Op::kPersistentId:
        push(pickle_persistent(document_, pop()));
        return true;
      case Op::kReduce: {
        const auto call = pop_many(2);
        push(pickle_reduce(document_, call[0], call[1]));
        return true;
      }
      case Op::kNewObject: {
        const auto call = pop_many(2);
        push(pickle_new_object(document_, call[0], call[1]));
        return true;
      }
      case Op::kBuild: {
        const PickleRef state = pop();
        pickle_build(document_, top(), state);
        return true;
      }
      default:
        return false;
    }
  }

  std::span<const std::byte> program_;
  PickleDialect dialect_;
  std::size_t position_ = 0;
  PickleDocument document_;
  std::vector<PickleRef> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::unordered_map<std::uint64_t, PickleRef> memo_;
};

}  // namespace

PickleDocument run_pickle(std::span<const std::byte> program, PickleDialect dialect,
                          std::string_view source) {
  Machine machine(program, dialect);
  try {
    return machine.run();
  } catch (const PickleFailure& failure) {
    throw WeightsError(fmt::format("{}, byte {}: {}", source, machine.position(), failure.what()));
  }
}

}  // namespace actionclip
