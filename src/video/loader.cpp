#include "actionclip/video/loader.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include <ATen/Context.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
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
  require(dataset.size() <= std::numeric_limits<std::int32_t>::max(),
          fmt::format("{}: {} videos are more than a list may have", dataset.list().file().string(),
                      dataset.size()));
  require(!options.pin_memory || at::hasCUDA(), "page-locked memory needs a CUDA device, and there is none");
  if (options.mode == SampleMode::test) return;
  const auto repeats = dataset.repeats(options.mode);
  require(
      options.batch_size % options.world_size == 0,
      fmt::format("a batch of {} videos (train.batch_size / train.accumulate_steps) cannot be divided evenly "
                  "among {} ranks",
                  options.batch_size, options.world_size));
  require(
      options.batch_size % repeats == 0,
      fmt::format("a batch of {} clips (train.batch_size / train.accumulate_steps) cannot be divided into "
                  "videos of {} clips each (data.sampling.repeats)",
                  options.batch_size, repeats));
  require(options.drop_last || options.world_size == 1,
          "several ranks cannot train on a last batch that is not full: drop it");
  require(!options.drop_last || dataset.size() * repeats >= options.batch_size,
          fmt::format("{}: {} videos do not fill one batch of {}: lower train.batch_size",
                      dataset.list().file().string(), dataset.size(), options.batch_size / repeats));
}

// The same part of `target` [C], which is zeros, for each label.
void write_target(const Sample& sample, const at::Tensor& target) {
  auto values = target.accessor<float, 1>();
  for (const auto label_id : sample.label_ids) {
    if (label_id < 0 || label_id >= values.size(0))
      throw Error(fmt::format("label id {} of a video is not in 0..{}", label_id, values.size(0) - 1));
    values[label_id] += 1.0F / static_cast<float>(sample.label_ids.size());
  }
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

std::int64_t Loader::clips_per_epoch() const { return dataset_.size() * dataset_.repeats(options_.mode); }

std::int64_t Loader::batches_per_epoch() const {
  const auto clips = clips_per_epoch();
  const auto [rank, ranks, B] = std::tuple(options_.rank, options_.world_size, options_.batch_size);
  if (options_.mode == SampleMode::train && options_.drop_last) return clips / B;
  const auto own =
      options_.mode == SampleMode::train ? clips : (rank + 1) * clips / ranks - rank * clips / ranks;
  return (own + B - 1) / B;
}

Loader::Rows Loader::rows(std::int64_t batch) const {
  const auto clips = clips_per_epoch();
  const auto [rank, ranks, B] = std::tuple(options_.rank, options_.world_size, options_.batch_size);
  if (options_.mode == SampleMode::test) {
    const auto begin = rank * clips / ranks + batch * B;
    return {begin, std::min(begin + B, (rank + 1) * clips / ranks)};
  }
  const auto begin = batch * B + rank * B / ranks;
  return {begin, std::min(begin + B / ranks, clips)};
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
  std::iota(order_.begin(), order_.end(), std::int32_t{0});
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
  const auto repeats = dataset_.repeats(options_.mode);
  for (auto row = begin; row < end; ++row) {
    // The worker writes into its row of the batch, which saves the copy of stacking, and lets go of it with
    // its result, so that a batch's memory is its receiver's alone.
    auto load = [this, index = order_[row / repeats], repeat = row % repeats, epoch = epoch_,
                 clip = pending.clips[row - begin], stop = abandoned_]() mutable {
      auto own_row = std::move(clip);
      return *stop ? Sample() : dataset_.load(epoch, index, options_.mode, std::move(own_row), repeat);
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
  if (dataset_.target_classes() > 0)
    batch.targets = at::zeros({count, dataset_.target_classes()}, at::kFloat);
  auto* label_ids = batch.label_ids.mutable_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < count; ++row) {
    auto sample = pending.samples[row].get();
    dataset_.count_failures(sample);
    label_ids[row] = sample.label_id;
    if (batch.targets.defined()) write_target(sample, batch.targets[row]);
    batch.indices.push_back(sample.index);
    batch.captions.push_back(std::move(sample.caption));
    batch.errors.push_back(std::move(sample.error));
    batch.load += sample.load;
  }
  return batch;
}

}  // namespace actionclip
