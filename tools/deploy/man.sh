#!/bin/bash
# Writes a manual page from what a program says of itself, so that page and program cannot differ:
# man.sh PROGRAM|crawltab-COMMAND|crawltab.yaml SECTION VERSION DATE, where PROGRAM is the path of one that
# has been built, and the others are in its folder.
set -eu
program=$1 section=$2 version=$3 date=$4
name=${program##*/}

# Text as it stands, which is of 80 columns and so begins at the first. A line that begins with a dot or an
# apostrophe is no request of roff's.
literal() {
    printf '.nf\n.in 0\n'
    sed -e 's/\\/\\e/g' -e "s/-/\\\\-/g" -e "s/^\([.']\)/\\\\\&\1/" -e "s/'/\\\\(aq/g" -e 's/[[:space:]]*$//'
    printf '.in\n.fi\n'
}
# Comments of more than 80 columns go on in the next line.
wrapped() {
    awk 'length > 80 && match($0, /^ *# /) {
            lead = substr($0, 1, RLENGTH); line = lead; blank = ""
            count = split(substr($0, RLENGTH + 1), words, " ")
            for (i = 1; i <= count; i++) {
                if (length(line blank words[i]) > 80) { print line; line = lead; blank = "" }
                line = line blank words[i]; blank = " "
            }
            print line
            next
        } { print }'
}
heading() { printf '.SH %s\n' "$1"; }
title() {
    printf '.TH %s %s %s "crawltab %s" crawltab\n.SH NAME\n%s \\- %s\n' \
        "${name^^}" "$section" "$date" "$version" "${name//-/\\-}" "$1"
}

# The commands that a program lists: two spaces, a name, a space or more, what it does. Examples begin with
# the program's own name.
commands() { "$program" --help | sed -n 's/^  \([a-z][a-z-]*\) \{1,\}[a-z].*/\1/p' | grep -vx "$name"; }

files() {
    heading FILES
    cat <<END
.TP
.I /etc/crawltab/config.yaml
the configuration; see
.BR crawltab.yaml (5)
.TP
.I /var/lib/crawltab
the keys of the gate and of the checkpoints
END
    heading 'SEE ALSO'
    printf '.BR %s ,\n' 'crawltab (1)' 'crawler (1)' 'crawltabd (8)' | grep -v "BR $name ("
    printf '.BR crawltab.yaml (5)\n'
}

case $name in
crawltab)
    title 'keeps the ledger of crawltabd: bills, exports, answers disputes'
    heading DESCRIPTION
    "$program" --help | literal
    heading COMMANDS
    echo 'Each has a page of its own:'
    separator=
    for command in $(commands); do
        [ -z "$separator" ] || echo "$separator"
        printf '.BR crawltab\\-%s (1)' "${command//-/\\-}"
        separator=,
    done
    echo
    files
    ;;
crawltab-*)
    command=${name#crawltab-} program=${program%/*}/crawltab
    title "$("$program" --help | sed -n "s/^  $command  *//p;T;q")"
    heading DESCRIPTION
    "$program" "$command" --help | literal
    files
    ;;
crawler)
    title 'a crawler that pays for pages by the deferred x402 scheme'
    heading DESCRIPTION
    "$program" --help | literal
    for command in $(commands); do
        heading "crawler $command"
        "$program" "$command" --help | literal
    done
    heading 'SEE ALSO'
    printf '.BR crawltab (1),\n.BR crawltabd (8)\n'
    ;;
crawltabd)
    title 'the gate: offers pages to AI crawlers at a price'
    heading DESCRIPTION
    "$program" --help | literal
    files
    ;;
crawltab.yaml)
    title 'the configuration of crawltabd and crawltab'
    heading DESCRIPTION
    echo 'Every key, with its default where it has one, as'
    echo '.B crawltabd \-\-print\-config\-example'
    echo 'prints it. The configuration is reloaded by SIGHUP;'
    echo '.B crawltabd \-\-check\-config'
    echo 'tells every mistake in it.'
    heading CONFIGURATION
    "${program%/*}/crawltabd" --print-config-example | wrapped | literal
    files
    ;;
*)
    echo "man.sh: no page of $name" >&2
    exit 1
    ;;
esac
