#!/bin/bash
# Tests the packages of `make deb` as an administrator meets them: test-deb.sh BUILD
#
#   built twice, the same bytes; lintian finds nothing
#   in a fresh Debian 12: the version before is installed, upgraded to this one, removed and purged,
#   and then nothing of it is left but what its dependencies brought
#
#   meanwhile the packages' own tests run there: a paid crawl by the installed programs
#
# Root only; needs debootstrap, lintian and the network (apt's settings of this machine). The system is made
# in a temporary folder and removed at the end.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "$1")
[ "$(id -u)" = 0 ] || { echo "test-deb.sh: only root can make a system to change into" >&2; exit 1; }
for tool in debootstrap lintian; do
    command -v $tool >/dev/null || { echo "test-deb.sh: $tool is missing" >&2; exit 1; }
done
release=$(ls "$build"/crawltab-*.tar.gz | tail -n 1)
work=$(mktemp -d "${TMPDIR:-/tmp}/test-deb.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM HUP
failed=
check() {
    local what=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "ok      $what"
    else
        echo "FAILED  $what"
        cat "$work/log"
        failed=yes
    fi
}
same_bytes() {
    tools/deploy/deb.sh "$release" "$work/again" || return
    for package in "$build"/deb/*.deb; do cmp "$package" "$work/again/${package##*/}" || return; done
}
check 'built again, the same bytes' same_bytes
check 'lintian' lintian --fail-on error,warning --no-tag-display-limit "$build"/deb/*.changes
check 'the version before' tools/deploy/deb.sh "$release" "$work/before" 0.0.1

system=$work/debian
make_system() {
    debootstrap --variant=minbase --include=ca-certificates bookworm "$system" || return
    rm -f "$system/etc/apt/sources.list"
    for file in /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt /etc/apt/sources.list \
        /etc/apt/sources.list.d/debian.sources /etc/apt/apt.conf.d; do
        [ -e "$file" ] || continue
        mkdir -p "$system${file%/*}"
        cp -aL "$file" "$system${file%/*}/"
    done
    mkdir "$system/packages"
    cp "$work"/before/*.deb "$build"/deb/*.deb "$system/packages"
    printf '#!/bin/sh\nexit 101\n' >"$system/usr/sbin/policy-rc.d" && chmod 755 "$system/usr/sbin/policy-rc.d"
    inside 'apt-get update'
}
inside() {
    unshare --mount --pid --fork --kill-child /bin/bash -c '
        mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/tmp" || exit 1
        exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
            /bin/sh -c "$2" </dev/null' sh "$system" "$1"
}
install="apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends install"
# Nothing that dpkg does not know of, nobody, and no unit that would start.
left() {
    inside 'dpkg -l | grep crawltab; getent passwd crawltab; getent group crawltab
        find /etc /usr /var /run /lib -name "*crawl*" ! -path "/var/lib/apt/*" ! -path "/var/cache/apt/*" \
            ! -path "/var/log/*" ! -path "/var/lib/postgresql/*"' \
        >"$work/left" 2>&1
    cat "$work/left"
    [ ! -s "$work/left" ]
}
check 'a fresh Debian 12' make_system
[ -z "$failed" ] || exit 1
keeps='[ -e /var/lib/crawltab/mine.key ] && [ -e /etc/crawltab/mine.yaml ]'
check 'the version before is installed' \
    inside "$install /packages/*_0.0.1_*.deb && crawltab --version | grep 0.0.1 &&
    mkdir -p /var/lib/crawltab && echo x >/var/lib/crawltab/mine.key && echo x >/etc/crawltab/mine.yaml"
check 'it is upgraded, and keeps configuration and keys' \
    inside "$install \$(ls /packages/*.deb | grep -v _0.0.1_) && ! crawltab --version | grep 0.0.1 && $keeps"
check 'the programs find their libraries and places' inside 'crawltabd --version && crawler --version &&
    crawltabd --print-config-example | grep -q "key_file: /var/lib/crawltab/offer.key"'
# The packages' own tests, as autopkgtest would run them, with what they ask for.
wants=$(sed -n 's/^Depends: //p' tools/deploy/debian/tests/control | tr -d ',' | sed 's/@//g' | tr '\n' ' ')
mkdir "$system/tests" && cp tools/deploy/debian/tests/* "$system/tests"
check 'what its tests ask for is installed' inside "$install $wants"
for name in $(sed -n 's/^Tests: //p' tools/deploy/debian/tests/control | tr -d ','); do
    SECONDS=0
    check "its test $name" inside "/tests/$name"
    echo "        in $SECONDS seconds"
done
ours='crawltab crawltab-crawler crawltab-console'
check 'it is removed, and keeps them' inside "apt-get -q -y remove $ours && $keeps"
check 'it is purged' inside "apt-get -q -y purge $ours"
check 'nothing is left' left
[ -z "$failed" ]
