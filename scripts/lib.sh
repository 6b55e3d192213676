# shellcheck shell=bash
# What the scripts beside this file share: packages, the state folder and its user, files, processes, PostgreSQL.
# Sourced, never run.  A script that has called state_find knows
#   STATE     everything an instance keeps, mode 0700
#   RUN       sockets, pid files and shared memory; short, because a socket's path has room for 107 bytes
#   RUN_USER  whom all of it belongs to and who runs everything: the caller, or, for root, a system user of its own

set -euo pipefail
export LC_ALL=C.UTF-8
export no_proxy=localhost,127.0.0.1,::1 NO_PROXY=localhost,127.0.0.1,::1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
PGBIN=/usr/lib/postgresql/15/bin
# What the step at hand had to say, until the script ends.
SCRATCH=$(mktemp)
trap 'rm -f -- "$SCRATCH"' EXIT
# shellcheck disable=SC2034 # for the scripts that source this
SERVERS=(agents tasks operator webhooks admin mcp)

say() {
    printf '%-12s %s\n' "$1" "$2"
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    exit "${2:-1}"
}

# fail LOG TEXT: the text, then the end of the log that tells why.
fail() {
    printf '%s: %s\n' "$(basename "$0")" "$2" >&2
    if [[ -s $1 ]]; then
        [[ $1 == "$SCRATCH" ]] || printf '%s\n' "--- the end of $1:" >&2
        tail -n 15 "$1" | cut -c1-400 >&2
    fi
    exit 1
}

# ---------------------------------------------------------------------------------------------------------------------
# Packages

