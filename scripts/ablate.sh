#!/usr/bin/env bash
# The method's ablations on the synthetic data: fusion heads, visual prompts, prompts of the labels, starting points, each fine-tuned
# from the demo's pre-trained towers, and the prompt stage with a learned context against its start; in tables of the paper's shape.
# Run scripts/demo.sh before: it sets up, builds, and makes data and towers. Finished runs are re-used by another call.
#
#   scripts/ablate.sh [--epochs N] [TABLE...]    tables: fusion, visual, prompt, start, context (default: all); N of a fine-tuning: 8
#
# A fine-tuning goes at the demo's rates and stops after N epochs: what order of frames means is learnt late, and rates that fall to 0
# in so few epochs end before it.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=runs
data=data/synthetic
program=build/release/bin/actionclip
finetune=configs/synthetic/finetune.yaml
. scripts/stages.sh

epochs=8
if [ "${1:-}" = --epochs ]; then
  epochs=${2:?--epochs needs a number}
  shift 2
fi
tables=("$@")
[ ${#tables[@]} -gt 0 ] || tables=(fusion visual prompt start context)
for table in "${tables[@]}"; do
  case $table in
    fusion | visual | prompt | start | context) ;;
    *) echo "no table '$table': fusion, visual, prompt, start, context" >&2; exit 2 ;;
  esac
done
pretrained=$runs/demo/pretrain
[ -e "$pretrained/finished" ] || { echo "$pretrained: not finished; run scripts/demo.sh first" >&2; exit 1; }

heading() { printf '\n  %-42s %8s %8s %8s %10s\n' "$1" top-1 motion pairs zero-shot; }

# score NAME CONFIG RUN OVERRIDES...: the line of a run in its table.
score() {
  local name=$1 config=$2 weights=$runs/$3/checkpoints/last scores unseen top1 motion pairs zero_shot
  shift 3
  scores=$("$program" evaluate --json --log-level warn --config "$config" --weights "$weights" "$@")
  unseen=$("$program" zero-shot --json --log-level warn --config "$config" --weights "$weights" \
    --labels "$data/zero_shot_labels.csv" --list "$data/zero_shot.txt" "$@")
  top1=$(field top1 <<<"$scores")
  motion=$(field groups.motion <<<"$scores")
  pairs=$(field pairs <<<"$scores")
  zero_shot=$(field top1_mean <<<"$unseen")
  printf '  %-42s %8s %8s %8s %10s\n' "$name" "$top1" "$motion" "$pairs" "$zero_shot"
}

# row NAME RUN SHARED-OVERRIDES -- TRAINING-OVERRIDES...: fine-tunes runs/ablation/RUN-N and prints its line of the table.
row() {
  local name=$1 run=ablation/$2-$epochs shared=()
  shift 2
  while [ "$1" != -- ]; do
    shared+=("$1")
    shift
  done
  shift
  stage finetune "$run" demo/pretrain "model.weights=$pretrained/checkpoints/last" "train.schedule.stop_epoch=$epochs" \
    eval.every_epochs=0 "train.checkpoint_every=$epochs" "${shared[@]}" "$@" >&2
  score "$name" "$finetune" "$run" "${shared[@]}"
}

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
  row "prefix (11 templates)" prompt_prefix text.template_style=prefix --
  row "cloze (1 template)" prompt_cloze text.template_style=cloze --
  row "suffix (3 templates)" prompt_suffix text.template_style=suffix --
  row "all 16 templates" fusion_Transf -- model.fusion=Transf
  row "CLIP's 28 for Kinetics" prompt_clip text.templates=configs/prompts/clip_kinetics.yaml --
  row "learned context, 4 vectors" prompt_context -- model.context.length=4
}

table_start() {
  local vocabulary=$runs/ablation/texts.model
  heading "start of image / text encoder (Transf)"
  row "pre-trained / pre-trained" fusion_Transf -- model.fusion=Transf
  row "pre-trained / random" start_image -- model.init.text=random
  row "random / pre-trained" start_text -- model.init.image=random
  row "random / random" start_random -- model.init.image=random model.init.text=random model.weights=
  mkdir -p "$runs/ablation"
  # Pieces of BPE: unigram finds too few in texts of so few words, and the templates' own words would not fit the context.
  "$program" dataset tokenizer --input "$data/captions.csv" "$data/labels.csv" --type bpe --vocabulary-size 200 \
    --output "$vocabulary" >&2
  local own=(text.tokenizer=sentencepiece "text.vocabulary=$vocabulary" "text.sha256=$(sha256sum <"$vocabulary" | cut -d' ' -f1)")
  # One step at a rate of 0 leaves the start as it is.
  row "  with a vocabulary learnt here: start" start_own_vocabulary_0 "${own[@]}" -- model.init.text=random model.text.vocabulary_size=200 \
    train.max_steps=1
  row "  with a vocabulary learnt here" start_own_vocabulary "${own[@]}" -- model.init.text=random model.text.vocabulary_size=200
}

# context_row NAME STAGE RUN OVERRIDES...: a prompt stage, towers frozen.
context_row() {
  local name=$1 stage=$2 run=ablation/$3
  shift 3
  stage "$stage" "$run" demo/pretrain eval.every_epochs=0 "$@" >&2
  score "$name" "configs/synthetic/$stage.yaml" "$run"
}

table_context() {
  heading "prompt stage (towers frozen, Transf)"
  context_row "16 templates: start" prompt stage_templates_0 train.max_steps=1
  context_row "16 templates" prompt stage_templates
  context_row "learned context, 4 vectors: start" prompt_context stage_context_0 train.max_steps=1
  context_row "learned context, 4 vectors" prompt_context stage_context
}

say "ablations: SYNTHETIC data, small model, $epochs epochs of fine-tuning; percent, one seed"
for table in "${tables[@]}"; do "table_$table"; done
cat <<'EOF'

  top-1: 152 sentences of the test videos; motion: of the top sentence; pairs: a sentence against its reversal in time (50 = chance);
  zero-shot: top-1 over 40 sentences that no stage has seen (chance 2.5). One seed and 600 test videos: a standard error of up to 2 points,
  so that a difference of less than 5 says nothing.
EOF
