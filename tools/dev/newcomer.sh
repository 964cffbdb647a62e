#!/bin/bash
# What a newcomer sees: a minimal Debian 12 with git and make, a clone of this checkout's HEAD, and the two
# commands of the README, first as root, then as an ordinary user with sudo in a system of his own.
#
#   newcomer.sh [--keep] [COMMAND…]     the commands to run instead of: make demo, make demo, make test
#
# Root only; needs debootstrap and the network. The systems are made in a temporary folder and removed at the
# end (--keep: not). Apt's and npm's settings and the trusted certificates of this machine are used inside.
# The network is this machine's, so the ports of the demonstration must be free.
set -u
keep=
[ "${1:-}" = --keep ] && { keep=yes; shift; }
commands=("$@")
[ ${#commands[@]} -gt 0 ] || commands=("make demo" "make demo" "make test")
cd "$(dirname "$0")/../.." || exit 1
checkout=$PWD
[ "$(id -u)" = 0 ] || { echo "newcomer.sh: only root can make a system to change into" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "newcomer.sh: debootstrap is missing" >&2; exit 1; }
base=$(mktemp -d "${TMPDIR:-/tmp}/newcomer.XXXXXX")
chmod 0755 "$base"
finish() {
    if [ -n "$keep" ]; then echo "kept: $base"; else rm -rf --one-file-system "$base"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

make_system() {
    debootstrap --variant=minbase --include=git,make,ca-certificates,sudo bookworm "$base/debian" \
        >"$base/debootstrap.log" 2>&1 || { tail "$base/debootstrap.log"; exit 1; }
    local file
    rm -f "$base/debian/etc/apt/sources.list"
    for file in /etc/resolv.conf /etc/hosts /etc/npmrc /etc/ssl/certs/ca-certificates.crt \
        /usr/local/share/ca-certificates /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d; do
        [ -e "$file" ] || continue
        mkdir -p "$base/debian${file%/*}"
        cp -aL "$file" "$base/debian${file%/*}/"
    done
    rm -rf "$base/debian/var/lib/apt/lists"
}

# inside SYSTEM USER COMMAND: with processes of its own, so that none outlives the command.
inside() {
    unshare --mount --pid --fork --kill-child /bin/bash -c '
        mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/tmp" || exit 1
        chroot "$1" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            TERM="${TERM:-dumb}" NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
            su "$2" -s /bin/bash -c "cd ~/crawltab && $3" </dev/null
        code=$?
        sleep 1
        for process in "$1"/proc/[0-9]*; do
            [ "${process##*/}" != 1 ] && grep -q . "$process/cmdline" 2>/dev/null || continue
            echo "left running: $(tr "\\0" " " <"$process/cmdline")"
            code=1
        done
        exit $code' sh "$1" "$2" "$3"
}

# What the commands may not leave behind: a PostgreSQL of Debian's, or our settings.
outside_is_clean() {
    local left
    left=$(find "$1/etc/postgresql" "$1/var/lib/postgresql" -mindepth 2 2>/dev/null
        find "$1/etc" "$1/var/lib" -name '*crawltab*' 2>/dev/null)
    [ -z "$left" ] || { echo "left outside the checkout:"; echo "$left"; return 1; }
}

try() {
    local user=$1 system=$base/$1 command home=/root
    cp -a "$base/debian" "$system"
    if [ "$user" != root ]; then
        home=/home/$user
        chroot "$system" useradd -m -s /bin/bash "$user"
        echo "$user ALL=(ALL) NOPASSWD: ALL" >"$system/etc/sudoers.d/newcomer"
    fi
    git clone -q "file://$checkout" "$system$home/crawltab" || exit 1
    chroot "$system" chown -R "$user:" "$home/crawltab"
    for command in "${commands[@]}"; do
        echo
        echo "=== $user: $command"
        inside "$system" "$user" "$command" || { echo "=== $user: '$command' failed"; failed=yes; }
        outside_is_clean "$system" || failed=yes
    done
}

failed=
make_system
try root
try newcomer
echo
[ -z "$failed" ] && echo "a newcomer's commands work" || { echo "a newcomer's commands failed"; exit 1; }
