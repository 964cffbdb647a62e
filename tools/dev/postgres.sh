#!/bin/bash
# A private PostgreSQL in a folder: data in DIR/data, the unix socket in DIR, no TCP, log in DIR/postgres.log.
#
#   postgres.sh start [--fast [--like NAME]] DIR
#                                     makes it if need be, starts it, returns when it accepts connections
#   postgres.sh keep NAME DIR         keeps a copy of a stopped one that was made by start --fast
#   postgres.sh stop DIR              stops it; nothing to do is no error
#   postgres.sh status DIR            "running PID", or "stopped" with exit status 3
#   postgres.sh run DIR COMMAND…      runs a command as the server's user, in DIR, with its PATH
#
# Its superuser is `postgres`, without a password: whoever may enter DIR (mode 0700) may connect. --fast is
# for tests: a copy of one initdb (var/template), less memory, and no waiting for the disk. What tests end are
# processes, and what a server has written outlives it in the kernel's cache, as it does with fsync. With
# --like it is a copy of what was kept under that name, if something was.
# PostgreSQL refuses to run as root: root hands it to the user who owns DIR/data, or else to `postgres` or
# `nobody`. PGBIN names the folder of the server's programs if they are in none of the usual places.
set -u

say() { printf 'postgres.sh: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
usage() {
    die "usage: postgres.sh start [--fast [--like NAME]]|stop|status DIR, keep NAME DIR, or run DIR COMMAND…"
}

fast=
like=
verb=
dir=
while [ $# -gt 0 ] && ! { [ "$verb" = run ] && [ -n "$dir" ]; }; do
    case $1 in
    --fast) fast=yes ;;
    --like) like=${2-} && shift ;;
    -*) usage ;;
    *)
        if [ -z "$verb" ]; then verb=$1
        elif [ "$verb" = keep ] && [ -z "$like" ]; then like=$1
        elif [ -z "$dir" ]; then dir=$1
        else usage; fi
        ;;
    esac
    shift
