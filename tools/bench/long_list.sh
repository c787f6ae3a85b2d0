#!/usr/bin/env bash
# Time and memory of reading a list of 1,000,000 videos in each format that is a text: whole processes in turns, so that slow spells of
# the machine meet all. The lists lie in the page cache: what a disk takes is not measured. Half a minute a round; nothing else should
# run meanwhile.
#
#   tools/bench/long_list.sh [ROUNDS [VIDEOS]]      3 rounds of 1000000 videos
#
# "text" is the file's size, which is in memory while it is read; "cpu" the part of "read" that no other process took; "peak" the highest
# memory above what the process held before, "kept" what the list holds then; "entry" the time to make one entry of the list. Exits with 1
# if a format with a line a video takes more than 2 s or 150 MB at the peak for a million, or any format keeps more than 150 MB: the
# limits that the project sets itself.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${1:-3}
videos=${2:-1000000}
program=${LONG_LIST_BENCHMARK:-build/release/bin/long_list_benchmark}
python=.venv/bin/python

[ -x "$program" ] || { echo "$program is not built: scripts/build.sh release" >&2; exit 1; }
[ -x "$python" ] || { echo "$python is missing: scripts/setup.sh" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Paths of 46 bytes, as long as those of data sets are; 400 labels.
"$python" -B - "$folder" "$videos" <<'PYTHON'
import sys
from pathlib import Path

folder, videos = Path(sys.argv[1]), int(sys.argv[2])
names = [f"pushing object number {i} from left to right" for i in range(400)]
(folder / "labels.csv").write_text("id,name\n" + "".join(f"{i},{name}\n" for i, name in enumerate(names)))
(folder / "id_0000000_000000_000010.mp4").touch()  # tells how Kinetics' videos are laid out


def path(i):
    return f"train/class_{i % 400:03}/the_video_{i:09}_{i % 97:06}.mp4"


FORMATS = {
    "video": ("", lambda i: f"{path(i)} {i % 400}\n"),
    "frames": ("", lambda i: f"{path(i)} {100 + i % 200} {i % 400}\n"),
    "table": ("path,label\n", lambda i: f"{path(i)},{i % 400}\n"),
    "captions": ("path,caption\n", lambda i: f"{path(i)},someone pushes object {i} to the right\n"),
    "kinetics": ("label,youtube_id,time_start,time_end,split\n", lambda i: f"{names[i % 400]},id_{i:07},{i % 90},{i % 90 + 10},train\n"),
    "charades": ("id,actions\n", lambda i: f"V{i:07},c{i % 157:03} 0.00 11.20;c{(i + 1) % 157:03} 3.50 9.10\n"),
    "something_something": ("[", lambda i: f'{"," if i else ""}\n{{"id": "{i}", "template": "{names[i % 400]}"}}'),
}
for name, (header, line) in FORMATS.items():
    with open(folder / name, "w") as file:
        file.write(header)
        file.writelines(line(i) for i in range(videos))
        if name == "something_something":
            file.write("]\n")
PYTHON

formats="video frames table captions kinetics charades something_something"
for round in $(seq "$rounds"); do
  for format in $formats; do
    [ ! -t 2 ] || printf '\rround %d of %d: %-20s' "$round" "$rounds" "$format" >&2
    printf '%s\t%s\t' "$format" "$(stat -c %s "$folder/$format")" >>"$folder/results"
    "$program" "$format" "$folder/$format" "$folder/labels.csv" >>"$folder/results"
  done
done
[ ! -t 2 ] || printf '\r%50s\r' '' >&2

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc --all) cores, $(awk '/^MemTotal/ {printf "%.0f GB", $2 / 1e6}' /proc/meminfo)"
"$python" - "$folder/results" "$videos" <<'PYTHON'
import json, sys
from statistics import median

LINES = ("video", "frames", "table")  # of a line a video
videos = int(sys.argv[2])
share = videos / 1e6
runs = {}  # format -> results in the order of the rounds
texts = {}
for line in open(sys.argv[1]):
    name, size, result = line.split("\t")
    texts[name] = int(size)
    runs.setdefault(name, []).append(json.loads(result))

rows = [("", "text [MB]", "read [s]", "cpu [s]", "peak [MB]", "kept [MB]", "entry [us]", "")]
fine = True
for name, results in runs.items():
    seconds = median(result["seconds"] for result in results)
    cpu = median(result["cpu_seconds"] for result in results)
    peak = max(result["memory_added"] for result in results)
    kept = max(result["memory_kept"] for result in results)
    entry = median(result["entry_seconds"] for result in results)
    good = results[0]["videos"] == videos and kept < 150e6 * share
    good = good and (name not in LINES or (seconds < 2 * share and peak < 150e6 * share))
    fine = fine and good
    rows.append((name, f"{texts[name] / 1e6:.0f}", f"{seconds:.2f}", f"{cpu:.2f}", f"{peak / 1e6:.0f}", f"{kept / 1e6:.0f}",
                 f"{entry / videos * 1e6:.2f}", "" if good else "above the limit"))
widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
for row in rows:
    print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
print(f"{videos} videos; time: medians of {len(results)} rounds; memory: the highest of them.")
sys.exit(not fine)
PYTHON
