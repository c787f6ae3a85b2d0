// Random changes of weights files. One number decides everything about a file, so that any can be made again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/weights/valid_files.h"

namespace actionclip {

class Mutation {
 public:
  explicit Mutation(std::uint64_t seed) : random_(seed) {}

  // Any kind of file.
  std::string file() {
    if (below(4) == 0) return safetensors_file();
    const auto archives = valid_archives();
    return changed_archive(archives[below(archives.size())]);
  }

  std::string safetensors_file() { return changed_safetensors(valid_safetensors()); }

  // Of a small model under the names of CLIP, transformers or published ActionCLIP.
  std::string model_file() {
    switch (below(6)) {
      case 0:
        return changed_safetensors(safetensors_of(clip_tensors()));
      case 1:
        return changed_safetensors(safetensors_of(huggingface_tensors()));
      case 2:
        return changed_archive(flat_clip_archive());
      case 3:
        return changed_archive(published_archive());
      case 4:
        return safetensors_of(changed_shapes(huggingface_tensors()));
      default:
        return safetensors_of(changed_shapes(clip_tensors()));
    }
  }

 private:
  std::string changed_archive(Records records) {
    const bool zip64 = below(4) == 0;
    if (below(3) == 0) return changed_bytes(build_zip(records, zip64));
    for (std::size_t changes = 1 + below(2); changes > 0; --changes) change_record(records);
    return build_zip(records, zip64);
  }

  std::string changed_safetensors(const std::string& whole) {
    if (below(4) == 0) return changed_bytes(whole);
    const std::size_t data = whole.find_last_of("} ") + 1;
    std::string header = whole.substr(8, data - 8);
    for (std::size_t changes = 1 + below(2); changes > 0; --changes) change_text(header);
    return safetensors(header, whole.substr(data));
  }

  // Tensors that fit their file whatever they are.
  NamedShapes changed_shapes(NamedShapes tensors) {
    for (std::size_t changes = 1 + below(2); changes > 0; --changes) {
      const std::size_t place = below(tensors.size());
      if (below(8) == 0) {
        tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(place));
      } else {
        change_tensor(tensors[place]);
      }
    }
    for (NamedShape& tensor : tensors) {
      double count = 1;
      for (const std::int64_t size : tensor.shape) count *= static_cast<double>(size);
      if (count > 1e5) tensor.shape.push_back(0);
    }
    return tensors;
  }

  void change_tensor(NamedShape& tensor) {
    constexpr const char* kTypes[] = {"F64", "F16", "I64", "U8", "BOOL"};
    auto& shape = tensor.shape;
    switch (below(6)) {
      case 0:
        change_text(tensor.name);
        break;
      case 1:
        tensor.dtype = kTypes[below(std::size(kTypes))];
        break;
      case 2:
        shape.push_back(static_cast<std::int64_t>(below(3)));
        break;
      case 3:
        if (!shape.empty()) shape.pop_back();
        break;
      case 4:
        if (!shape.empty()) shape[below(shape.size())] = static_cast<std::int64_t>(below(40));
        break;
      default:  // a large size, and another that leaves no elements
        shape.push_back(0);
        std::swap(shape[below(shape.size())], shape.back());
        shape[below(shape.size())] = static_cast<std::int64_t>(odd_number() >> 1);
    }
  }

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  char any_byte() { return static_cast<char>(below(256)); }
  std::size_t place_in(const std::string& bytes) { return below(bytes.size() + 1); }

  std::string changed_bytes(std::string bytes) {
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) change_bytes(bytes);
    return bytes;
  }

  // A number as a hostile file would give it.
  std::uint64_t odd_number() {
    constexpr std::uint64_t kOdd[] = {0,
                                      1,
                                      2,
                                      0x7f,
                                      0x80,
                                      0xff,
                                      0x7fff,
                                      0xffff,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      0x7fffffffffffffff,
                                      0x8000000000000000,
                                      ~std::uint64_t{0}};
    return kOdd[below(std::size(kOdd))] + below(3) - 1;
  }

  void change_bytes(std::string& bytes) {
    const std::size_t place = place_in(bytes), rest = bytes.size() - place;
    const std::size_t length = std::min<std::size_t>(rest, 1 + below(16));
    switch (below(8)) {
      case 0:
        if (rest > 0) bytes[place] ^= static_cast<char>(1u << below(8));
        break;
      case 1:
        if (rest > 0) bytes[place] = any_byte();
        break;
      case 2:
        bytes.insert(place, 1 + below(4), any_byte());
        break;
      case 3:
        bytes.erase(place, length);
        break;
      case 4:
        bytes.insert(place_in(bytes), bytes.substr(place, length));
        break;
      case 5:
        bytes.resize(place);
        break;
      case 6:
        bytes.replace(place, length, bytes.substr(place_in(bytes), length));
        break;
      default: {
        const int size = 1 << below(4);
        if (rest >= static_cast<std::size_t>(size))
          bytes.replace(place, static_cast<std::size_t>(size), little_endian(odd_number(), size));
      }
    }
  }

  // What JSON is made of, so that much of it stays JSON.
  void change_text(std::string& text) {
    constexpr std::string_view kLetters = R"({}[]:,"0123456789-+.eEFIUBO16 \abdtypesho_ffk)";
    constexpr std::string_view kWords[] = {"\"F32\"",    "\"U8\"",  "\"shape\"",
                                           "[0]",        "[]",      "null",
                                           "1e3",        "\\u0000", "18446744073709551615",
                                           "4294967296", "-1",      "\"data_offsets\""};
    const std::size_t place = below(text.size());
    const char letter = kLetters[below(kLetters.size())];
    switch (below(6)) {
      case 0:
        text[place] = letter;
        break;
      case 1:
        text.insert(place, 1, letter);
        break;
      case 2:
        text.erase(place, 1 + below(3));
        break;
      case 3:
        text.insert(place, kWords[below(std::size(kWords))]);
        break;
      case 4:  // a digit for a digit: most other changes end at the parser
        if (const auto digit = text.find_first_of("0123456789", place); digit != std::string::npos)
          text[digit] = static_cast<char>('0' + below(10));
        break;
      default:
        text.insert(std::min(text.find_first_of(",:{}[]", place), text.size()), 1, ' ');
    }
  }

  // A change behind which the checksum is right.
  void change_record(Records& records) {
    ZipEntry& record = records[below(records.size())];
    switch (below(12)) {
      case 0:
        change_bytes(record.name);
        break;
      case 1:
        record.method = static_cast<std::uint16_t>(odd_number());
        break;
      case 2:
        record.claimed_size = odd_number();
        break;
      case 3:
        record.flags = static_cast<std::uint16_t>(1u << below(16));
        break;
      case 4:
        records.erase(records.begin() + static_cast<std::ptrdiff_t>(below(records.size())));
        if (records.empty()) records.push_back({.name = "x", .data = {}});
        break;
      case 5:
        std::swap(record.data, records[below(records.size())].data);
        break;
      case 6:
        change_bytes(record.data);
        break;
      default:  // the pickle, which has the most to say
        change_bytes(records.front().data);
    }
  }

  std::mt19937_64 random_;
};

}  // namespace actionclip
