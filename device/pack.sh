#!/bin/sh
# Makes .carry/ at the root of the checkout: what a machine with a GPU, but without Java, Maven or a network, needs to run
# the command line and the tests. Take the checkout and .carry/ there, and run device/unpack.sh.
#   device/pack.sh               builds first
#   device/pack.sh --no-build    takes what the last build made
#   device/pack.sh --tests-only  without the command line and what only that needs
#   device/pack.sh --cli-only    without the tests and what only those need
# Three archives, remade only when their contents change:
#   runtime.tar.xz  a Java runtime without what no command and no test needs
#   libs.tar.xz     the libraries of others, those of Linux on x86-64 only
#   project.tar.xz  this project's jars and test classes
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
carry=$root/.carry
work=$root/target/carry
# What the tests need in addition to the command line.
modules='jdk.httpserver java.naming java.instrument'
console=org.junit.platform:junit-platform-console-standalone:6.1.0
console_jar=junit-platform-console-standalone-6.1.0.jar
# The console brings JUnit's own classes. The others serve tests that do not run there; byte-buddy serves soft
# assertions, which no test uses.
left_out='junit-jupiter[a-z-]*|junit-platform-[a-z]*|opentest4j|apiguardian-api|archunit|ejml-[a-z]*|byte-buddy[a-z-]*'
xz_options='--x86 --lzma2=preset=9e,dict=64MiB'

say() { printf 'pack: %s\n' "$*" >&2; }

case $root in
    *[[:space:]]*)
        say "$root: the path has a blank, which lists of jars cannot have here; make the archives in another folder"
        exit 1
        ;;
esac

java_home=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
for tool in mvn xz zip unzip; do
    if ! command -v $tool > /dev/null 2>&1; then
        say "needs $tool on PATH; install the package of that name"
        exit 1
    fi
done
export JAVA_HOME="$java_home"
export MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow ${MAVEN_OPTS:-}"

# True if .carry/$1 is there and was made of the contents that $2 names.
is_packed() { [ -f "$carry/$1" ] && [ "$(cat "$work/$1.contents" 2> /dev/null)" = "$2" ]; }

# Packs folder $1 as .carry/$2 unless that was made of the same contents ($3 names them).
pack() {
    if is_packed "$2" "$3"; then return 0; fi
    # shellcheck disable=SC2086
    tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -c . | xz -T1 $xz_options > "$work/$2"
    mv "$work/$2" "$carry/$2"
    printf '%s' "$3" > "$work/$2.contents"
}

# One line for all files of folder $1.
contents() { (cd "$1" && find . -type f -print | LC_ALL=C sort | xargs sha256sum | sha256sum); }

# Stores a jar's files as they are, so that xz compresses all of them together.
restore_jar() {
    rm -rf "$work/jar"
    mkdir -p "$work/jar"
    unzip -q -d "$work/jar" "$1"
    rm -rf "$work/jar/native/lib/linux-aarch64" "$work/jar/native/lib/osx-aarch64" "$work/jar/native/lib/win-x86_64"
    # DJL's lists of models, which are not used.
    rm -rf "$work/jar/nlp"
    # JNA's natives of some thirty other platforms.
    for native in "$work"/jar/com/sun/jna/*-*; do
        if [ "${native##*/}" != linux-x86-64 ]; then rm -rf "$native"; fi
    done
    # If strip is present and knows these files' processor.
    find "$work/jar" -name '*.so' -exec strip --strip-unneeded {} \; 2> /dev/null || true
    (cd "$work/jar" && find . -type f | LC_ALL=C sort | zip -q -0 -X -D "$2" -@)
}

build=true
with_cli=true
with_tests=true
for option; do
    case $option in
        --no-build) build=false ;;
        --tests-only) with_cli=false ;;
        --cli-only) with_tests=false ;;
        *)
            say "there is no option $option; the first lines of this file list them"
            exit 2
            ;;
    esac
done

mkdir -p "$carry" "$work"

