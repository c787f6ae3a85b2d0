#!/usr/bin/env bash
# The whole method on two CPU cores, from nothing: set up, build, render synthetic videos, pre-train, prompt, fine-tune, evaluate, classify
# sentences that no stage has seen, learn new classes from a few clips. What is finished is re-used by a second run.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=runs/demo
data=data/synthetic
program=build/release/bin/actionclip
templates=configs/prompts/label_only.yaml
. scripts/stages.sh

evaluate() { # RUN [OVERRIDES...] > JSON
  local run=$1
  shift
  "$program" evaluate --json --log-level warn --config configs/synthetic/finetune.yaml --weights "$runs/$run/checkpoints/last" "$@"
}

say "set-up and build"
scripts/setup.sh
scripts/build.sh release

say "synthetic data: short clips of coloured shapes in motion (H.264) and captioned stills"
"$program" dataset synthesize --output "$data"

say "stage 1: image-text pre-training on stills, from random weights"
stage pretrain pretrain -
say "stage 2: prompt (towers frozen, the Transf head learns)"
stage prompt prompt pretrain
say "stage 3: fine-tuning, Transf head"
stage finetune finetune prompt
say "stage 3 again with the meanP head, which cannot see the order of frames"
stage finetune finetune_meanP pretrain model.fusion=meanP "model.weights=$runs/pretrain/checkpoints/last" train.schedule.stop_epoch=8

say "evaluation on held-out test videos"
transf=$(evaluate finetune)
label_only=$(evaluate finetune "text.templates=$templates")
mean=$(evaluate finetune_meanP)

say "zero-shot: 40 sentences that no stage has seen, only these as candidates"
zero_shot=$("$program" zero-shot --json --log-level warn --config configs/synthetic/finetune.yaml --weights "$runs/finetune/checkpoints/last" \
  --labels "$data/zero_shot_labels.csv" --list "$data/zero_shot.txt")

say "few-shot: 10 classes that no stage has seen, 3 seeds"
scripts/few_shot.sh configs/synthetic/few_shot.yaml "$runs/few_shot" 1,2,4,8 1,2,3

say "predict: one video"
"$program" predict --weights "$runs/finetune/checkpoints/last" "$data/videos/test/00000.mp4"
awk 'NR == 1 {print "its label: " $2}' "$data/test.txt" | while read -r _ _ id; do
  awk -F, -v id="$id" '$1 == id {print "  true label: " $2}' "$data/labels.csv"
done

say "summary: SYNTHETIC data, small model, weights trained here from nothing"
row() { printf '  %-58s %8s\n' "$1" "$2"; }
row "" "Transf"
row "test top-1 over 152 sentences, 16 templates (%)" "$(field top1 <<<"$transf")"
row "test top-1 over 152 sentences, label text only (%)" "$(field top1 <<<"$label_only")"
row "motion of the top sentence (%)" "$(field groups.motion <<<"$transf")"
row "time pairs: a sentence against its reversal (%)" "$(field pairs <<<"$transf")"
row "  the same with meanP, which sees no order (50 = chance)" "$(field pairs <<<"$mean")"
row "zero-shot top-1 over 40 unseen sentences (%)" "$(field top1_mean <<<"$zero_shot")"
row "  chance" "$(field chance_top1 <<<"$zero_shot")"
python3 - "$runs/few_shot/few_shot.json" <<'PYTHON'
import json, sys
for row in json.load(open(sys.argv[1]))["rows"]:
    name = f"few-shot top-1, {row['shots']} clip(s) a class, 3 seeds (%)"
    print(f"  {name:<58} {row['mean']:8.1f} ± {row['std']:.1f}")
PYTHON
cat <<'EOF'

These figures say that the program learns; they say nothing about real videos. For Kinetics-400 with CLIP's weights: put OpenAI's
ViT-B-16.pt into weights/, train.txt, val.txt and labels.csv into data/kinetics400/, the videos into data/kinetics400/videos/, then
  build/release/bin/actionclip train --config configs/kinetics400/vit_b16_8f.yaml --output runs/k400
EOF
