// What the program runs on, for those who read its results later.
#pragma once

#include <nlohmann/json.hpp>

namespace actionclip {

// {"cpu": its model, "cores": those that this process may use, "memory_gib", "gpus": models of NVIDIA's, as
// the driver names them, "os"}; what the system does not tell is left out.
nlohmann::ordered_json describe_machine();

}  // namespace actionclip
