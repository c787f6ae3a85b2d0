#include "tools/protocol_option.h"

#include <filesystem>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/video/video_list.h"

namespace actionclip {
namespace {

// A name of a split, or of a manifest, of the name of a file.
std::string plain_name(std::string name) {
  for (char& c : name) c = c == ':' || c == ' ' || c == '\t' || c == '\n' ? '_' : c;
  return name;
}

// The split that a list is recorded as.
std::string record_name(const DatasetConfig& split, const std::optional<ProtocolMatch>& match) {
  if (match && !match->split.empty()) return match->split;
  const auto& path = split.list.path;
  return plain_name((path.has_filename() ? path : path.parent_path()).stem().string());
}

}  // namespace

void ProtocolOptions::add_to(CLI::App& command) {
  command
      .add_option("--protocol", names,
                  "NAME or FILE.yaml of a benchmark, with :SPLIT where its lists cannot be told apart: says "
                  "whether the list is the benchmark's, and is kept with the scores")
      ->allow_extra_args(false);  // the word behind it is an override
  command.add_option("--record", record,
                     "writes FILE.yaml, a protocol that pins the list at hand: its counts and its hash");
}

ProtocolCheck::ProtocolCheck(const ProtocolOptions& options, std::size_t lists) : record_(options.record) {
  if (options.names.size() > 1 && options.names.size() != lists) {
    throw UsageError(fmt::format("--protocol: {} given for {} list(s): give one for all of them, or one each",
                                 options.names.size(), lists));
  }
  for (const auto& name : options.names) protocols_.push_back(read_protocol(name));
  if (!record_.empty() && std::filesystem::exists(record_))
    throw UsageError(fmt::format("--record {}: is there already; name another file", record_));
}

std::optional<ProtocolMatch> ProtocolCheck::check(std::size_t index, const DatasetConfig& split,
                                                  const LabelSet& labels) {
  if (protocols_.empty() && record_.empty()) return std::nullopt;
  const auto facts = facts_of(read_video_list(split, &labels), labels);
  std::optional<ProtocolMatch> match;
  if (!protocols_.empty()) {
    match = match_protocol(protocols_.at(protocols_.size() == 1 ? 0 : index), facts);
    if (!match->matches()) spdlog::warn("{}: {}", split.list.string(), to_text(*match));
  }
  if (record_.empty()) return match;
  const auto name = record_name(split, match);
  if (!recorded_.emplace(name, facts).second)
    throw UsageError(
        fmt::format("--record {}: two lists would be its split '{}'; record them one by one, or "
                    "say which they are (--protocol NAME:SPLIT)",
                    record_, name));
  return match;
}

void ProtocolCheck::record() const {
  if (record_.empty()) return;
  ProtocolManifest origin;
  if (!protocols_.empty()) origin = protocols_.front().manifest;
  origin.name = plain_name(std::filesystem::path(record_).stem().string());
  write_manifest(record_, record_manifest(origin, recorded_));
  spdlog::info("--record: {} pins {} list(s)", record_, recorded_.size());
}

void note_protocol(const std::optional<ProtocolMatch>& match, VideoScores& scores) {
  if (!match) return;
  scores.origin["protocol"] = match->name();
  scores.origin["protocol_sha256"] = match->list.sha256;
}

}  // namespace actionclip
