# A Debian unstable system in a folder, for programs that a stable one has not: sid FOLDER PACKAGE...
# Meant to be sourced. Needs root.
sid() {
  local root=$1 mirror package
  shift
  [ "$(id -u)" = 0 ] || { echo "only root can make a Debian system in a folder" >&2; return 1; }
  if [ ! -e "$root/.made" ]; then
    command -v debootstrap > /dev/null || {
      apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq debootstrap
    } || return 1
    # The mirror that this machine itself uses.
    mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2> /dev/null |
      grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)
    rm -rf "$root"
    debootstrap --variant=minbase --include=ca-certificates sid "$root" ${mirror:+"$mirror"} || return 1
    # Installed daemons must not start.
    printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    touch "$root/.made"
  fi
  for package; do
    [ -e "$root/var/lib/dpkg/info/$package.list" ] ||
      chroot "$root" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$package" || return 1
  done
}
