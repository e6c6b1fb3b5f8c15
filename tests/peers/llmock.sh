#!/usr/bin/env bash
# PyPI's llmock (a mock of model providers that fails on demand) in the foreground: llmock.sh FOLDER PORT
set -euo pipefail
folder=$1 port=$2
if [ ! -x "$folder/bin/llmock" ]; then
  "${PYTHON:-python3}" -m venv "$folder"
  "$folder/bin/python" -m pip --disable-pip-version-check --quiet install llmock
fi
exec "$folder/bin/llmock" serve --host 127.0.0.1 --port "$port"
