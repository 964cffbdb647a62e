#!/bin/bash
# Runs the fuzz targets that `make FUZZ=1 fuzzers` has built in build-fuzz, one after another.
#
#   fuzz.sh [SECONDS [TARGET…]]    each target so long (default 60); all of them by default
#   fuzz.sh --list                 their names
#
# A target starts from its committed corpus in tests/fuzz/corpus and from what earlier runs have found; new
# inputs go to build-fuzz/corpus. An input that breaks something is kept as build-fuzz/finds/TARGET-…; to see
# it again: build-fuzz/tests/fuzz/TARGET FILE. Exit status 1 if there was any.
set -u
cd "$(dirname "$0")/../.." || exit 1
built=build-fuzz/tests/fuzz
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

names() {
    local source name
    for source in tests/fuzz/*.c; do
        name=$(basename "$source" .c)
        if [ -x "$built/$name" ]; then echo "$name"; fi
    done
}

[ "${1:-}" = --list ] && { names; exit 0; }
seconds=${1:-60}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(names)
[ ${#targets[@]} -gt 0 ] || { echo "fuzz.sh: no targets in $built; make fuzz builds them" >&2; exit 1; }
failed=0
mkdir -p build-fuzz/finds build-fuzz/logs

# The leak check needs ptrace, which some containers withhold.
if ASAN_OPTIONS='' "$built/${targets[0]}" -runs=0 2>&1 | grep -q 'LeakSanitizer has encountered a fatal'; then
    export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
fi

# Without the symbolizer, each name that libFuzzer wants to print would be reported as a fault of its own.
if ! command -v llvm-symbolizer >/dev/null; then
    export ASAN_OPTIONS="${ASAN_OPTIONS:-}:symbolize=0"
fi

for target in "${targets[@]}"; do
    log=build-fuzz/logs/$target.log
    found=build-fuzz/corpus/$target
    # A short run is a test: it starts from what is committed alone.
    [ "$seconds" -ge 10 ] || { found=build-fuzz/short/$target; rm -rf "$found"; }
    mkdir -p "$found" "tests/fuzz/corpus/$target"
    # A seed that is cut off is none.
    longest=$(find "tests/fuzz/corpus/$target" -type f -size +8k -printf '%s\n' | sort -n | tail -n 1)
    "$built/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len="${longest:-8192}" \
        -print_final_stats=1 -print_funcs=0 -artifact_prefix="build-fuzz/finds/$target-" \
        "$found" "tests/fuzz/corpus/$target" >"$log" 2>&1 </dev/null
    code=$?
    awk -v target="$target" '
        /^#[0-9]+/ && match($0, /cov: [0-9]+/) { covered = substr($0, RSTART + 5, RLENGTH - 5) }
        /number_of_executed_units/ { runs = $2 }
        /new_units_added/ { added = $2 }
        END {
            printf "%-18s %10d executions %6d new inputs %6d points covered\n",
                target, runs, added, covered
        }
        ' "$log"
    if [ "$code" -ne 0 ]; then
        failed=1
        echo "$target: status $code; the end of $log:"
        tail -n 60 "$log"
    fi
done
exit "$failed"
