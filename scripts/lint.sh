#!/usr/bin/env bash
# Formatting, and clang-tidy over the torch-free library and over the other sources that differ from a base revision
# (default: the commit before HEAD); a file that includes libtorch takes 20 s, so not all of them every time.
#
#   scripts/lint.sh [BASE_REVISION]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/format.sh --check
base=${1:-HEAD~1}
database=build/tidy
# A configuration of its own: clang-tidy reads no precompiled header of g++.
cmake --preset release -B "$database" -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DCMAKE_CXX_COMPILER=clang++-16 >/dev/null
cmake --build "$database" --target actionclip_generated >/dev/null
mapfile -t base_files < <(git ls-files 'src/core/*.cpp' 'src/config/*.cpp' 'src/text/*.cpp' 'src/weights/*.cpp' | grep -v -e tensor_convert -e state_dict -e initialize)
mapfile -t changed < <(git diff --name-only --diff-filter=d "$base" -- 'src/*.cpp' 'tools/*.cpp' 2>/dev/null || true)
printf '%s\n' "${base_files[@]}" "${changed[@]}" | sort -u | head -60 |
  xargs -P "$(nproc)" -n 1 clang-tidy-16 --quiet -p "$database" 2>/dev/null
