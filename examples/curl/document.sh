#!/bin/sh
# Has a document read once, and asks about it: document.sh http://127.0.0.1:8080 MODEL FILE QUESTION ...
# A question is put between the quotes of a JSON string as it is: write \" for a quote.
set -eu
url=$1
model=$2
file=$3
shift 3

echo "## Reading"
answer=$(curl -sS --fail-with-body "$url/v1/documents" -H "Content-Type: text/plain" --data-binary "@$file")
printf '%s\n' "$answer"
id=$(printf '%s' "$answer" | sed -E 's/.*"id": ?"([^"]+)".*/\1/')

for question; do
  printf '## %s\n' "$question"
  curl -sS --fail-with-body "$url/v1/chat/completions" \
    -H "Content-Type: application/json" \
    -d '{"model": "'"$model"'", "max_tokens": 64, "document": "'"$id"'",
         "messages": [{"role": "user", "content": "'"$question"'"}]}'
  echo
done

echo "## Forgetting"
curl -sS --fail-with-body -X DELETE "$url/v1/documents/$id"
echo
