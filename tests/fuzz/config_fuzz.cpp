// YAML text of any bytes is either a tree or refused with ConfigError.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "actionclip/core/error.h"

#include "config/yaml_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actionclip;
  static const auto source =
      std::make_shared<const ConfigSource>(ConfigSource{.name = "fuzz.yaml", .folder = "/"});
  try {
    detail::parse_yaml_text({reinterpret_cast<const char*>(data), size}, source);
  } catch (const ConfigError&) {
  }
  return 0;
}
