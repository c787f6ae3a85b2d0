#!/usr/bin/env bash
# The tests under the sanitizers, the half on libtorch included. scripts/test.sh has the torch-free half under ASan and UBSan; this takes
# longer (20 minutes to build on two cores).
#
#   scripts/sanitize.sh tsan [CTEST OPTIONS...]   ThreadSanitizer: by default the tests of what has threads, i.e. queue, pool, loader,
#                                                 process groups, and the trainer with one and several ranks
#   scripts/sanitize.sh asan [CTEST OPTIONS...]   AddressSanitizer and UndefinedBehaviorSanitizer: by default all tests but the soak tests
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-}
case $preset in
  tsan)
    symbolizer=$(compgen -c llvm-symbolizer- | sort -V | tail -1 || true)
    export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp${symbolizer:+ external_symbolizer_path=$(command -v "$symbolizer")} ${TSAN_OPTIONS:-}"
    default=(-R 'BoundedQueue|WorkerPool|Loader|C10dGroup|Agreement|Trainer|RanksTest' -LE soak) ;;
  asan)
    # Files of torch stay until the process ends, by its own design.
    export ASAN_OPTIONS="detect_leaks=0 ${ASAN_OPTIONS:-}"
    default=(-LE soak) ;;
  *) sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0" >&2; exit 2 ;;
esac
scripts/build.sh "$preset"
if [ $# -gt 1 ]; then default=("${@:2}"); fi
ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$(nproc)" "${default[@]}"
