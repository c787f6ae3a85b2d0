// Texts of several scripts to learn vocabularies from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actionclip/core/random.h"
#include "actionclip/text/sentencepiece_trainer.h"

namespace actionclip {

inline std::vector<std::string> texts_of_many_scripts(std::int64_t count = 1500) {
  const std::vector<std::vector<std::string>> scripts = {
      {"play", "ing", "rid", "er", "swim", "ming", "un", "the", "man", "is", "jump", "s", "ball", "throw",
       "a", "of"},
      {"na\u00efve", "caf\u00e9", "Stra\u00dfe", "\u00fcber", "gar\u00e7on", "e\u0301t\u00e9"},
      {"бег", "прыж", "ок", "пла", "вание", "ть"},
      {"跑", "步", "游", "泳", "打", "球", "走る", "およ", "ぐ", "カメラ"},
      {"달리", "기", "수영", "하", "는"},
      {"جري", "رقص", "سبا", "حة"},
      {"खेल", "ना", "दौड़"},
      {"1", "2", "3x3", "\uff11\uff12", "\u2167", "U.S.", "can't", "\U0001f3c3", "!", "?"}};
  RandomStream stream(3, RandomPurpose::kTemplate);
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < count; ++i) {
    std::string text;
    for (auto words = 1 + stream.below(8); words > 0; --words) {
      const auto& script = scripts[static_cast<std::size_t>(stream.below(std::ssize(scripts)))];
      if (!text.empty()) text += ' ';
      for (auto parts = 1 + stream.below(3); parts > 0; --parts)
        text += script[static_cast<std::size_t>(stream.below(std::ssize(script)))];
    }
    texts.push_back(text);
  }
  return texts;
}

}  // namespace actionclip