done
case $verb in start | stop | status | keep) ;; run) [ $# -gt 0 ] || usage ;; *) usage ;; esac
[ -n "$dir" ] || usage
dir=$(realpath -m -- "$dir")
checkout=$(realpath "$(dirname "$0")/../..")
data=$dir/data
log=$dir/postgres.log
unset PGDATA PGHOST PGPORT PGUSER PGOPTIONS PGSERVICE PGDATABASE PGSSLMODE

# Every process of this server, and no other, has the data folder as its working directory.
processes() {
    local folder target
    find /proc/[0-9]*/cwd -maxdepth 0 -printf '%h %l\n' 2>/dev/null | while read -r folder target; do
        if [ "$target" = "$data" ]; then echo "${folder#/proc/}"; fi
    done
}

# The pid of the postmaster, if the pid file tells the truth.
postmaster() {
    local pid=
    { read -r pid <"$data/postmaster.pid"; } 2>/dev/null
    [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$data" ] && echo "$pid"
}

find_programs() {
    local version folder
    version=$(cat "$data/PG_VERSION" 2>/dev/null)
    for folder in "${PGBIN:-}" /usr/lib/postgresql/${version:-15}/bin \
        /usr/lib/postgresql/${version:-1[6-9]}/bin pg_config; do
        [ "$folder" != pg_config ] || folder=$(pg_config --bindir 2>/dev/null)
        if [ -n "$folder" ] && [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then
            programs=$folder
            return
        fi
    done
    die "no PostgreSQL server found; on Debian: apt-get install postgresql-15, or set PGBIN"
}

# Sets `as`, the words before a command that make it run as the server's user. An ordinary user is that user.
choose_user() {
    as=()
    user=
    if [ "$(id -u)" != 0 ]; then
        if [ -e "$dir" ] && [ ! -O "$dir" ]; then
            die "'$dir' belongs to '$(stat -c %U "$dir")': run this as that user or root, or remove it"
        fi
        return
    fi
    user=$(stat -c %U "$data" 2>/dev/null)
    if [ -z "$user" ] || [ "$user" = root ] || [ "$user" = UNKNOWN ]; then
        for user in postgres nobody; do id -u "$user" >/dev/null 2>&1 && break; done
    fi
    as=(setpriv --reuid "$(id -u "$user")" --regid "$(id -g "$user")" --clear-groups)
}

enters() {
    "${as[@]}" /bin/sh -c 'cd "$1"' sh "$dir" 2>/dev/null
}

# Root's checkout may lie in a folder that the server's user cannot enter, such as /root. Then, and only then,
# the server keeps the capability to pass such folders: opening the folders up would be the greater harm.
pass_closed_folders() {
    [ -z "$user" ] && return
    enters && return
    as+=(--inh-caps +dac_override --ambient-caps +dac_override)
    enters ||
        die "user '$user' cannot enter '$dir': move the checkout to a folder that others may enter, e.g. /srv"
}

# Becomes a command of the server's user. It must inherit no descriptor: a server that keeps a
# pipe of ours open would keep whoever reads that pipe (make, a test runner) waiting for ever.
become() {
    cd "$dir" || exit 1
    for descriptor in /proc/self/fd/*; do
        descriptor=${descriptor##*/}
        if [ "$descriptor" -gt 2 ] && [ "$descriptor" -ne 255 ]; then eval "exec $descriptor>&-"; fi
    done
    exec "${as[@]}" "$@" </dev/null
}

run() {
    (become "$@")
}

make_folder() {
    # "/.s.PGSQL.5432" must still fit into the 107 bytes of a unix socket's address.
    if [ "$(printf %s "$dir/.s.PGSQL.5432" | wc -c)" -gt 107 ]; then
        die "'$dir' is too long for a unix socket (at most 93 bytes): use a checkout with a shorter path"
    fi
    mkdir -p "$dir" || die "cannot make '$dir'"
    chmod 0700 "$dir"
    [ -z "$user" ] || chown "$user:" "$dir" || die "cannot give '$dir' to '$user'"
}

# Under another name until it is whole: a run that is killed leaves nothing that looks like a cluster.
initialise() {
    local target=$1 new=$1.new.$$
    if ! run "$programs/initdb" -D "$new" -U postgres -A trust --data-checksums --encoding UTF8 \
        --locale C.UTF-8 ${fast:+--no-sync --wal-segsize=1} >"$dir/initdb.log" 2>&1; then
        cat "$dir/initdb.log" >&2
        die "initdb failed"
    fi
    mv -T "$new" "$target" && rm -f "$dir/initdb.log"
}

# Where copies are kept: of this version, and of whom the copies will belong to.
find_template() {
    local folder=$checkout/var/template
    mkdir -p "$folder" && exec 8<"$folder" || die "cannot open '$folder'"
    [ -z "$user" ] || chown "$user:" "$folder"
    template=$folder/$("$programs/postgres" -V | awk '{ print $3 }')-$(stat -c %U "$dir")
}

# Tests make hundreds of clusters; each is a copy, which costs a tenth of an initdb, or of a new ledger.
copy_template() {
    local template original
    find_template
    flock 8
    original=$template${like:+-$like}
    [ -d "$original" ] || original=$template
    [ -d "$original" ] || { rm -rf "$template".new.*; initialise "$original"; }
    # Others copy at the same time; keep() waits.
    flock -s 8
    cp -a "$original" "$data.new.$$" && mv -T "$data.new.$$" "$data" || die "cannot copy '$original'"
    exec 8<&-
}

# The one of another build or day goes: each is as large as a cluster.
keep() {
    local template
    find_programs
    [ -n "$like" ] && [ -z "$(postmaster)" ] || usage
    find_template
    flock 8
    [ -d "$template-$like" ] && return
    rm -rf "$template"-*
    cp -a "$data" "$template-$like.new" && mv -T "$template-$like.new" "$template-$like" ||
        die "cannot keep '$data'"
}

make_cluster() {
    [ -s "$data/global/pg_control" ] && return
    [ -e "$data" ] && die "'$data' exists and is no PostgreSQL cluster: remove it"
    rm -rf "$data".new.*
    if [ -n "$fast" ]; then copy_template; else initialise "$data"; fi
}

# What a killed server left: children that are about to notice, and a pid file whose number may by now belong
# to a process that has nothing to do with it.
clear_remains() {
    for _ in {1..100}; do
        [ -z "$(processes)" ] && break
        sleep 0.1
    done
    [ -z "$(processes)" ] || die "processes of a dead server still run in '$data': $(processes | tr '\n' ' ')"
    rm -f "$data/postmaster.pid" "$dir/.s.PGSQL.5432.lock"
}

start() {
    make_folder
    # A folder that is locked by another start is about to be ready.
    exec 9<"$dir" && flock 9
    pass_closed_folders
    find_programs
    # One that is recovering from a crash, say: it will accept connections, or end.
    while [ -n "$(postmaster)" ]; do
        run "$programs/pg_isready" -q -h "$dir" && return
        sleep 0.1
    done
    make_cluster
    clear_remains
    # The socket's folder is told relative to the data, so that no character of the path needs quoting.
    local options="-c listen_addresses= -c unix_socket_directories=.. -c port=5432"
    options+=" -c unix_socket_permissions=0700"
    options+=" -c timezone=UTC -c log_timezone=UTC -c max_connections=100 -c max_wal_size=512MB"
    # Not wal_level=minimal: with it, a sequence that is made and used in one transaction may step back in a
    # crash soon after (PostgreSQL 15), and its next numbers are taken already.
    if [ -n "$fast" ]; then
        options+=" -c shared_buffers=32MB -c max_wal_senders=0 -c autovacuum_naptime=3600s"
        options+=" -c fsync=off -c jit=off"
    fi
    : >>"$log"
    [ -z "$user" ] || chown "$user:" "$log"
    if ! run "$programs/pg_ctl" -D "$data" -l "$log" -w -t 120 -o "$options" start >/dev/null 2>&1; then
        tail -n 15 "$log" >&2
        die "PostgreSQL did not start; its log is '$log'"
    fi
}

stop() {
    [ -d "$dir" ] || return 0
    exec 9<"$dir" && flock 9
    [ -n "$(postmaster)" ] || return 0
    find_programs
    pass_closed_folders
    run "$programs/pg_ctl" -D "$data" -w -t 60 -m fast stop >/dev/null 2>&1 && return
    [ -z "$(postmaster)" ] && return
    run "$programs/pg_ctl" -D "$data" -w -t 20 -m immediate stop >/dev/null 2>&1 ||
        die "PostgreSQL in '$dir' does not stop"
}

status() {
    local pid
    pid=$(postmaster) || { echo stopped; exit 3; }
    echo "running $pid"
}

choose_user
if [ "$verb" = run ]; then
    make_folder
    pass_closed_folders
    find_programs
    PATH=$programs:$PATH
    become "$@"
fi
"$verb"
