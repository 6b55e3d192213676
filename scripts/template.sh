# shellcheck shell=bash
# Templates of instances, for scripts/start: programs and a migrated database, made once and copied by each test file's instance.
# template.stamp is as old as the beginning of its making, template.key is there once it is complete.

# In a cluster that is thrown away nothing need survive a power cut, and a small log is quickly copied.
# shellcheck disable=SC2034 # for scripts/start
TEMPLATE_INITDB=(--no-sync --wal-segsize=1)
TEMPLATE_OPTIONS="-c fsync=off -c full_page_writes=off -c min_wal_size=2MB"
# shellcheck disable=SC2034 # for scripts/start
TEMPLATE_SETTINGS="alter system set fsync = off; alter system set full_page_writes = off; alter system set max_wal_size = '1GB';"

# template_key: tells one template from another: PostgreSQL, the SQL folder's texts, who applies them, how it was built.
template_key() {
    {
        "$PGBIN/postgres" --version
        # shellcheck disable=SC2154 # sanitize is scripts/start's
        printf '%s\n' "sanitize=$sanitize" "${TEMPLATE_INITDB[*]} $TEMPLATE_SETTINGS"
        cd "$ROOT" && find sql scripts/migrate -type f -print0 | sort -z | xargs -0 sha256sum
    } | sha256sum | cut -c1-64
}

# template_begin: with --prepare, notes when; with --template, copies what fits into a new state folder and sets is_copy.
template_begin() {
    is_copy=
    # shellcheck disable=SC2154 # prepare and template are scripts/start's
    if [[ -n $prepare ]]; then
        ! as_user test -e "$STATE/postgres" || die "$STATE has a database already; choose an empty or a new folder"
        as_user touch "$STATE/template.stamp"
    elif [[ -n $template ]]; then
        template_copy
    fi
}

template_copy() {
    local from
    from=$(state_find "$template" && printf %s "$STATE")
    ! as_user test -e "$STATE/postgres" -o -e "$STATE/install" || return 0
    if ! template_fits "$from"; then
        say template "$template is not what this checkout would make"
        return
    fi
    # A part at a time appears, and whole: what a kill leaves out, the next start makes as ever.
    # shellcheck disable=SC2016 # expanded by the inner shell
    as_user sh -ec 'cd "$1"; rm -rf template.new; mkdir template.new
        cp -R --reflink=auto -- "$2/postgres" "$2/install" "$2/install.hash" template.new
        mv template.new/* .; rmdir template.new' sh "$STATE" "$from"
    is_copy=yes
}

# template_fits FOLDER: true if it is complete, its SQL is the checkout's, and nothing that is built or installed has changed since.
template_fits() {
    [[ $(as_user cat "$1/template.key" 2>/dev/null) == "$(template_key)" ]] &&
        [[ -z $(cd "$ROOT" && find fcgi lib nginx scripts sql web Makefile VERSION -newer "$1/template.stamp" -print -quit) ]]
}

# template_end: the database is made small and stopped.  Nobody needs template0 there, which is a third of it.
template_end() {
    owner_sql postgres "$TEMPLATE_SETTINGS
        update pg_database set datistemplate = false where datname = 'template0'; drop database template0;"
    cluster_stop || die "PostgreSQL did not end within a minute"
    template_key | put "$STATE/template.key" >/dev/null
    say template "$STATE"
}
