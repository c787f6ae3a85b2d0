// Batches of clips, prepared ahead by worker threads. What a batch holds depends on (seed, epoch, position)
// alone: neither on the number of workers, nor on where an epoch was resumed.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "actionclip/core/worker_pool.h"
#include "actionclip/video/dataset.h"

namespace actionclip {

struct LoaderOptions {
  std::int64_t batch_size = 1;  // clips; train: of all ranks together; test: of each rank
  std::int64_t workers = 0;     // threads; 0: next() decodes
  std::int64_t prefetch = 2;    // batches prepared ahead of the one that next() returns; without workers none
  std::uint64_t seed = 0;
  std::int64_t rank = 0;
  std::int64_t world_size = 1;
  bool shuffle = false;
  bool drop_last = false;  // leave out a last batch that is not full (train)
  SampleMode mode = SampleMode::train;
  bool pin_memory = false;  // page-locked clips, which a GPU copies asynchronously; needs CUDA
};

// B samples. The vectors run parallel to the rows.
struct Batch {
  at::Tensor clips;      // uint8 [B, V, T, 3, S, S]
  at::Tensor label_ids;  // int64 [B]
  // float [B, C]: 1/k at each of the k labels of a clip. Undefined for a list whose videos have one each.
  at::Tensor targets = {};
  std::vector<std::int64_t> indices = {};  // in the list, of what the clips show
  std::vector<std::string> captions = {};
  std::vector<std::string> errors = {};  // empty: fine; else (test only) the clip is zeros
  LoadSeconds load = {};                 // of the threads that made the clips
};

// Not thread-safe: one thread calls it. It may be destroyed at any time; what the workers are at is finished
// first. Clips that are alive, in work, prepared or the ones that next() gave last, are at most those of
// prefetch + 2 batches.
//
// Repeated augmentation: a training batch has batch_size / repeats videos, the clips of each side by side,
// and an epoch so many times more batches.
//
// Ranks, train: a rank's rows of a batch are [rank*B/N, (rank+1)*B/N) of the batch that one rank alone would
// have, so N ranks take the same steps. Test: a rank's videos are [rank*n/N, (rank+1)*n/N) of the list;
// together each video exactly once, and ranks may differ by a batch.
class Loader {
 public:
  // Keeps a reference to `dataset`. Throws Error if an option is out of range, if in training `batch_size`
  // does not divide among the ranks, or into videos of data.sampling.repeats clips each, several ranks keep a
  // last batch that is not full, or drop_last leaves no batch; or if pin_memory finds no CUDA device.
  Loader(const ClipDataset& dataset, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // Begins `epoch` at its batch `first_batch` (a resumed run), whatever was under way. Throws Error if there
  // is no such batch (batches_per_epoch() is allowed, and gives none).
  void start_epoch(std::int64_t epoch, std::int64_t first_batch = 0);

  // The next batch; none at the end of the epoch, or before the first start_epoch(). Throws what a worker
  // threw, and what ClipDataset::count_failures() throws.
  std::optional<Batch> next();

  // Of this rank.
  std::int64_t batches_per_epoch() const;

  // Seconds that next() has waited for workers (or decoded, if there are none) since the loader was made.
  double seconds_waited() const { return seconds_waited_; }

 private:
  struct PendingBatch {
    at::Tensor clips;
    std::vector<std::future<Sample>> samples;
  };

  // This rank's rows of a batch, counted over the clips of the epoch.
  struct Rows {
    std::int64_t begin;
    std::int64_t end;
  };
  std::int64_t clips_per_epoch() const;
  Rows rows(std::int64_t batch) const;
  void request(std::int64_t batch);
  void request_ahead();

  const ClipDataset& dataset_;
  const LoaderOptions options_;
  std::vector<std::int32_t> order_;  // of the list's videos, in the epoch under way
  std::int64_t epoch_ = 0;
  std::int64_t next_request_ = 0;                 // batch
  std::shared_ptr<std::atomic<bool>> abandoned_;  // of the epoch under way
  std::deque<PendingBatch> pending_;
  double seconds_waited_ = 0;
  WorkerPool pool_;
};

}  // namespace actionclip
