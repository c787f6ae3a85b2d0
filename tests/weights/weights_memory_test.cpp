// Weights are read and written without holding them twice. Each measurement is of a process of its own;
// scripts of tools/bench measure files of 1 GiB.
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <malloc.h>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "actionclip/weights/export.h"

#include "tests/child_process.h"
#include "tests/temporary_folder.h"
#include "tests/weights/large_model.h"
#include "tests/weights/pickle_builder.h"
#include "tests/weights/zip_builder.h"

namespace actionclip {
namespace {

namespace fs = std::filesystem;

// The zip that torch.save would write, a storage for each tensor; `turned`: matrices column by column, as
// those that were transposed are saved.
std::string torch_save(const StateDict& tensors, bool turned = false) {
  std::vector<std::string> items;
  std::vector<ZipEntry> entries;
  for (const auto& [name, tensor] : tensors) {
    const auto key = std::to_string(entries.size());
    const TensorData data = from_tensor(tensor);
    const auto storage = pickles::storage(key, "FloatStorage", data.element_count());
    items.push_back(pickles::text(name));
    auto strides = data.strides;
    if (turned && strides.size() == 2) strides = {1, data.shape[0]};
    items.push_back(pickles::tensor(storage, 0, data.shape, strides));
    const std::string bytes(reinterpret_cast<const char*>(data.bytes.data()), data.bytes.size());
    entries.push_back({.name = fmt::format("m/data/{}", key), .data = bytes});
  }
  entries.push_back({.name = "m/data.pkl", .data = pickles::program(pickles::dict(items))});
  return build_zip(entries);
}

// The same model as one file, as torch.save's twice, and as a folder of Hugging Face's.
void write_all(const fs::path& folder, std::int64_t blocks) {
  fs::create_directory(folder);
  write_model(folder / "native.safetensors", blocks);
  const auto weights = load_weights(folder / "native.safetensors");
  write_text(folder / "saved.pt", torch_save(weights.tensors));
  write_text(folder / "turned.pt", torch_save(weights.tensors, /*turned=*/true));
  write_exported(export_weights(weights, NameScheme::huggingface), folder / "huggingface",
                 /*overwrite=*/false);
}

// In a child, what `work` returns, or what it threw.
ChildReport run_caught(const fs::path& folder, const std::function<std::string()>& work) {
  return run_in_child(folder, [&] {
    at::set_num_threads(1);  // the parent's threads are not the child's
    // As in a program that has freed nothing large yet; else glibc keeps freed tensors for others of their
    // size.
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    try {
      return work();
    } catch (const std::exception& problem) {
      return fmt::format("failed: {}", problem.what());
    }
  });
}

class WeightsMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!kMemoryTells) GTEST_SKIP() << "memory tells nothing under this sanitizer";
    const auto written = run_caught(folder_.path(), [this] {
      write_all(folder_ / "small", kFewBlocks);
      write_all(folder_ / "large", kManyBlocks);
      return std::string("written");
    });
    ASSERT_EQ(written.text, "written");
  }

  // By how many times the bytes of the large model's tensors `work` raises the peak of memory. It has done
  // the same with the small model before, so that what libraries set up at first does not count.
  double memory_of(const std::function<void(const fs::path&)>& work) const {
    const auto report = run_caught(folder_.path(), [&] {
      work(folder_ / "small");
      malloc_trim(0);
      const auto before = process_memory("VmRSS");
      work(folder_ / "large");
      return std::to_string(process_memory("VmHWM") - before);
    });
    EXPECT_EQ(report.status, 0);
    EXPECT_EQ(report.text.find("failed"), std::string::npos) << report.text;
    const auto tensors = fs::file_size(folder_ / "large/native.safetensors");
    return static_cast<double>(std::atoll(report.text.c_str())) / static_cast<double>(tensors);
  }

  TemporaryFolder folder_;
};

TEST_F(WeightsMemory, LoadingTakesTheTensorsAndATenth) {
  for (const char* name : {"native.safetensors", "saved.pt", "turned.pt", "huggingface"}) {
    const auto memory = memory_of([name](const fs::path& folder) {
      const auto weights = load_weights(folder / name);
      if (weights.tensors.empty()) throw std::runtime_error("no tensors");
    });
    EXPECT_GT(memory, 0.9) << name << ": nothing was measured";
    EXPECT_LT(memory, 1.1) << name;
  }
}

// Beside the tensors, a model of one block tells the shapes that they must have.
TEST_F(WeightsMemory, ExportingTakesTheTensorsAndABlock) {
  for (const auto scheme : {NameScheme::native, NameScheme::openai, NameScheme::huggingface}) {
    const auto memory = memory_of([scheme](const fs::path& folder) {
      const auto weights = load_weights(folder / "native.safetensors");
      write_exported(export_weights(weights, scheme), folder / scheme_name(scheme), /*overwrite=*/true);
    });
    EXPECT_GT(memory, 0.9) << scheme_name(scheme) << ": nothing was measured";
    EXPECT_LT(memory, 1.2) << scheme_name(scheme);
  }
}

}  // namespace
}  // namespace actionclip
