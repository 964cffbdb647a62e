#!/bin/bash
# Makes Debian packages of a release: deb.sh crawltab-VERSION.tar.gz FOLDER [VERSION]
#
# They are built in a tree of their own. debian/changelog, which policy wants, is made from the change log
# that is kept by hand: so there is one, and its date makes the packages the same, whenever they are built.
# VERSION: as if it were another one, to test upgrades.
set -eu
release=$(realpath "$1") folder=$(realpath -m "$2")
name=$(basename "$release" .tar.gz)
version=${3:-${name#crawltab-}}
rm -rf "$folder" && mkdir -p "$folder"
tar -xzf "$release" -C "$folder"
cd "$folder/$name"
ln -s tools/deploy/debian debian
date=$(sed -n 's/^## [^ ]* (\([-0-9]*\)).*/\1/p;T;q' tools/deploy/CHANGELOG.md)
{
    echo "crawltab ($version) unstable; urgency=medium"
    echo
    echo "  * See /usr/share/doc/crawltab/changelog.gz for what is new."
    echo
    echo " -- crawltab maintainers <crawltab@packages.debian.org>  $(LC_ALL=C date -u -d "$date" -R)"
} >debian/changelog
[ "$version" = "${name#crawltab-}" ] || sed -i "0,/^## /s/^## [^ ]*/## $version/" tools/deploy/CHANGELOG.md
log=$folder/build.log
dpkg-buildpackage -us -uc -b >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }
cd "$folder" && rm -rf "$name"
ls "$folder"/*.deb
