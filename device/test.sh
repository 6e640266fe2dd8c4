#!/bin/sh
# Runs tests from what device/unpack.sh unpacked, with JUnit's console launcher; the summary stands last.
#   device/test.sh                                the GPU's tests
#   device/test.sh '.*CudaDense.*' [ARGS ...]     those whose class name matches; ARGS are the launcher's
#   SHADOWKV_TEST_TAG=none device/test.sh PATTERN those of any tag
# SHADOWKV_JAVA_OPTIONS is handed to the JVM, split at blanks.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
home=${SHADOWKV_DEVICE:-/tmp/shadowkv}
pattern=${1:-.*}
[ "$#" -eq 0 ] || shift
case ${SHADOWKV_TEST_TAG:=gpu} in
    none) tag= scanned=$home/project/test/cuda:$home/project/test/cpu:$home/project/test/core ;;
    *) tag="--include-tag=$SHADOWKV_TEST_TAG" scanned=$home/project/test/cuda ;;
esac

path=
for entry in "$home"/project/test/*/ "$home"/project/lib/*.jar "$home"/libs/lib/*.jar "$home"/libs/test/*.jar; do
    path=$path${path:+:}${entry%/}
done
# Fixtures unpack below target/ of the working folder.
cd "$root"
# shellcheck disable=SC2086
exec "$home/runtime/bin/java" \
    -XX:+UseSerialGC -Xmx6g --add-modules jdk.incubator.vector,jdk.httpserver --enable-native-access=ALL-UNNAMED \
    --sun-misc-unsafe-memory-access=allow ${SHADOWKV_JAVA_OPTIONS:-} \
    -cp "$path" org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors \
    --details=tree --fail-if-no-tests $tag --scan-class-path "$scanned" --include-classname "$pattern" "$@"
