#!/bin/sh
# Evaluates with one process and with two workers of which one is killed, and compares the answers: device/eval-workers.sh
# DEVICES FOLDER ARGS ...
#   DEVICES   numbers of GPUs for --devices, such as 0,1; 0,0 starts two workers on one GPU; cpu starts two on the CPU
#   FOLDER    for the results; single/ and workers/ in it must not exist
#   ARGS      arguments of `shadowkv eval`, without --out, --devices and --workers
# SHADOWKV names the program (default: device/cli.sh). Fails unless the second run is complete, has no answer twice, says
# that a sample was retried, and has the first run's prompts. Prints how many answers have the same text.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
run=${SHADOWKV:-$root/device/cli.sh}
devices=$1
folder=$2
shift 2
[ ! -e "$folder/single" ] && [ ! -e "$folder/workers" ] || {
    echo "$folder has results of an earlier run; give another folder" >&2
    exit 2
}
mkdir -p "$folder"
case $devices in
    cpu) workers="--workers 2" ;;
    *) workers="--devices $devices" ;;
esac

"$run" eval "$@" --out "$folder/single"

# The process of a worker of the second run that was started last; empty if there is none.
worker() {
    found=
    for process in /proc/[0-9]*; do
        line=$({ tr '\0' ' ' < "$process/cmdline"; } 2> /dev/null) || continue
        case $line in
            *java*"--out $folder/workers "*--worker-length*) found=${process#/proc/} ;;
        esac
    done
    echo "$found"
}

# Kills a worker as soon as there is an answer.
log=$folder/workers/answers.jsonl
# shellcheck disable=SC2086
"$run" eval "$@" $workers --out "$folder/workers" 2> "$folder/workers.err" &
driver=$!
victim=
while kill -0 "$driver" 2> /dev/null && [ ! -s "$log" ]; do
    [ -n "$victim" ] || victim=$(worker)
    sleep 0.05
done
if [ -z "$victim" ] || ! kill -0 "$victim" 2> /dev/null; then
    echo "the run ended before a worker could be killed; give more samples" >&2
    cat "$folder/workers.err" >&2
    exit 1
fi
kill -9 "$victim"
echo "killed worker $victim after $(wc -l < "$log") answers"
wait "$driver" || {
    cat "$folder/workers.err" >&2
    exit 1
}

grep "is retried" "$folder/workers.err" || {
    echo "no sample was retried" >&2
    exit 1
}
python3 - "$folder" << 'COMPARE'
import json, sys

def read(name):
    rows = [json.loads(line) for line in open(f"{sys.argv[1]}/{name}/answers.jsonl")]
    keyed = {}
    for row in rows:
        key = json.dumps(row["key"], sort_keys=True)
        assert key not in keyed, f"{name} has {key} twice"
        keyed[key] = row
    return keyed

single, workers = read("single"), read("workers")
assert single.keys() == workers.keys(), f"missing {single.keys() - workers.keys()}, more {workers.keys() - single.keys()}"
prompts = sum(single[key].get("prompt_hash") != workers[key].get("prompt_hash") for key in single)
assert prompts == 0, f"{prompts} prompts differ"
same = sum(single[key]["answer"] == workers[key]["answer"] for key in single)
print(f"complete: {len(workers)} answers, none twice; {same} of {len(single)} have the same text as those of one process")
COMPARE
