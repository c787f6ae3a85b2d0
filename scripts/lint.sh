#!/usr/bin/env bash
# Formatting, and clang-tidy over the sources that a change since a base revision (default: the commit before HEAD) can have spoilt:
# see sources_to_lint.py.
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

files=$({ git ls-files --others --exclude-standard; git diff --name-only HEAD; git log --format= --name-only "$base..HEAD"; } |
  python3 scripts/sources_to_lint.py "$folder/compile_commands.json" "$most")
if [ -z "$files" ]; then exit 0; fi
# What clang-tidy counts on stderr ("N warnings generated") are those of system headers, which it does not show.
xargs -P "$(nproc)" -n 1 clang-tidy-16 --quiet -p "$folder" <<<"$files" 2> >(grep -vE '^[0-9]+ warnings? generated\.$' >&2)
