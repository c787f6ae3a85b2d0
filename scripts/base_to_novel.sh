#!/usr/bin/env bash
# Base-to-novel: K clips of each base class x seeds, top-1 on base and on novel classes and their harmonic mean; OUTPUT gets
# base_to_novel.json and base_to_novel.svg.
#
#   scripts/base_to_novel.sh CONFIG [OUTPUT [SHOTS [SEEDS [OPTIONS AND OVERRIDES...]]]]
#   scripts/base_to_novel.sh configs/synthetic/few_shot.yaml runs/base_to_novel 8 1,2,3
#
# The first half of the classes is the base, unless label files say otherwise:
#   scripts/base_to_novel.sh CONFIG OUTPUT 16 1,2,3 --base-labels base.txt --novel-labels novel.txt
set -euo pipefail
cd "$(dirname "$0")/.."
config=${1:?usage: scripts/base_to_novel.sh CONFIG [OUTPUT [SHOTS [SEEDS [OPTIONS AND OVERRIDES...]]]]}
output=${2:-runs/base_to_novel/$(basename "$config" .yaml)}
shots=${3:-16}
seeds=${4:-1,2,3}
exec build/release/bin/actionclip base-to-novel --log-level warn --config "$config" --output "$output" --shots "$shots" --seeds "$seeds" "${@:5}"
