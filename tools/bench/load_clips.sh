#!/usr/bin/env bash
# Training clips a second that the loader makes with one worker and with two (or as many as asked for), on 64 synthetic videos of 10 s,
# 256 x 256, H.264, which is made for this. Nothing else should run meanwhile. A minute.
#
#   tools/bench/load_clips.sh [WORKERS [ROUNDS]]      1,2 workers, 5 rounds
set -euo pipefail
cd "$(dirname "$0")/../.."

program=${LOAD_CLIPS_BENCHMARK:-build/release/bin/load_clips_benchmark}
actionclip=${ACTIONCLIP:-build/release/bin/actionclip}
for needed in "$program" "$actionclip"; do
  [ -x "$needed" ] || { echo "$needed is not built: scripts/build.sh release" >&2; exit 1; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$actionclip" dataset synthesize --output "$folder/synthetic" --train 64 --val 0 --test 0 --zero-shot 0 --few-shot-train 0 --few-shot-test 0 \
  --stills 0 --frame-size 256 --frames 300 >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
"$program" "$folder/synthetic/train.txt" --labels "$folder/synthetic/labels.csv" --workers "${1:-1,2}" --rounds "${2:-5}"
