#!/usr/bin/env bash
# deploy.sh ENVIRONMENT: makes app.pyz live on $PORT, and no request is lost. Below $DEPLOY_ROOT/ENVIRONMENT:
#
#   releases/12.x3Fa/   one process and all that is its own: the application, its pid, its port
#   current             a symlink to the one that is live; the proxy looks it up for every connection
#   proxy.8001/, log, lock
#
# The rename of `current` is all that changes what is live, so whatever ends this script, and wherever, leaves the
# old release or the new one. Each run ends with clearing up: of releases, all but `current` are stopped and removed.
# For Linux: setsid, mv -T, /proc.
set -euo pipefail
cd "$(dirname "$0")"
: "${1:?which environment}" "${DEPLOY_ROOT:?}" "${PORT:?}" "${HOOKCI_RELEASE:?}"

mkdir -p "$DEPLOY_ROOT/$1/releases"
root=$(cd "$DEPLOY_ROOT/$1" && pwd -P)

# start DIRECTORY COMMAND...: in the background, to outlive this script. The lock goes on to be held until the pid is
# written, so that the next run knows of it.
start() {
    # shellcheck disable=SC2016  # for the inner shell
    setsid sh -c 'cd "$0" && echo $$ >pid && exec "$@" 9>&-' "$@" >>"$root/log" 2>&1 </dev/null &
    await_health "$1" $!
}

# await_health DIRECTORY PID: until what listens on the port in DIRECTORY/port says that it is well
await_health() {
    local why="it does not listen"
    SECONDS=0
    until [ -e "$1/port" ] &&
        why=$(curl -fsS --noproxy '*' -m 5 -o /dev/null "http://127.0.0.1:$(cat "$1/port")/health" 2>&1); do
        if [ $SECONDS -ge "${START_WITHIN:-30}" ] || ! kill -0 "$2" 2>/dev/null; then
            tail -n 5 "$root/log"
            echo "$1 does not come to be healthy: $why"
            exit 1
        fi
        sleep 0.1
    done
}

# is_running DIRECTORY: whether it does, and its pid is not by now that of another program
is_running() {
    local pid
    pid=$(cat "$1/pid" 2>/dev/null) && grep -qsF "$1" "/proc/$pid/cmdline"
}

# stop DIRECTORY: it has 30 seconds to answer what it has begun to
stop() {
    is_running "$1" || return 0
    kill "$(cat "$1/pid")" || true
    for _ in {1..300}; do
        is_running "$1" || return 0
        sleep 0.1
    done
    kill -9 "$(cat "$1/pid")" || true
}

clear_up() {
    for release in "$root"/releases/*; do
        [ "$release" -ef "$root/current" ] && continue
        stop "$release"
        rm -rf "$release"
    done
}

exec 9>"$root/lock"
flock 9
trap clear_up EXIT

new=$(mktemp -d "$root/releases/$HOOKCI_RELEASE.XXXX")
cp app.pyz "$new/"
start "$new" python3 "$new/app.pyz" --port-file "$new/port"

ln -sfn "$new" "$root/next"
mv -T "$root/next" "$root/current"

proxy=$root/proxy.$PORT
if ! is_running "$proxy"; then
    mkdir -p "$proxy"
    cp proxy.py "$proxy/"
    echo "$PORT" >"$proxy/port"
    start "$proxy" python3 "$proxy/proxy.py" "$PORT" "$root/current/port"
fi
