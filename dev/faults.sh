#!/bin/sh
# Runs tests of the server's faults with larger numbers than the test suite does.
#   dev/faults.sh bodies [N [SEED]]    N mutants of valid request bodies; 1,000,000 if N is left out
#   dev/faults.sh connections [N]      N idle connections; 10,000 if N is left out
# Ends with 1 if the test fails. docs/RELIABILITY.md has the results.
set -eu

cd "$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)"
run() {
    exec mvn -B -q -pl shadowkv-server -am test -Dsurefire.failIfNoSpecifiedTests=false "$@"
}

case ${1:-} in
    bodies)
        set -- "${2:-1000000}" "${3:-20261130}"
        echo "$1 bodies, seed $2"
        run -Dtest=FuzzedBodiesTest "-Dshadowkv.fuzz.bodies=$1" "-Dshadowkv.fuzz.seed=$2"
        ;;
    connections)
        connections=${2:-10000}
        # Each connection has one handle in the test's process and one in the server's.
        handles=$((connections + 1000))
        if [ "$(ulimit -n)" != unlimited ] && [ "$(ulimit -n)" -lt "$handles" ] && ! ulimit -n "$handles"; then
            echo "$connections connections need $handles file handles; the hard limit is $(ulimit -Hn). Raise it with" \
                "'ulimit -Hn' as root, or give a smaller number" >&2
            exit 1
        fi
        echo "$connections connections, at most $(ulimit -n) file handles"
        run '-Dtest=FaultsTest#idleConnectionsDelayNobody' "-Dshadowkv.idle.connections=$connections"
        ;;
    *)
        sed -n '2,5s/^# //p' "$0" >&2
        exit 2
        ;;
esac
