#!/bin/sh
# Links a Java runtime that has what the command line needs: dist/runtime.sh FOLDER [MODULE ...]
#   FOLDER   is made anew
#   MODULE   is linked in addition, with what it needs
# JAVA_HOME is tried first, then the java on PATH; it must be a JDK 25 with jlink.
set -eu

# The HTTP client is for `pull`, management for processor time, the vector module for the CPU backend, java.xml for Jackson,
# jdk.unsupported for JNA and Gson, jdk.httpserver for `serve`. java.desktop is left out: it doubles the size and only
# draws figures as bitmaps, which reports have as SVG anyway.
modules=java.base,java.logging,java.management,jdk.management,java.net.http,jdk.incubator.vector,java.xml,jdk.unsupported,jdk.httpserver

say() { printf 'runtime: %s\n' "$*" >&2; }

if [ $# -lt 1 ]; then
    say "usage: dist/runtime.sh FOLDER [MODULE ...]"
    exit 2
fi
folder=$1
shift
for module; do modules=$modules,$module; done

java_home=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java || echo /nowhere/bin/java)")")")}
if [ ! -x "$java_home/bin/jlink" ] || ! grep -q '^JAVA_VERSION="25' "$java_home/release"; then
    say "needs a JDK 25 with jlink; $java_home is not one. Set JAVA_HOME to one."
    exit 1
fi

# A marker of what was linked from what: a second run with the same contents has nothing to do.
contents="$(cat "$java_home/release") $modules"
if [ -f "$folder/linked" ] && [ "$(cat "$folder/linked")" = "$contents" ]; then exit 0; fi
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
"$java_home/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages --output "$folder" 2>&1 |
    sed '/^WARNING: Using incubator modules: jdk.incubator.vector$/d' >&2
if [ ! -x "$folder/bin/java" ]; then
    say "jlink made no runtime; its messages are above"
    exit 1
fi
printf '%s' "$contents" > "$folder/linked"
