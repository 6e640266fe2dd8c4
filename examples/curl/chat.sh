#!/bin/sh
# Asks the server with curl: chat.sh http://127.0.0.1:8080 MODEL QUESTION
# The question is put between the quotes of a JSON string as it is: write \n for a new line, \" for a
# quote.
set -eu
url=$1
model=$2
question=$3

echo "## The models"
curl -sS --fail-with-body "$url/v1/models"

echo
echo "## An answer"
curl -sS --fail-with-body "$url/v1/chat/completions" \
  -H "Content-Type: application/json" -H "Authorization: Bearer any" \
  -d '{"model": "'"$model"'", "max_tokens": 64,
       "messages": [{"role": "user", "content": "'"$question"'"}]}'

echo
echo "## The same as a stream of events; -N prints them as they come"
curl -sSN --fail-with-body "$url/v1/chat/completions" \
  -H "Content-Type: application/json" -H "Authorization: Bearer any" \
  -d '{"model": "'"$model"'", "max_tokens": 64, "stream": true,
       "stream_options": {"include_usage": true},
       "messages": [{"role": "user", "content": "'"$question"'"}]}'

echo "## JSON of a schema"
curl -sS --fail-with-body "$url/v1/chat/completions" \
  -H "Content-Type: application/json" -H "Authorization: Bearer any" \
  -d '{"model": "'"$model"'", "max_tokens": 64,
       "messages": [{"role": "user", "content": "'"$question"'"}],
       "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {
         "type": "object", "properties": {"number": {"type": "string", "pattern": "^[0-9]{7}$"}},
         "required": ["number"], "additionalProperties": false}}}}'

echo
echo "## Text that is continued"
curl -sS --fail-with-body "$url/v1/completions" \
  -H "Content-Type: application/json" \
  -d '{"model": "'"$model"'", "prompt": "'"$question"'", "max_tokens": 8}'
echo
