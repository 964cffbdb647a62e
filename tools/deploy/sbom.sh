#!/bin/bash
# What the programs are linked with, or load, as SPDX 2.3 in JSON: sbom.sh VERSION PROGRAM… Libraries are
# named by the Debian packages that they come from, those that the programs name themselves and those that
# these need. The date is SOURCE_DATE_EPOCH, or that of the newest program: the same programs, the same bytes.
set -eu
version=$1
shift
when=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$@" | sort -n | tail -n 1)}
# Those that are loaded later stand in a program by their names alone.
named=$(grep -aohE 'lib[A-Za-z0-9.+-]+\.so\.[0-9]+' "$@" | sort -u)
loaded=$(/sbin/ldconfig -p | awk 'NR == FNR { named[$1]; next } $1 in named && !seen[$1]++ { print $NF }' \
    <(echo "$named") -)
# shellcheck disable=SC2086
libraries=$({ ldd "$@" $loaded | awk '$2 == "=>" && $3 ~ /^\// { print $3 }
    $1 ~ /^\// && NF == 2 && $1 !~ /:$/ { print $1 }'; echo "$loaded"; } | sort -u)
for library in $libraries; do
    # dpkg knows some by the path before /lib became /usr/lib.
    real=$(realpath "$library")
    owner=$(dpkg -S "$library" 2>/dev/null || dpkg -S "$real" 2>/dev/null ||
        dpkg -S "${real#/usr}" 2>/dev/null) ||
        { echo "sbom.sh: $library is of no Debian package" >&2; exit 1; }
    package=${owner%%: *}
    package=${package%%,*}
    direct=no
    grep -qxF "${library##*/}" <<<"$named" && direct=yes
    known="\${binary:Package}\t\${Version}\t\${source:Package}\t\${Architecture}"
    dpkg-query -W -f "$known\t$direct\t${library##*/}\n" "$package" | head -n 1
done | jq -R -s --arg version "$version" --arg date "$(date -u -d "@$when" +%Y-%m-%dT%H:%M:%SZ)" '
    def id: "SPDXRef-" + gsub("[^A-Za-z0-9.-]"; "-");
    [split("\n")[] | select(. != "") | split("\t")
        | {name: (.[0] | sub(":.*"; "")), version: .[1], source: .[2], architecture: .[3],
           direct: (.[4] == "yes"), file: .[5]}] | group_by(.name)
    | map(.[0] + {files: map(.file), direct: any(.[]; .direct)}) as $packages
    | {spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT",
       name: "crawltab-\($version)",
       documentNamespace: "https://crawltab.invalid/spdx/\($version)/\($date)",
       creationInfo: {created: $date, creators: ["Tool: crawltab-sbom"]},
       documentDescribes: ["SPDXRef-crawltab"],
       packages: ([{SPDXID: "SPDXRef-crawltab", name: "crawltab", versionInfo: $version,
            downloadLocation: "NOASSERTION", filesAnalyzed: false, licenseConcluded: "NOASSERTION",
            licenseDeclared: "NOASSERTION", copyrightText: "NOASSERTION"}]
         + ($packages | map({SPDXID: (.name | id), name, versionInfo: .version,
            supplier: "Organization: Debian", downloadLocation: "NOASSERTION",
            filesAnalyzed: false, licenseConcluded: "NOASSERTION",
            licenseDeclared: "NOASSERTION", copyrightText: "NOASSERTION", comment: (.files | join(" ")),
            externalRefs: [{referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
                referenceLocator: "pkg:deb/debian/\(.name)@\(.version | @uri)?arch=\(.architecture)"}]}))),
       relationships: ([{spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES",
            relatedSpdxElement: "SPDXRef-crawltab"}]
         + ($packages | map({spdxElementId: "SPDXRef-crawltab",
            relationshipType: (if .direct then "DYNAMIC_LINK" else "DEPENDS_ON" end),
            relatedSpdxElement: (.name | id)})))}'
