#include "actionclip/video/flip_labels.h"

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"
#include "actionclip/text/csv.h"

namespace actionclip {
namespace {

constexpr std::size_t kFileLimit = 64u << 20;
constexpr std::size_t kColumns = 2;

// Collects the pairs of a file.
class FlipPairs {
 public:
  FlipPairs(const std::string& file, const LabelSet& labels)
      : file_(file), labels_(labels), flipped_(labels.names().size()), lines_(labels.names().size(), 0) {
    std::iota(flipped_.begin(), flipped_.end(), 0);
    for (std::size_t id = 0; id < labels.names().size(); ++id) ids_.emplace(labels.names()[id], id);
  }

  void add(const CsvRow& row) {
    if (row.fields.size() != kColumns) {
      fail(row.line, fmt::format("{} fields where label,flipped has 2; a name with a comma needs quotes",
                                 row.fields.size()));
    }
    const std::size_t one = id_of(row.fields[0], row.line);
    const std::size_t other = id_of(row.fields[1], row.line);
    set(one, other, row.line);
    set(other, one, row.line);
  }

  std::vector<std::int64_t> take() { return std::move(flipped_); }

 private:
  std::size_t id_of(const std::string& field, std::int64_t line) const {
    const auto found = ids_.find(trimmed(field));
    if (found == ids_.end()) fail(line, fmt::format("\"{}\" is no label of {}", field, labels_.source()));
    return found->second;
  }

  void set(std::size_t id, std::size_t flipped, std::int64_t line) {
    const auto value = static_cast<std::int64_t>(flipped);
    if (lines_[id] != 0 && flipped_[id] != value) {
      fail(line, fmt::format("\"{}\" was paired with \"{}\" before, at {}:{}", labels_.names()[id],
                             labels_.name(flipped_[id]), file_, lines_[id]));
    }
    flipped_[id] = value;
    lines_[id] = line;
  }

  [[noreturn]] void fail(std::int64_t line, const std::string& reason) const {
    throw Error(fmt::format("{}:{}: {}", file_, line, reason));
  }

  const std::string& file_;
  const LabelSet& labels_;
  std::unordered_map<std::string_view, std::size_t> ids_;
  std::vector<std::int64_t> flipped_;  // by label_id
  std::vector<std::int64_t> lines_;    // where a label was named; 0: nowhere
};

// With each word "left" as "right" and the other way round, letter case of the first letter kept.
std::string mirrored_name(const std::string& name) {
  std::string mirrored;
  for (std::size_t begin = 0; begin < name.size();) {
    std::size_t end = begin;
    while (end < name.size() && std::isalpha(static_cast<unsigned char>(name[end])) != 0) ++end;
    const auto word = name.substr(begin, end - begin);
    if (word == "left" || word == "Left") {
      mirrored += word.front() == 'L' ? "Right" : "right";
    } else if (word == "right" || word == "Right") {
      mirrored += word.front() == 'R' ? "Left" : "left";
    } else {
      mirrored += word;
    }
    if (end < name.size()) mirrored += name[end++];
    begin = end;
  }
  return mirrored;
}

}  // namespace

FlipLabels::FlipLabels(std::vector<std::int64_t> mirrored) : mirrored_(std::move(mirrored)) {
  const auto count = static_cast<std::int64_t>(mirrored_.size());
  for (std::int64_t id = 0; id < count; ++id) {
    const auto other = mirrored_[static_cast<std::size_t>(id)];
    if (other < 0 || other >= count || mirrored_[static_cast<std::size_t>(other)] != id) {
      throw Error(
          fmt::format("label {} becomes {} when it is mirrored, which does not become {}", id, other, id));
    }
  }
}

std::int64_t FlipLabels::mirrored(std::int64_t label_id) const {
  return mirrored_.empty() || label_id < 0 ? label_id : mirrored_.at(static_cast<std::size_t>(label_id));
}

FlipLabels read_flip_labels(const std::filesystem::path& file, const LabelSet& labels) {
  const auto name = file.string();
  const auto text = read_text_file(file, kFileLimit);
  const auto rows = parse_csv(without_byte_order_mark(text), name);
  if (rows.empty() || rows[0].fields != std::vector<std::string>{"label", "flipped"}) {
    throw Error(fmt::format("{}:1: the header must be label,flipped", name));
  }
  FlipPairs pairs(name, labels);
  for (std::size_t i = 1; i < rows.size(); ++i) pairs.add(rows[i]);
  return FlipLabels(pairs.take());
}

std::string left_right_pairs(const LabelSet& labels, std::vector<std::string>& alone) {
  std::unordered_map<std::string, std::int64_t> ids;
  for (std::int64_t id = 0; id < labels.size(); ++id) ids.emplace(labels.name(id), id);
  std::string rows;
  for (std::int64_t id = 0; id < labels.size(); ++id) {
    const auto& name = labels.name(id);
    const auto mirrored = mirrored_name(name);
    if (mirrored == name) continue;
    const auto other = ids.find(mirrored);
    if (other == ids.end()) alone.push_back(name);
    if (other != ids.end() && id < other->second)
      rows += fmt::format("{},{}\n", csv_field(name), csv_field(mirrored));
  }
  return rows.empty() ? "" : "label,flipped\n" + rows;
}

}  // namespace actionclip
