#!/usr/bin/env bash
# Step time and peak memory of train_step_benchmark and of the same step written in Python (train_step.py), side by side: fp32 and
# bf16, whole processes in turns, so that slow spells of the machine meet both. Minutes; nothing else should run meanwhile.
#
#   tools/bench/compare_steps.sh [ROUNDS [STEPS [OPTIONS...]]]      OPTIONS go to both programs
#   tools/bench/compare_steps.sh 5 3 --arch ViT-B/32 --videos 4 --frames 8
#
# actionclip runs twice a round: with texts as long as label sentences are, behind whose end it does not compute, and with
# texts that fill all 77 tokens. The Python step always computes 77.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${1:-5}
steps=${2:-3}
options=("${@:3}")
program=${TRAIN_STEP_BENCHMARK:-build/release/bin/train_step_benchmark}
python=.venv/bin/python

[ -x "$program" ] || { echo "$program is not built: scripts/build.sh release" >&2; exit 1; }
[ -x "$python" ] || { echo "$python is missing: scripts/setup.sh" >&2; exit 1; }
results=$(mktemp)
trap 'rm -f "$results"' EXIT

# measure ROUND PRECISION TEXTS COMMAND...: appends the command's JSON to the results.
measure() {
  [ ! -t 2 ] || printf '\rround %d of %d: %s, %-26s' "$1" "$rounds" "$2" "$3" >&2
  printf '%s\t%s\t%s\t' "$1" "$2" "$3" >>"$results"
  "${@:4}" --precision "$2" --steps "$steps" "${options[@]}" >>"$results"
}

for round in $(seq "$rounds"); do
  for precision in fp32 bf16; do
    measure "$round" "$precision" "8-14 tokens" "$program"
    measure "$round" "$precision" "Python" "$python" -B tools/bench/train_step.py
    measure "$round" "$precision" "77 tokens" "$program" --text-length 77
  done
done
[ ! -t 2 ] || printf '\r%60s\r' '' >&2

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc --all) cores, $(awk '/^MemTotal/ {printf "%.0f GB", $2 / 1e6}' /proc/meminfo)"
"$python" - "$results" <<'PYTHON'
import json, sys
from statistics import median

runs = {}  # (precision, texts) -> results in the order of the rounds
for line in open(sys.argv[1]):
    _, precision, texts, result = line.split("\t")
    runs.setdefault((precision, texts), []).append(json.loads(result))

ours, theirs = runs["fp32", "8-14 tokens"], runs["fp32", "Python"]
one = ours[0]
for name in ("torch", "device", "threads"):
    values = sorted({str(result[name]).split("+")[0] for results in runs.values() for result in results})
    print(f"{name}: {' and '.join(values)}")
print(f"step: {one['arch']}, {one['videos']} videos x {one['frames']} frames; {len(ours)} rounds of 1 + {one['steps']} steps a program")
on_gpu = one["device"] != "cpu"
memory_key = "device_memory_peak" if on_gpu else "memory_added"


def seconds(results):
    return f"{median(r['seconds'] for r in results):.3f}"


def memory(results):
    return f"{median(r[memory_key] for r in results) / 1e9:.2f}"


rows = [("", "", "step time [s]", "", "", "ratio, range", "peak memory [GB]", "", ""),
        ("precision", "texts", "actionclip", "Python", "ratio", "over rounds", "actionclip", "Python", "ratio")]
for precision in ("fp32", "bf16"):
    python = runs[precision, "Python"]
    for texts in ("8-14 tokens", "77 tokens"):
        results = runs[precision, texts]
        ratios = [a["seconds"] / b["seconds"] for a, b in zip(results, python)]
        memories = [a[memory_key] / b[memory_key] for a, b in zip(results, python)]
        rows.append((precision, texts, seconds(results), seconds(python), f"{median(ratios):.2f}", f"{min(ratios):.2f}-{max(ratios):.2f}",
                     memory(results), memory(python), f"{median(memories):.2f}"))
widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
print()
for row in rows:
    print("  ".join(cell.ljust(width) if i < 2 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
print()
print("Medians over the rounds of each process's median step. " + ("Memory: the peak of what is allocated on the device."
      if on_gpu else "Memory: the process's resident peak less what it held once its libraries were loaded."))
PYTHON
