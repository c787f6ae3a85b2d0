// What the protocols that train on K clips a class have in common: few-shot and base-to-novel.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "actionclip/protocols/manifest.h"

namespace actionclip {

// A list that is scored.
struct ScoredList {
  std::string split;  // "base" or "novel"; empty: it is the only one
  ListFacts facts;
};

struct ShotOptions {
  std::vector<std::int64_t> shots = {1, 2, 4, 8, 16};  // K; 0: the weights as they are (zero-shot)
  std::vector<std::int64_t> seeds = {1, 2, 3};
  // Clips a class of the dev part, which picks a run's epoch (by top-1, the first of equals): drawn from what
  // no K chooses, the same for every K of a seed. 0: there is none, and a run counts as it is behind its last
  // epoch, since K labelled clips a class are all that it may know.
  std::int64_t dev = 0;
  std::filesystem::path output;
  c10::Device device = c10::kCPU;
  // What shows that no clip which is trained on is in a test list too: manifest.csv of `dataset verify`, by
  // the content of the videos they name; and further lists beside data.test, in its format and below its
  // root.
  std::vector<std::filesystem::path> manifests;
  std::vector<std::filesystem::path> against;
  // Called with the lists that are scored, before anything is trained or written; what it gives is kept with
  // the scores: each list's match with its protocol, or nothing. Empty: the lists are of no protocol.
  std::function<std::vector<ProtocolMatch>(const std::vector<ScoredList>&)> check_lists;
};

// A training run, or the weights as they are.
struct ShotRun {
  std::vector<double> scores;  // percent; which they are, the protocol says
  std::int64_t failed = 0;     // test videos without a score, which count as wrong
  std::int64_t epoch = 0;      // whose weights were scored; 0: behind the last one
};

}  // namespace actionclip
