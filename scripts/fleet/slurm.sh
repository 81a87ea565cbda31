#!/usr/bin/env bash
# A plan as a Slurm job array, one shard a task, and a job that collects: scripts/fleet/slurm.sh PLAN [options of sbatch]
# The folder must be one that all nodes see. FARTHING names the binary there; rows come to $FARTHING_SHARDS.
set -euo pipefail
farthing=$(realpath "${FARTHING:-target/release/farthing}")
plan=$(realpath "${1:?which plan? make one with farthing plan}")
shift
dir=${FARTHING_SHARDS:-shards}
mkdir -p "$dir"
dir=$(realpath "$dir")
shards=$(sed -n 's/^  "shards": \([0-9]*\),$/\1/p' "$plan")

array=$(sbatch --parsable --job-name=farthing --array="1-$shards" --output="$dir/%a.log" --requeue "$@" <<JOB
#!/usr/bin/env bash
exec "$farthing" run --plan "$plan" --shard "\$SLURM_ARRAY_TASK_ID/$shards" --out "$dir/\$SLURM_ARRAY_TASK_ID.jsonl" --resume
JOB
)
# afterany: a shard that failed must not keep the others' rows from being collected; collect's status tells.
collect=$(sbatch --parsable --job-name=farthing-collect --dependency="afterany:$array" --output="$dir/collect.log" <<JOB
#!/usr/bin/env bash
exec "$farthing" collect "$plan" $(seq -f "\"$dir/%g.jsonl\"" -s ' ' 1 "$shards") --out "$dir/run.jsonl"
JOB
)
echo "array $array, then $collect: $dir/run.jsonl and $dir/collect.log"
