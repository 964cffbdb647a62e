#!/bin/bash
# Checks the limits of the house style, the include rules and the formatting; runs analysers of C and shell.
#
#   lint.sh [--short]    --short: only what takes no more than seconds, with the tools that are there
#
# A finding that has to stay is excused in place, with its reason:
#   house rules  /* lint: RULE, reason */     on the line or the one before; RULE is the word in brackets
#   cppcheck     /* cppcheck-suppress ID ; reason */
#   clang-tidy   /* NOLINT(check): reason */
set -u
cd "$(dirname "$0")/../.." || exit 1
short=${1:-}
here=$PWD/tools/dev
failed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT
# Bytes, so that rules.awk counts columns alike with every awk.
export LC_ALL=C

fail() { failed=1; }
have() {
    command -v "$1" >/dev/null && return
    [ -n "$short" ] || { echo "lint: $1 is missing"; fail; }
    return 1
}

# rules FILE…: the house rules; must find nothing. awk's own failure must not pass for that.
rules() {
    local found code
    found=$(awk -f "$here/rules.awk" "$@")
    code=$?
    [ -z "$found" ] || printf '%s\n' "$found"
    [ "$code" -eq 0 ] && [ -z "$found" ]
}

# A check that never fails checks nothing: every rule is given a file that breaks it, and one that seems to.
self_test() {
    local tree rule
    tree=$(mktemp -d)
    (
        cd "$tree" || exit 1
        shopt -s nullglob
        mkdir -p ledger/pg ledger/format/bill ledger/attic ledger/verify server/http server/gate
        {
            printf 'static int long_one(int a)\n{\n'
            yes '    a++;' | head -n 70
            printf '    return a;\n}\n'
        } >ledger/pg/function.c
        yes '/* */' | head -n 601 >ledger/pg/file.c
        printf '/* %0110d */\n' 1 >ledger/pg/line.c
        printf 'int f(int a, int b, int c, int (*d)(int, int),\n      int e, int g, int h)\n{\n}\n' \
            >ledger/pg/parameters.c
        printf 'void f(char *p)\n{\n    /* a */ strcpy(p, "/* ");\n}\n' >ledger/pg/banned.c
        printf '#include "server/gate/gate.h"\n' >ledger/verify/include.c
        printf '#include "ledger/pg/pg.h"\n' >ledger/format/bill/upwards.c
        echo >ledger/attic/unknown.c
        printf '#include <libpq-fe.h>\n' >server/http/library.c
        printf 'void f(void)\n{\n    puts(pg_rows_text(rows, 0, 2));\n}\n' >server/http/columns.c
        for rule in function file line parameters banned include library columns; do
            awk -f "$here/rules.awk" */*/"$rule".c | grep -q "($rule)$" && continue
            echo "lint: its self-test does not find what breaks the rule '$rule'"
            exit 1
        done
        for rule in ledger/format/bill/upwards ledger/attic/unknown; do
            awk -f "$here/rules.awk" "$rule.c" | grep -q '(include)$' && continue
            echo "lint: its self-test does not find what is wrong with $rule.c"
            exit 1
        done
        {
            printf '#include "ledger/base/err.h"\n#include <openssl/evp.h>\n/* strcpy( */ // double\n'
            printf 'int f(int a, int b, int c, int (*d)(int, int), int e, int g)\n{\n'
            printf '    puts("system(1) \\" atoi(");\n'
            yes '    a++;' | head -n 64
            printf '    /* lint: banned, its argument is ours */\n    system("true");\n}\n'
        } >ledger/verify/signature.c
        rules ledger/verify/signature.c || { echo "lint: its self-test finds what is not there"; exit 1; }
        git init -q . && printf '## 1. One\n' >WIRE.md
        printf '/* WIRE.md section\n * 2 and DESIGN.md */\n' >ledger/verify/cites.c
        [ "$(citations | wc -l)" -eq 2 ] || { echo "lint: its self-test does not find citations"; exit 1; }
        rm -rf ledger server && mkdir -p server/run tests/unit/run tests/e2e
        touch server/run/{named,said,forgotten}.c tests/unit/run/named_test.c
        printf '/* Tests server/run/said.c */\nstruct x;\n/* Tests server/run/forgotten.c */\n' \
            >tests/unit/other_test.c
        printf '// What it does.\n\n// Tests server/run/forgotten.c\n' >tests/e2e/late.test.js
        [ "$(untested | sed 's/:.*//')" = server/run/forgotten.c ] ||
            { echo "lint: its self-test does not find what has no test"; exit 1; }
    ) || fail
    rm -rf "$tree"
}

