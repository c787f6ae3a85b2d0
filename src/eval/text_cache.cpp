#include "actionclip/eval/text_cache.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>
#include <vector>

#include <ATen/ops/isfinite.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actionclip/core/atomic_file.h"
#include "actionclip/core/error.h"
#include "actionclip/weights/safetensors.h"
#include "actionclip/weights/tensor_convert.h"

namespace actionclip {
namespace {

constexpr const char* kEnding = ".safetensors";
constexpr const char* kTensor = "embeddings";
// Metadata: what was encoded, and the hash of the embeddings' bytes.
constexpr const char* kKey = "actionclip.embeddings_key";
constexpr const char* kHash = "actionclip.sha256";

std::string hash_of(const TensorData& data) {
  return sha256_of({reinterpret_cast<const char*>(data.bytes.data()), data.bytes.size()});
}

// Throws Error unless the file holds embeddings of this key and shape, undamaged.
at::Tensor read_embeddings(const std::filesystem::path& file, const std::string& key, at::IntArrayRef shape) {
  TensorFile content = read_safetensors(file);
  const auto found = content.tensors.find(kTensor);
  const bool same = found != content.tensors.end() && content.metadata[kKey] == key &&
                    found->second.dtype == DType::kFloat32 && found->second.shape == shape.vec() &&
                    content.metadata[kHash] == hash_of(found->second);
  if (!same) throw Error(fmt::format("{}: is damaged", file.string()));
  return to_tensor(found->second);
}

struct KeptFile {
  std::filesystem::file_time_type used;
  std::uintmax_t bytes;
  std::filesystem::path path;
};

std::vector<KeptFile> files_in(const std::filesystem::path& folder) {
  std::vector<KeptFile> files;
  std::error_code code;
  for (const auto& file : std::filesystem::directory_iterator(folder, code)) {
    if (file.path().extension() != kEnding) continue;
    // Another process may remove it meanwhile.
    const auto used = file.last_write_time(code);
    const auto bytes = code ? 0 : file.file_size(code);
    if (!code) files.push_back({used, bytes, file.path()});
  }
  return files;
}

}  // namespace

TextCache::TextCache(std::filesystem::path folder, bool writes, std::uintmax_t max_bytes)
    : folder_(std::move(folder)), writes_(writes), max_bytes_(max_bytes) {}

at::Tensor TextCache::embeddings(ActionClip& model, const TextInput& prompts, Precision precision) const {
  if (folder_.empty()) return encode_prompts(model, prompts, precision);
  const auto key = embeddings_key(model, prompts, precision);
  const auto file = folder_ / (key + kEnding);
  const auto& tokens = prompts.tokens;
  const auto width = model->config().text.output_dim;
  if (const auto kept = read(file, key, {tokens.size(0), tokens.size(1), width})) {
    spdlog::info("text: {} x {} prompts, encoded before ({})", tokens.size(0), tokens.size(1), file.string());
    return kept->to(model->device());
  }
  spdlog::info("text: encoding {} x {} prompts", tokens.size(0), tokens.size(1));
  auto encoded = encode_prompts(model, prompts, precision);
  if (writes_ && at::isfinite(encoded).all().item<bool>()) write(file, key, encoded);
  return encoded;
}

std::optional<at::Tensor> TextCache::read(const std::filesystem::path& file, const std::string& key,
                                          at::IntArrayRef shape) const {
  std::error_code code;
  if (!std::filesystem::exists(file, code)) return std::nullopt;
  try {
    auto kept = read_embeddings(file, key, shape);
    // The time of last use; where it cannot be set, the file goes sooner.
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now(), code);
    return kept;
  } catch (const Error& problem) {
    spdlog::warn("text cache: {}; the prompts are encoded anew", problem.what());
    return std::nullopt;
  }
}

void TextCache::write(const std::filesystem::path& file, const std::string& key,
                      const at::Tensor& embeddings) const {
  try {
    std::filesystem::create_directories(folder_);
    remove_leftovers_in(folder_);
    const auto data = from_tensor(embeddings);
    write_safetensors(file, {{kTensor, data}}, {{kKey, key}, {kHash, hash_of(data)}});
    remove_oldest();
  } catch (const std::exception& problem) {  // of the library, or of std::filesystem
    spdlog::warn("text cache: {}; the prompts will be encoded again next time", problem.what());
  }
}

void TextCache::remove_oldest() const {
  auto files = files_in(folder_);
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.used > b.used; });
  std::uintmax_t bytes = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    bytes += files[i].bytes;
    std::error_code ignored;
    // The newest stays, however large it is.
    if (i > 0 && bytes > max_bytes_) std::filesystem::remove(files[i].path, ignored);
  }
}

}  // namespace actionclip
