// YAML -> described structs, checked.
//
//   struct TrainConfig { int64_t epochs = 50; ...; void check(ConfigChecker&) const; };
//   BOOST_DESCRIBE_STRUCT(TrainConfig, (), (epochs, ...))
//   const auto config = read_config<TrainConfig>(load_yaml(file, overrides));
//
// Member defaults are the defaults of the file. Every finding (unknown key with the nearest known one, wrong
// type, value out of range, path that does not exist) is collected with file:line:column and the key's path,
// and thrown together as one ConfigError; warnings are logged if there is none. The module knows no other
// module: the structs live where they are used.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "actionclip/config/node.h"
#include "actionclip/config/types.h"

namespace actionclip {

// Reads a YAML file, merges it over its `base:` chain (a path, or a list of paths, relative to the file; maps
// merge key by key, all else replaces), then applies overrides "a.b.c=value" (value parsed as YAML). Throws
// ConfigError / UsageError (overrides).
ConfigNode load_yaml(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

// The same from text, for tests and embedded documents; `name` stands for the file in messages, `base:` is
// refused.
ConfigNode parse_yaml(const std::string& text, const std::string& name);

// Reads strictly: integers and numbers are decimal without quotes or leading zeros, numbers finite, booleans
// `true` or `false`; a text is any scalar as written. What is not given keeps its default. Throws ConfigError
// with all findings, one a line; UsageError if every one of them comes from an override.
// The files that the keys of `unread` name need not exist.
template <typename T>
T read_config(const ConfigNode& root, const UnreadPaths& unread = {});

// Emits every field, defaults included; read_config<T>(parse_yaml(write_config(x))) == x.
template <typename T>
std::string write_config(const T& value);

// The path of every key of T ("train.lr"), in the order of the members; elements of a list are "path[]",
// values of a map "path.*".
template <typename T>
std::vector<std::string> config_keys();

}  // namespace actionclip

#include "actionclip/config/reader_impl.h"
