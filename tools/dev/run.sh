#!/bin/bash
# Tells the story of a paid crawl with the real programs: a person reads free, a crawler gets an offer, pays,
# the night closes the day, the invoice lies there. Then it stays up for trying things out; --once ends it.
# Everything it started is stopped at the end, whatever the end is.
#
# The story's gate runs with its clock a day and two hours behind, so that its day is over for the night,
# which runs on the real clock and keeps to all its rules. Afterwards a gate on the real clock takes over.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
config=config.yaml.example
offset=-93900
gate=http://127.0.0.1:8402
agent=http://127.0.0.1:8403
page=/articles/harbour-bell.html
database=$PWD/var/postgres
key=var/demo/crawler.key
pages=var/demo/pages
once=
[ "${1:-}" = --once ] && once=yes

bold='' dim='' red='' off=''
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' off=$'\e[0m'
fi
number=0
step() {
    number=$((number + 1))
    printf '\n%s%d. %s%s\n' "$bold" "$number" "$1" "$off"
}
tell() { printf '%s\n' "$*" | fold -s -w 80 | sed 's/ $//'; }
problem() { printf '%s%s%s\n' "$red" "$1" "$off" >&2; }
give_up() {
    problem "$1"
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@" >&2
    exit 1
}
# No line of a message is longer than the terminal of 80 columns; what is cut off is marked.
narrow() { cut -c1-400 | sed 's/^\(.\{79\}\)...*/\1…/'; }
# Message heads without the fields that add nothing to the story, and without the coded twin of the offer.
heads() {
    tr -d '\r' | awk '
        /^[<>] +$/ { print ""; next }
        /^[<>]     / { if (!hidden) print; next }
        tolower($2) == "payment-required:" { print $1, $2, "<the offer, in base64>"; hidden = 1; next }
        { hidden = tolower($2) ~ /^(accept|accept-ranges|connection|date|last-modified|etag|vary):/ }
        !hidden'
}
# A command as it could be typed.
command_line() {
    local word line='$'
    for word; do
        case $word in *[!A-Za-z0-9_./:=,@%+-]*) word="'$word'" ;; esac
        line+=" $word"
    done
    printf '%s%s%s\n' "$dim" "$line" "$off"
}

# --- What is started, and its end.

started=()
postgres_started=
stop_process() {
    kill "$1" 2>/dev/null || return
    for _ in {1..100}; do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}
finish() {
    trap '' INT TERM HUP
    local i
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do stop_process "${started[i]}"; done
    [ -z "$postgres_started" ] || tools/dev/postgres.sh stop "$database"
    rm -f var/demo/pids
}
trap finish EXIT
trap 'printf "\n"; exit 0' INT
trap 'exit 143' TERM HUP

# start NAME COMMAND…: in the background, out of reach of the terminal's Ctrl-C, its log in var/demo.
start() {
    local log=var/demo/$1.log
    shift
    setsid "$@" >"$log" 2>&1 </dev/null &
    started+=($!)
    echo $! >>var/demo/pids
}
# answers NAME URL: waits until what was started last does.
answers() {
    local pid=${started[-1]}
    for _ in {1..150}; do
        curl -s -o /dev/null --max-time 2 "$2" && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    give_up "$1 did not start; its log says:" "$(tail -n 20 "var/demo/$1.log")"
}
start_gate() {
    start crawltabd "$BUILD/crawltabd" --config $config "$@"
    answers crawltabd $gate/robots.txt
}

