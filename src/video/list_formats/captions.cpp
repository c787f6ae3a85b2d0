// CSV with the header `path,caption`.

#include <fmt/format.h>

#include "actionclip/core/text_input.h"
#include "actionclip/text/csv.h"

#include "video/list_formats/list_text.h"

namespace actionclip {

void add_captions(const ListText& source, VideoList& list) {
  CsvReader reader(source.text, source.file);
  CsvRow row;
  const bool has_header = reader.next(row);
  if (!has_header || row.fields != std::vector<std::string>{"path", "caption"}) {
    fail_at(source.file, has_header ? row.line : 1, "the first line must be the header path,caption");
  }
  while (reader.next(row)) {
    if (row.fields.size() != 2) {
      fail_at(source.file, row.line,
              fmt::format("{} fields, expected 2 (path,caption); a field with a comma needs quotes",
                          row.fields.size()));
    }
    if (row.fields[0].empty()) fail_at(source.file, row.line, "the path is empty");
    if (trimmed(row.fields[1]).empty()) fail_at(source.file, row.line, "the caption is empty");
    list.add(VideoEntryView{.path = row.fields[0], .caption = row.fields[1], .line = row.line});
  }
}

}  // namespace actionclip
