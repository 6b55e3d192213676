# shellcheck shell=bash
# Runs inside the machine of 30-units, as root.

set -euo pipefail
SERVERS=(agents tasks operator webhooks admin mcp)
SITE=https://humanops.example

# expect WHAT WANTED GOT
expect() {
    [[ $2 == "$3" ]] || { printf 'NOT OK: %s: %s, and should be: %s\n' "$1" "$3" "$2" && exit 1; }
    printf 'ok: %s\n' "$1"
}

# told UNIT PROPERTY
told() {
    systemctl show --property "$2" --value "$1"
}

# within SECONDS COMMAND...
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [[ $SECONDS -lt $end ]] || return 1
        sleep 0.2
    done
}

check_restrictions() {
    local name pid
    for name in "${SERVERS[@]}" worker; do
        expect "the unit of $name" "active 0" "$(told "humanops-$name" ActiveState) $(told "humanops-$name" NRestarts)"
        pid=$(told "humanops-$name" MainPID)
        expect "the user of $name" "$(id -u "humanops_$name")" "$(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")"
        expect "what $name may become" "0000000000000000 1 2" \
            "$(awk '/^(CapBnd|NoNewPrivs|Seccomp):/ { printf "%s%s", sep, $2; sep = " " }' "/proc/$pid/status")"
        expect "what $name may write" "no no" \
            "$(for place in /usr/x /var/lib/x; do nsenter -m -t "$pid" touch "$place" 2>/dev/null && echo -n yes || echo -n no; echo -n ' '; done | sed 's/ $//')"
    done
}

# Decoded by imager, which operator starts; the files are for operator and worker alone.
check_picture() {
    local operator url file
    printf 'HUMANOPS_ENV=development\nALLOW_DEV_OPERATOR_ID_HEADER=true\n' >>/etc/humanops/humanops.conf
    systemctl reload 'humanops-*.service'
    within 20 registered || expect "an operator" registered "$(cat /root/operator.json)"
    operator=$(grep -o 'op_[a-z0-9]*' /root/operator.json | head -n 1)
    curl -sS -X POST "$SITE/api/v1/operator/upload" -H "X-Operator-Id: $operator" -H "Content-Type: image/webp" \
        --data-binary @/root/picture >/root/upload.json
    url=$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' /root/upload.json)
    expect "a picture that was uploaded" "200 image/jpeg" "$(curl -sS -o /dev/null -w '%{http_code} %{content_type}' "${url:-$SITE/none}")"
    file=$(find /var/lib/humanops/uploads -type f | head -n 1)
    expect "who reads it" "yes yes no no" "$(for user in humanops_operator humanops_worker humanops_tasks www-data; do
        runuser -u "$user" -- test -r "$file" && echo -n yes || echo -n no
        echo -n ' '
    done | sed 's/ $//')"
    expect "whether worker may remove it" yes "$(runuser -u humanops_worker -- rm "$file" && echo yes)"
}

registered() {
    curl -sS -X POST "$SITE/api/v1/operator/register" -H "Content-Type: application/json" \
        -d '{"name": "Op", "email": "op@humanops.example", "location": {"lat": 40.7, "lng": -74.0}}' >/root/operator.json
    grep -q VERIFIED /root/operator.json
}

check_sweep() {
    sh -c "$(sed -n 's/^\* \* \* \* \* root //p' /etc/cron.d/humanops)"
    within 20 swept || expect "the sweep" success "$(told humanops-sweeper Result)"
    expect "the sweep by cron's line" success "$(told humanops-sweeper Result)"
}

swept() {
    [[ $(runuser -u postgres -- psql -XAtq -d humanops -c "select count(*) from heartbeats where name = 'sweeper' and at is not null") == 1 ]]
}

# Requests all the while; each must be answered.
begin_asking() {
    rm -f /root/enough
    (until [[ -e /root/enough ]]; do curl -sS -o /dev/null -w '%{http_code}\n' "$SITE/readyz/tasks" || echo lost; done >/root/answers) &
    sleep 1
}