# A run that was killed with -9 could stop nothing. A pid counts only if it still is one of our programs.
stop_remains() {
    local pid
    [ -f var/demo/pids ] || return
    while read -r pid; do
        case $(readlink "/proc/$pid/exe" 2>/dev/null) in
        "$PWD/$BUILD"/*) stop_process "$pid" ;;
        esac
    done <var/demo/pids
    rm -f var/demo/pids
}
port_is_free() {
    ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null ||
        give_up "Port $1 of 127.0.0.1 is in use." \
            "The demonstration needs it: end what listens there (ss -ltnp shows it) and try again."
}

crawltab() { "$BUILD/crawltab" --config $config "$@"; }
sql() { psql -X -q -At -h "$database" -U postgres -v ON_ERROR_STOP=1 "$@"; }

# A closed day takes no entries, so the story can be told once a day. Instead of a shortcut past that rule,
# the ledger of the last time is put aside under another name and the story begins with a new one.
new_ledger_if_closed() {
    local day closed aside
    day=$(date -u -d "@$(($(date +%s) + offset))" +%F)
    closed="SELECT count(*) FROM day_close WHERE local_date >= '$day'"
    closed=$(sql -d crawltab -c "$closed" 2>/dev/null) || return
    [ "$closed" -gt 0 ] || return
    aside=crawltab_$(date -u +%Y%m%d_%H%M%S)
    sql -d postgres -c "ALTER DATABASE crawltab RENAME TO $aside" ||
        give_up "The last ledger could not be put aside."
    tell "The ledger of the last time has $day closed, and a closed day takes no entries." \
        "It is kept as database $aside; this story begins with a new one."
}

set_up() {
    mkdir -p var/demo "$pages" || give_up "The folder var cannot be written."
    stop_remains
    port_is_free 8402
    port_is_free 8403
    if ! tools/dev/postgres.sh status "$database" >/dev/null; then
        postgres_started=yes
        tools/dev/postgres.sh start "$database" || exit 1
    fi
    new_ledger_if_closed
    crawltab migrate --bootstrap --superuser postgres >var/demo/migrate.log 2>&1 ||
        give_up "The ledger could not be set up:" "$(cat var/demo/migrate.log)"
    [ -f "$key" ] || "$BUILD/crawler" keygen --key "$key" >/dev/null || give_up "No key could be made."
    start crawler "$BUILD/crawler" serve --key "$key" --listen 127.0.0.1:8403
    answers crawler $agent/.well-known/http-message-signatures-directory
    start_gate --clock-offset $offset
}

# --- The story.

# request CURL-ARGUMENTS…: prints the request and the answer as they went over the wire; the body is left in
# var/demo/body.
request() {
    command_line curl -i "$@"
    curl -sv -o var/demo/body "$@" 2>var/demo/wire </dev/null || give_up "The gate does not answer."
    sed -n '/^[<>] /p' var/demo/wire | heads | narrow
}
a_person() {
    step "A person opens an article: it is free."
    request -A 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' $gate$page
    echo
    sed -n '/<h1>/,/<footer>/{ s/<[^>]*>//g; /./p; }' var/demo/body | fold -s -w 80 | head -n 6
}
an_offer() {
    step "An AI crawler asks for the same page: 402, and an offer."
    request -A 'Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)' $gate$page
    echo
    tell "The offer, decoded:"
    jq --indent 1 . var/demo/body | narrow
}
a_paid_crawl() {
    step "A crawler that pays signs for the offer, and gets the page and a receipt."
    set -- "$BUILD/crawler" fetch --key $key --agent $agent --max-price 'USD 0.10' --clock-offset $offset \
        --out $pages --verbose $gate$page
    command_line "$@"
    "$@" >var/demo/fetch.log 2>&1 </dev/null ||
        give_up "The crawl was not paid:" "$(cat var/demo/fetch.log)"
    heads <var/demo/fetch.log | narrow
    payment=$(tail -n 1 $pages/receipts.jsonl | jq -r '.id // empty')
    [ -n "$payment" ] || give_up "There was no receipt."
    echo
    tell "It goes on to two more pages."
    set -- "${@:1:$#-2}" $gate/ $gate/articles/tide-tables.html
    command_line "$@"
    "$@" >var/demo/fetch.log 2>&1 </dev/null || give_up "The crawl was not paid:" "$(cat var/demo/fetch.log)"
    narrow <var/demo/fetch.log
}
show() {
    command_line "$BUILD/crawltab" --config $config "$@"
    crawltab "$@" >var/demo/output 2>&1 || give_up "crawltab failed:" "$(cat var/demo/output)"
    narrow <var/demo/output
}
the_entry() {
    step "The ledger knows who signed what, when and for how much."
    show lookup "$payment"
}
the_night() {
    step "The night closes the day: every entry goes into one invoice per crawler."
    show nightly
}
the_invoice() {
    step "The invoice."
    show invoice list
    invoice=$(crawltab invoice list --json | jq -r '(arrays[] // .) | .number' | tail -n 1)
    [ -n "$invoice" ] && [ "$invoice" != null ] || give_up "There is no invoice."
    show invoice show "$invoice"
}

stay_up() {
    stop_process "${started[-1]}"
    unset 'started[-1]'
    start_gate
    printf '\n%sAll is up, the gate now on the real clock. Try, in another terminal:%s\n' "$bold" "$off"
    cat <<END

  a person         curl -i $gate/
  an AI crawler    curl -i -A GPTBot $gate$page
  the offer        curl -s -A GPTBot $gate$page | jq .
  free for all     curl -i -A GPTBot $gate/about.html
  blocked          curl -i -A GPTBot $gate/drafts/lighthouse.html
  a paid crawl     $BUILD/crawler fetch --key $key --agent $agent \\
                       --max-price 'USD 0.10' --out $pages $gate/articles/night-bakers.html
  the ledger       $BUILD/crawltab --config $config lookup $payment
  the invoices     $BUILD/crawltab --config $config invoice list

  in a browser     $gate/

Logs are in var/demo. Ctrl-C stops everything.
END
    local pid
    while :; do
        for pid in "${started[@]}"; do
            kill -0 "$pid" 2>/dev/null || give_up "A program has ended; its log in var/demo says why."
        done
        sleep 1
    done
}

tell "crawltab: crawlers run a tab, publishers bill it nightly."
set_up
a_person
an_offer
a_paid_crawl
the_entry
the_night
the_invoice
if [ -z "$once" ]; then stay_up; fi
printf '\n%sThat was it.%s make run tells the same and stays up.\n' "$bold" "$off"
