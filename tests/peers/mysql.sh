#!/usr/bin/env bash
# A real MySQL server from Debian unstable in the foreground: mysql.sh FOLDER PORT
# For the suite: TEST_MYSQL_URL=mysql://app:app@127.0.0.1:PORT/app; the user may create databases.
set -euo pipefail
folder=$(realpath -m "$1") port=$2
. "$(dirname "$0")/sid.sh"
root=$(dirname "$folder")/sid
(
  flock 9
  sid "$root" mysql-server-core
) 9> "$folder.lock"
inside=/srv/mysql-$port
mkdir -p "$root$inside"
trap 'rm -rf "$root$inside"' EXIT
cat > "$root$inside/init.sql" <<'SQL'
CREATE DATABASE IF NOT EXISTS app;
CREATE USER IF NOT EXISTS app@'127.0.0.1' IDENTIFIED BY 'app';
GRANT ALL ON *.* TO app@'127.0.0.1';
SQL
chroot "$root" mysqld --no-defaults --secure-file-priv=NULL --user=root --initialize-insecure --datadir="$inside/data"
chroot "$root" mysqld --no-defaults --secure-file-priv=NULL --user=root --datadir="$inside/data" --init-file="$inside/init.sql" \
  --bind-address=127.0.0.1 --port="$port" --mysqlx=OFF --socket="$inside/socket" \
  --pid-file="$inside/pid" --skip-name-resolve --innodb-buffer-pool-size=64M --max-connections=300 &
server=$!
trap 'kill "$server" 2> /dev/null; wait "$server"; exit 0' TERM INT
wait "$server"
