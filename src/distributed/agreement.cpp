#include "actionclip/distributed/agreement.h"

#include <algorithm>
#include <array>
#include <climits>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"

namespace actionclip {

void require_agreement(ProcessGroup& group, const std::map<std::string, std::string>& facts) {
  using Facts = std::map<std::string, std::string>;
  std::vector<Facts> of_ranks;
  for (const auto& text : group.gather_texts(nlohmann::json(facts).dump()))
    of_ranks.push_back(nlohmann::json::parse(text).get<Facts>());
  std::vector<std::string> findings;
  for (const auto& [name, value] : of_ranks[0]) {
    std::vector<std::size_t> differing;
    for (std::size_t rank = 1; rank < of_ranks.size(); ++rank) {
      const auto found = of_ranks[rank].find(name);
      if (found == of_ranks[rank].end() || found->second != value) differing.push_back(rank);
    }
    if (!differing.empty())
      findings.push_back(fmt::format("another {} on rank {}", name, fmt::join(differing, ", ")));
  }
  if (!findings.empty())
    throw Error(fmt::format("the ranks differ from rank 0: {}", fmt::join(findings, "; ")));
}

int count_machine_ranks(ProcessGroup& group) {
  std::array<char, HOST_NAME_MAX + 1> name{};
  ::gethostname(name.data(), name.size() - 1);  // if it fails, all are of one machine without a name
  const auto own = nlohmann::json(name.data()).dump();
  return static_cast<int>(std::ranges::count(group.gather_texts(own), own));
}

}  // namespace actionclip
