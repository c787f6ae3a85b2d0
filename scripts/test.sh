#!/usr/bin/env bash
# Sets up, builds and tests on a fresh machine: everything, and then the torch-free half again under AddressSanitizer and
# UndefinedBehaviorSanitizer, with ten seconds of fuzzing for each reader of files.
#
#   scripts/test.sh            the tests that finish in minutes
#   scripts/test.sh --soak     the long ones too (five minutes of fuzzing for each reader; kills, signals and full disks at many
#                              moments of runs of several ranks), from seeds that differ every time
set -euo pipefail
cd "$(dirname "$0")/.."
filter=(--label-exclude soak)
if [ "${1:-}" = --soak ]; then filter=(); fi
scripts/setup.sh
for preset in release fuzz; do
  scripts/build.sh "$preset"
  ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$(nproc)" "${filter[@]}"
done
