#!/usr/bin/env bash
# Zero-shot on UCF101, HMDB51 and Kinetics-600's 3 x 160 unseen classes: mean and standard deviation over the splits, each list checked
# against its protocol, accuracy with and without the labels that the model was trained on.
#
#   scripts/zero_shot.sh CONFIG WEIGHTS [OUTPUT [OVERRIDES...]]
#   scripts/zero_shot.sh configs/kinetics400/vit_b16_8f.yaml runs/k400/checkpoints/best runs/zero_shot eval.clips=4 eval.crops=3
#
# From the environment:
#   BENCHMARKS      ucf101 hmdb51 kinetics600 (those of which no list is there are left out)
#   DATA            data: below it NAME/labels.csv, NAME/test_split1.txt to test_split3.txt and NAME/videos, as `dataset prepare` makes
#                   them; of kinetics600 unseen_split1.txt to 3 and unseen_labels1.csv to 3,
#                   which are lists of other authors that you put there
#   K600_PROTOCOL   kinetics600_unseen_val, or kinetics600_unseen_val_test where the lists hold the test set's videos too
#   TRAINED_LABELS  label file of what the model was trained on, where its weights do not name the labels
set -euo pipefail
cd "$(dirname "$0")/.."
usage="usage: scripts/zero_shot.sh CONFIG WEIGHTS [OUTPUT [OVERRIDES...]]"
config=${1:?$usage}
weights=${2:?$usage}
output=${3:-runs/zero_shot}
data=${DATA:-data}
options=()
[ -z "${TRAINED_LABELS:-}" ] || options+=(--trained-labels "$TRAINED_LABELS")

# zero_shot NAME OPTIONS... OVERRIDES...: scores into $output/NAME
zero_shot() {
  local name=$1
  shift
  printf '\n=== %s\n' "$name"
  build/release/bin/actionclip zero-shot --log-level warn --config "$config" --weights "$weights" --root "$data/$name/videos" \
    --output "$output/$name" "${options[@]}" "$@"
  scored=$((scored + 1))
}

scored=0
for name in ${BENCHMARKS:-ucf101 hmdb51 kinetics600}; do
  splits=()
  case $name in
    ucf101 | hmdb51)
      for i in 1 2 3; do
        list=$data/$name/test_split$i.txt
        [ ! -f "$list" ] || splits+=(--list "$list" --protocol "$name:test$i")
      done
      [ ${#splits[@]} -eq 0 ] || splits+=(--labels "$data/$name/labels.csv")
      ;;
    kinetics600)
      for i in 1 2 3; do
        list=$data/$name/unseen_split$i.txt
        [ ! -f "$list" ] ||
          splits+=(--list "$list" --labels "$data/$name/unseen_labels$i.csv" --protocol "${K600_PROTOCOL:-kinetics600_unseen_val}:split$i")
      done
      ;;
    *)
      echo "scripts/zero_shot.sh: BENCHMARKS: $name is none of ucf101, hmdb51, kinetics600" >&2
      exit 2
      ;;
  esac
  if [ ${#splits[@]} -eq 0 ]; then
    echo "$name: no lists in $data/$name, left out" >&2
    continue
  fi
  zero_shot "$name" "${splits[@]}" "${@:4}"
done
if [ "$scored" -eq 0 ]; then
  echo "scripts/zero_shot.sh: there was nothing to score below $data" >&2
  exit 1
fi
