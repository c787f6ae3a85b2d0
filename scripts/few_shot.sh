#!/usr/bin/env bash
# Few-shot: K clips a class x seeds, ends in the table; OUTPUT gets few_shot.json and the curve few_shot.svg.
#
#   scripts/few_shot.sh CONFIG [OUTPUT [SHOTS [SEEDS [OPTIONS AND OVERRIDES...]]]]
#   scripts/few_shot.sh configs/synthetic/few_shot.yaml runs/few_shot 1,2,4,8,16 1,2,3
#
# From a fine-tuned checkpoint, with a dev part of 4 clips a class that picks the epoch, and checked for copies of test videos by what
# `actionclip dataset verify --list train.txt --against test.txt --output checked` found out:
#   scripts/few_shot.sh CONFIG OUTPUT 1,2,4,8,16 1,2,3 --weights runs/k400/checkpoints/best --dev 4 --manifest checked/manifest.csv
set -euo pipefail
cd "$(dirname "$0")/.."
config=${1:?usage: scripts/few_shot.sh CONFIG [OUTPUT [SHOTS [SEEDS [OPTIONS AND OVERRIDES...]]]]}
output=${2:-runs/few_shot/$(basename "$config" .yaml)}
shots=${3:-1,2,4,8,16}
seeds=${4:-1,2,3}
exec build/release/bin/actionclip few-shot --log-level warn --config "$config" --output "$output" --shots "$shots" --seeds "$seeds" "${@:5}"
