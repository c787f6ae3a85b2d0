#!/usr/bin/env bash
# The method's ablations on the synthetic data: fusion heads, visual prompts, prompt styles and starting points, each fine-tuned from the
# demo's pre-trained towers, in tables of the paper's shape. Run scripts/demo.sh before: it sets up, builds, and makes data and towers.
# Finished runs are re-used by another call.
#
#   scripts/ablate.sh [--epochs N] [TABLE...]    tables: fusion, visual, prompt, start (default: all), N: 6
set -euo pipefail
cd "$(dirname "$0")/.."

runs=runs
data=data/synthetic
program=build/release/bin/actionclip
. scripts/stages.sh

epochs=6
if [ "${1:-}" = --epochs ]; then
  epochs=${2:?--epochs needs a number}
  shift 2
fi
tables=("$@")
[ ${#tables[@]} -gt 0 ] || tables=(fusion visual prompt start)
towers=$runs/demo/pretrain/checkpoints/last
[ -e "$towers" ] || { echo "$towers: not there; run scripts/demo.sh first" >&2; exit 1; }

# row NAME RUN EVALUATION-OVERRIDES -- TRAINING-OVERRIDES...: trains runs/ablation/RUN and prints its line of the table.
row() {
  local name=$1 run=ablation/$2 scoring=() scores zero_shot
  shift 2
  while [ "$1" != -- ]; do
    scoring+=("$1")
    shift
  done
  shift
  stage finetune "$run" demo/pretrain "model.weights=$towers" "train.epochs=$epochs" train.schedule.stop_epoch=0 eval.every_epochs=0 \
    "${scoring[@]}" "$@" >&2
  scores=$(evaluate "$run" "${scoring[@]}")
  zero_shot=$("$program" zero-shot --json --log-level warn --config configs/synthetic/finetune.yaml --weights "$runs/$run/checkpoints/last" \
    --labels "$data/zero_shot_labels.csv" --list "$data/zero_shot.txt" "${scoring[@]}")
  printf '  %-34s %8s %8s %8s %10s\n' "$name" "$(field top1 <<<"$scores")" "$(field groups.motion <<<"$scores")" \
    "$(field pairs <<<"$scores")" "$(field top1_mean <<<"$zero_shot")"
}

heading() { printf '\n  %-34s %8s %8s %8s %10s\n' "$1" top-1 motion pairs zero-shot; }

table_fusion() {
  heading "fusion head"
  local fusion
  for fusion in meanP Conv_1D LSTM Transf Transf_cls; do row "$fusion" "fusion_$fusion" -- "model.fusion=$fusion"; done
}

table_visual() {
  heading "visual prompt (meanP behind it)"
  row "none" fusion_meanP -- model.fusion=meanP
  row "joint space-time (pre-network)" visual_joint -- model.fusion=meanP model.joint=true
  row "temporal shift (in-network)" visual_shift -- model.fusion=meanP model.temporal_shift=true
  row "Transf (post-network)" fusion_Transf -- model.fusion=Transf
}

table_prompt() {
  heading "textual prompt (Transf)"
  row "label only" prompt_label text.templates=configs/prompts/label_only.yaml --
  local style
  for style in prefix cloze suffix; do row "$style" "prompt_$style" "text.template_style=$style" --; done
  row "all 16 templates" fusion_Transf -- model.fusion=Transf
}

table_start() {
  heading "start of image / text encoder (Transf)"
  row "pre-trained / pre-trained" fusion_Transf -- model.fusion=Transf
  row "pre-trained / random" start_image -- model.init.text=random
  row "random / pre-trained" start_text -- model.init.image=random
  row "random / random" start_random -- model.init.image=random model.init.text=random model.weights=
}

say "ablations: SYNTHETIC data, small model, $epochs epochs; percent, one seed"
for table in "${tables[@]}"; do
  declare -F "table_$table" >/dev/null || { echo "no table '$table': fusion, visual, prompt, start" >&2; exit 2; }
  "table_$table"
done
cat <<'EOF'

  top-1: 152 sentences of the test videos; motion: of the top sentence; pairs: a sentence against its reversal in time (50 = chance);
  zero-shot: top-1 over 40 sentences that no stage has seen (chance 2.5).
EOF
