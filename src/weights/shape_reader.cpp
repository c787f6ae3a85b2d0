#include "weights/shape_reader.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actionclip/core/error.h"
#include "actionclip/weights/tensor_file.h"

#include "weights/tensor_blocks.h"
#include "weights/tensor_bounds.h"

namespace actionclip {
namespace {

// Far above any model's, and so small that a few of them can be multiplied. Only a tensor without elements
// has a larger one.
constexpr std::int64_t kMaxSize = std::int64_t{1} << 31;

// "[512, ?]"
std::string wanted_string(const std::vector<std::int64_t>& wanted) {
  std::vector<std::string> sizes;
  for (const auto size : wanted) sizes.push_back(size == kAnySize ? "?" : std::to_string(size));
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

}  // namespace

ShapeReader::Shape ShapeReader::read(const std::string& name, const Shape& wanted) {
  read_.insert(name);
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    report(fmt::format("missing {} {}", name, wanted_string(wanted)));
    return wanted;
  }
  const auto shape = found->second.sizes().vec();
  const auto fits = [](std::int64_t size, std::int64_t want) { return want == kAnySize || size == want; };
  const auto is_size = [](std::int64_t size) { return size <= kMaxSize; };
  if (std::equal(shape.begin(), shape.end(), wanted.begin(), wanted.end(), fits)) {
    if (std::ranges::all_of(shape, is_size)) return shape;
    report(fmt::format("{} is {} in the file: no model is so large", name, shape_string(shape)));
    return wanted;
  }
  report(fmt::format("{} is {} in the file, {} is needed", name, shape_string(shape), wanted_string(wanted)));
  return wanted;
}

std::int64_t ShapeReader::rows(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() || found->second.dim() == 0 ? kAnySize : found->second.size(0);
}

std::int64_t ShapeReader::count_blocks(const std::string& prefix,
                                       const std::vector<std::pair<std::string, Shape>>& tensors_of_block) {
  const auto present = blocks_below(tensors_, prefix);
  const std::int64_t count = present.empty() ? 0 : *present.rbegin() + 1;
  for (std::int64_t block = 0; block < count; ++block) {
    if (!present.contains(block)) {
      report(fmt::format("missing {}{}.*", prefix, block));
      continue;
    }
    for (const auto& [name, shape] : tensors_of_block)
      read(fmt::format("{}{}.{}", prefix, block, name), shape);
  }
  return count;
}

std::int64_t ShapeReader::read_grid(const std::string& name, std::int64_t width) {
  const auto rows = read(name, {kAnySize, width})[0];
  const auto side = std::llround(std::sqrt(static_cast<double>(std::max<std::int64_t>(0, rows - 1))));
  if (rows != kAnySize && side * side + 1 != rows)
    report(fmt::format("{} has {} rows: a square of patches and the class token needed", name, rows));
  return side;
}

void ShapeReader::fail(const std::set<std::string>& expected) const {
  auto findings = findings_;
  for (const auto& name : expected) {
    if (!tensors_.contains(name) && !read_.contains(name))
      findings.push_back(fmt::format("missing {}", name));
  }
  for (const auto& [name, tensor] : tensors_) {
    if (!expected.contains(name))
      findings.push_back(fmt::format("surplus {} {}", name, shape_string(tensor.sizes().vec())));
  }
  throw WeightsError(fmt::format("cannot tell the architecture: {}", listed(findings, "; ")));
}

}  // namespace actionclip
