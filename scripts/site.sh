# shellcheck shell=bash
# Fills in the nginx templates; for scripts/start and scripts/site.

# site_fill: standard input with its @NAMES@ replaced from the array `site`; LISTEN and TRUSTED_PROXIES are lists there and
# become one line for each entry.  A name that the array lacks is a fault.
site_fill() {
    local text name value
    text=$(cat)
    # shellcheck disable=SC2154 # site is the caller's
    for name in "${!site[@]}"; do
        value=${site[$name]}
        case $name in
        LISTEN) value=$(site_lines "listen" " ssl http2" "$value") ;;
        TRUSTED_PROXIES) value=$(site_lines "set_real_ip_from" "" "$value") ;;
        esac
        text=${text//"@$name@"/"$value"}
    done
    # The only @ between capitals are names, so one that is left has not been given.
    [[ ! $text =~ @[A-Z_]+@ ]] || die "the nginx template needs ${BASH_REMATCH[0]}"
    printf '%s\n' "$text"
}

# site_lines DIRECTIVE ENDING LIST
site_lines() {
    local entry lines=()
    for entry in $3; do
        [[ $entry =~ ^[][0-9A-Fa-f.:/]+$ ]] || die "this is no address for nginx: $entry"
        lines+=("$1 $entry$2;")
    done
    printf '%s\n' "${lines[@]-}" | sed '2,$s/^/\t/'
}

# site_origin URL: scheme, host and port of an address, as a content policy names them.  Nothing for nothing.
site_origin() {
    [[ -n $1 ]] || return 0
    [[ $1 =~ ^(https?://[A-Za-z0-9.-]+(:[0-9]+)?)(/.*)?$ ]] || die "this is no address of a site: $1"
    printf '%s' "${BASH_REMATCH[1]}"
}
