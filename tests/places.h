// Where tests find what they need. The other sources of the tests hold no path, so that ccache knows them in
// every checkout.
#pragma once

#include <filesystem>
#include <string>

namespace actionclip {

std::filesystem::path source_folder();     // the checkout
std::string test_python();                 // one with the reference implementations
std::filesystem::path test_data_folder();  // real videos and label lists; may be absent
std::string tested_program();              // build/PRESET/bin/actionclip; empty in builds without libtorch

}  // namespace actionclip
