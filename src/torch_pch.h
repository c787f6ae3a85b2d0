// The one precompiled header of the library: libtorch costs 20 s a file without it.
// Files still include what they use; this only makes it cheap.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <torch/torch.h>
