#!/usr/bin/env bash
# Runs a command with TEST_MYSQL_URL of a real MySQL server: on_real_mysql.sh COMMAND [ARG ...]
# Where none can be had it says so loudly and runs the command without.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
folder=$(realpath -m "$here/../../.test-peers/suite-mysql")
mkdir -p "$folder"
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
bash "$here/mysql.sh" "$folder" "$port" > "$folder.log" 2>&1 &
server=$!
trap 'kill "$server" 2> /dev/null || true; wait "$server" 2> /dev/null || true' EXIT
for _ in $(seq 600); do
  if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
    export TEST_MYSQL_URL="mysql://app:app@127.0.0.1:$port/app"
    break
  fi
  kill -0 "$server" 2> /dev/null || break
  sleep 0.5
done
[ -n "${TEST_MYSQL_URL:-}" ] || { echo "NOT RUN ON A REAL MYSQL SERVER:"; tail -n 3 "$folder.log"; } >&2
"$@"
