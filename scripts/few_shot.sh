#!/usr/bin/env bash
# Few-shot: K clips a class x seeds, ends in the table.
#
#   scripts/few_shot.sh CONFIG [OUTPUT [SHOTS [SEEDS [OVERRIDES...]]]]
#   scripts/few_shot.sh configs/synthetic/few_shot.yaml runs/few_shot 1,2,4,8,16 1,2,3
set -euo pipefail
cd "$(dirname "$0")/.."
config=${1:?usage: scripts/few_shot.sh CONFIG [OUTPUT [SHOTS [SEEDS [OVERRIDES...]]]]}
output=${2:-runs/few_shot/$(basename "$config" .yaml)}
shots=${3:-1,2,4,8,16}
seeds=${4:-1,2,3}
exec build/release/bin/actionclip few-shot --log-level warn --config "$config" --output "$output" --shots "$shots" --seeds "$seeds" "${@:5}"
