#!/bin/bash
# Line and branch coverage of server/verify by the unit tests, file by file, with gcc's own gcov.
#
#   coverage.sh [FOLDER]    another folder of sources; every uncovered line and branch with -v in front
#
# A line that no test can reach is excused with its reason:  /* uncovered: REASON */  on the line. Branches of
# assert() and abort() are left out, and so are calls that could throw in C++.
set -u
cd "$(dirname "$0")/../.." || exit 1
verbose=0
if [ "${1:-}" = -v ]; then
    verbose=1
    shift
fi
folder=${1:-server/verify}
BUILD=build-coverage
export BUILD
wanted_lines=100
wanted_branches=95

find "$BUILD" -name '*.gcda' -delete 2>/dev/null
programs=$(find tests/unit -name '*_test.c' | sed "s#.*/\(.*\)\.c#$BUILD/tests/unit/\1#")
# shellcheck disable=SC2086
make -s OPTIMISE='-O0 -g --coverage' HARDEN=-fPIE LINK='-pie --coverage' $programs || exit 1
for program in $programs; do
    if ! "$program" >"$BUILD/coverage.log" 2>&1; then
        cat "$BUILD/coverage.log"
        echo "coverage: $program failed" >&2
        exit 1
    fi
done

report=$BUILD/coverage
rm -rf "$report"
mkdir -p "$report"
for source in "$folder"/*.c; do
    gcov -b -t -o "$BUILD/${source%.c}.o" "$source" 2>/dev/null |
        awk -v source="$source" '/^ *-: *0:Source:/ { mine = $0 ~ "Source:" source "$" } mine' \
            >"$report/$(basename "$source").gcov"
done

awk -v verbose="$verbose" -v least_lines="$wanted_lines" -v least_branches="$wanted_branches" '
    function row(name, l, lh, b, bh) {
        printf "%-36s %5d lines %6.1f %%   %5d branches %6.1f %%\n", name, l, l ? 100 * lh / l : 100,
            b, b ? 100 * bh / b : 100
    }
    function flush() {
        if (file != "" && l > 0)
            row(file, l, lh, b, bh)
        all_l += l; all_lh += lh; all_b += b; all_bh += bh
        l = lh = b = bh = 0
    }
    FNR == 1 { flush(); file = FILENAME; sub(/.*\//, "", file); sub(/\.gcov$/, "", file) }
    /^branch/ {
        if (skip || /\(throw\)/)
            next
        b++
        if (/never executed/ || / taken 0%/) {
            if (verbose)
                printf "%s:%d: %s\n    %s\n", file, number, $0, text
        } else {
            bh++
        }
        next
    }
    /^ *[-#=0-9*]+: *[0-9]+:/ {
        count = $0
        sub(/:.*/, "", count)
        gsub(/[ *]/, "", count)
        text = $0
        sub(/^[^:]*: */, "", text)
        number = text + 0
        sub(/^[0-9]+:/, "", text)
        skip = text ~ /(^|[^a-z_])(assert|abort)\(/ || text ~ /uncovered: *[^ ]/
        if (count == "-" || skip)
            next
        l++
        if (count ~ /^#|^=/) {
            if (verbose)
                printf "%s:%d: not executed\n    %s\n", file, number, text
        } else {
            lh++
        }
    }
    END {
        flush()
        row("all", all_l, all_lh, all_b, all_bh)
        if (all_lh * 100 < least_lines * all_l || all_bh * 100 < least_branches * all_b) {
            printf "below %d %% of lines or %d %% of branches\n", least_lines, least_branches
            exit 1
        }
    }' "$report"/*.gcov
