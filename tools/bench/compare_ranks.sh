#!/usr/bin/env bash
# Step time of one rank alone and of several ranks with as much work each (Gloo, one thread a rank), with gradients reduced in many
# buckets, which overlap with the backward pass, and in one, which cannot. Real training runs on rendered videos; nothing else
# should run meanwhile.
#
#   tools/bench/compare_ranks.sh [RANKS [STEPS [SETTINGS...]]]      default: 2 ranks, 8 steps, ViT-B/32 on 4 videos of 8 frames a rank
set -euo pipefail
cd "$(dirname "$0")/../.."

ranks=${1:-2}
steps=${2:-8}
settings=("${@:3}")
videos=4
program=build/release/bin/actionclip
[ -x "$program" ] || { echo "$program is not built: scripts/build.sh release" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export OMP_NUM_THREADS=1

"$program" dataset synthesize --output "$folder/data" --train 152 --val 8 --test 10 --zero-shot 40 --few-shot-train 3 \
  --few-shot-test 1 --stills 24 2>"$folder/log" || { cat "$folder/log" >&2; exit 1; }
cat >"$folder/config.yaml" <<YAML
model: {arch: ViT-B/32, init: {image: random, text: random}, frames: 8}
data:
  labels: data/labels.csv
  train: {list: data/train.txt}
  num_workers: 1
train: {epochs: 1000, max_steps: $steps, schedule: {warmup_epochs: 0}}
YAML

# run NAME RANKS SETTINGS...
run() {
  [ ! -t 2 ] || printf '\r%-40s' "$1" >&2
  "$program" train --config "$folder/config.yaml" --output "$folder/$1" --device cpu --nproc "$2" train.batch_size=$((videos * $2)) \
    "${@:3}" ${settings[@]+"${settings[@]}"} >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
}
run 'one rank' 1
run "$ranks ranks, many buckets" "$ranks"
run "$ranks ranks, one bucket" "$ranks" distributed.bucket_size=0 distributed.first_bucket_size=0
[ ! -t 2 ] || printf '\r%40s\r' '' >&2

python3 - "$folder" "$videos" "one rank" "$ranks ranks, many buckets" "$ranks ranks, one bucket" <<'PYTHON'
import json, sys
from statistics import median

folder, videos_a_rank, *names = sys.argv[1:]
print(f"{'':<28}{'step [s]':>10}{'videos/s':>10}{'communication':>15}")
for name in names:
    lines = [json.loads(line) for line in open(f"{folder}/{name}/metrics.jsonl")]
    lines = [line for line in lines if line["split"] == "train"][2:]  # the first steps warm up
    speed = median(line["videos_per_second"] for line in lines)
    share = median(line["communication_fraction"] for line in lines)
    videos = int(videos_a_rank) * (1 if name == names[0] else int(name.split()[0]))
    print(f"{name:<28}{videos / speed:>10.3f}{speed:>10.2f}{share:>15.1%}")
print(f"Medians of {len(lines)} steps. Communication: the share of the step in which a rank waits for others, mean over the ranks.")
PYTHON
