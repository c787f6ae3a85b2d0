#include "actionclip/text/config.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace actionclip {
namespace {

constexpr std::size_t kSha256Digits = 64;

bool is_lower_hexadecimal(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void check_pieces(const TextConfig& config, ConfigChecker& checker) {
  for (const auto& [key, piece] :
       {std::pair("start_token", &config.start_token), std::pair("end_token", &config.end_token),
        std::pair("pad_token", &config.pad_token)}) {
    if (!*piece) continue;
    if (config.tokenizer != TokenizerKind::sentencepiece)
      checker.error(key, "CLIP's own is fixed; leave it out, or set text.tokenizer to sentencepiece");
    else if ((*piece)->empty() && piece != &config.start_token)
      checker.error(key, "must name a piece of the model, or be left out");
  }
}

}  // namespace

void TextConfig::check(ConfigChecker& checker) const {
  if (tokenizer == TokenizerKind::sentencepiece && vocabulary.empty())
    checker.error("vocabulary",
                  "not given, but tokenizer: sentencepiece needs it; set it to the .model file");
  if (!sha256.empty() && (sha256.size() != kSha256Digits || !is_lower_hexadecimal(sha256))) {
    checker.error("sha256", fmt::format("must be {} lower-case hexadecimal digits, as sha256sum prints them",
                                        kSha256Digits));
  }
  if (templates.empty() && template_style != TemplateStyle::all)
    checker.error("template_style",
                  "chooses among templates, and none are given; set text.templates, or leave it out");
  check_pieces(*this, checker);
}

}  // namespace actionclip
