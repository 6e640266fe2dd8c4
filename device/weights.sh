#!/bin/sh
# Answers the same prompts with the bundled model in each precision of its weights, after device/unpack.sh:
#   device/weights.sh OUT [OPTION...]    one folder of answers a precision in OUT; options go to `eval`
# docs/ACCURACY.md has the table that this makes.
set -u

if [ $# -lt 1 ]; then
    printf 'usage: device/weights.sh OUT [OPTION...]\n' >&2
    exit 2
fi
out=$1
shift
here=$(CDPATH='' cd -P "$(dirname "$0")" && pwd)
failed=0
for weights in stored int8 fp8 int4; do
    "$here/cli.sh" eval --backend cuda --weights $weights --ruler-version shadowkv --length 8k --samples 100 \
        --seed 20261208 --budget 1.5625% --batch 20 --out "$out/$weights" \
        --data ruler/niah_multikey_2,ruler/niah_multikey_3,ruler/niah_single_3,ruler/niah_multivalue,ruler/fwe \
        "$@" || failed=1
done
exit $failed
