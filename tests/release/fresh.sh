# shellcheck shell=bash
# A fresh Debian in a folder, for the checks that install the package there.  Sourced after scripts/lib.sh, never run.
#   root     the folder
#   deb      the package: HUMANOPS_DEB, or what 10-package has left
#   network  what goes before chroot, where the folder has a network of its own

deb=${HUMANOPS_DEB:-$ROOT/build/release/humanops.deb}
network=()
: "${root:=}"

# fresh_begin PROGRAM [ARGUMENT...]: runs it with --inside FOLDER first in spaces of its own, so that no mount and no process is left
# whatever happens, and ends with its status.
fresh_begin() {
    [[ $EUID -eq 0 ]] || die "a chroot takes root"
    [[ -e $deb ]] || HUMANOPS_DEB=$deb "$ROOT/tests/release/10-package"
    work=$(mktemp -d)
    trap 'rm -rf --one-file-system -- "$work" "$SCRATCH"' EXIT
    unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$1" --inside "$work/root" "${@:2}"
    exit
}

# The base system, by debootstrap; that of an earlier check of the same day serves again.  From the sources that apt is set to here.
fresh_base() {
    local base=$ROOT/build/release/base mirror
    [[ -z ${HUMANOPS_BARE-} ]] || { printf '%s\n' "$HUMANOPS_BARE" && return; }
    mkdir -p "$ROOT/build/release"
    exec 7>"$ROOT/build/release/lock"
    flock 7
    if [[ -z $(find "$base/debootstrap.done" -mmin -1440 2>/dev/null) ]]; then
        # shellcheck disable=SC2016 # apt's own variables
        mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
            awk '$2 == "bookworm" && $3 == "main" { print $1; exit }')
        [[ -n $mirror ]] || die "apt knows no source of bookworm"
        rm -rf --one-file-system "$base"
        debootstrap bookworm "$base" "$mirror" >&2
        touch "$base/debootstrap.done"
    fi
    exec 7>&-
    printf '%s\n' "$base"
}

# The folder: this machine's sources and their keys, nothing that starts by being installed, and the file systems that programs want.
fresh_make() {
    local base name
    base=$(fresh_base)
    cp -a "$base" "$root"
    rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d"
    cp -a /etc/apt/sources.list.d "$root/etc/apt/"
    [[ ! -e /etc/apt/sources.list ]] || cp -a /etc/apt/sources.list "$root/etc/apt/"
    for name in apt.conf.d trusted.gpg.d keyrings; do
        [[ ! -d /etc/apt/$name ]] || cp -rn "/etc/apt/$name" "$root/etc/apt/"
    done
    [[ ! -d /usr/share/keyrings ]] || cp -rn /usr/share/keyrings "$root/usr/share/"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    mount -t proc proc "$root/proc"
    mount -t devpts devpts "$root/dev/pts"
    mount -t tmpfs tmpfs "$root/dev/shm"
    mount -t tmpfs tmpfs "$root/run"
    mount -t tmpfs tmpfs "$root/tmp"
}

# inside COMMAND...: in the folder, and in its network once it has one.
inside() {
    "${network[@]}" chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# page_commands: those of the install page, but for what is marked with a word.
page_commands() {
    awk '/^```/ { is_on = $0 == "```sh"; next } is_on' "$ROOT/docs/install.md"
}

# Follows the page as far as the package, and leaves its other commands in /root/rest.sh.
fresh_install() {
    cp "$deb" "$root/root/humanops_0_amd64.deb"
    inside sh -c 'cd /root && apt-get update -qq'
    page_commands | sed '/^cd \/tmp$/,$d' >"$root/root/first.sh"
    page_commands | sed -n '/^cd \/tmp$/,$p' >"$root/root/rest.sh"
    { grep -q apt-get "$root/root/first.sh" && grep -q systemctl "$root/root/rest.sh"; } || die "the page does not begin with the package"
    inside bash -euc 'cd /root; . ./first.sh' || die "the package cannot be installed"
}

# A certificate in the place where certbot would put it, which the folder's curl believes.
fresh_certificate() {
    # shellcheck disable=SC2016 # for the inner shell
    inside sh -ec 'to=/etc/letsencrypt/live/humanops.example; mkdir -p "$to"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=humanops.example \
            -addext subjectAltName=DNS:humanops.example -keyout "$to/privkey.pem" -out "$to/fullchain.pem" 2>/dev/null
        cp "$to/fullchain.pem" /usr/local/share/ca-certificates/humanops.crt
        update-ca-certificates >/dev/null 2>&1
        echo "127.0.0.1 localhost humanops.example" >/etc/hosts'
}

# expect WHAT WANTED GOT
expect() {
    [[ $2 == "$3" ]] || die "$1: $3, and should be: $2"
    printf 'ok: %s\n' "$1"
}
