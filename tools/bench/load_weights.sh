#!/usr/bin/env bash
# Time and peak memory of loading a weights file of 1 GiB, safetensors and torch.save's zip, against the mere reading of it: whole
# processes in turns, so that slow spells of the machine meet all. The files lie in the page cache: what a disk takes is not measured.
# A minute; nothing else should run meanwhile.
#
#   tools/bench/load_weights.sh [ROUNDS [MIB]]      5 rounds of 1024 MiB
#
# "read" is reading the file into memory that holds it all, which whoever wants its tensors must do at least. "skim" is reading it into
# one buffer, over and over: the speed of the page cache alone. Ratios are to "read". Exits with 1 if a ratio or the memory is above the
# limits that the project sets itself: safetensors 1.2, zip with its checksums 2.5, memory of the tensors and 10 %.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${1:-5}
mib=${2:-1024}
program=${LOAD_WEIGHTS_BENCHMARK:-build/release/bin/load_weights_benchmark}
python=.venv/bin/python

[ -x "$program" ] || { echo "$program is not built: scripts/build.sh release" >&2; exit 1; }
[ -x "$python" ] || { echo "$python is missing: scripts/setup.sh" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# As a large CLIP has: some hundred matrices, and a bias for each.
"$python" -B - "$folder" "$mib" <<'PYTHON'
import sys
import torch
from safetensors.torch import save_file

folder, mib = sys.argv[1], int(sys.argv[2])
tensors = {}
for block in range(mib // 8):
    tensors[f"blocks.{block}.weight"] = torch.rand(2048, 1024)
    tensors[f"blocks.{block}.bias"] = torch.rand(1024)
save_file(tensors, f"{folder}/weights.safetensors")
torch.save(tensors, f"{folder}/weights.pt")
PYTHON

measure() {
  printf '%s\t' "$2" >>"$folder/results"
  "$program" "$1" "$folder/$2" >>"$folder/results"
}

for round in $(seq "$rounds"); do
  [ ! -t 2 ] || printf '\rround %d of %d' "$round" "$rounds" >&2
  for file in weights.safetensors weights.pt; do
    for what in skim keep load; do measure "$what" "$file"; done
  done
done
[ ! -t 2 ] || printf '\r%40s\r' '' >&2

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc --all) cores, $(awk '/^MemTotal/ {printf "%.0f GB", $2 / 1e6}' /proc/meminfo)"
"$python" - "$folder/results" <<'PYTHON'
import json, sys
from statistics import median

LIMITS = {"weights.safetensors": 1.2, "weights.pt": 2.5}
runs = {}  # (file, what) -> results in the order of the rounds
for line in open(sys.argv[1]):
    file, result = line.split("\t")
    result = json.loads(result)
    runs.setdefault((file, result["what"]), []).append(result)


def seconds(file, what):
    return median(result["seconds"] for result in runs[file, what])


rows = [("", "MiB", "skim [s]", "read [s]", "load [s]", "ratio", "limit", "memory / tensors", "limit")]
fine = True
for file, limit in LIMITS.items():
    loads = runs[file, "load"]
    ratio = seconds(file, "load") / seconds(file, "keep")
    memory = max(result["memory_added"] / result["bytes"] for result in loads)
    fine = fine and ratio <= limit and memory <= 1.1
    rows.append((file, f"{loads[0]['bytes'] / 2**20:.0f}", f"{seconds(file, 'skim'):.3f}", f"{seconds(file, 'keep'):.3f}",
                 f"{seconds(file, 'load'):.3f}", f"{ratio:.2f}", f"{limit:.1f}", f"{memory:.3f}", "1.1"))
widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
for row in rows:
    print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
print(f"Medians of {len(loads)} rounds; memory: the highest peak of the process above what it held before.")
sys.exit(not fine)
PYTHON
