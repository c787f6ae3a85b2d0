#!/usr/bin/env bash
# Formats all C++ files; with --check only says whether they are formatted (exit 1 if not).
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i)
if [ "${1:-}" = --check ]; then mode=(--dry-run --Werror); fi
git ls-files -z '*.h' '*.cpp' '*.cu' | xargs -0 clang-format-16 "${mode[@]}"
