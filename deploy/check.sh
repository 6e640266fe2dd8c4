#!/bin/sh
# Checks what is in this folder: syntax, schemas, rules, and the gateway with two real servers behind it.
#   deploy/check.sh
# SHADOWKV is the launcher; the one of this checkout unless set.
# Needs Debian's nginx-light, yamllint, prometheus, kubernetes-client, curl and jq, and npm; the engine is built if it was not.
# Docker, a cluster and GPUs are not used: compose.yaml, the images and the pods are not started.
set -eu

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
pids=
end() {
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill $pids 2> /dev/null || true
    wait
    rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM
say() { printf 'check: %s\n' "$*"; }
fail() {
    say "$*" >&2
    exit 1
}

for tool in nginx yamllint promtool kubectl curl jq npm; do
    command -v $tool > /dev/null 2>&1 || fail "needs $tool on PATH"
done

say 'YAML, the rules of Prometheus, the manifests'
yamllint --strict -d '{extends: default, rules: {line-length: {max: 130}, document-start: disable}}' "$root/deploy"
(cd "$root/deploy/prometheus" && promtool check config prometheus.yml && promtool test rules alerts-test.yml)
(cd "$work" && npm init -y && npm install kubernetes-models@4.5.1 yaml@2.9.1) > "$work/npm.log" 2>&1 || {
    cat "$work/npm.log" >&2
    fail 'npm cannot install what check.mjs needs'
}
(cd "$work" && node "$root/deploy/check.mjs")
kubectl kustomize "$root/deploy" > "$work/all.yaml"

say 'two servers and the gateway'
cp "$root/deploy/gateway/nginx.conf" "$work/nginx.conf"
sed 's/shadowkv-0:8080/127.0.0.1:18090/; s/shadowkv-1:8080/127.0.0.1:18091/' "$root/deploy/gateway/servers.conf" > "$work/servers.conf"
sed -i "s/listen 8080;/listen 127.0.0.1:18092;/; s,/tmp/nginx,$work/nginx,; s,/dev/stdout,$work/access.log,; s,/dev/stderr,$work/error.log," "$work/nginx.conf"
nginx -e "$work/error.log" -t -c "$work/nginx.conf"
for port in 18090 18091; do
    "${SHADOWKV:-$root/shadowkv}" serve --port $port --backend cpu --method full --no-access-log > "$work/server-$port.log" 2>&1 &
    pids="$pids $!"
    eval "server_$port=$!"
    until curl --silent --fail "http://127.0.0.1:$port/health/ready" > /dev/null; do
        kill -0 $! 2> /dev/null || {
            cat "$work/server-$port.log" >&2
            fail "the server at port $port ended"
        }
        sleep 0.5
    done
done
nginx -e "$work/error.log" -c "$work/nginx.conf" -g 'daemon off;' &
pids="$pids $!"
gateway=http://127.0.0.1:18092
until curl --silent --fail $gateway/gateway/health > /dev/null; do sleep 0.2; done

# Reads document $1 through the gateway and prints its id.
read_document() {
    {
        for i in 1 2 3 4 5 6 7 8; do echo "The grass is green. The sky is blue. Line $i of $1."; done
        echo "One of the special magic numbers for early-dawn is: 4071523."
    } | curl --silent --fail --header "X-Document: $1" --header 'Content-Type: text/plain' --data-binary @- \
        $gateway/v1/documents | jq --raw-output .id
}
# Asks about document $1 with id $2 and prints how many tokens were cached.
ask() {
    jq --null-input --arg id "$2" '{model: "needle-32k", document: $id, max_tokens: 8, messages: [{role: "user",
        content: "What is the special magic number for early-dawn mentioned in the provided text?"}]}' |
        curl --silent --fail --header "X-Document: $1" --header 'Content-Type: application/json' --data-binary @- \
            $gateway/v1/chat/completions | jq .usage.prompt_tokens_details.cached_tokens
}
# How many documents the server at port $1 holds.
held() { curl --silent --fail "http://127.0.0.1:$1/v1/documents" | jq '.data | length'; }

for name in alpha beta gamma delta epsilon zeta; do
    id=$(read_document $name)
    for again in 1 2; do
        cached=$(ask $name "$id")
        [ "$cached" -gt 0 ] || fail "question $again about $name was read again: it went to the other server"
    done
done
first=$(held 18090)
second=$(held 18091)
[ $((first + second)) -eq 6 ] || fail "the servers hold $first and $second documents, not 6"
[ "$first" -gt 0 ] && [ "$second" -gt 0 ] || fail "one server holds all documents"
say "six documents, $first and $second, each question where its document is"

events=$(curl --silent --no-buffer --header 'Content-Type: application/json' \
    --data '{"model": "needle-32k", "stream": true, "max_tokens": 4, "messages": [{"role": "user", "content": "hello"}]}' \
    $gateway/v1/chat/completions | grep -c '^data: ')
[ "$events" -gt 3 ] || fail "a stream through the gateway had $events events"

# shellcheck disable=SC2154
kill "$server_18090"
wait "$server_18090" || true
for name in alpha beta gamma delta epsilon zeta; do
    id=$(read_document $name)
    cached=$(ask $name "$id")
    [ "$cached" -gt 0 ] || fail "$name was not read by the server that is left"
done
say "one server ended: the other one serves all six"
say 'all right'
