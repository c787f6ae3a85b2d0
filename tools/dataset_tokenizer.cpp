#include "tools/dataset_tokenizer.h"

#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/json_text.h"
#include "actionclip/text/sentencepiece_tokenizer.h"
#include "actionclip/text/sentencepiece_trainer.h"

namespace actionclip {
namespace {

struct TokenizerOptions {
  std::vector<std::string> inputs;
  std::string output;
  SentencePieceTraining training;
};

std::vector<std::string> read_all(const std::vector<std::string>& files) {
  std::vector<std::string> texts;
  for (const auto& file : files) {
    auto more = read_texts(file);
    texts.insert(texts.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return texts;
}

void make_tokenizer_file(const TokenizerOptions& options) {
  const auto texts = read_all(options.inputs);
  const std::string model = train_sentencepiece(texts, options.training);
  const SentencePieceTokenizer tokenizer(model, options.output);
  write_file_atomically(options.output, model);
  fmt::print("{}: {} pieces, learnt from {} texts\n", options.output, tokenizer.vocabulary_size(),
             texts.size());
  fmt::print("SHA-256 {}\n\n", tokenizer.fingerprint());
  // A string of JSON is one of YAML, whatever characters the path has.
  const nlohmann::json path = std::filesystem::absolute(options.output).string();
  fmt::print(
      "text:\n  tokenizer: sentencepiece\n  vocabulary: {}\n  sha256: {}\nmodel:\n  text: {{vocabulary_size: "
      "{}}}\n",
      json_text(path), tokenizer.fingerprint(), tokenizer.vocabulary_size());
}

}  // namespace

void add_dataset_tokenizer(CLI::App& dataset) {
  auto options = std::make_shared<TokenizerOptions>();
  auto* command = dataset.add_subcommand("tokenizer", "learn a SentencePiece vocabulary from texts");
  command
      ->add_option("--input", options->inputs,
                   "files of texts: captions (CSV `path,caption`), labels (CSV `id,name`), or a text a line")
      ->required();
  command->add_option("--output", options->output, "the .model file to write")->required();
  auto& training = options->training;
  command->add_option("--vocabulary-size", training.vocabulary_size, "pieces")->capture_default_str();
  command->add_option("--type", training.type, "what pieces are chosen by")
      ->check(CLI::IsMember({"unigram", "bpe", "word", "char"}))
      ->capture_default_str();
  command
      ->add_option("--character-coverage", training.character_coverage,
                   "share of the characters that get a piece of their own; the rarest beyond it are unknown")
      ->capture_default_str();
  command->add_flag("--lower-case", training.lower_case, "the vocabulary takes every text in lower case");
  command->footer(
      "Example:\n  actionclip dataset tokenizer --input data/captions.csv data/labels.csv --vocabulary-size "
      "2000 "
      "--output data/texts.model\nThe same texts and options give the same bytes. The settings to paste are "
      "printed.");
  command->callback([options] { make_tokenizer_file(*options); });
}

}  // namespace actionclip
