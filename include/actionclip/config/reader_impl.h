// Implementation of reader.h: the walk over described structs. What does not depend on their types is in
// src/config.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <boost/mp11.hpp>

#include "actionclip/config/checker.h"
#include "actionclip/config/node.h"
#include "actionclip/config/types.h"

namespace actionclip::detail {

template <typename T>
concept DescribedStruct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <typename T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

template <typename T>
concept CheckedStruct = requires(const T& value, ConfigChecker& checker) { value.check(checker); };

template <typename T>
struct ContainerTraits {
  static constexpr bool is_optional = false, is_vector = false, is_map = false;
};
template <typename T>
struct ContainerTraits<std::optional<T>> {
  static constexpr bool is_optional = true, is_vector = false, is_map = false;
};
template <typename T>
struct ContainerTraits<std::vector<T>> {
  static constexpr bool is_optional = false, is_vector = true, is_map = false;
};
template <typename T>
struct ContainerTraits<std::map<std::string, T>> {
  static constexpr bool is_optional = false, is_vector = false, is_map = true;
};

// Calls visit(name, pointer to member) for every member of T.
template <typename T, typename Visit>
void for_each_member(Visit visit) {
  boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>(
      [&](auto member) { visit(std::string_view(member.name), member.pointer); });
}

template <DescribedEnum T>
std::vector<std::pair<std::string, T>> enumerators() {
  std::vector<std::pair<std::string, T>> result;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
      [&](auto enumerator) { result.emplace_back(enumerator.name, enumerator.value); });
  return result;
}

inline std::string join_key(const std::string& parent, std::string_view key) {
  return parent.empty() ? std::string(key) : parent + "." + std::string(key);
}

// Appends the path of every key below a T that stands at `path`; elements of a list are "path[]", values of a
// map "path.*".
template <typename T>
void collect_keys(const std::string& path, std::vector<std::string>& keys) {
  using Traits = ContainerTraits<T>;
  if constexpr (Traits::is_optional) {
    collect_keys<typename T::value_type>(path, keys);
  } else if constexpr (Traits::is_vector) {
    collect_keys<typename T::value_type>(path + "[]", keys);
  } else if constexpr (Traits::is_map) {
    collect_keys<typename T::mapped_type>(path + ".*", keys);
  } else if constexpr (DescribedStruct<T>) {
    for_each_member<T>([&](std::string_view name, auto pointer) {
      const std::string key = join_key(path, name);
      keys.push_back(key);
      collect_keys<std::remove_reference_t<decltype(std::declval<T&>().*pointer)>>(key, keys);
    });
  }
}

// "key=" of the command line (or "key=~"): the empty text, list or path. In a file it is a value that was
// forgotten.
inline bool is_empty_override(const ConfigNode& node) {
  return node.kind == ConfigNode::Kind::null && node.mark.source && node.mark.source->is_override;
}

// What is wrong with a configuration.
class FindingList {
 public:
  FindingList(std::vector<std::string> known_keys, UnreadPaths unread)
      : known_keys_(std::move(known_keys)), unread_(std::move(unread)) {}

  void add(const ConfigMark& mark, const std::string& path, const std::string& message);
  void add_warning(const ConfigMark& mark, const std::string& path, const std::string& message);
  // `found` is not what `path` takes: "expected an integer, found 3.5".
  void add_wrong_type(const ConfigNode& found, const std::string& path, const std::string& expected,
                      const std::string& hint = {});
  void add_unknown_key(const ConfigEntry& entry, const std::string& parent,
                       const std::vector<std::string>& siblings);
  // Whether the file that the key `path` names has to exist.
  bool is_read(const std::string& path) const;

  // Whether something was found at `path` or in an element of the list there.
  bool has(const std::string& path) const;

  // All findings, a line each, in the order of their places: UsageError if every one comes from an override,
  // else ConfigError.
  void throw_if_any() const;

  // A line each, in the order of their places.
  void log_warnings() const;

