#include "actionclip/protocols/encode_features.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/error.h"
#include "actionclip/core/folder_lock.h"
#include "actionclip/core/progress.h"
#include "actionclip/core/text_input.h"
#include "actionclip/video/loader.h"

#include "protocols/feature_writer.h"

namespace actionclip {
namespace {

// The shards of a rank that the folder lacks. Ranks do not look at each other's, which come meanwhile.
std::vector<std::int64_t> missing_shards(const FeatureJob& job, const ProcessGroup& group) {
  std::vector<std::int64_t> shards;
  for (std::int64_t shard = group.rank(); shard < job.identity.shards(); shard += group.world_size()) {
    if (!has_shard(job.folder, shard)) shards.push_back(shard);
  }
  return shards;
}

// The videos of some shards. All but the list's last one are of whole batches, so that the loader's batches
// are of one shard each.
VideoList videos_of(const FeatureJob& job, const std::vector<std::int64_t>& shards) {
  VideoList part(job.list.config());
  for (const auto shard : shards) {
    for (auto i = job.identity.videos_before(shard); i < job.identity.videos_before(shard + 1); ++i) {
      auto entry = job.list.entry(i);
      entry.path = listed_path(job.list, entry);
      part.add(entry);
    }
  }
  return part;
}

// So many videos may fail as of the whole list.
ClipDatasetOptions clip_options_of(const FeatureJob& job, std::int64_t videos) {
  auto options = job.clips;
  const double share = options.max_failed_share * static_cast<double>(job.identity.videos);
  options.max_failed_share = std::min(1.0, share / static_cast<double>(videos));
  return options;
}

// The batches of the shards of one rank.
class ShardEncoder {
 public:
  ShardEncoder(Classifier& classifier, const FeatureJob& job, const std::vector<std::int64_t>& shards)
      : classifier_(classifier), job_(job), writer_(job.folder, job.identity, shards) {
    auto list = videos_of(job, shards);
    if (list.empty()) return;
    const auto options = clip_options_of(job, list.size());
    videos_.emplace(std::move(list), options, job.fetch);
    const auto batch_size = job.identity.batch_videos;
    loader_.emplace(*videos_, LoaderOptions{.batch_size = batch_size,
                                            .workers = job.workers,
                                            .prefetch = std::max(job.prefetch,
                                                                 (job.workers + batch_size - 1) / batch_size),
                                            .mode = SampleMode::test,
                                            .pin_memory = classifier.device().is_cuda()});
    loader_->start_epoch(0);
  }

  std::int64_t batches() const { return loader_ ? loader_->batches_per_epoch() : 0; }
  std::int64_t videos() const { return videos_ ? videos_->size() : 0; }

  // Encodes the next batch; the number of its videos, 0 behind the last.
  std::int64_t encode_batch() {
    if (!loader_) return 0;
    const auto batch = loader_->next();
    if (!batch) return 0;
    const auto features =
        classifier_.encode_videos(batch->clips, job_.views_at_once, job_.identity.keep_frames);
    writer_.add(features.videos, features.frames, batch->errors);
    return std::ssize(batch->indices);
  }

 private:
  Classifier& classifier_;
  const FeatureJob& job_;
  ShardWriter writer_;
  std::optional<ClipDataset> videos_;
  std::optional<Loader> loader_;
};

std::int64_t largest_over_ranks(std::int64_t value, ProcessGroup& group) {
  std::int64_t largest = value;
  for (const auto& text : group.gather_texts(std::to_string(value)))
    largest = std::max(largest, parse_integer(text).value_or(0));
  return largest;
}

void encode_shards(Classifier& classifier, const FeatureJob& job, ProcessGroup& group) {
  ShardEncoder encoder(classifier, job, missing_shards(job, group));
  const auto batches = largest_over_ranks(encoder.batches(), group);
  const auto missing =
      static_cast<std::int64_t>(sum_over_ranks(static_cast<double>(encoder.videos()), group));
  const auto done = job.identity.videos - missing;
  if (done > 0) spdlog::info("features: {} of {} videos are there already", done, job.identity.videos);
  ProgressBar bar("features", job.identity.videos, "videos", done);
  for (std::int64_t i = 0; i < batches; ++i) {
    // In step, so that a rank that is lost is missed at once.
    const double encoded = sum_over_ranks(static_cast<double>(encoder.encode_batch()), group);
    bar.advance(static_cast<std::int64_t>(encoded));
  }
}

}  // namespace

void encode_features(Classifier& classifier, const FeatureJob& job,
                     const std::shared_ptr<ProcessGroup>& group) {
  const auto& identity = job.identity;
  if (identity.videos != job.list.size() || identity.batch_videos < 1 ||
      identity.shard_videos % identity.batch_videos != 0) {
    throw std::invalid_argument("encode_features: the identity does not fit the list or its own batches");
  }
  const bool leads = group->rank() == 0;
  std::optional<FolderLock> lock;
  if (leads) lock.emplace(claim_feature_folder(job.folder, identity));
  sum_over_ranks(0, *group);  // the folder is there, and a former run's leftovers are not
  encode_shards(classifier, job, *group);
  if (leads) {
    write_texts(job.folder, job.texts, job.labels);
    write_index(job.folder, identity, job.list, job.labels);
  }
  sum_over_ranks(0, *group);  // all that is read next is there on every rank
}

}  // namespace actionclip
