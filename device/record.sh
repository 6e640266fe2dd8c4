#!/bin/sh
# Appends one line of JSON about a run of device/test.sh to a file: time, commit, device, what was selected, and the
# result of each class.
#   device/record.sh REPORTS PROJECT SELECTION CODE FILE
# REPORTS is the folder of the classes' reports, PROJECT that of the unpacked project, which has the commit that it was
# built from, SELECTION the arguments of test.sh (empty for all classes), CODE its exit code.
set -eu

reports=$1
project=$2
selection=$3
code=$4
file=$5

# Number of tests of report $1 that have state $2.
tests() { sed -n "s/^\[ *\([0-9]*\) tests $2 *\]/\1/p" "$1" | head -n 1 | grep . || echo 0; }

# Text $1 as a JSON string.
quoted() { printf '"%s"' "$(printf '%s' "$1" | tr -d '\n' | sed 's/[\\"]/\\&/g')"; }

commit=$(cat "$project/commit" 2> /dev/null || echo unknown)
device=$(nvidia-smi --query-gpu=name --format=csv,noheader 2> /dev/null | head -n 1 || true)
passed=0
failed=0
skipped=0
suites=
for report in "$reports"/*.txt; do
    [ -f "$report" ] || break
    name=${report##*/}
    p=$(tests "$report" successful)
    f=$(tests "$report" failed)
    s=$(tests "$report" skipped)
    ended=$(sed -n '$s/^exit code //p' "$report")
    passed=$((passed + p))
    failed=$((failed + f))
    skipped=$((skipped + s))
    suites=$suites${suites:+,}$(printf '{"name":%s,"passed":%d,"failed":%d,"skipped":%d,"exit_code":%s}' \
        "$(quoted "${name%.txt}")" "$p" "$f" "$s" "${ended:--1}")
done
printf '{"time":"%s","commit":%s,"dirty":%s,"device":%s,"selection":%s,"passed":%d,"failed":%d,"skipped":%d,"exit_code":%d,"suites":[%s]}\n' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(quoted "${commit%-dirty}")" \
    "$(case $commit in *-dirty | unknown) echo true ;; *) echo false ;; esac)" \
    "$(quoted "${device:-none}")" "$(quoted "$selection")" "$passed" "$failed" "$skipped" "$code" "$suites" >> "$file"
