// Label sets: the names that videos are classified into.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace actionclip {

struct LabelColumn {
  std::string name;
  std::vector<std::string> values;  // by label_id
};

class LabelSet {
 public:
  // `names` by label_id; `columns`: what else is known of each label; `source`: where they come from, for
  // messages. Throws Error if there is no name, or on a blank one, one given twice, one with control
  // characters, invalid UTF-8, or a column of another length.
  explicit LabelSet(std::vector<std::string> names, std::vector<LabelColumn> columns = {},
                    std::string source = "the labels");

  std::int64_t size() const { return static_cast<std::int64_t>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }

  // Throws Error if `label_id` is not in [0, size()).
  const std::string& name(std::int64_t label_id) const;

  // The file that they were read from, or "the labels".
  const std::string& source() const { return source_; }

  // What is known of each label beside its name.
  const std::vector<LabelColumn>& columns() const { return columns_; }

  // The values of an extra column, by label_id. Throws Error that names the source and the known columns.
  const std::vector<std::string>& column(std::string_view name) const;

 private:
  std::vector<std::string> names_;
  std::vector<LabelColumn> columns_;
  std::string source_;
};

// Reads a label file (UTF-8, with or without BOM; LF or CRLF; at most 64 MiB), which is
//   CSV (RFC 4180), if its name ends in .csv or its first line begins with "id,name": header
//   `id,name[,more]`, then a label a row, the ids 0..N-1 in any order, each once;
//   JSON, if its name ends in .json: a list of names; an object that gives each name its id (a number, or one
//   in quotes as in Something-Something's labels.json); or one that gives each id its name;
//   or plain text, as mmaction2's label maps: a label a line, its id the number of labels before it; blank
//   lines are skipped.
// White space around a name is dropped. Throws Error with file:line.
LabelSet read_labels(const std::filesystem::path& file);

// The same from text; `name` stands for the file.
LabelSet parse_labels(std::string_view text, const std::string& name);

}  // namespace actionclip
