#!/bin/bash
# Runs what has been built in $BUILD, every suite, and closes with one line, "N passed, N failed, N skipped".
# Exit status 1 if anything failed or nothing passed. `make test` builds first and calls this; with arguments
# only the suites whose names contain one of them run, e.g. `tools/dev/test.sh pg/ e2e/paid`.
#
# A program that crashes, hangs, leaks, or whose output cannot be read counts as failed, whatever it printed.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
export BUILD
logs=$BUILD/logs
rm -rf "$logs"
mkdir -p "$logs"
wanted=("$@")
passed=0 failed=0 skipped=0
# Suites, or files of one, that run at once: most of their time is waiting.
beside=$(($(nproc) - 1))
[ "$beside" -ge 2 ] || beside=2

# Reports of the sanitizers go to files: one of a program that a test starts in the background is not lost.
sanitizer=$PWD/$logs/sanitizer
export ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1:log_path=$sanitizer"
export UBSAN_OPTIONS="print_stacktrace=1:log_path=$sanitizer"
export TSAN_OPTIONS="suppressions=$PWD/tools/dev/tsan.supp:log_path=$sanitizer"
export LSAN_OPTIONS="suppressions=$PWD/tools/dev/lsan.supp:print_suppressions=0"
if [ "$BUILD" = build-sanitize ] && [ -x "$BUILD/crawltabd" ]; then
    # The leak check needs ptrace, which some containers withhold.
    "$BUILD/crawltabd" --print-config-example >/dev/null 2>&1
    if grep -qs 'LeakSanitizer has encountered a fatal' "$sanitizer".*; then
        echo "this machine does not permit the leak check; going on without it"
        export ASAN_OPTIONS="${ASAN_OPTIONS/detect_leaks=1/detect_leaks=0}"
    fi
    rm -f "$sanitizer".*
fi

