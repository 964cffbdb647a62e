#!/bin/bash
# Line and branch coverage, file by file, with gcc's own gcov, and whether each room has what it must have:
# ledger/verify by the unit tests alone, the rooms of ledger/ by those and the tests with a database.
#
#   coverage.sh [-v] [ROOM...]    rooms of the list below or other folders of sources; -v: each uncovered line
#                                 and branch, too
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
BUILD=build-coverage
export BUILD

# Room, and the least of lines and branches in per cent: what it had when it was last raised. They only go up.
gates='ledger/verify 100 95'
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(cut -d' ' -f1 <<<"$gates")
suites='unit'
case " ${*#ledger/verify} " in *ledger/*) suites='unit pg' ;; esac

find "$BUILD" -name '*.gcda' -delete 2>/dev/null
programs=$(for suite in $suites; do
    find "tests/$suite" -name '*_test.c' | sed "s#.*/\(.*\)\.c#$BUILD/tests/$suite/\1#" | sort
done)
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
# room FOLDER LINES BRANCHES: its files, and whether it has so much.
room() {
    rm -rf "$report"
    mkdir -p "$report"
    for source in "$1"/*.c; do
        gcov -b -t -o "$BUILD/${source%.c}.o" "$source" 2>/dev/null |
            awk -v source="$source" '/^ *-: *0:Source:/ { mine = $0 ~ "Source:" source "$" } mine' \
                >"$report/$(basename "$source").gcov"
    done
    awk -v room="$1" -v verbose="$verbose" -v least_lines="$2" -v least_branches="$3" '
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
            row(room, all_l, all_lh, all_b, all_bh)
            if (all_lh * 100 < least_lines * all_l || all_bh * 100 < least_branches * all_b) {
                printf "%s: below %d %% of lines or %d %% of branches\n", room, least_lines, least_branches
                exit 1
            }
        }' "$report"/*.gcov
}

failed=0
for folder in "$@"; do
    read -r lines branches < <(awk -v room="$folder" '$1 == room { print $2, $3 }' <<<"$gates")
    room "$folder" "${lines:-0}" "${branches:-0}" || failed=1
done
exit "$failed"
