// Labels in JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace actionclip::detail {

struct NamesWithLines {
  std::vector<std::string> names;   // by label_id
  std::vector<std::int64_t> lines;  // of each name, in the file
};

// The names of a list of names, of an object that gives each name its id, or of one that gives each id its
// name. Throws Error with file:line for anything else, and unless the ids are 0..N-1, each once; the names
// are not looked at.
NamesWithLines labels_of_json(std::string_view text, const std::string& file);

// The id of one of `labels` labels. Throws Error "place: ..." for another text.
std::size_t read_label_id(std::string_view text, std::size_t labels, const std::string& place);

}  // namespace actionclip::detail
