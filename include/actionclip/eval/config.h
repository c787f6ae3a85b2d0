// Settings of evaluation: the `eval:` section of an experiment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "actionclip/config/checker.h"

namespace actionclip {

// What becomes of a label's P prompts. mean_of_softmax: the probabilities under each are averaged, as the
// method does; mean_embedding: their embeddings are averaged to one, as CLIP does.
enum class Ensemble { mean_of_softmax, mean_embedding };
BOOST_DESCRIBE_ENUM(Ensemble, mean_of_softmax, mean_embedding)

// What becomes of the V views of a video. probabilities: the views' probabilities are averaged, as the method
// does; logits: their cosines (a linear classifier's logits), of which a softmax is taken then.
enum class ViewAverage { probabilities, logits };
BOOST_DESCRIBE_ENUM(ViewAverage, probabilities, logits)

struct EvalConfig {
  std::int64_t clips = 1;         // clips a video; views V = clips x crops
  std::int64_t crops = 1;         // of a clip: 1, 3, 5 or 10 (test_crops())
  std::int64_t batch_size = 32;   // views in one forward, of one video or several
  std::int64_t every_epochs = 1;  // during training; 0: never
  Ensemble ensemble = Ensemble::mean_of_softmax;
  ViewAverage average = ViewAverage::probabilities;
  std::vector<std::string> group_by;  // extra columns of the label file: accuracy of the top label's group
  std::string
      pair_by;  // extra column that names a label's counterpart: accuracy of the choice between the two

  void check(ConfigChecker& checker) const;
};
BOOST_DESCRIBE_STRUCT(EvalConfig, (),
                      (clips, crops, batch_size, every_epochs, ensemble, average, group_by, pair_by))

}  // namespace actionclip
