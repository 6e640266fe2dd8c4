#!/bin/sh
# Runs a server with the bundled model and eight clients, and records what grows.
#   dev/soak.sh             20 minutes; one JSON line every 30 seconds in target/soak.jsonl
#   dev/soak.sh 2 FILE      2 minutes; lines in FILE
# Ends with 1 if an answer was wrong or the server failed. docs/RELIABILITY.md explains the lines.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
minutes=${1:-20}
mkdir -p "$root/target"
file=$(realpath "${2:-$root/target/soak.jsonl}")
cd "$root"
mvn -q -B -pl shadowkv-server -am -DskipTests test-compile dependency:build-classpath \
    -Dmdep.outputFile=target/soak.classpath -Dmdep.includeScope=test
documents=$(mktemp -d)
trap 'rm -rf "$documents"' EXIT
cd shadowkv-server
"${JAVA_HOME:+$JAVA_HOME/bin/}java" --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
    --sun-misc-unsafe-memory-access=allow -Xmx2g \
    -cp "target/test-classes:target/classes:$(cat target/soak.classpath)" \
    io.shadowkv.server.Soak "$minutes" "$file" "$documents"
