// --protocol and --record: which benchmark's list is scored, and whether it is that.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "actionclip/eval/video_scores.h"
#include "actionclip/protocols/manifest.h"
#include "actionclip/protocols/shot_options.h"
#include "actionclip/text/labels.h"
#include "actionclip/video/config.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

struct ProtocolOptions {
  std::vector<std::string> names;
  std::string record;

  void add_to(CLI::App& command);
};

// The protocols of the lists that a command scores.
class ProtocolCheck {
 public:
  // Of so many lists: --protocol gives one for all, or one for each; else the settings of each list do.
  // Throws UsageError for another number of them, as read_protocol() does, and where --record names a file
  // that is there already; ConfigError where the settings name no protocol.
  ProtocolCheck(const ProtocolOptions& options, const std::vector<DatasetConfig>& lists);

  // Says at once, before anything is scored, if the list is another one than the protocol's; none without a
  // protocol. For rank 0.
  std::optional<ProtocolMatch> check(std::size_t index, const VideoList& list, const LabelSet& labels);

  // The same of parts of one list, each the split that it names, if it does.
  std::vector<ProtocolMatch> check(const std::vector<ScoredList>& parts);

  // Writes what has been checked to the file of --record, if there is one. Throws UsageError if it holds
  // something else.
  void record() const;

 private:
  std::optional<ProtocolMatch> check(const std::optional<Protocol>& protocol, const ListFacts& facts,
                                     const DatasetConfig& source, const std::string& split);

  std::vector<DatasetConfig> lists_;
  std::vector<std::optional<Protocol>> protocols_;  // of each
  std::string record_;
  std::map<std::string, ListFacts> recorded_;  // by split name
};

// Notes in the scores what they are of.
void note_protocol(const std::optional<ProtocolMatch>& match, VideoScores& scores);

}  // namespace actionclip
