#!/usr/bin/env bash
# One run in shards, one after the other on this machine, and collected: scripts/fleet/shell.sh N WORDS OF farthing run
set -euo pipefail
farthing=${FARTHING:-target/release/farthing}
shards=${1:?how many shards?}
shift
dir=${FARTHING_SHARDS:-shards}
mkdir -p "$dir"
"$farthing" plan --shards "$shards" --out "$dir/plan.json" -- "$@"
failed=0
for shard in $(seq 1 "$shards"); do
    # One that fails must not keep the others from running: collect says what came of each.
    "$farthing" run --plan "$dir/plan.json" --shard "$shard/$shards" --out "$dir/$shard.jsonl" --resume || failed=1
done
"$farthing" collect "$dir/plan.json" "$dir"/[0-9]*.jsonl --save
exit "$failed"
