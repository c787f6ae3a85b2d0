#!/usr/bin/env bash
# Sets up, builds and tests on a fresh machine.
#
#   scripts/test.sh            the tests that finish in minutes
#   scripts/test.sh --soak     the long ones too
set -euo pipefail
cd "$(dirname "$0")/.."
filter=(--label-exclude soak)
if [ "${1:-}" = --soak ]; then filter=(); fi
scripts/setup.sh
scripts/build.sh release
ctest --test-dir build/release --output-on-failure --no-tests=error -j "$(nproc)" "${filter[@]}"
