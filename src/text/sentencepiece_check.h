// What sentencepiece takes on trust of a model file. Versions before 0.2.1 (CVE-2026-1260; Debian 12 has
// 0.1.97) read outside their memory where it does not hold, when they normalise a text.
#pragma once

#include <string>
#include <string_view>

namespace actionclip::detail {

// Throws Error, beginning with `name`, unless `model` (a file's bytes) is a protocol buffer whose
//   tables of character replacements (darts-clone's double arrays) lead to places inside them alone, and hold
//   no 33 keys that begin each other; and user-defined pieces hold no 65 that begin each other.
void require_sound_model(std::string_view model, const std::string& name);

}  // namespace actionclip::detail