# What is committed or about to be, and still there.
sources() {
    local file
    git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
        if [ -f "$file" ]; then echo "$file"; fi
    done
}

house_rules() {
    local files
    mapfile -t files < <(sources ledger server tools tests sql Makefile |
        grep -E '(\.(c|h|sh|sql|awk|m?js|css|mk)|Makefile)$')
    rules "${files[@]}" || fail
}

formatting() {
    have clang-format || return
    sources '*.c' '*.h' | xargs -r clang-format --dry-run -Werror >"$output" 2>&1 && return
    sed -n 's/: error: code should be clang-formatted.*/: not as `make format` writes it/p' "$output" |
        sort -u -t: -k1,2
    fail
}

# A reader follows "WIRE.md section 4" in a comment: page and section have to be here. A citation may
# be broken over two lines of a comment.
citations() {
    local page sections section file
    sources '*.c' '*.h' '*.js' '*.sql' | xargs cat | sed 's/^ *\(\*\|--\|\/\/\) */ /' | tr '\n' ' ' |
        grep -oE '\b[A-Z]{3,}[A-Z_]*\.md( +sections? +[0-9]+( and [0-9]+)*)?' | sort -u |
        while read -r page sections; do
            file=$(sources "*$page" | head -n 1)
            [ -n "$file" ] || { echo "comments cite $page, which is not here (citation)"; continue; }
            for section in $(echo "$sections" | grep -oE '[0-9]+'); do
                grep -q "^## $section\. " "$file" || echo "comments cite section $section of $file (citation)"
            done
        done >"$output"
    [ -s "$output" ] || return 0
    cat "$output"
    fail
}

# Two branches that each add a migration must not both get its number.
migrations() {
    sources 'sql/migrations/*.sql' | sed 's#.*/##; s/-.*//' | sort | awk '$1 + 0 != NR {
        printf "sql/migrations: number %d is %s (migration)\n", NR, $1 + 0 < NR ? "given twice" : "missing"
        exit 1 }' || fail
}

# The test of foo.c is found by its name: it is foo_test.c, or its first comment says "Tests ledger/x/foo.c".
untested() {
    local file name said
    said=$(sources 'tests/*_test.c' 'tests/*.test.js' | xargs -r awk '
        FNR == 1 { head = 1; says = 0 }
        !/^(\/\*| \*|\/\/)/ { head = 0 }
        head && / Tests [a-z]/ { says = 1 }
        head && says' | grep -oE '(ledger|server)/[a-z0-9_/]+\.c')
    sources 'ledger/*.c' 'server/*.c' | while read -r file; do
        name=$(basename "$file" .c)_test.c
        compgen -G "tests/*/$name" >/dev/null || compgen -G "tests/*/*/$name" >/dev/null ||
            grep -qxF "$file" <<<"$said" ||
            echo "$file: no test has its name or says that it tests it (tested)"
    done >"$output"
    [ -s "$output" ] || return 0
    cat "$output"
    fail
}

static_analysis() {
    local flags
    if have cppcheck; then
        cppcheck -q --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
            --suppress=missingInclude --suppress=missingIncludeSystem --library=posix -I . -I build \
            ledger server tools || fail
    fi
    if have shellcheck; then
        sources '*.sh' .ci/run | xargs -r shellcheck -S warning || fail
    fi
    if have clang-tidy; then
        flags="-std=gnu11 -I. -Ibuild $(pkg-config --cflags libpq libmicrohttpd libcrypto jansson yaml-0.1 \
            libcurl libxml-2.0 pangocairo)"
        # shellcheck disable=SC2086
        sources 'ledger/*.c' 'server/*.c' 'tools/*.c' | xargs -r -P "$(nproc)" -n 1 sh -c '
            flags=$1
            shift
            clang-tidy --quiet "$@" -- $flags 2>/dev/null' sh "$flags" || fail
    fi
}

self_test
house_rules
citations
untested
migrations
formatting
[ -n "$short" ] || static_analysis
[ "$failed" -eq 0 ] && echo "lint: no findings"
exit "$failed"
