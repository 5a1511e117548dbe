#!/bin/bash
#SBATCH --job-name=autotelic
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=12:00:00
#SBATCH --output=autotelic-%j.log
#SBATCH --signal=B:INT@300
# A Ray cluster over the nodes of one job, with the loop on the first:
#   sbatch deploy/slurm.sh charter.toml runs/first
# The folder of the run must be on a file system that outlives the job. A job that ends early is resumed by the same
# command: a run that is there is gone on with. Five minutes before its end the job interrupts the run, which saves.
set -euo pipefail

charter=${1:?give a charter}
out=${2:?give a run folder}
port=${RAY_PORT:-6379}
cpus=${SLURM_CPUS_PER_TASK:-16}

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
address=$(srun --nodes=1 --ntasks=1 -w "$head" hostname --ip-address | awk '{print $1}')

export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_TOKEN
export RAY_USAGE_STATS_ENABLED=0
export RAY_worker_niceness=0

srun --nodes=1 --ntasks=1 --overlap -w "$head" \
  ray start --head --node-ip-address="$address" --port="$port" --num-cpus="$cpus" --include-dashboard=false --block &
sleep 20
for node in "${nodes[@]:1}"; do
  srun --nodes=1 --ntasks=1 --overlap -w "$node" ray start --address="$address:$port" --num-cpus="$cpus" --block &
done

workers=${#nodes[@]}
machine=(--engine ray --address "$address:$port" --samplers "$workers" --judges "$workers" --threads "$workers")
if [ -e "$out/charter.json" ]; then
  srun --nodes=1 --ntasks=1 --overlap -w "$head" autotelic resume "$out" "${machine[@]}" &
else
  srun --nodes=1 --ntasks=1 --overlap -w "$head" autotelic run "$charter" --out "$out" "${machine[@]}" &
fi
run=$!
trap 'kill -INT "$run"' INT
wait "$run"
