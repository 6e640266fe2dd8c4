#!/bin/sh
# Runs the command line from what device/unpack.sh unpacked: device/cli.sh ARGS ...
# SHADOWKV_JAVA_OPTIONS is handed to the JVM, split at blanks. Large texts of the evaluation are not packed; they come from
# this checkout.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
home=${SHADOWKV_DEVICE:-/tmp/shadowkv}
# shellcheck disable=SC2086
exec "$home/runtime/bin/java" \
    -XX:+UseSerialGC -Xmx4g \
    --enable-native-access=io.shadowkv.text,io.shadowkv.core,io.shadowkv.cpu,io.shadowkv.cuda,io.shadowkv.cli,ai.djl.tokenizers \
    --sun-misc-unsafe-memory-access=allow \
    -Dshadowkv.home="$root" -Dshadowkv.stderr=-1 -Dshadowkv.terminal.stderr=false -Dshadowkv.terminal.stdin=false \
    --patch-module io.shadowkv.eval="$root/shadowkv-eval/src/main/resources" \
    ${SHADOWKV_JAVA_OPTIONS:-} \
    -p "$home/project/lib:$home/libs/lib" -m io.shadowkv.cli/io.shadowkv.cli.Main "$@"
