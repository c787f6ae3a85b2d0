// The keys of the published code's YAML files (reference: the files of its configs/ folder).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "actionclip/config/checker.h"
#include "actionclip/config/node.h"
#include "actionclip/train/config.h"

namespace actionclip::detail {

struct PublishedRandAugment {
  std::int64_t N = 0;
  std::int64_t M = 0;
};
BOOST_DESCRIBE_STRUCT(PublishedRandAugment, (), (N, M))

struct PublishedData {
  std::optional<std::string> dataset, modality;
  std::optional<std::int64_t> num_segments, seg_length, batch_size, workers, num_classes;
  std::optional<std::string> image_tmpl, train_list, val_list, label_list;
  std::optional<std::int64_t> index_bias, input_size;
  std::optional<PublishedRandAugment> randaug;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(PublishedData, (),
                      (dataset, modality, num_segments, seg_length, batch_size, workers, num_classes,
                       image_tmpl, train_list, val_list, label_list, index_bias, input_size, randaug))

struct PublishedNetwork {
  std::optional<std::string> arch;
  std::optional<bool> init, tsm, joint;
  std::optional<double> drop_out, emb_dropout;
  std::optional<FusionType> sim_header;
  std::optional<bool> fix_text, fix_img;
  std::optional<std::string> type, describe;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(PublishedNetwork, (),
                      (arch, init, tsm, joint, drop_out, emb_dropout, sim_header, fix_text, fix_img, type,
                       describe))

struct PublishedSolver {
  std::optional<ScheduleKind> type;
  std::optional<std::int64_t> epochs, start_epoch, epoch_offset;
  std::optional<OptimizerKind> optim;
  std::optional<double> lr, lr_warmup_step, momentum, weight_decay;
  std::vector<std::int64_t> lr_decay_step;  // epochs; of a single number, every so many (settle_published())
  std::optional<double> lr_decay_factor, clip_gradient;
  std::optional<std::string> loss_type;
  std::optional<double> ratio, f_ratio;
  std::optional<bool> evaluate;

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(PublishedSolver, (),
                      (type, epochs, start_epoch, epoch_offset, optim, lr, lr_warmup_step, momentum,
                       weight_decay, lr_decay_step, lr_decay_factor, clip_gradient, loss_type, ratio, f_ratio,
                       evaluate))

struct PublishedLogging {
  std::optional<std::int64_t> print_freq, eval_freq;
};
BOOST_DESCRIBE_STRUCT(PublishedLogging, (), (print_freq, eval_freq))

struct PublishedConfig {
  std::optional<std::string> resume, pretrain;
  std::optional<std::int64_t> seed;
  PublishedData data;
  PublishedNetwork network;
  PublishedSolver solver;
  PublishedLogging logging;
};
BOOST_DESCRIBE_STRUCT(PublishedConfig, (), (resume, pretrain, seed, data, network, solver, logging))

struct UnknownKey {
  int line = 0;
  std::string path;
};

struct PublishedFile {
  PublishedConfig config;
  bool steady_decay = false;  // lr_decay_step is a period
  std::vector<UnknownKey> unknown;
};

// Reads as PyYAML does: `True` and `yes` are booleans, and a key without a value is as none. Throws
// ConfigError with all findings and their places.
PublishedFile read_published(ConfigNode root);

}  // namespace actionclip::detail
