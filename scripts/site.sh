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

# site_stapling CERTIFICATE RESOLVER: the lines by which nginx brings the issuer's word that the certificate still holds.  Nothing
# for one that names no server to ask; many issuers have given that up.
site_stapling() {
    local resolver=$2
    [[ -n $(openssl x509 -noout -ocsp_uri -in "$1" 2>/dev/null) ]] || return 0
    [[ -n $resolver ]] || resolver=$(sed -n 's/^nameserver[[:blank:]]*//p' /etc/resolv.conf | head -n 1)
    [[ $resolver != *:* || $resolver == \[* ]] || resolver="[$resolver]"
    [[ $resolver =~ ^[][0-9A-Fa-f.:]+$ ]] || die "stapling takes a name server: --resolver ADDRESS"
    printf 'ssl_stapling              on;\n\tssl_stapling_verify       on;\n'
    printf '\tssl_trusted_certificate   /etc/ssl/certs/ca-certificates.crt;\n\tresolver                  %s;\n' "$resolver"
}

# site_fcgiwrap SOCKET LIB CONF: a filled site on standard input, with each program called by fcgiwrap instead of at its socket.
site_fcgiwrap() {
    sed -E -e "s|fastcgi_pass \"unix:[^\"]*/([a-z]+)\\.sock\";|set \\\$humanops_program \\1; fastcgi_pass \"unix:$1\";|" \
        -e "s|^(\\t)(include \"[^\"]*/nginx/fastcgi\\.conf\";)$|\\1\\2\\n\\1fastcgi_param SCRIPT_FILENAME \"$2/\\\$humanops_program.fcgi\";\\n\\1fastcgi_param HUMANOPS_CONF \"$3\";|"
}
