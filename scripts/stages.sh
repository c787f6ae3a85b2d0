# Functions that scripts/demo.sh and scripts/ablate.sh share; to be sourced in the repository root. They read:
#   runs  folder of the runs     data  folder of the synthetic data     program  the built actionclip
# shellcheck shell=bash

# Where another process takes a core, OpenMP threads that spin while they wait for each other crawl: let them sleep early.
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-5000}

say() { printf '\n=== %s\n' "$*"; }

# stage NAME RUN START OVERRIDES...: trains configs/synthetic/NAME.yaml into $runs/RUN, from the weights of the run START (none: -),
# unless that is finished there; goes on where it was stopped. A run of other settings, data or start weights is made anew.
stage() {
  local config=configs/synthetic/$1.yaml output=$runs/$2 start=$runs/$3/checkpoints/last key
  shift 3
  key=$({
    "$program" inspect config "$config" "$@"
    cat "$data/settings.json"
    [ ! -f "$start/manifest.json" ] || cat "$start/manifest.json"
  } | sha256sum)
  if [ -d "$output" ] && [ "$key" != "$(cat "$output/demo_key" 2>/dev/null)" ]; then
    echo "$output: made with other settings, data or weights, so it is made anew"
    rm -r "$output"
  fi
  if [ -f "$output/finished" ]; then
    echo "$output: finished before, re-used"
    return
  fi
  mkdir -p "$output"
  echo "$key" > "$output/demo_key"
  "$program" train --config "$config" --output "$output" --resume=auto "$@"
  touch "$output/finished"
}

# field KEY < JSON
field() { python3 -c "import json, sys; value = json.load(sys.stdin)
for key in sys.argv[1].split('.'): value = value[key]
print(f'{value:.1f}')" "$1"; }