# node_is_recent [MAJOR]: this machine has Node of that version, 18, or a newer one.
node_is_recent() {
    local version
    version=$(node --version 2>/dev/null) && version=${version#v} && [[ ${version%%.*} -ge ${1:-18} ]]
}

# missing_packages GROUP...: the names of packages in these groups that are neither installed nor replaced.
missing_packages() {
    local group name unless installed
    installed=$'\n'$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p')$'\n'
    while read -r group name unless; do
        [[ " $* " == *" $group "* && $installed != *$'\n'"$name"$'\n'* ]] || continue
        if [[ -n $unless ]] && eval "$unless" >/dev/null 2>&1; then
            continue
        fi
        printf '%s\n' "$name"
    done < <(sed 's/#.*//' "$ROOT/scripts/packages" | grep '[^ ]')
}

# Runs as root, alone (its text is handed to sudo): installs without letting a packaged service start and without
# the database cluster that postgresql-15 makes of itself.  Both guards go away again; neither touches what stood there.
install_guarded() {
    local policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.d/humanops-install.conf
    guards=()   # not local: the trap runs when this has returned
    # shellcheck disable=SC2317 # called by the trap
    guards_remove() { [[ ${#guards[@]} -eq 0 ]] || rm -f -- "${guards[@]}"; }
    trap guards_remove EXIT
    if [[ ! -e $policy ]]; then
        guards+=("$policy")
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    mkdir -p "${cluster%/*}"
    guards+=("$cluster")
    printf 'create_main_cluster = false\n' >"$cluster"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq -o DPkg::Lock::Timeout=300 || echo "the package lists could not be renewed"
    apt-get install -y -qq --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# need_packages GROUP...: afterwards they are there, or the script has ended naming those that are not.
need_packages() {
    local missing sudo=()
    if ! command -v dpkg-query >/dev/null; then
        say packages "not looked at: this is no Debian system"
        return
    fi
    mapfile -t missing < <(missing_packages "$@")
    if [[ ${#missing[@]} -eq 0 ]]; then
        say packages "present"
        return
    fi
    if [[ $EUID -ne 0 ]]; then
        sudo=(sudo)
        [[ -t 0 ]] || sudo+=(-n)
        { command -v sudo && "${sudo[@]}" true; } >/dev/null 2>&1 ||
            die "these packages are missing, and installing them takes root or sudo: ${missing[*]}"
    fi
    say packages "installing ${missing[*]}"
    "${sudo[@]}" bash -euc "$(declare -f install_guarded); install_guarded \"\$@\"" bash "${missing[@]}" \
        </dev/null >"$SCRATCH" 2>&1 || fail "$SCRATCH" "the packages could not be installed"
}

# node_packages FOLDER: the packages of its lock file are in its node_modules; one at a time.
node_packages() {
    exec 8<"$1"
    flock 8
    cmp -s "$1/package-lock.json" "$1/node_modules/.installed" || {
        npm --prefix "$1" ci --ignore-scripts --no-audit --no-fund 8>&- &&
            cp "$1/package-lock.json" "$1/node_modules/.installed"
    }
    exec 8<&-
}

# ---------------------------------------------------------------------------------------------------------------------
# The state folder and its user

# as_user COMMAND...: runs it as the user who owns the instance, in a clean environment, with files for that user alone.
as_user() {
    (become_user "$@")
}

# become_user COMMAND...: the same in place of the shell that calls it.  KEEP holds further options of setpriv.
KEEP=()
become_user() {
    umask 077
    cd /
    exec 9>&-
    local clean=(env -i "PATH=$PATH" LC_ALL=C.UTF-8 HOME=/nonexistent)
    if [[ $EUID -eq 0 ]]; then
        exec setpriv --reuid="$RUN_USER" --regid="$RUN_USER" --init-groups "${KEEP[@]}" -- "${clean[@]}" "$@"
    fi
    exec "${clean[@]}" "$@"
}

short_hash() {
    printf %s "$1" | sha256sum | cut -c1-10
}

# state_find FOLDER: sets STATE, RUN and RUN_USER; changes nothing.
state_find() {
    local named id
    named=$(realpath -ms -- "$1")
    named=$(realpath -m -- "$(dirname -- "$named")")/$(basename -- "$named")
    id=$(short_hash "$named")
    if [[ $(readlink -- "$named") != "/var/lib/humanops-$id" ]]; then
        named=$(realpath -m -- "$named")
        id=$(short_hash "$named")
        STATE=$named
    else
        STATE=/var/lib/humanops-$id
    fi
    # These paths are written into configuration files of three programs; the rest of the letters would need quoting.
    [[ ! $STATE =~ [^[:alnum:]\ ._/+@,=~-] ]] || die "the state folder's path has a character that cannot be used: $STATE"
    STATE_NAMED=$named
    STATE_ID=$id
    RUN=/tmp/humanops-$id
    RUN_USER=$(id -un)
    [[ $EUID -ne 0 ]] || RUN_USER=humanops
    # shellcheck disable=SC2034 # for the scripts that source this
    LIB=$STATE/install/lib/humanops SHARE=$STATE/install/share/humanops
}

# own_folders PATH...: makes those that are missing; each must then be a real folder of RUN_USER's, closed to everyone else.
own_folders() {
    local folder
    as_user mkdir -p -- "$@" || die "$RUN_USER cannot make these folders: $*"
    for folder in "$@"; do
        [[ -d $folder && ! -L $folder && $(stat -c %U -- "$folder") == "$RUN_USER" ]] ||
            die "$folder is not a folder of the user $RUN_USER; another one may be using it"
    done
    as_user chmod 700 -- "$@"
}

# state_make: the folders.  Where root's checkout lies in a place that RUN_USER cannot reach, the state goes to /var/lib.
state_make() {
    if [[ $EUID -eq 0 ]]; then
        id -u "$RUN_USER" >/dev/null 2>&1 ||
            useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$RUN_USER"
        state_make_reachable
    fi
    mkdir -p -- "$STATE"
    state_refuse_foreign
    # What root has just made is handed over; anyone else's folder is refused by own_folders.
    [[ $EUID -ne 0 || -L $STATE || $(stat -c %U -- "$STATE") != root ]] || chown "$RUN_USER:" -- "$STATE"
    own_folders "$STATE" "$RUN"
    own_folders "$STATE/log" "$STATE/nginx" "$STATE/tls" "$STATE/secrets"
    as_user touch -- "$STATE/.humanops"
}

# A state folder has a mark, and is empty before it gets it, but for other instances and folders of tests.  The owner
# and mode of anything else, as of a home given by mistake, are not to be changed.
state_refuse_foreign() {
    local entry
    [[ ! -e $STATE/.humanops ]] || return 0
    while IFS= read -r entry; do
        [[ $entry == */test-* || -e $entry/.humanops ]] || die "$STATE holds other things; choose an empty or a new folder"
    done < <(find "$STATE" -mindepth 1 -maxdepth 1)
}

state_make_reachable() {
    local parent
    parent=$(dirname -- "$STATE")
    mkdir -p -- "$parent"
    ! as_user test -x "$parent" || return 0
    [[ ! -e $STATE ]] || rmdir -- "$STATE" 2>/dev/null || die "the user $RUN_USER cannot reach the state folder $STATE"
    STATE=/var/lib/humanops-$STATE_ID
    ln -sfn -- "$STATE" "$STATE_NAMED"
    state_find "$STATE_NAMED"
}

# state_lock: one start or stop at a time; the lock goes with the script.
state_lock() {
    exec 9<"$STATE"
    flock -w 120 9 || die "another start or stop of $STATE is running"
}

# put FILE: standard input becomes the file, whole or not at all; prints "changed" if it was different before.
put() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    as_user sh -ec 'cat >"$1.new"; if cmp -s -- "$1" "$1.new"; then rm -- "$1.new"; else mv -- "$1.new" "$1"; echo changed; fi' \
        sh "$1"
}

# setting FILE KEY: the value of a KEY=VALUE line, nothing if there is none.
setting() {
    as_user sed -n "s/^$2=//p" "$1" 2>/dev/null | head -n 1
}

# ---------------------------------------------------------------------------------------------------------------------
# Processes

# pid_is PID MARK: true if the process lives and its command line holds the mark; a pid alone may have been used again.
pid_is() {
    local words=()
    [[ $1 =~ ^[0-9]+$ ]] && { mapfile -d '' -t words <"/proc/$1/cmdline"; } 2>/dev/null && [[ "${words[*]}" == *"$2"* ]]
}

# pid_of NAME MARK: prints the pid that RUN/NAME.pid tells, if it is still that process.
pid_of() {
    local pid
    { read -r pid <"$RUN/$1.pid"; } 2>/dev/null && pid_is "$pid" "$2" && printf '%s\n' "$pid"
}

# signal SIGNAL PID...: by the shell's own kill; a small system has no other.
signal() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    as_user sh -c 'signal=$1; shift; for pid; do kill -"$signal" "$pid"; done' sh "$@" 2>/dev/null || true
}

# wait_until SECONDS COMMAND...: false if the command has not become true by then.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [[ $SECONDS -lt $end ]] || return 1
        sleep 0.05
    done
}

pid_is_gone() {
    ! pid_is "$1" "$2"
}

# children_are_new PARENT OLD: true once it has children and none of the old ones (one a line).
children_are_new() {
    local now
    now=$(children "$1")
    [[ -n $now ]] && ! grep -qxF -- "$2" <<<"$now"
}

# end_pid PID MARK SIGNAL SECONDS: asks the process to end, waits, and makes sure.
end_pid() {
    signal "$3" "$1"
    if ! wait_until "$4" pid_is_gone "$1" "$2"; then
        say killed "$2 did not end within $4 seconds"
        signal KILL "$1"
        wait_until 5 pid_is_gone "$1" "$2"
    fi
}

# end_process NAME MARK SIGNAL SECONDS: the same for what RUN/NAME.pid tells.
end_process() {
    local pid
    pid=$(pid_of "$1" "$2") || return 0
    end_pid "$pid" "$2" "$3" "$4" && as_user rm -f -- "$RUN/$1.pid"
}

# spawn NAME COMMAND...: a process of its own session, which outlives this shell; log and pid file carry the name.
spawn() {
    local name=$1
    shift
    # shellcheck disable=SC2016 # expanded by the inner shell
    become_user sh -ec 'exec </dev/null >>"$2" 2>&1; echo $$ >"$1"; shift 2; exec setsid "$@"' \
        sh "$RUN/$name.pid" "$STATE/log/$name.log" "$@" </dev/null >/dev/null 2>&1 &
}

# children PID: the processes whose parent it is.
children() {
    local stat fields
    for stat in /proc/[0-9]*/stat; do
        { read -r fields <"$stat"; } 2>/dev/null || continue
        fields=${fields##*) }
        # shellcheck disable=SC2086 # state, parent, ...
        set -- "$1" $fields
        [[ $3 != "$1" ]] || { stat=${stat#/proc/} && printf '%s\n' "${stat%/stat}"; }
    done
}

# nginx_end_orphans: a killed nginx leaves workers that hold its port; they are known by the log that they have open.
nginx_end_orphans() {
    local process
    ! pid_of nginx "$STATE/nginx/nginx.conf" >/dev/null || return 0
    for process in /proc/[0-9]*; do
        pid_is "${process#/proc/}" "nginx: worker process" || continue
        if readlink -- "$process"/fd/* 2>/dev/null | grep -qxF -- "$STATE/log/nginx.log"; then
            end_pid "${process#/proc/}" "nginx: worker process" TERM 5 || die "a worker of a killed nginx cannot be ended"
        fi
    done
}

# port_answers PORT: true if something listens there on a loopback address.
port_answers() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || (exec 3<>"/dev/tcp/::1/$1") 2>/dev/null
}

has_ipv6() {
    grep -qs '^0\{31\}1 ' /proc/net/if_inet6
}

# ---------------------------------------------------------------------------------------------------------------------
# PostgreSQL: a private cluster, reached through its socket in RUN alone.  Whoever may enter that folder (mode 0700) may
# connect as any role, which is why nobody else may.

cluster_pid() {
    local pid
    pid=$(as_user head -n 1 "$STATE/postgres/postmaster.pid" 2>/dev/null) && pid_is "$pid" "$STATE/postgres" &&
        printf '%s\n' "$pid"
}

# cluster_start [OPTIONS [INITDB OPTIONS...]]: with further -c options; the database humanops is there afterwards.
cluster_start() {
    local options="-k $RUN -c listen_addresses='' -c max_connections=200 -c timezone=UTC ${1-}" data=$STATE/postgres log=$STATE/log/postgres.log
    if ! as_user test -s "$data/PG_VERSION"; then
        as_user rm -rf -- "$data"
        # initdb does not undo a run that was killed: it works beside the place and is moved there once complete.
        as_user rm -rf -- "$data.new"
        as_user "$PGBIN/initdb" -D "$data.new" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-instructions \
            "${@:2}" >"$SCRATCH" 2>&1 || fail "$SCRATCH" "PostgreSQL could not make its cluster"
        as_user mv -- "$data.new" "$data"
    fi
    if ! cluster_pid >/dev/null; then
        # A killed PostgreSQL leaves children that hold its memory for a moment longer: hence the second try.
        wait_until 10 cluster_try "$options" ||
            fail "$log" "PostgreSQL did not start"
    fi
    owner_sql postgres "select 'create database humanops' where not exists
        (select from pg_database where datname = 'humanops') \\gexec" >/dev/null
}

cluster_try() {
    as_user "$PGBIN/pg_ctl" -D "$STATE/postgres" -s -w -t 60 -l "$STATE/log/postgres.log" -o "$1" start \
        </dev/null >/dev/null 2>&1
}

cluster_stop() {
    local pid
    pid=$(cluster_pid) || return 0
    signal INT "$pid"
    wait_until 60 pid_is_gone "$pid" "$STATE/postgres"
}

# owner_sql DATABASE TEXT: as the owner of everything; prints rows bare.
owner_sql() {
    as_user psql -XAtq -v ON_ERROR_STOP=1 -h "$RUN" -U postgres -d "$1" <<<"$2"
}

# shellcheck disable=SC2034 # for the scripts that source this
owner_url() {
    printf 'host=%s user=postgres dbname=humanops' "$RUN"
}
