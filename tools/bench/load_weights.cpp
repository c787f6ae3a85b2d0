// Times the loading of a weights file into tensors, or, to compare with, the mere reading of it. Prints one
// line of JSON. See load_weights.sh.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actionclip/weights/tensor_convert.h"
#include "actionclip/weights/tensor_file.h"

#include "tools/bench/process_memory.h"
#include "tools/bench/run_benchmark.h"

namespace actionclip {
namespace {

// Reads the file in pieces of `piece` bytes, into memory that keeps it all or into that of one piece.
std::int64_t read_file(const std::filesystem::path& path, std::int64_t piece, bool keep) {
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path));
  const std::unique_ptr<char[]> memory(new char[static_cast<std::size_t>(keep ? size : piece)]);
  std::ifstream file;
  file.rdbuf()->pubsetbuf(nullptr, 0);  // else every byte would be copied once more
  file.open(path, std::ios::binary);
  for (std::int64_t done = 0; done < size;) {
    file.read(memory.get() + (keep ? done : 0), std::min(piece, size - done));
    if (file.gcount() <= 0) throw std::runtime_error("cannot read " + path.string());
    done += file.gcount();
  }
  return size;
}

std::int64_t load_file(const std::filesystem::path& path) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : to_tensors(read_tensor_file(path)))
    bytes += static_cast<std::int64_t>(tensor.nbytes());
  return bytes;
}

// What libtorch sets up at its first tensor is not the file's.
void warm_up() {
  const std::vector<std::byte> bytes(4);
  to_tensor(TensorData{DType::kFloat32, {1}, {1}, bytes, nullptr}).add_(1);
}

std::int64_t run(const std::string& what, const std::filesystem::path& path) {
  constexpr std::int64_t kPiece = 1 << 20;
  if (what == "load") return load_file(path);
  return read_file(path, kPiece, what == "keep");
}

void measure(const std::string& what, const std::filesystem::path& path) {
  warm_up();
  const std::int64_t resident = process_memory("VmRSS");
  const auto start = std::chrono::steady_clock::now();
  const std::int64_t bytes = run(what, path);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const nlohmann::ordered_json result = {{"what", what},
                                         {"bytes", bytes},
                                         {"seconds", seconds.count()},
                                         {"memory_added", process_memory("VmHWM") - resident}};
  fmt::print("{}\n", result.dump());
}

}  // namespace
}  // namespace actionclip

int main(int argc, char** argv) {
  using namespace actionclip;
  CLI::App program("Times the loading of a weights file; prints one line of JSON.", "load_weights_benchmark");
  std::string what;
  std::filesystem::path path;
  program
      .add_option("what", what,
                  "load: into tensors; keep: read the file into memory; skim: read it and keep nothing")
      ->check(CLI::IsMember({"load", "keep", "skim"}))
      ->required();
  program.add_option("file", path, "the weights")->check(CLI::ExistingFile)->required();
  return run_benchmark(program, [&] {
    program.parse(argc, argv);
    measure(what, path);
  });
}
