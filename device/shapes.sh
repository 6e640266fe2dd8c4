#!/bin/sh
# Measures decoding of the shapes of published models with random weights on one GPU, after device/unpack.sh:
#   device/shapes.sh OUT [NAME...]       appends one line of JSON a run to OUT/e2e.jsonl; without names, all runs
# The automatic batch is the largest that fits; a run that does not fit is refused with its plan. Values are int8 and 60 %
# of the selected chunks are already resident, as in docs/BENCHMARKS.md.
set -u

if [ $# -lt 1 ]; then
    printf 'usage: device/shapes.sh OUT [NAME...]\n' >&2
    exit 2
fi
out=$1
shift
here=$(CDPATH='' cd -P "$(dirname "$0")" && pwd)
mkdir -p "$out"
failed=0

# bench NAME OPTIONS... runs one measurement if it was asked for.
bench() {
    name=$1
    shift
    if [ -n "$asked" ]; then
        case " $asked " in *" $name "*) ;; *) return 0 ;; esac
    fi
    printf 'shapes: %s\n' "$name" >&2
    start=$(date +%s)
    "$here/cli.sh" bench e2e --backend cuda --clone-prefill --steps 16 --profiled-steps 2 \
        --out "$out/e2e.jsonl" "$@" || failed=1
    printf 'shapes: %s took %d s\n' "$name" $(($(date +%s) - start)) >&2
}

asked=$*
sparse='--prefill blocks --prefill-density 0.09'
shadow='--method shadowkv --values int8 --hit-rate 0.6'
# shellcheck disable=SC2086
{
    bench llama-full --random llama-3.1-8b --context 122k --method full $sparse
    bench llama-shadow --random llama-3.1-8b --context 122k $shadow --batch 20 $sparse
    bench qwen3-full --random qwen3-8b --context 122k --method full $sparse
    bench qwen3-shadow --random qwen3-8b --context 122k $shadow --batch 16 $sparse
    bench mistral-full --random mistral-7b --context 31k --method full
    bench mistral-shadow --random mistral-7b --context 31k $shadow --batch 64
    bench moe-full --random qwen3-30b-a3b --context 122k --method full $sparse
    bench moe-shadow --random qwen3-30b-a3b --context 122k $shadow --batch 14 $sparse
    # 512,000 tokens of 36 billion parameters: reading takes about a minute and a half, the products two thirds of it.
    bench seed-122k --random seed-oss-36b --weights int8 --context 122k $shadow --batch 7 $sparse
    bench seed-500k --random seed-oss-36b --weights int8 --context 500k $shadow --batch 1 \
        --prefill blocks --prefill-density 0.03
}
exit $failed
