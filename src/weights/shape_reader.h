// Reads sizes off tensors.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actionclip/weights/state_dict.h"

namespace actionclip {

inline constexpr std::int64_t kAnySize = -1;  // a size of a tensor that nothing else tells

// Keeps what is wrong with the tensors until all are read.
class ShapeReader {
 public:
  using Shape = std::vector<std::int64_t>;

  explicit ShapeReader(const StateDict& tensors) : tensors_(tensors) {}

  bool has(const std::string& name) const { return tensors_.contains(name); }

  // The shape of a tensor that must be `wanted`. Where it is not, `wanted`: what is wrong with one tensor is
  // not held against those that are compared with it. No size that is returned is above 2^31, so that the
  // product of two can be computed.
  Shape read(const std::string& name, const Shape& wanted);

  // The first size of a tensor, or kAnySize if there is none; nothing is found wrong with it.
  std::int64_t rows(const std::string& name) const;

  // The number of blocks `prefix`N, by the highest one. Each must have the tensors of these names and shapes:
  // a small file of empty tensors must not be able to ask for a large model.
  std::int64_t count_blocks(const std::string& prefix,
                            const std::vector<std::pair<std::string, Shape>>& tensors_of_block);

  // The rows less one of positional embeddings [side^2 + 1, width], as a side.
  std::int64_t read_grid(const std::string& name, std::int64_t width);

  void report(std::string finding) { findings_.push_back(std::move(finding)); }

  bool found_nothing() const { return findings_.empty(); }

  // Throws WeightsError with what was found, and then what else is missing or surplus among the tensors of a
  // model that has those of `expected`: the first twenty of these.
  [[noreturn]] void fail(const std::set<std::string>& expected) const;

 private:
  const StateDict& tensors_;
  std::set<std::string> read_;
  std::vector<std::string> findings_;
};

}  // namespace actionclip
