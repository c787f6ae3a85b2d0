#!/usr/bin/env bash
# Trains on several machines with torchrun as the launcher (out of .venv; the program itself needs no Python). Run it on each machine:
#
#   scripts/torchrun_train.sh NODES NODE_RANK MASTER_ADDR GPUS_A_NODE CONFIG OUTPUT [key=value ...]
#   scripts/torchrun_train.sh 2 0 node01 4 configs/kinetics400/vit_b16_8f.yaml runs/k400    # on node01
#   scripts/torchrun_train.sh 2 1 node01 4 configs/kinetics400/vit_b16_8f.yaml runs/k400    # on node02
#
# SIGTERM or SIGINT to torchrun stops the run at the end of a step, saved; torchrun itself then ends with 1, not with the ranks' 75.
# On one machine `actionclip train --nproc N` does the same without torchrun.
set -euo pipefail
if [ $# -lt 6 ]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
cd "$(dirname "$0")/.."
exec .venv/bin/torchrun --no-python --nnodes "$1" --node-rank "$2" --master-addr "$3" --master-port 29500 --nproc-per-node "$4" \
  build/release/bin/actionclip train --config "$5" --output "$6" --resume=auto "${@:7}"
