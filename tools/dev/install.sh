#!/bin/bash
# Installs the Debian packages that a purpose needs and this machine lacks. Silent if nothing is missing.
#
#   install.sh run|test|fuzz|lint|bench|deb [--list]
#
# Only missing packages are asked of apt; --list prints them and changes nothing. apt-get update runs only if
# apt does not know a package or cannot fetch it. sudo is used by ordinary users only, and announced.
set -u

say() { printf '%s\n' "$*" >&2; }
die() { say "install.sh: $*"; exit 1; }

# PACKAGE, or PACKAGE|ALTERNATIVE: any of them will do, the first is what gets installed.
BUILD="gcc libc6-dev make pkg-config|pkgconf libpq-dev libmicrohttpd-dev libssl-dev libjansson-dev libyaml-dev
    libcurl4-openssl-dev|libcurl4-gnutls-dev zlib1g-dev libzstd-dev libxml2-dev libpango1.0-dev libicu-dev
    libsystemd-dev"
RUN="$BUILD postgresql-15 curl jq fonts-dejavu-core"
FUZZ="$BUILD clang libclang-rt-14-dev"
FRONTS="nginx-light|nginx-core|nginx-full|nginx-extras caddy haproxy apache2 varnish media-types"
TEST="$RUN pgbouncer libcmocka-dev libsodium-dev openssl nodejs npm clang libclang-rt-14-dev socat systemd
    chromium libjs-chart.js python3-cryptography python3-requests zsh hledger
    ledger beancount libxml2-utils poppler-utils $FRONTS"
LINT="$BUILD libcmocka-dev clang-format clang-tidy cppcheck shellcheck"

DEB="$BUILD jq debhelper lintian debootstrap"

case ${1:-} in
run) wanted=$RUN ;;
test) wanted=$TEST ;;
fuzz) wanted=$FUZZ ;;
lint) wanted=$LINT ;;
bench) wanted="$RUN openssl nodejs npm util-linux nginx-light|nginx-core|nginx-full|nginx-extras" ;;
deb) wanted=$DEB ;;
*) die "usage: install.sh run|test|fuzz|lint|bench|deb [--list]" ;;
esac

# What came to the machine in another way than as the package counts as well.
present_otherwise() {
    local version
    case $1 in
    postgresql-15) compgen -G '/usr/lib/postgresql/1[5-9]/bin/initdb' >/dev/null ;;
    nodejs)
        version=$(node --version 2>/dev/null)
        version=${version#v}
        [ -n "$version" ] && [ "${version%%.*}" -ge 18 ]
        ;;
    pgbouncer) [ -x /usr/sbin/pgbouncer ] ;;
    npm | curl | jq | openssl) command -v "$1" >/dev/null ;;
    *) return 1 ;;
    esac
}

missing() {
    local installed wish name
    installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
        sed -n 's/^installed //p' | tr '\n' ' ')"
    for wish in $wanted; do
        for name in ${wish//|/ }; do
            case $installed in *" $name "*) continue 2 ;; esac
            present_otherwise "$name" && continue 2
        done
        echo "${wish%%|*}"
    done
}

packages=$(missing | tr '\n' ' ')
packages=${packages% }
[ -n "$packages" ] || exit 0
if [ "${2:-}" = --list ]; then
    echo "$packages"
    exit 0
fi
command -v apt-get >/dev/null || die "needed, and this is no Debian to install it on: $packages"

as_root=()
if [ "$(id -u)" = 0 ]; then
    say "Installing missing packages (a minute or two): $packages"
elif command -v sudo >/dev/null; then
    as_root=(sudo)
    say "Installing missing packages (a minute or two) with sudo, which may ask for your password: $packages"
else
    die "these packages are missing and neither root nor sudo is at hand; as root, run
    apt-get install --no-install-recommends $packages"
fi

# Shown if apt fails: its hundreds of lines help nobody else.
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Debian's PostgreSQL would create a server of its own and start it, and PgBouncer would start as well. Files
# that say no are there while apt runs; nothing of ours stays outside the checkout.
dropin=/etc/postgresql-common/createcluster.d/crawltab-install.conf
run_apt() {
    "${as_root[@]}" /bin/sh -c '
        dropin=$1
        shift
        policy=/usr/sbin/policy-rc.d
        [ ! -e $policy ] || policy=
        trap "rm -f $dropin $policy; rmdir ${dropin%/*} ${dropin%/*/*} 2>/dev/null" 0
        trap "exit 1" 1 2 15
        mkdir -p ${dropin%/*} && echo "create_main_cluster = false" >$dropin
        [ -z "$policy" ] || { printf "#!/bin/sh\nexit 101\n" >$policy && chmod 755 $policy; }
        DEBIAN_FRONTEND=noninteractive "$@"' sh "$dropin" \
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null >"$log" 2>&1
}
install() {
    # shellcheck disable=SC2086
    run_apt install --no-install-recommends $packages || return
    case " $packages " in
    *" pgbouncer "*) "${as_root[@]}" systemctl disable pgbouncer >/dev/null 2>&1 || true ;;
    esac
}
known() {
    # shellcheck disable=SC2086
    apt-cache show --no-all-versions $packages >/dev/null 2>&1
}

if known && install; then exit 0; fi
run_apt update || { cat "$log" >&2; die "apt-get update failed"; }
install || { cat "$log" >&2; die "apt-get could not install: $packages"; }
