#!/bin/sh
# Unpacks .carry/ (made by device/pack.sh) into $SHADOWKV_DEVICE, /tmp/shadowkv unless set; archives that have not changed
# since the last time are left as they are.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
home=${SHADOWKV_DEVICE:-/tmp/shadowkv}

# Standard input, decompressed.
decompress() {
    if command -v xz > /dev/null 2>&1; then
        xz -d -T0
    else
        python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.stdin.buffer), sys.stdout.buffer, 1 << 20)'
    fi
}

# Archive $1 of .carry into folder $2.
unpack() {
    archive=$root/.carry/$1.tar.xz
    if [ ! -f "$archive" ]; then
        printf 'unpack: there is no %s; run device/pack.sh where Java and Maven are, and carry .carry along\n' "$archive" >&2
        exit 1
    fi
    sum=$(sha256sum < "$archive")
    if [ "$(cat "$home/$1.sum" 2> /dev/null)" = "$sum" ]; then return 0; fi
    rm -rf "${home:?}/$1" "$home/$1.sum"
    mkdir -p "$home/$1"
    decompress < "$archive" | tar -C "$home/$1" -x -f -
    printf '%s' "$sum" > "$home/$1.sum"
}

mkdir -p "$home"
unpack runtime
unpack libs
unpack project
"$home/runtime/bin/java" -version
