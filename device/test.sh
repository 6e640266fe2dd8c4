#!/bin/sh
# Runs tests from what device/unpack.sh unpacked with JUnit's console launcher, each class (of nested ones, each nested
# class) in a JVM of its own, several at a time.
#   device/test.sh                 every class marked @GpuTest
#   device/test.sh CudaFloatTest   those of them whose name matches the (extended) regular expression
#   device/test.sh --class NAME    the class of that full name, with or without the mark; Outer$Nested for a nested one
# SHADOWKV_PARALLEL is how many run at a time (6), SHADOWKV_SECONDS how long each may take (540), SHADOWKV_UNDER a command
# that each JVM runs under, such as "compute-sanitizer --error-exitcode 9", SHADOWKV_JAVA_OPTIONS goes to the JVM.
# Appends a line about the run to docs/bench/device-runs.jsonl; the same line is with the reports.
# Reports go to $OUT, else to the folder logs next to the unpacked archives: the whole tree of each class; here only what
# failed, and a line for each class. Exit code 1 if any test failed, any JVM died, or nothing ran.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
home=${SHADOWKV_DEVICE:-/tmp/shadowkv}
logs=${OUT:-$home/logs}
shown_failures=8
# Counts the device's free memory, so nothing else may run at the same time.
alone='\.CudaLifecycleTest$'

path=
for entry in "$home"/project/test/*/ "$home"/project/lib/*.jar "$home"/libs/lib/*.jar "$home"/libs/test/*.jar; do
    path=$path${path:+:}${entry%/}
done

# Full names of the classes to run, nested ones instead of their outer class.
classes() {
    if [ "${1:-}" = --class ]; then
        printf '%s\n' "$2"
        return 0
    fi
    cd "$home/project/test/cuda"
    grep -rlF 'Lio/shadowkv/cuda/GpuTest;' --include='*.class' . | LC_ALL=C sort | while read -r file; do
        found=false
        for nested in "${file%.class}"\$[A-Z]*.class; do
            [ -f "$nested" ] && grep -qF 'Lorg/junit/jupiter/api/Nested;' "$nested" || continue
            printf '%s\n' "$nested"
            found=true
        done
        $found || printf '%s\n' "$file"
    done | sed 's,^\./,,; s,\.class$,,; s,/,.,g' | grep -E "${1:-.}"
}

# One class; the last line of its report is how it ended.
run() {
    report=$logs/$(printf '%s' "${1##*.}" | tr '$' '-').txt
    # shellcheck disable=SC2086
    timeout "${SHADOWKV_SECONDS:-540}" ${SHADOWKV_UNDER:-} "$home/runtime/bin/java" \
        -XX:+UseSerialGC -Xmx5g --add-modules jdk.incubator.vector,jdk.httpserver --enable-native-access=ALL-UNNAMED \
        --sun-misc-unsafe-memory-access=allow ${SHADOWKV_JAVA_OPTIONS:-} \
        -cp "$path" org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors \
        --details=tree --details-theme=ascii --fail-if-no-tests --select-class "$1" > "$report" 2>&1 && code=0 || code=$?
    printf 'exit code %s\n' "$code" >> "$report"
}

mkdir -p "$logs"
rm -f "$logs"/*.txt "$logs/device-runs.jsonl"
# Fixtures unpack below target/ of the working folder, and kernels are kept there.
cd "$root"
for class in $(classes "$@" | grep -v "$alone"); do
    while [ "$(jobs -p | wc -l)" -ge "${SHADOWKV_PARALLEL:-6}" ]; do
        sleep 0.2
        jobs > /dev/null
    done
    run "$class" &
done
wait
for class in $(classes "$@" | grep "$alone"); do run "$class"; done

code=0
ran=false
for report in "$logs"/*.txt; do
    [ -f "$report" ] || break
    ran=true
    name=${report##*/}
    printf '%s: %s%s\n' "${name%.txt}" "$(sed -n 's/^\[ *\([0-9]*\) tests \(successful\|failed\|skipped\) *\]/\1 \2, /p' \
        "$report" | tr -d '\n')" "$(tail -n 1 "$report")"
    if ! tail -n 1 "$report" | grep -qx 'exit code 0'; then
        code=1
        grep '\[X\]\|=> \|Caused by' "$report" | cut -c 1-240 | head -n "$shown_failures" || true
    fi
done
if ! $ran; then
    printf 'test: no class matches\n' >&2
    exit 1
fi
"$root/device/record.sh" "$logs" "$home/project" "$*" "$code" "$logs/device-runs.jsonl"
cat "$logs/device-runs.jsonl" >> "$root/docs/bench/device-runs.jsonl"
printf 'test: the line of this run is in %s. If the repository is on another machine, append it there to %s\n' \
    "$logs/device-runs.jsonl" docs/bench/device-runs.jsonl
exit $code
