#include "tests/places.h"

namespace actionclip {

std::filesystem::path source_folder() { return ACTIONCLIP_SOURCE_DIR; }

std::string test_python() { return source_folder() / ".venv/bin/python"; }

std::filesystem::path test_data_folder() { return source_folder() / "../shared/data"; }

std::string tested_program() { return ACTIONCLIP_PROGRAM; }

}  // namespace actionclip
