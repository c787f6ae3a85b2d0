#include "actionclip/video/loader.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <tuple>
#include <utility>

#include <ATen/Context.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/random.h"

namespace actionclip {
namespace {

void check_options(const ClipDataset& dataset, const LoaderOptions& options) {
  const auto require = [](bool fine, const std::string& message) {
    if (!fine) throw Error(message);
  };
  require(options.batch_size >= 1,
          fmt::format("a batch of {} videos: at least 1 is needed", options.batch_size));
  require(options.workers >= 0 && options.prefetch >= 0,
          fmt::format("{} workers and {} batches ahead: neither may be negative", options.workers,
                      options.prefetch));
  require(options.world_size >= 1 && options.rank >= 0 && options.rank < options.world_size,
          fmt::format("rank {} of {} does not exist", options.rank, options.world_size));
  require(!options.pin_memory || at::hasCUDA(), "page-locked memory needs a CUDA device, and there is none");
  if (options.mode == SampleMode::test) return;
  require(
      options.batch_size % options.world_size == 0,
      fmt::format("a batch of {} videos (train.batch_size / train.accumulate_steps) cannot be divided evenly "
                  "among {} ranks",
                  options.batch_size, options.world_size));
  require(options.drop_last || options.world_size == 1,
          "several ranks cannot train on a last batch that is not full: drop it");
  require(!options.drop_last || dataset.size() >= options.batch_size,
          fmt::format("{}: {} videos do not fill one batch of {}: lower train.batch_size",
                      dataset.list().file().string(), dataset.size(), options.batch_size));
}

LoaderOptions checked(const ClipDataset& dataset, LoaderOptions options) {
  check_options(dataset, options);
  // Without workers a batch ahead would only be decoded before the one that is asked for is returned.
  if (options.workers == 0) options.prefetch = 0;
  return options;
}

}  // namespace

Loader::Loader(const ClipDataset& dataset, LoaderOptions options)
    : dataset_(dataset),
      options_(checked(dataset, options)),
      // As many places as samples can be under way, so that submitting never blocks.
      pool_(static_cast<int>(options_.workers), (options_.prefetch + 2) * options_.batch_size) {}

Loader::~Loader() {
  if (abandoned_) *abandoned_ = true;
}

std::int64_t Loader::batches_per_epoch() const {
  const auto size = dataset_.size();
  const auto [rank, ranks, B] = std::tuple(options_.rank, options_.world_size, options_.batch_size);
  if (options_.mode == SampleMode::train && options_.drop_last) return size / B;
  const auto own =
      options_.mode == SampleMode::train ? size : (rank + 1) * size / ranks - rank * size / ranks;
  return (own + B - 1) / B;
}

Loader::Rows Loader::rows(std::int64_t batch) const {
  const auto size = dataset_.size();
  const auto [rank, ranks, B] = std::tuple(options_.rank, options_.world_size, options_.batch_size);
  if (options_.mode == SampleMode::test) {
    const auto begin = rank * size / ranks + batch * B;
    return {begin, std::min(begin + B, (rank + 1) * size / ranks)};
  }
  const auto begin = batch * B + rank * B / ranks;
  return {begin, std::min(begin + B / ranks, size)};
}

void Loader::start_epoch(std::int64_t epoch, std::int64_t first_batch) {
  if (epoch < 0 || first_batch < 0 || first_batch > batches_per_epoch()) {
    throw Error(
        fmt::format("cannot start epoch {} at batch {}: it has {}", epoch, first_batch, batches_per_epoch()));
  }
  if (abandoned_) *abandoned_ = true;
  abandoned_ = std::make_shared<std::atomic<bool>>(false);
  pending_.clear();
  order_.resize(dataset_.size());
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  if (options_.shuffle) RandomStream(options_.seed, RandomPurpose::kShuffle, epoch).shuffle(order_);
  epoch_ = epoch;
  next_request_ = first_batch;
  if (options_.workers > 0) request_ahead();
}

void Loader::request(std::int64_t batch) {
  const auto [begin, end] = rows(batch);
  const auto [V, T, channels, height, width] = dataset_.clip_shape(options_.mode);
  PendingBatch pending;
  pending.clips = at::empty({end - begin, V, T, channels, height, width},
                            at::TensorOptions(at::kByte).pinned_memory(options_.pin_memory));
  // Rows without autograd's record of views, which would tie each to the batch tensor.
  const at::AutoDispatchBelowADInplaceOrView no_view_records;
  for (auto row = begin; row < end; ++row) {
    // The worker writes into its row of the batch, which saves the copy of stacking, and lets go of it with
    // its result, so that a batch's memory is its receiver's alone.
    auto load = [this, index = order_[row], epoch = epoch_, clip = pending.clips[row - begin],
                 stop = abandoned_]() mutable {
      auto own_row = std::move(clip);
      return *stop ? Sample() : dataset_.load(epoch, index, options_.mode, std::move(own_row));
    };
    pending.samples.push_back(pool_.submit(std::move(load)));
  }
  pending_.push_back(std::move(pending));
}

void Loader::request_ahead() {
  if (!abandoned_) return;
  while (next_request_ < batches_per_epoch() &&
         static_cast<std::int64_t>(pending_.size()) <= options_.prefetch) {
    request(next_request_++);
  }
}

std::optional<Batch> Loader::next() {
  const auto start = std::chrono::steady_clock::now();
  request_ahead();
  if (pending_.empty()) return std::nullopt;
  auto pending = std::move(pending_.front());
  pending_.pop_front();
  for (const auto& sample : pending.samples) sample.wait();
  seconds_waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const auto count = static_cast<std::int64_t>(pending.samples.size());
  Batch batch{.clips = std::move(pending.clips), .label_ids = at::empty({count}, at::kLong)};
  auto* label_ids = batch.label_ids.mutable_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < count; ++row) {
    auto sample = pending.samples[row].get();
    dataset_.count_failures(sample);
    label_ids[row] = sample.label_id;
    batch.indices.push_back(sample.index);
    batch.captions.push_back(std::move(sample.caption));
    batch.errors.push_back(std::move(sample.error));
  }
  return batch;
}

}  // namespace actionclip
