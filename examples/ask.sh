#!/bin/sh
# Usage: ask.sh TRACE_ID "What caused this error?"
set -eu
question=$(printf '%s' "$2" | tr '\n\t' '  ' | sed 's/[\\"]/\\&/g')
curl --no-buffer --silent --show-error --fail-with-body \
  --header "Authorization: ${OPIK_API_KEY:-}" \
  --header "Comet-Workspace: ${OPIK_WORKSPACE:-default}" \
  --json "{\"message\": \"$question\"}" \
  "$OPIK_ASSIST_URL/trace-analyzer/session/$1"
