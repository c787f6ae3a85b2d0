#!/usr/bin/env bash
# Checks actionclip on a machine with a GPU that has torch alone: no network, no compiler, no FFmpeg.
#
#   scripts/gpu_check.sh pack [DIR]    here: builds the tests and the benchmarks of a step and of normalising frames for torch 2.11 (CUDA
#                                      13) and puts them, and the libraries that they need beside torch's, into DIR (default
#                                      build/gpu_check); no GPU is needed, but the CUDA toolkit with nvcc
#   DIR/gpu_check.sh run [--videos N] [--rounds N] [DIR]
#                                      there, DIR being copied: runs the tests, times the normalising of frames beside libtorch's operations,
#                                      then training steps of ViT-B/32 and ViT-B/16 beside the same step in that machine's Python, N
#                                      videos a step (default 32), N rounds (default 3).
#                                      Here: scripts/gpu_check.sh run
#
# run exits with 1 if a test or a benchmark fails or there is no GPU.
#
# Environment:
#   ACTIONCLIP_TORCH_DIR   pack: a folder .../site-packages/torch to build with, instead of installing torch into .venv-torch2.11
#   PYTHON                 run: the Python that has torch (default python3). Its torch and CUDA must be of the versions packed for.
set -euo pipefail

readonly torch_pin=2.11.0
readonly programs=(actionclip_gpu_tests train_step_benchmark normalize_benchmark)
readonly size_limit=60  # MB
readonly frames=8 steps=10
script=$(realpath "$0")
root=$(dirname "$(dirname "$script")")

