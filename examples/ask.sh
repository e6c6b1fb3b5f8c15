#!/bin/sh
# Usage: ask.sh TRACE_ID "What caused this error?"
set -eu
curl --no-buffer --silent --show-error --fail-with-body \
  --header "Authorization: ${OPIK_API_KEY:-}" \
  --header "Comet-Workspace: ${OPIK_WORKSPACE:-default}" \
  --json "$(printf '{"message": "%s"}' "$2")" \
  "$OPIK_ASSIST_URL/trace-analyzer/session/$1"
