#!/usr/bin/env bash
# Formatting, and clang-tidy over the torch-free library and over the other sources that differ from a base revision
# (default: the commit before HEAD). A file that includes libtorch takes 20 s, so not all of them every time.
#
#   scripts/lint.sh [BASE_REVISION]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/format.sh --check

# A build folder of its own: clang-tidy cannot read g++'s precompiled headers.
folder=build/lint
cmake --preset release -B "$folder" -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DCMAKE_CXX_COMPILER=clang++-16 \
  -DACTIONCLIP_TESTS=OFF -DACTIONCLIP_BENCHMARKS=OFF >/dev/null
cmake --build "$folder" --target actionclip_generated >/dev/null

# The torch-free library's files, out of the compile commands; then the changed ones of the rest.
mapfile -t files < <(python3 -c '
import json, sys
for entry in json.load(open(sys.argv[1])):
    if "actionclip_base.dir" in entry["command"] and "/generated/" not in entry["file"]: print(entry["file"])
' "$folder/compile_commands.json")
mapfile -t changed < <(git diff --name-only --diff-filter=d "${1:-HEAD~1}" -- 'src/*.cpp' 'tools/*.cpp' 2>/dev/null | sed "s|^|$PWD/|")
printf '%s\n' "${files[@]}" "${changed[@]}" | sort -u | xargs -P "$(nproc)" -n 1 clang-tidy-16 --quiet -p "$folder" 2>/dev/null