say 'linking a Java runtime (a minute, the first time)'
# shellcheck disable=SC2086
"$root/dist/runtime.sh" "$work/linked" $modules
runtime_contents="$(cat "$work/linked/linked") $(sha256sum < "$root/device/pack.sh")"
if ! is_packed runtime.tar.xz "$runtime_contents"; then
    rm -rf "$work/runtime"
    cp -R "$work/linked" "$work/runtime"
    # Only browsers' rules about cookies are in that list.
    rm -rf "$work/runtime/legal" "$work/runtime/linked" "$work/runtime/lib/security/public_suffix_list.dat"
    if command -v strip > /dev/null 2>&1; then strip --strip-unneeded "$work/runtime/lib/server/libjvm.so"; fi
    pack "$work/runtime" runtime.tar.xz "$runtime_contents"
fi

if $build; then
    say 'building with Maven'
    built=shadowkv-cpu,shadowkv-cuda
    if $with_cli; then built=$built,shadowkv-cli; fi
    # The class path's file lies in each module's own folder.
    (cd "$root" && mvn -B -q -DskipTests -pl $built -am package \
        dependency:build-classpath -DincludeScope=test -Dmdep.outputFile=target/test-classpath.txt)
fi
# Jars of others that the tests need.
test_jars=
if $with_tests; then
    test_jars=$(tr ':' '\n' < "$root/shadowkv-cuda/target/test-classpath.txt" | grep '\.jar$' | grep -v '/shadowkv-' |
        grep -Ev "/($left_out)/" || true)
    if [ ! -f "$work/console/$console_jar" ]; then
        (cd "$root" && mvn -B -q -pl shadowkv-core dependency:copy -Dartifact=$console -DoutputDirectory="$work/console")
    fi
    test_jars="$test_jars $work/console/$console_jar"
fi

if $with_cli; then set -- "$root"/shadowkv-cli/target/lib/*.jar; else set --; fi
# This project's own jars change with every build, the others' do not.
# shellcheck disable=SC2086
libs_contents=$(printf '%s\n' "$@" | grep -v '/shadowkv-' | xargs sha256sum "$root/device/pack.sh" $test_jars)
rm -rf "$work/project"
mkdir -p "$work/project/lib" "$work/project/test"
# Which commit the tests are of, for device/record.sh. What was built before may be of another one.
commit=$(git -C "$root" rev-parse --short=12 HEAD 2> /dev/null || echo unknown)
if ! $build || [ -n "$(git -C "$root" status --porcelain --untracked-files=no 2> /dev/null)" ]; then
    commit=$commit-dirty
fi
printf '%s\n' "$commit" > "$work/project/commit"
for module in text core cpu cuda; do
    restore_jar "$root/shadowkv-$module/target/shadowkv-$module-"*SNAPSHOT.jar "$work/project/lib/shadowkv-$module.jar"
    if $with_tests; then cp -R "$root/shadowkv-$module/target/test-classes" "$work/project/test/$module"; fi
done
if $with_cli; then
    for module in hub report eval server; do
        restore_jar "$root/shadowkv-$module/target/shadowkv-$module-"*SNAPSHOT.jar \
            "$work/project/lib/shadowkv-$module.jar"
    done
    # Texts that are compressed already; device/cli.sh takes them from the checkout.
    zip -q -d "$work/project/lib/shadowkv-eval.jar" '*.gz'
    restore_jar "$root/shadowkv-cli/target/lib/shadowkv-cli-"*.jar "$work/project/lib/shadowkv-cli.jar"
fi
pack "$work/project" project.tar.xz "$(contents "$work/project")"

if ! is_packed libs.tar.xz "$libs_contents"; then
    rm -rf "$work/libs"
    mkdir -p "$work/libs/lib" "$work/libs/test"
    for jar; do
        case ${jar##*/} in
            # Word lists: only LongBench's Chinese scores need them, and they take 2 MB.
            shadowkv-* | jieba-*) ;;
            *) restore_jar "$jar" "$work/libs/lib/${jar##*/}" ;;
        esac
    done
    # shellcheck disable=SC2086
    for jar in $test_jars; do
        [ -f "$work/libs/lib/${jar##*/}" ] || restore_jar "$jar" "$work/libs/test/${jar##*/}"
    done
    pack "$work/libs" libs.tar.xz "$libs_contents"
fi
say "$(du -ch "$carry"/*.tar.xz | tail -n 1 | cut -f 1) in $carry"
