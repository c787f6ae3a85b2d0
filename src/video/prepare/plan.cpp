#include "video/prepare/plan.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace actionclip {

std::string split_of(std::string_view name) {
  // By whole words: a class may be "carnival", or "contest".
  constexpr std::array<std::pair<std::string_view, const char*>, 8> kWords = {{{"train", "train"},
                                                                               {"training", "train"},
                                                                               {"val", "val"},
                                                                               {"valid", "val"},
                                                                               {"validate", "val"},
                                                                               {"validation", "val"},
                                                                               {"test", "test"},
                                                                               {"testing", "test"}}};
  const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
  for (auto begin = name.begin(); begin != name.end();) {
    const auto end = std::find_if_not(begin, name.end(), is_letter);
    std::string word(begin, end);
    std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
    for (const auto& [known, split] : kWords) {
      if (word == known) return split;
    }
    begin = end == name.end() ? end : end + 1;
  }
  return "";
}

std::vector<NamedList> lists_of_splits(std::vector<SplitVideo> videos, std::string_view extension) {
  std::array<NamedList, 3> lists;
  const std::array<const char*, 3> splits = {"train", "val", "test"};
  for (std::size_t i = 0; i < splits.size(); ++i) {
    lists[i].split = splits[i];
    lists[i].file = splits[i] + std::string(extension);
  }
  for (SplitVideo& item : videos) {
    const auto list = std::ranges::find(lists, item.split, &NamedList::split);
    if (list != lists.end()) list->videos.push_back(std::move(item.video));
  }
  std::vector<NamedList> filled;
  for (auto& list : lists) {
    if (!list.videos.empty()) filled.push_back(std::move(list));
  }
  return filled;
}

std::vector<std::string> sorted_names(std::vector<std::string> names) {
  std::ranges::sort(names);
  const auto rest = std::ranges::unique(names);
  names.erase(rest.begin(), rest.end());
  return names;
}

std::vector<std::string> labels_of(const std::vector<NamedList>& lists) {
  std::vector<std::string> names;
  for (const auto& list : lists) {
    for (const auto& video : list.videos) names.insert(names.end(), video.labels.begin(), video.labels.end());
  }
  return sorted_names(std::move(names));
}

}  // namespace actionclip
