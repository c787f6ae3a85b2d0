// TensorBoard event files, written: records of a length, its masked CRC-32C, an encoded event and that
// event's masked CRC-32C. Written here on nanopb and Boost.CRC: no packaged C++ library writes these files,
// and libprotobuf clashes with sentencepiece's copy.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace actionclip {

class EventFile {
 public:
  // Starts a new file events.out.tfevents.<seconds>.<host> in `folder`, whose name sorts after every earlier
  // one. The run (re)starts at `first_step`: readers forget what earlier files hold from there on. Throws
  // Error (path, reason) like every write.
  EventFile(const std::filesystem::path& folder, std::int64_t first_step);

  // One value a tag, at `step`.
  void write_scalars(std::int64_t step, const std::vector<std::pair<std::string, float>>& scalars);

 private:
  void write_record(std::string_view event);

  std::filesystem::path path_;
  std::ofstream stream_;
};

}  // namespace actionclip
