#!/bin/sh
# Makes the distribution archive for Linux on x86-64: the launcher, the jars, the bundled model, the documents and a Java
# runtime, so that users need no JDK.
#   dist/build.sh                builds first
#   dist/build.sh --no-build     takes what the last build made
#   dist/build.sh --out FOLDER   writes there instead of into target/dist
# The result is FOLDER/shadowkv-VERSION-linux-x86-64.tar.gz and its checksum file. The same sources and the same JDK
# give the same bytes.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
out=$root/target/dist
build=true

say() { printf 'dist: %s\n' "$*" >&2; }

while [ $# -gt 0 ]; do
    case $1 in
        --no-build) build=false ;;
        --out)
            shift
            out=${1:?--out needs a folder}
            ;;
        *)
            say "there is no option $1; the first lines of this file list them"
            exit 2
            ;;
    esac
    shift
done

if [ "$(uname -s)/$(uname -m)" != Linux/x86_64 ]; then
    say "makes an archive for Linux on x86-64, and must run there: jlink takes the runtime from the JDK it belongs to"
    exit 1
fi
# A distribution has no history to ask, so it is told its commit.
commit=${SHADOWKV_COMMIT:-}
if [ -z "$commit" ] && [ -e "$root/.git" ]; then
    commit=$(git -C "$root" rev-parse --short=12 HEAD 2> /dev/null || true)
    if [ -n "$(git -C "$root" status --porcelain --untracked-files=no -- ':!docs/bench' 2> /dev/null)" ]; then
        commit="$commit (changed)"
    fi
fi
commit=${commit:-unknown}

if $build; then
    say 'building with Maven'
    # What an earlier version left there would be packed, too.
    rm -rf "$root/shadowkv-cli/target/lib" "$root/shadowkv-cli/target/launcher.stamp"
    # Maven's own libraries use what JDK 25 warns of.
    (cd "$root" && MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow ${MAVEN_OPTS:-}" \
        mvn -B -q -DskipTests "-Dshadowkv.commit=$commit" -pl shadowkv-cli -am package < /dev/null)
fi

lib=$root/shadowkv-cli/target/lib
version=
for jar in "$lib"/shadowkv-cli-*.jar; do
    if [ -n "$version" ] || [ ! -f "$jar" ]; then
        say "expected one shadowkv-cli jar in $lib; run without --no-build, after mvn clean if there are several"
        exit 1
    fi
    version=${jar##*/shadowkv-cli-}
    version=${version%.jar}
done

name=shadowkv-$version-linux-x86-64
mkdir -p "$out"
stage=$(mktemp -d "$out/stage.XXXXXX")
trap 'rm -rf "$stage"' EXIT
home=$stage/$name
mkdir -p "$home/bin"

say 'linking a Java runtime'
"$root/dist/runtime.sh" "$out/runtime"
cp -R "$out/runtime" "$home/runtime"
rm "$home/runtime/linked"

cp "$root/shadowkv" "$home/shadowkv"
ln -s ../shadowkv "$home/bin/shadowkv"
cp -R "$lib" "$home/lib"
mkdir "$home/models"
cp -R "$root/models/needle-32k" "$home/models/needle-32k"
cp -R "$root/docs" "$home/docs"
for document in LICENSE NOTICE README.md CHANGELOG.md SECURITY.md; do cp "$root/$document" "$home/$document"; done

# What reports say of the code.
printf 'VERSION=%s\nCOMMIT=%s\n' "$version" "$commit" > "$home/release"

# One time for all files: the one that the jars have, too.
time=$(sed -n 's,.*<project.build.outputTimestamp>\(.*\)</project.build.outputTimestamp>.*,\1,p' "$root/pom.xml")
chmod -R u=rwX,go=rX "$home"
archive=$out/$name.tar.gz
tar -C "$stage" --sort=name --mtime="$time" --owner=0 --group=0 --numeric-owner -c "$name" | gzip -n > "$archive.part"
mv "$archive.part" "$archive"
(cd "$out" && sha256sum "$name.tar.gz" > "$name.tar.gz.sha256")
say "$(du -h "$archive" | cut -f 1) in $archive"
