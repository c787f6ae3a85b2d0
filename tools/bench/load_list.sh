#!/usr/bin/env bash
# Memory that a training loader of 1,000,000 listed videos adds to the process before its first batch, and the time it takes to start:
# the list is read, its order is drawn, the cache beside the list is opened. A new process for each figure. Half a minute, and 500 MB of
# disk.
#
#   tools/bench/load_list.sh [VIDEOS [ROUNDS]]      1000000 videos, 3 rounds
#
# The lists: lines `PATH LABEL_ID` of video files (mmaction2), lines `PATH NUM_FRAMES LABEL_ID` of frame folders (the published ones), a
# table of class names and time ranges, and the first again when an epoch has filled its cache. All paths differ, are as long as those of
# Kinetics and lead to one video or picture, so that the first batch is decoded as any. "start" is all until it is there; "memory" the peak
# before it is asked for. Exits with 1 if a list takes more than the limits that the project sets itself for a million videos: 300 MB, 5 s.
set -euo pipefail
cd "$(dirname "$0")/../.."

videos=${1:-1000000}
rounds=${2:-3}
program=${LOAD_LIST_BENCHMARK:-build/release/bin/load_list_benchmark}
actionclip=${ACTIONCLIP:-build/release/bin/actionclip}
python=.venv/bin/python

for needed in "$program" "$actionclip"; do
  [ -x "$needed" ] || { echo "$needed is not built: scripts/build.sh release" >&2; exit 1; }
done
[ -x "$python" ] || { echo "$python is missing: scripts/setup.sh" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$actionclip" dataset synthesize --output "$folder/synthetic" --train 1 --val 0 --test 0 --zero-shot 0 --few-shot-train 0 --few-shot-test 0 \
  --stills 0 --frame-size 256 --frames 300 >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
"$python" -B - "$folder" "$videos" <<'PYTHON'
import sys
from pathlib import Path
from PIL import Image

folder, videos = Path(sys.argv[1]), int(sys.argv[2])
CLASSES = 400
files = -(-videos // CLASSES)  # of a class
(clip,) = (folder / "synthetic").rglob("*.mp4")
picture = folder / "frame.jpg"
Image.effect_noise((340, 256), 60).convert("RGB").save(picture, quality=90)
# Each class is the same folder under another name.
for root, target in (("videos", clip), ("frames", folder / "frame_folder")):
    (folder / root / "all").mkdir(parents=True)
    for file in range(files):
        (folder / root / "all" / f"{file:011d}_000010_000020{'.mp4' if root == 'videos' else ''}").symlink_to(target)
    for label in range(CLASSES):
        (folder / root / f"class_of_actions_{label:03d}").symlink_to("all")
(folder / "frame_folder").mkdir()
for frame in range(1, 301):
    (folder / "frame_folder" / f"img_{frame:05d}.jpg").symlink_to(picture)

with open(folder / "labels.txt", "w") as labels:
    labels.writelines(f"class of actions {label:03d}\n" for label in range(CLASSES))
with open(folder / "video.txt", "w") as video, open(folder / "frames.txt", "w") as frames, open(folder / "table.csv", "w") as table:
    table.write("path,label,start,end\n")
    for i in range(videos):
        file, label = divmod(i, CLASSES)
        path = f"class_of_actions_{label:03d}/{file:011d}_000010_000020"
        video.write(f"{path}.mp4 {label}\n")
        frames.write(f"{path} 300 {label}\n")
        table.write(f"{path}.mp4,class of actions {label:03d},{file % 5}.5,{file % 5 + 2}.5\n")
PYTHON
cp "$folder/video.txt" "$folder/seen.txt"

load() {
  local format=$1 list=$2 root=$3
  shift 3
  "$program" "$folder/$list" --format "$format" --root "$folder/$root" --labels "$folder/labels.txt" "$@"
}
load video seen.txt videos --remember

for _ in $(seq "$rounds"); do
  while read -r format list root; do
    printf '%s\t' "$list" >>"$folder/results"
    load "$format" "$list" "$root" >>"$folder/results"
  done <<<$'video video.txt videos\nframes frames.txt frames\ntable table.csv videos\nvideo seen.txt videos'
done

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc --all) cores, $(awk '/^MemTotal/ {printf "%.0f GB", $2 / 1e6}' /proc/meminfo)"
"$python" - "$folder/results" <<'PYTHON'
import json, sys
from statistics import median

NAMES = {"video.txt": "video", "frames.txt": "frames", "table.csv": "table", "seen.txt": "video, cache filled"}
SECONDS, MEGABYTES, PER = 5, 300, 1_000_000
runs = {}
for line in open(sys.argv[1]):
    name, result = line.split("\t")
    runs.setdefault(name, []).append(json.loads(result))

rows = [("", "videos", "list [s]", "loader [s]", "batch [s]", "start [s]", "limit", "memory [MB]", "kept [MB]", "limit")]
fine = True
for name, results in runs.items():
    times = [median(result[key] for result in results) for key in ("list_seconds", "loader_seconds", "first_batch_seconds")]
    memory, kept = (max(result[key] for result in results) / 1e6 for key in ("memory_peak", "memory_kept"))
    scale = max(1, results[0]["videos"] / PER)
    fine = fine and sum(times) < SECONDS * scale and memory < MEGABYTES * scale and results[0]["failed"] == 0
    rows.append((NAMES[name], str(results[0]["videos"]), *(f"{value:.2f}" for value in (*times, sum(times))), f"{SECONDS * scale:g}",
                 f"{memory:.0f}", f"{kept:.0f}", f"{MEGABYTES * scale:g}"))
widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
for row in rows:
    print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
print(f"Medians of {len(results)} rounds; memory: the highest peak of the process above what it held before.")
sys.exit(not fine)
PYTHON
