#include "actionclip/text/descriptions.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_set>

#include <boost/describe.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/config/checker.h"
#include "actionclip/config/reader.h"
#include "actionclip/config/suggestion.h"
#include "actionclip/core/error.h"
#include "actionclip/core/joined_names.h"
#include "actionclip/core/text_input.h"

#include "text/utf8.h"

namespace actionclip {
namespace {

constexpr std::string_view kKey = "descriptions";
constexpr std::size_t kNamed = 5;  // labels in a message

struct DescriptionsFile {
  std::map<std::string, std::vector<std::string>> descriptions;

  void check(ConfigChecker& checker) const {
    if (descriptions.empty())
      checker.error(kKey,
                    "at least one label with a sentence is needed, e.g. {bowling: a ball rolls at pins}");
    for (const auto& [label, sentences] : descriptions) {
      const auto is_blank = [](const auto& sentence) { return trimmed(sentence).empty(); };
      if (sentences.empty() || std::ranges::any_of(sentences, is_blank))
        checker.error(fmt::format("{}.{}", kKey, label), "needs a sentence, or a list of sentences");
    }
  }
};
BOOST_DESCRIBE_STRUCT(DescriptionsFile, (), (descriptions))

// A sentence by itself is a list of one.
void make_lists(ConfigNode& root) {
  for (auto& section : root.entries) {
    if (section.key != kKey) continue;
    for (auto& [label, key_mark, value] : section.value.entries) {
      if (value.kind != ConfigNode::Kind::scalar) continue;
      ConfigNode list{.kind = ConfigNode::Kind::sequence, .mark = value.mark};
      list.items.push_back(std::move(value));
      value = std::move(list);
    }
  }
}

std::string quoted(const std::string& name) { return fmt::format("\"{}\"", detail::excerpt(name)); }

void require_all_labels(const DescriptionsFile& content, const std::string& file, const LabelSet& labels) {
  std::vector<std::string> known;
  for (const auto& entry : content.descriptions) known.push_back(entry.first);
  std::vector<std::string> missing;
  for (const auto& label : labels.names()) {
    if (content.descriptions.contains(label)) continue;
    const auto near = missing.size() < kNamed ? nearest_name(label, known) : "";
    missing.push_back(near.empty() ? quoted(label)
                                   : fmt::format("{} (it has {})", quoted(label), quoted(near)));
  }
  if (missing.empty()) return;
  throw Error(fmt::format("{}: no description of {} of the {} labels of {}: {}", file, missing.size(),
                          labels.size(), labels.source(), joined_names(missing, kNamed)));
}

void warn_of_other_names(const DescriptionsFile& content, const std::string& file, const LabelSet& labels) {
  const std::unordered_set<std::string_view> known(labels.names().begin(), labels.names().end());
  std::vector<std::string> others;
  for (const auto& entry : content.descriptions) {
    if (!known.contains(entry.first)) others.push_back(quoted(entry.first));
  }
  if (others.empty()) return;
  spdlog::warn("{}: {} names are no labels of {}: {}", file, others.size(), labels.source(),
               joined_names(others, kNamed));
}

}  // namespace

Descriptions read_descriptions(const std::filesystem::path& file, const LabelSet& labels) {
  auto root = load_yaml(file);
  make_lists(root);
  const auto content = read_config<DescriptionsFile>(root);
  require_all_labels(content, file.string(), labels);
  warn_of_other_names(content, file.string(), labels);
  Descriptions descriptions;
  for (const auto& label : labels.names()) descriptions.push_back(content.descriptions.at(label));
  return descriptions;
}

}  // namespace actionclip