 private:
  struct Finding {
    ConfigMark mark;
    std::string text;
  };
  static Finding make_finding(const ConfigMark& mark, const std::string& path, const std::string& message);
  static std::vector<Finding> in_order(std::vector<Finding> findings);

  std::vector<std::string> known_keys_;  // paths, for keys that stand in the wrong section
  UnreadPaths unread_;
  std::vector<Finding> findings_;
  std::vector<Finding> warnings_;
  std::size_t left_out_ = 0;
  std::set<std::string> paths_;
};

// Each reads a scalar strictly, or adds a finding and leaves `value` as it is.
void read_scalar(FindingList& findings, const ConfigNode& node, const std::string& path, bool& value);
void read_scalar(FindingList& findings, const ConfigNode& node, const std::string& path, std::int64_t& value);
void read_scalar(FindingList& findings, const ConfigNode& node, const std::string& path, double& value);
void read_scalar(FindingList& findings, const ConfigNode& node, const std::string& path, std::string& value);
void read_scalar(FindingList& findings, const ConfigNode& node, const std::string& path, InputPath& value);
// The index in `names`, if the scalar is one of them.
std::optional<std::size_t> read_choice(FindingList& findings, const ConfigNode& node, const std::string& path,
                                       const std::vector<std::string>& names);

// Turns what a struct's check() says into findings at the place of the member.
class StructChecker : public ConfigChecker {
 public:
  // `node`: the struct's map, null if it was not given; `place`: where its findings go that no member has a
  // place for.
  StructChecker(FindingList& findings, const ConfigNode* node, const ConfigMark& place,
                const std::string& path)
      : findings_(findings), node_(node), place_(place), path_(path) {}
  void error(std::string_view key, const std::string& message) override;
  void warning(std::string_view key, const std::string& message) override;

 private:
  std::string path_of(std::string_view key) const;
  const ConfigMark& place_of(std::string_view key) const;

  FindingList& findings_;
  const ConfigNode* node_;
  const ConfigMark& place_;
  const std::string& path_;
};

class ConfigReader {
 public:
  ConfigReader(std::vector<std::string> known_keys, UnreadPaths unread)
      : findings_(std::move(known_keys), std::move(unread)) {}

  template <typename T>
  void read(const ConfigNode& node, const ConfigMark& place, const std::string& path, T& value) {
    using Traits = ContainerTraits<T>;
    if constexpr (DescribedStruct<T>) {
      read_struct(&node, place, path, value);
    } else if constexpr (DescribedEnum<T>) {
      read_enum(node, path, value);
    } else if constexpr (Traits::is_optional) {
      if (node.kind == ConfigNode::Kind::null) {
        value.reset();
      } else {
        read(node, place, path, value.emplace());
      }
    } else if constexpr (Traits::is_vector) {
      read_vector(node, path, value);
    } else if constexpr (Traits::is_map) {
      read_map(node, path, value);
    } else {
      read_scalar(findings_, node, path, value);
    }
  }

  void finish() const {
    findings_.throw_if_any();
    findings_.log_warnings();
  }

 private:
  template <typename T>
  void read_struct(const ConfigNode* node, const ConfigMark& place, const std::string& path, T& value) {
    if (node != nullptr && node->kind == ConfigNode::Kind::null) node = nullptr;  // an empty section
    if (node != nullptr && node->kind != ConfigNode::Kind::map) {
      findings_.add_wrong_type(*node, path, "a map of keys and values");
      return;
    }
    std::vector<std::string> names;
    for_each_member<T>([&](std::string_view name, auto pointer) {
      names.emplace_back(name);
      read_member(node, place, join_key(path, name), name, value.*pointer);
    });
    if (node != nullptr) {
      const std::set<std::string> known(names.begin(), names.end());
      for (const ConfigEntry& entry : node->entries) {
        if (!known.contains(entry.key)) findings_.add_unknown_key(entry, path, names);
      }
    }
    if constexpr (CheckedStruct<T>) {
      StructChecker checker(findings_, node, place, path);
      value.check(checker);
    }
  }

