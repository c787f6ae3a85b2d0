// What stands in for files that are not there yet, so that a step can be taken without them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actionclip/text/labels.h"
#include "actionclip/text/tokenizer.h"
#include "actionclip/video/dataset.h"
#include "actionclip/video/video_list.h"

namespace actionclip {

// Texts as their bytes: a token each, behind a start token and before an end token, the last two entries of
// the vocabulary (but for an `end_token` that is given).
class ByteTokenizer : public Tokenizer {
 public:
  // Throws std::invalid_argument for a vocabulary of less than 258 entries, or an end outside of it.
  explicit ByteTokenizer(std::int64_t vocabulary_size, std::optional<std::int64_t> end_token = {});

  std::vector<std::int64_t> encode(std::string_view text) const override;
  std::int64_t vocabulary_size() const override { return vocabulary_size_; }
  std::optional<std::int64_t> start_token() const override { return vocabulary_size_ - 2; }
  std::int64_t end_token() const override { return end_token_; }
  std::string fingerprint() const override { return "bytes"; }

 private:
  std::int64_t vocabulary_size_;
  std::int64_t end_token_;
};

LabelSet made_up_labels();

// `videos` of them, of the labels of `labels` in turn, or with captions where there are none. Every second
// one has two labels where the format of `config` allows that.
VideoList made_up_list(const DatasetConfig& config, const LabelSet* labels, std::int64_t videos);

// Ten seconds of coloured stripes that move, whatever the entry.
ChosenFrames made_up_frames(const VideoEntry& entry, const FrameChooser& choose);

}  // namespace actionclip
