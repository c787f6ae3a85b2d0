#!/usr/bin/env bash
# Trains on several machines under SLURM: one task a GPU. Any experiment; the default is Kinetics-400, ViT-B/16, 8 frames, on 8 GPUs
# (2 machines of 4), with the published global batch of 256.
#
#   sbatch scripts/slurm_train.sh [CONFIG [key=value ...]]
#   sbatch --nodes=1 --ntasks-per-node=8 --gpus-per-node=8 scripts/slurm_train.sh configs/kinetics400/vit_b32_8f.yaml
#
# The run's folder is runs/NAME of the configuration. SLURM sends SIGUSR1 two minutes before the time is up: the run saves, ends
# with 75, and is queued again, to go on where it stopped.
#SBATCH --job-name=actionclip
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --signal=USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -uo pipefail
cd "${SLURM_SUBMIT_DIR:-$(dirname "$0")/..}" || exit 1
config=${1:-configs/kinetics400/vit_b16_8f.yaml}
output=runs/$(basename "$(dirname "$config")")_$(basename "$config" .yaml)

# Since SLURM 22.05 srun does not take over sbatch's --cpus-per-task: a task's decoding threads would share one core.
srun --kill-on-bad-exit=0 ${SLURM_CPUS_PER_TASK:+--cpus-per-task="$SLURM_CPUS_PER_TASK"} \
  build/release/bin/actionclip train --config "$config" --output "$output" --resume=auto "${@:2}"
code=$?
if [ "$code" -eq 75 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