say() { printf '[gpu_check] %s\n' "$*"; }
die() { printf '[gpu_check] error: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$script"; }

# ---- pack ----

# Prints the torch folder to build with; installs the pinned one if none is named.
torch_to_build_with() {
  if [ -z "${ACTIONCLIP_TORCH_DIR:-}" ]; then
    local venv=$root/.venv-torch2.11
    if ! compgen -G "$venv/lib/python3*/site-packages/torch/version.py" >/dev/null; then
      say "installing torch $torch_pin into $venv (5 GB; minutes)" >&2
      /usr/bin/python3 -m venv "$venv"
      "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "torch==$torch_pin" >&2
    fi
    compgen -G "$venv/lib/python3*/site-packages/torch"
    return
  fi
  case $ACTIONCLIP_TORCH_DIR in /*) ;; *) die "ACTIONCLIP_TORCH_DIR=$ACTIONCLIP_TORCH_DIR: give the whole path, from / on" ;; esac
  [ -f "$ACTIONCLIP_TORCH_DIR/version.py" ] || die "ACTIONCLIP_TORCH_DIR=$ACTIONCLIP_TORCH_DIR holds no torch"
  echo "$ACTIONCLIP_TORCH_DIR"
}

# The libraries that PROGRAM is loaded with, "NAME PATH" each, without those beside torch (in SITE) and those of glibc.
libraries_to_carry() {
  local program=$1 site=$2 name path
  if ldd "$program" | grep 'not found' >&2; then die "$program: the libraries above were not found here"; fi
  ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// {print $1, $3}' | while read -r name path; do
    case $(realpath "$path") in "$site"/*) continue ;; esac
    case $name in
      ld-linux*.so.* | libc.so.* | libm.so.* | libmvec.so.* | libdl.so.* | libpthread.so.* | librt.so.* | libutil.so.* | libresolv.so.*) ;;
      *) echo "$name $path" ;;
    esac
  done
}

# "torch 2.11, CUDA 13": what a machine must have to run what was built with the torch in the folder.
versions_of() {
  local version cuda
  version=$(sed -nE "s/^__version__ = '([0-9]+\.[0-9]+).*/\1/p" "$1/version.py")
  cuda=$(sed -nE "s/^cuda: .*= '([0-9]+).*/\1/p" "$1/version.py")
  [ -n "$cuda" ] || die "$1: this torch has no CUDA"
  echo "torch $version, CUDA $cuda"
}

pack() {
  local folder=$1 torch site program name path size versions
  if [ -e "$folder" ] && [ ! -f "$folder/built_for" ]; then die "$folder is there and was not made by this script: name another folder"; fi
  torch=$(torch_to_build_with)
  versions=$(versions_of "$torch")
  site=$(realpath "$torch/..")
  say "building for $versions"
  ACTIONCLIP_TORCH_DIR=$torch "$root/scripts/build.sh" gpu
  rm -rf "$folder"
  mkdir -p "$folder/lib"
  echo "$versions" >"$folder/built_for"
  for program in "${programs[@]}"; do
    libraries_to_carry "$root/build/gpu/bin/$program" "$site" | while read -r name path; do
      [ -e "$folder/lib/$name" ] || strip --strip-unneeded -o "$folder/lib/$name" "$(realpath "$path")"
    done
    strip -o "$folder/$program" "$root/build/gpu/bin/$program"
  done
  cp "$root/tools/bench/train_step.py" "$script" "$folder"
  size=$(du -sm "$folder" | cut -f1)
  [ "$size" -lt "$size_limit" ] || die "$folder has $size MB: more than the $size_limit that it may have"
  say "$folder: $size MB. On a machine with a GPU and $versions: $(basename "$folder")/gpu_check.sh run"
}

# ---- run ----

# Sets python, gpu (its name) and library_path; ends the check where it cannot run.
find_torch_and_gpu() {
  local folder=$1 facts versions torch wanted
  python=${PYTHON:-python3}
  if ! facts=$("$python" -c '
import os, torch
print("torch " + ".".join(torch.__version__.split(".")[:2]) + ", CUDA " + str(torch.version.cuda).split(".")[0])
print(os.path.dirname(os.path.realpath(torch.__file__)))
print(torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none")' 2>&1); then
    command -v nvidia-smi >/dev/null || die "no GPU on this machine (and $python has no torch); nothing was run"
    die "$python cannot import torch; set PYTHON to the Python that has it: $(tail -1 <<<"$facts")"
  fi
  { read -r versions; read -r torch; read -r gpu; } < <(tail -3 <<<"$facts")
  [ "$gpu" != none ] || die "no GPU on this machine that the torch of $python can use; nothing was run"
  [ -f "$folder/built_for" ] || die "$folder holds no check: make it with scripts/gpu_check.sh pack"
  wanted=$(cat "$folder/built_for")
  [ "$versions" = "$wanted" ] || die "$folder was built for $wanted, and $python has $versions: pack it again with that version (ACTIONCLIP_TORCH_DIR)"
  library_path=$torch/lib
  local part
  for part in "$torch"/../nvidia/*/lib; do
    if [ -d "$part" ]; then library_path+=:$part; fi
  done
  library_path+=:$folder/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# The bytes of a step's frames made into what the model reads.
benchmark_normalizing() {
  local folder=$1 result
  say "normalising $((videos * frames)) frames of 224 x 224"
  if ! result=$(LD_LIBRARY_PATH=$library_path "$folder/normalize_benchmark" --device cuda:0 --frames $((videos * frames))); then
    printf '[gpu_check] error: normalize_benchmark failed (above)\n' >&2
    failed=1
    return
  fi
  "$python" - "$result" <<'PYTHON'
import json, sys

rows = [("type", "crops", "GB/s", "GB/s of libtorch's operations", "time beside theirs")]
for r in json.loads(sys.argv[1])["results"]:
    rows.append((r["type"], "mirrored" if r["crops"] else "none", f"{r['gigabytes_per_second']:.0f}",
                 f"{r['gigabytes_per_second_of_operations']:.0f}", f"{r['seconds'] / r['seconds_of_operations']:.2f}"))
widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
print()
for row in rows:
    print("  ".join(cell.ljust(width) if i < 2 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))))
print("\nGB/s: the bytes of a pixel read once and written once, in its type; medians over rounds of 20 calls.\n")
PYTHON
}

# measure ARCH PRECISION PROGRAM COMMAND...: appends the command's JSON to $results; null if it failed, which is told.
measure() {
  local result
  [ ! -t 2 ] || printf '\r[gpu_check] %s, %s, %-12s' "$1" "$2" "$3" >&2
  if ! result=$("${@:4}" --arch "$1" --precision "$2" --device cuda:0 --steps "$steps" --frames "$frames" --videos "$videos"); then
    printf '[gpu_check] error: %s, %s, %s failed (above)\n' "$1" "$2" "$3" >&2
    result=null
    failed=1
  fi
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$result" >>"$results"
}

benchmark() {
  local folder=$1 arch precision
  results=$(mktemp)
  trap 'rm -f "$results"' EXIT
  say "training steps, $rounds rounds of whole processes in turns"
  for _ in $(seq "$rounds"); do
    for arch in ViT-B/32 ViT-B/16; do
      for precision in bf16 fp32; do
        measure "$arch" "$precision" actionclip env LD_LIBRARY_PATH="$library_path" "$folder/train_step_benchmark" --measure-peak
        measure "$arch" "$precision" Python "$python" -B "$folder/train_step.py"
      done
    done
  done
  [ ! -t 2 ] || printf '\r%60s\r' '' >&2
  print_table
}

print_table() {
  printf '\n%s; %s videos x %s frames a step, medians over %s processes of %s steps each\n\n' \
    "$gpu" "$videos" "$frames" "$rounds" "$steps"
  "$python" - "$results" <<'PYTHON'
import json, sys
from statistics import median

runs, peaks = {}, {}  # (arch, precision, program) -> results, in the order of the rounds; precision -> TFLOP/s
for line in open(sys.argv[1]):
    arch, precision, program, text = line.split("\t")
    result = json.loads(text)
    runs.setdefault((arch, precision, program), []).append(result)
    if result and "peak_tflops" in result:
        peaks[precision] = max(peaks.get(precision, 0), result["peak_tflops"])

rows = [("", "", "", "step", "", "peak memory", "", "share of", "time beside"),
        ("model", "type", "program", "[ms]", "videos/s", "[GB]", "TFLOP/s", "peak", "Python's")]
for (arch, precision, program), results in runs.items():
    if None in results:
        rows.append((arch, precision, program, "failed", "", "", "", "", ""))
        continue
    seconds = median(r["seconds"] for r in results)
    tflops = median(r["tflops"] for r in results)
    python = runs[arch, precision, "Python"]
    ratio = "" if program == "Python" or None in python else f"{median(a['seconds'] / b['seconds'] for a, b in zip(results, python)):.2f}"
    share = f"{100 * tflops / peaks[precision]:.0f} %" if precision in peaks else ""
    rows.append((arch, precision, program, f"{1000 * seconds:.1f}", f"{results[0]['videos'] / seconds:.1f}",
                 f"{median(r['device_memory_peak'] for r in results) / 1e9:.2f}", f"{tflops:.1f}", share, ratio))
widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
for row in rows:
    print("  ".join(cell.ljust(width) if i < 3 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
print()
print("peak: products of 8192 x 8192 matrices, " + ", ".join(f"{p} {value:.0f} TFLOP/s" for p, value in peaks.items()))
print("Each program's own operations are counted. actionclip copies its clips to the GPU as bytes in every step and computes texts to their end;")
print("Python's clips lie there as floats, and it computes all 77 tokens. Peak memory: of what is allocated on the GPU.")
PYTHON
}

run() {
  local folder=$1
  failed=0
  find_torch_and_gpu "$folder"
  say "$gpu, $(cat "$folder/built_for")"
  say "tests"
  ACTIONCLIP_REQUIRE_GPU=1 LD_LIBRARY_PATH=$library_path "$folder/actionclip_gpu_tests" || failed=1
  benchmark_normalizing "$folder"
  benchmark "$folder"
  if [ "$failed" -ne 0 ]; then die "failed (above)"; fi
  say "passed"
}

mode=${1:-}
[ $# -eq 0 ] || shift
videos=32 rounds=3 folder=
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) mode=--help ;;
    --videos | --rounds)
      [ "$mode" = run ] || { printf '[gpu_check] error: %s is an option of run\n' "$1" >&2; exit 2; }
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { printf '[gpu_check] error: %s needs a number from 1 on\n' "$1" >&2; exit 2; }
      if [ "$1" = --videos ]; then videos=$2; else rounds=$2; fi
      shift
      ;;
    -*) printf '[gpu_check] error: unknown option %s (see --help)\n' "$1" >&2; exit 2 ;;
    *) folder=$1 ;;
  esac
  shift
done
if [ -z "$folder" ]; then
  # The packed script lies among what it runs.
  if [ -f "$(dirname "$script")/built_for" ]; then folder=$(dirname "$script"); else folder=$root/build/gpu_check; fi
fi

case $mode in
  pack) pack "$(realpath -m "$folder")" ;;
  run) run "$(realpath -m "$folder")" ;;
  --help | -h | help) usage ;;
  *) usage >&2; exit 2 ;;
esac