chosen() {
    local word
    [ ${#wanted[@]} -eq 0 ] && return 0
    for word in "${wanted[@]}"; do
        case $1 in *"$word"*) return 0 ;; esac
    done
    return 1
}

# count NAME PASSED FAILED SKIPPED LOG [SECONDS]: adds up one suite and shows its log if it failed.
count() {
    local verdict=ok report seconds=${6-}
    for report in "$sanitizer".* "$5".sanitizer.*; do
        [ -s "$report" ] || continue
        cat "$report" >>"$5"
        rm -f "$report"
        if [ "$3" -eq 0 ]; then set -- "$1" "$2" 1 "$4" "$5"; fi
    done
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
    [ "$3" -eq 0 ] || verdict=FAILED
    printf '%-40s %4d passed %3d failed %3d skipped %5s  %s\n' "$1" "$2" "$3" "$4" \
        "${seconds:+$seconds s}" "$verdict"
    if [ "$3" -ne 0 ]; then
        tail -n 200 "$5" | sed 's/^/    /'
    fi
}

# check NAME COMMAND…: a suite of one test, that the command succeeds.
check() {
    local name=$1 log
    chosen "$name" || return
    log=$logs/${name//[ \/]/_}.log
    shift
    SECONDS=0
    if "$@" >"$log" 2>&1 </dev/null; then set -- 1 0; else set -- 0 1; fi
    count "$name" "$1" "$2" 0 "$log" $SECONDS
}

# beside NAME COMMAND…: the same, begun at once if there is room; `together` waits for all and counts them.
begun=()
beside() {
    local name=$1 log
    chosen "$name" || return
    log=$logs/${name//[ \/]/_}.log
    shift
    while [ "$(jobs -pr | wc -l)" -ge "$beside" ]; do wait -n; done
    {
        SECONDS=0
        "$@" >"$log" 2>&1 </dev/null
        echo $? $SECONDS >"$log.code"
    } &
    begun+=("$name")
}
together() {
    local name log code seconds
    wait
    for name in "${begun[@]}"; do
        log=$logs/${name//[ \/]/_}.log
        read -r code seconds <"$log.code"
        if [ "$code" -eq 0 ]; then set -- 1 0; else set -- 0 1; fi
        count "$name" "$1" "$2" 0 "$log" "$seconds"
    done
    begun=()
}

# cmocka's results in TAP, one plan "1..N" a group. Prints passed, failed, skipped.
read_tap() {
    awk '/^1\.\.[0-9]+$/ { planned += substr($0, 4) }
        /^(not )?ok [0-9]+ .*# SKIP/ { skipped++; next }
        /^ok [0-9]+/ { passed++ }
        /^not ok [0-9]+/ { failed++ }
        END {
            missing = planned - passed - failed - skipped
            print passed + 0, failed + (missing != 0 || planned == 0), skipped + 0
        }' "$1"
}

# The log of a program's suite, and the file that its sanitizers report to.
log_of() { echo "$logs/${1//\//_}.log"; }

run_cmocka() {
    local log
    log=$(log_of "${1#"$BUILD/tests/"}")
    SECONDS=0
    {
        ASAN_OPTIONS=${ASAN_OPTIONS/log_path=*/log_path=$PWD/$log.sanitizer} \
            UBSAN_OPTIONS=${UBSAN_OPTIONS/log_path=*/log_path=$PWD/$log.sanitizer} \
            TSAN_OPTIONS=${TSAN_OPTIONS/log_path=*/log_path=$PWD/$log.sanitizer} \
            CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 600 "$1" >"$log.tap" 2>"$log" </dev/null
        echo $? $SECONDS >"$log.code"
    } 2>/dev/null
}

count_cmocka() {
    local program=$1 name=${1#"$BUILD/tests/"} log code seconds p f s
    log=$(log_of "$name")
    read -r code seconds <"$log.code"
    read -r p f s < <(read_tap "$log.tap")
    if [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
    fi
    if [ "$code" -ge 124 ]; then
        echo "$program ended with status $code$([ "$code" = 124 ] && echo ', out of time')" >>"$log"
    fi
    cat "$log.tap" >>"$log"
    count "$name" "$p" "$f" "$s" "$log" "$seconds"
}

# A program whose source is gone is no test any more.
has_source() {
    local source=${1#"$BUILD/"}.c
    compgen -G "${source%/*}/*/${source##*/}" >/dev/null || [ -f "$source" ]
}

# As many beside one another as there are cores, told as they end.
cmocka_suites() {
    local program pid
    local -A running=()
    for program in "$@" ''; do
        while [ ${#running[@]} -ge "$beside" ] || { [ -z "$program" ] && [ ${#running[@]} -gt 0 ]; }; do
            wait -n -p pid
            count_cmocka "${running[$pid]}"
            unset "running[$pid]"
        done
        if [ -x "$program" ] && has_source "$program" && chosen "${program#"$BUILD/tests/"}"; then
            run_cmocka "$program" &
            running[$!]=$program
        fi
    done
}

# The independent clients are npm packages at the versions of the lock file; its copy tells what is there.
node_packages() {
    local folder=tests/e2e
    [ -f $folder/package-lock.json ] || return 0
    cmp -s $folder/package-lock.json $folder/node_modules/.installed && return 0
    (cd $folder && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error &&
        cp package-lock.json node_modules/.installed)
}

# node_suite NAME: the Node tests of tests/NAME, or those of its files that were chosen.
node_suite() {
    local name=$1 log=$logs/$1.log files='' file code p f s sized more=0
    # The largest first: else the last one might be long, with nothing beside it.
    mapfile -t sized < <(find "tests/$name" -maxdepth 2 -name '*.test.js' -printf '%s %p\n' | sort -rn)
    for file in "${sized[@]#* }"; do
        chosen "$name/$(basename "$file" .test.js)" && files="$files $file"
    done
    [ -n "$files" ] || return
    if ! node_packages >"$log" 2>&1; then
        count "$name" 0 1 0 "$log"
        return
    fi
    # Debian 12's Node 18 has the global that the clients use, but hides it.
    case $(node --version) in
    v18.*) export NODE_OPTIONS="${NODE_OPTIONS:-} --experimental-global-webcrypto" ;;
    esac
    SECONDS=0
    # With two at once a quarter of two cores is idle; faults are left as they are, where time says most.
    [ "$name" != e2e ] || more=1
    # shellcheck disable=SC2086
    timeout -k 10 "${NODE_SECONDS:-1800}" node --test --test-concurrency=$((beside + more)) \
        --test-reporter=spec --test-reporter-destination="$log" \
        --test-reporter=tap --test-reporter-destination="$log.tap" $files >"$log.out" 2>&1 </dev/null
    code=$?
    cat "$log.out" >>"$log"
    read -r p f s < <(awk '$1 == "#" && NF == 3 { n[$2] = $3 }
        END { print n["pass"] + 0, n["fail"] + n["cancelled"] + !("pass" in n), n["skipped"] + n["todo"] }' \
        "$log.tap")
    if [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
    fi
    count "$name" "$p" "$f" "$s" "$log" $SECONDS
}

# Each target over its corpus, and two seconds more.
fuzz_targets() {
    local target
    for target in $(tools/dev/fuzz.sh --list); do beside "fuzz $target" tools/dev/fuzz.sh 2 "$target"; done
    together
}

example_is_current() {
    "$BUILD/crawltabd" --print-config-example | diff -u config.yaml.example - ||
        { echo "config.yaml.example is not what crawltabd --print-config-example prints"; return 1; }
}

# A lock file that names a registry works only where that registry is reached; npm 9, which Debian 12 has,
# cannot read a lock file with another package's name in an override.
lock_files_work_elsewhere() {
    local file
    if git ls-files '*package.json' | xargs jq -r '.overrides // {} | .[]' | grep -n '^npm:'; then
        echo "an override names another package, which npm 9 cannot read: give it a version of its own"
        return 1
    fi
    git ls-files '*package-lock.json' | while read -r file; do
        if grep -n '"resolved"' "$file"; then
            echo "$file names a registry: make it anew with npm's omit-lockfile-registry-resolved=true"
            exit 1
        fi
    done
}

check 'house rules' tools/dev/lint.sh --short
check 'config.yaml.example' example_is_current
check 'npm lock files' lock_files_work_elsewhere
check 'mutant lists' node tests/mutants/run.js --check
cmocka_suites "$BUILD"/tests/unit/*_test "$BUILD"/tests/pg/*_test
fuzz_targets
node_suite e2e
node_suite fault
beside 'bench smoke' node tests/bench/bench.js --smoke
beside 'bench history' node tests/bench/history.js --smoke
beside 'bench growth' node tests/bench/growth.js --smoke
beside 'bench traffic' node tests/bench/traffic.js --smoke
beside 'bench people' node tests/bench/people.js --smoke
beside 'bench judging' node tests/bench/judging.js --smoke
together

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
