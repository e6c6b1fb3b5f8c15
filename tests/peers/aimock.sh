#!/usr/bin/env bash
# npm's @copilotkit/aimock (a mock of model providers with faithful tool deltas) in the foreground:
# aimock.sh FOLDER PORT, where FOLDER holds it installed; it answers from aimock.json beside this script.
set -euo pipefail
folder=$1 port=$2
here=$(cd "$(dirname "$0")" && pwd)
exec "$folder/node_modules/.bin/llmock" --host 127.0.0.1 --port "$port" --fixtures "$here/aimock.json" \
  --chunk-size 7 --latency 1 --log-level silent