  template <typename T>
  void read_member(const ConfigNode* parent, const ConfigMark& place, const std::string& path,
                   std::string_view name, T& value) {
    const ConfigEntry* entry = parent == nullptr ? nullptr : parent->find(name);
    if (entry != nullptr) {
      read(entry->value, entry->key_mark, path, value);
    } else if constexpr (DescribedStruct<T>) {
      read_struct(nullptr, place, path, value);  // its defaults must hold together with nothing given
    }
  }

  template <DescribedEnum T>
  void read_enum(const ConfigNode& node, const std::string& path, T& value) {
    const auto choices = enumerators<T>();
    std::vector<std::string> names;
    names.reserve(choices.size());
    for (const auto& choice : choices) names.push_back(choice.first);
    if (const auto index = read_choice(findings_, node, path, names)) value = choices[*index].second;
  }

  template <typename T>
  void read_vector(const ConfigNode& node, const std::string& path, std::vector<T>& value) {
    static_assert(!std::is_same_v<T, bool>, "std::vector<bool> has no elements to read into");
    if (is_empty_override(node)) {
      value.clear();
      return;
    }
    if (node.kind != ConfigNode::Kind::sequence) {
      findings_.add_wrong_type(node, path, "a list");
      return;
    }
    value.assign(node.items.size(), T{});
    for (std::size_t i = 0; i < value.size(); ++i) {
      read(node.items[i], node.items[i].mark, path + "[" + std::to_string(i) + "]", value[i]);
    }
  }

  template <typename T>
  void read_map(const ConfigNode& node, const std::string& path, std::map<std::string, T>& value) {
    if (node.kind != ConfigNode::Kind::map) {
      findings_.add_wrong_type(node, path, "a map of keys and values");
      return;
    }
    value.clear();
    for (const ConfigEntry& entry : node.entries) {
      read(entry.value, entry.key_mark, join_key(path, entry.key), value[entry.key]);
    }
  }

  FindingList findings_;
};

ConfigNode scalar_node(bool value);
ConfigNode scalar_node(std::int64_t value);
ConfigNode scalar_node(double value);
ConfigNode scalar_node(const std::string& value);
ConfigNode scalar_node(const InputPath& value);

template <typename T>
ConfigNode to_node(const T& value) {
  using Traits = ContainerTraits<T>;
  ConfigNode node;
  if constexpr (DescribedStruct<T>) {
    node.kind = ConfigNode::Kind::map;
    for_each_member<T>([&](std::string_view name, auto pointer) {
      node.entries.push_back({std::string(name), {}, to_node(value.*pointer)});
    });
  } else if constexpr (DescribedEnum<T>) {
    node = scalar_node(std::string(boost::describe::enum_to_string(value, "")));
  } else if constexpr (Traits::is_optional) {
    if (value) node = to_node(*value);
  } else if constexpr (Traits::is_vector) {
    node.kind = ConfigNode::Kind::sequence;
    for (const auto& item : value) node.items.push_back(to_node(item));
  } else if constexpr (Traits::is_map) {
    node.kind = ConfigNode::Kind::map;
    for (const auto& [key, item] : value) node.entries.push_back({key, {}, to_node(item)});
  } else {
    node = scalar_node(value);
  }
  return node;
}

std::string emit_yaml(const ConfigNode& node);

}  // namespace actionclip::detail

namespace actionclip {

template <typename T>
std::vector<std::string> config_keys() {
  std::vector<std::string> keys;
  detail::collect_keys<T>("", keys);
  return keys;
}

template <typename T>
T read_config(const ConfigNode& root, const UnreadPaths& unread) {
  T value{};
  detail::ConfigReader reader(config_keys<T>(), unread);
  reader.read(root, root.mark, "", value);
  reader.finish();
  return value;
}

template <typename T>
std::string write_config(const T& value) {
  return detail::emit_yaml(detail::to_node(value));
}

}  // namespace actionclip
