#!/usr/bin/env bash
# Formatting, and clang-tidy over the torch-free libraries and over the other sources that differ, or whose header differs, from a
# base revision (default: the commit before HEAD), the last changed first. A file that includes libtorch takes 40 s, so not all of
# them every time.
#
#   scripts/lint.sh [BASE_REVISION [MOST_OTHER_FILES]]
set -euo pipefail
cd "$(dirname "$0")/.."
base=${1:-HEAD~1}
most=${2:-100000}
if ! git rev-parse --quiet --verify "$base^{commit}" >/dev/null; then
  printf '[lint] error: there is no revision %s here to compare with (a shallow clone?): name one, or git fetch --deepen=1\n' "$base" >&2
  exit 1
fi
scripts/format.sh --check

# A build folder of its own: clang-tidy cannot read g++'s precompiled headers.
folder=build/lint
cmake --preset release -B "$folder" -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DCMAKE_CXX_COMPILER=clang++-16 \
  -DACTIONCLIP_TESTS=OFF >/dev/null
cmake --build "$folder" --target actionclip_generated >/dev/null

# The files of the torch-free libraries, out of the compile commands; then the changed ones of the rest.
base_files=$(python3 -c '
import json, re, sys
for entry in json.load(open(sys.argv[1])):
    if re.search("actionclip_(base|video).dir", entry["command"]) and "/generated/" not in entry["file"]: print(entry["file"])
' "$folder/compile_commands.json")
changed=$({ git diff --name-only HEAD; git log --format= --name-only "$base..HEAD"; } | grep -E '^(src|include|tools)/.*\.(cpp|h)$' |
  sed -E 's|^include/actionclip/|src/|; s|\.h$|.cpp|' | awk '!seen[$0]++' | while read -r file; do
    if [ -f "$file" ]; then echo "$PWD/$file"; fi
  done | grep -vxFf <(printf '%s\n' "$base_files") || true)
left_out=$(tail -n "+$((most + 1))" <<<"$changed")
changed=$(head -n "$most" <<<"$changed")
if [ -n "$left_out" ]; then
  printf '[lint] not checked, as more than %d other files changed since %s:\n%s\n' "$most" "$base" "$left_out"
fi
files=$(printf '%s\n' "$base_files" "$changed" | sed '/^$/d' | sort -u)
printf '[lint] clang-tidy: %d files, %d of them outside of the torch-free libraries and changed since %s\n' "$(wc -l <<<"$files")" "$(grep -c . <<<"$changed" || true)" "$base"
# What clang-tidy counts on stderr ("N warnings generated") are those of system headers, which it does not show.
xargs -P "$(nproc)" -n 1 clang-tidy-16 --quiet -p "$folder" <<<"$files" 2> >(grep -vE '^[0-9]+ warnings? generated\.$' >&2)
