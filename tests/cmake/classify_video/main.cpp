// The most probable of the labels in a file, for each video.
#include <cstdio>
#include <exception>

#include "actionclip/protocols/video_classifier.h"

int main(int count, char** arguments) {
  if (count < 4) {
    std::fprintf(stderr, "usage: classify_video WEIGHTS LABELS VIDEO...\n");
    return 2;
  }
  try {
    const auto labels = actionclip::read_labels(arguments[2]);
    actionclip::VideoClassifier classifier(arguments[1], labels, {.vocabulary = VOCABULARY});
    for (int i = 3; i < count; ++i) {
      const auto [video, ranked, error] = classifier.classify(arguments[i]);
      if (ranked.empty()) {
        std::printf("%s: failed: %s\n", video.c_str(), error.c_str());
      } else {
        std::printf("%s: %s (%.1f %%)\n", video.c_str(), ranked[0].label.c_str(),
                    100 * ranked[0].probability);
      }
    }
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 1;
  }
}
