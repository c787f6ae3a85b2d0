// Zip archives byte by byte, so that a test decides what every field says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/crc.hpp>

#include "tests/weights/bytes.h"

namespace actionclip {

struct ZipEntry {
  std::string name;
  std::string data;
  std::uint16_t method = 0;
  std::uint16_t flags = 0;
  std::uint32_t crc_error = 0;                     // xor-ed to the right CRC
  std::string local_name = {};                     // where it should differ
  std::uint64_t claimed_size = ~std::uint64_t{0};  // uncompressed, where it should differ
  std::int64_t place = -1;                         // the directory points there, and nothing is written
};

// With `zip64`, sizes and offsets are given in ZIP64 fields, as in archives above 4 GiB.
inline std::string build_zip(const std::vector<ZipEntry>& entries, bool zip64 = false) {
  std::string body, directory;
  for (const ZipEntry& entry : entries) {
    boost::crc_32_type crc;
    crc.process_bytes(entry.data.data(), entry.data.size());
    const std::uint64_t claimed =
        entry.claimed_size == ~std::uint64_t{0} ? entry.data.size() : entry.claimed_size;
    const auto sizes =
        zip64 ? std::string(8, '\xff') : little_endian(entry.data.size(), 4) + little_endian(claimed, 4);
    const auto fields = little_endian(zip64 ? 45 : 20, 2) + little_endian(entry.flags, 2) +
                        little_endian(entry.method, 2) + little_endian(0, 2) + little_endian(0x21, 2) +
                        little_endian(crc.checksum() ^ entry.crc_error, 4) + sizes;
    const auto extra_sizes = little_endian(claimed, 8) + little_endian(entry.data.size(), 8);
    const auto local_extra = zip64 ? little_endian(1, 2) + little_endian(16, 2) + extra_sizes : "";
    const auto& local_name = entry.local_name.empty() ? entry.name : entry.local_name;
    const std::uint64_t offset = entry.place < 0 ? body.size() : static_cast<std::uint64_t>(entry.place);
    if (entry.place < 0) {
      body += "PK\x03\x04" + fields + little_endian(local_name.size(), 2) +
              little_endian(local_extra.size(), 2) + local_name + local_extra + entry.data;
    }
    const auto extra =
        zip64 ? little_endian(1, 2) + little_endian(24, 2) + extra_sizes + little_endian(offset, 8) : "";
    directory += "PK\x01\x02" + little_endian(20, 2) + fields + little_endian(entry.name.size(), 2) +
                 little_endian(extra.size(), 2) + std::string(10, '\0') +
                 little_endian(zip64 ? 0xffffffff : offset, 4);
    directory += entry.name + extra;
  }
  std::string end;
  if (zip64) {
    end += "PK\x06\x06" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) +
           std::string(8, '\0') + little_endian(entries.size(), 8) + little_endian(entries.size(), 8) +
           little_endian(directory.size(), 8) + little_endian(body.size(), 8);
    end += "PK\x06\x07" + little_endian(0, 4) + little_endian(body.size() + directory.size(), 8) +
           little_endian(1, 4);
  }
  end += "PK\x05\x06" + std::string(4, '\0') + little_endian(zip64 ? 0xffff : entries.size(), 2) +
         little_endian(zip64 ? 0xffff : entries.size(), 2) +
         little_endian(zip64 ? 0xffffffff : directory.size(), 4) +
         little_endian(zip64 ? 0xffffffff : body.size(), 4) + std::string(2, '\0');
  return body + directory + end;
}

}  // namespace actionclip
