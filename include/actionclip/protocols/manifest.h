// Protocol manifests: what the test lists of a benchmark are, so that a score says which of the sets of that
// name it is of, and a list that is another one is found out. Torch-free.
//
//   name: ucf101
//   title: UCF101, official test lists
//   classes: 101
//   splits:
//     test1: {videos: 3783}
//     test2: {videos: 3734, sha256: 5f1c...}
//   source: https://www.crcv.ucf.edu/data/UCF101.php
//   notes: ...
//
// What is not given is not pinned: it is not known, or differs from copy to copy. record_manifest() pins
// the list at hand.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>
#include <nlohmann/json_fwd.hpp>

#include "actionclip/config/checker.h"
#include "actionclip/protocols/list_hash.h"

namespace actionclip {

struct ProtocolSplit {
  std::optional<std::int64_t> classes;  // not given: the manifest's
  std::optional<std::int64_t> videos;
  std::optional<std::string> sha256;  // list_hash()

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(ProtocolSplit, (), (classes, videos, sha256))

struct ProtocolManifest {
  std::string name;                     // as --protocol takes it
  std::string title;                    // for people
  std::optional<std::int64_t> classes;  // labels that are ranked; each has a video, unless a hash is pinned
  std::map<std::string, ProtocolSplit> splits;
  std::string source;  // where the lists come from
  std::string notes;   // what differs from copy to copy, what is not pinned and why

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(ProtocolManifest, (), (name, title, classes, splits, source, notes))

struct Protocol {
  ProtocolManifest manifest;
  std::string sha256;  // of the manifest as write_config() has it
  std::string split;   // the one that was asked for; empty: the list's own is found
};

// Of `text`: NAME of a manifest that comes with the program (share/actionclip/protocols, or configs/protocols
// of the checkout), or a YAML file (a name that ends in .yaml or holds a '/'); either with ":SPLIT" behind
// it. Throws UsageError for a name or split that there is not (it lists those that are), ConfigError
// (file:line:column) for a file that is none.
Protocol read_protocol(const std::string& text);

// The protocol's split of that name. Throws UsageError if another one was asked for, or there is none (it
// lists those that are).
Protocol split_of(Protocol protocol, const std::string& split);

// Names of the manifests that come with the program, sorted.
std::vector<std::string> known_protocols();

// A list against a protocol. Counts and hash are compared where they are pinned.
struct ProtocolMatch {
  std::string protocol;
  std::string split;  // empty: the list is of none, or could be of several
  ListFacts list;
  std::string manifest_sha256;
  std::vector<std::string> differences;  // "videos: 3782, the protocol has 3783"
  std::vector<std::string> unpinned;     // of "classes", "videos", "sha256", those that nothing is known of

  bool matches() const { return differences.empty(); }
  // The list is known to be the protocol's: its hash is pinned. Else it may be another one of that size.
  bool is_proven() const { return matches() && std::ranges::find(unpinned, "sha256") == unpinned.end(); }
  std::string name() const { return split.empty() ? protocol : protocol + ":" + split; }
};

// The split: the one that was asked for, else the only one, the one of the list's hash, or the only one of
// its number of videos.
ProtocolMatch match_protocol(const Protocol& protocol, const ListFacts& list);

// {"name", "sha256" (of the list that was scored: list_hash()), "matches", "proven", "differences",
// "unpinned", "videos", "classes", "labels", "manifest_sha256"}.
nlohmann::ordered_json to_json(const ProtocolMatch& match);

// "protocol ucf101:test1: nothing tells the list from it, but its sha256 is not pinned (3783 videos, 101
// classes); sha256 of the list 5f1c..., of the manifest 77ab...".
std::string to_text(const ProtocolMatch& match);

// A manifest that pins lists, by split name. Title, source and notes are those of `origin`.
ProtocolManifest record_manifest(const ProtocolManifest& origin,
                                 const std::map<std::string, ListFacts>& lists);

// Throws Error if `file` is there already: what pins a list is not lost to the next one.
void write_manifest(const std::filesystem::path& file, const ProtocolManifest& manifest);

}  // namespace actionclip