# end_asking WHEN
end_asking() {
    sleep 1
    touch /root/enough
    wait
    expect "answers $1" 200 "$(sort -u /root/answers)"
    [[ $(wc -l </root/answers) -gt 20 ]] || expect "requests" "many" "$(wc -l </root/answers)"
}

# The package's files laid out beside what runs and put in its place; back; and once more in place, as after apt.
check_upgrade() {
    local way
    dpkg-deb -x /root/humanops_0_amd64.deb /opt/humanops-new
    begin_asking
    for way in /opt/humanops-new/usr/lib/humanops/upgrade "/usr/lib/humanops/upgrade --roll-back" /usr/lib/humanops/upgrade; do
        # shellcheck disable=SC2086 # a command and its argument
        $way >/root/upgrade.log 2>&1 || expect "$way" "status 0" "status $?: $(cat /root/upgrade.log)"
        expect "$way" finished "$(tail -n 1 /root/upgrade.log | cut -d ' ' -f 1)"
    done
    end_asking "while it was upgraded, put back and upgraded in place"
    expect "whether a unit was started anew over it" 0 "$(told humanops-tasks NRestarts)"
}

check_renewal() {
    local pid
    begin_asking
    systemctl reload 'humanops-*.service'
    sleep 2
    # Its workers go with it; whoever connects then waits in the manager's socket.
    systemctl stop humanops-tasks.service
    systemctl start humanops-tasks.service
    end_asking "while it was reloaded and started anew"
    pid=$(told humanops-tasks MainPID)
    kill -KILL "$pid"
    # Under the first version of control groups a manager in a container hears of their end by its timeout alone.
    within 60 renewed "$pid" || expect "a killed program" "started anew" "$(told humanops-tasks ActiveState)"
    expect "how often it was started anew" 1 "$(told humanops-tasks NRestarts)"
    expect "an answer after that" 200 "$(curl -sS -o /dev/null -w '%{http_code}' --max-time 20 "$SITE/readyz/tasks")"
}

renewed() {
    [[ $(told humanops-tasks ActiveState) == active && $(told humanops-tasks MainPID) != "$1" ]]
}

check_journal() {
    local name
    journalctl -q -o cat -u 'humanops-*' >/root/journal
    curl -sS "$SITE/metrics" >/root/metrics
    for name in "${SERVERS[@]}"; do
        grep -q "\"program\":\"$name\".*\"event\":\"request\"" /root/journal || expect "the journal of $name" lines none
        grep -qE "^humanops_resident_memory_bytes\{program=\"$name\"\} [1-9]" /root/metrics ||
            expect "the memory of $name" "a number" "$(grep humanops_resident /root/metrics)"
    done
    expect "the journal, and everybody's memory" told told
}

ended() {
    [[ -z $(systemctl list-units --no-legend --state=active,deactivating 'humanops*') ]]
}

check_end() {
    systemctl stop humanops.target
    # The stop of the target alone is waited for.
    within 60 ended || true
    expect "what is left after the end" "" "$(systemctl list-units --no-legend --state=active 'humanops*')"
    expect "what has failed" "" "$(systemctl list-units --no-legend --state=failed)"
}

cd /tmp
expect "what installing has started" "" "$(systemctl list-units --no-legend --state=active 'humanops*')"
# shellcheck source=/dev/null # the page's commands
(set -euo pipefail && . /root/rest.sh) >/root/page.log 2>&1 || expect "the page's commands" 0 "$(tail -n 20 /root/page.log)"
expect "the quick start's last line" '"status":"COMPLETED"' "$(tail -n 1 /root/page.log | tr -d ' ')"
check_restrictions
check_picture
check_sweep
check_journal
check_upgrade
check_renewal
check_end
echo "all is well"
