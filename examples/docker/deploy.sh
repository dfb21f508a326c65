#!/usr/bin/env bash
# deploy.sh ENVIRONMENT: makes the image $HOOKCI_IMAGE live on $PORT; no request is lost.
#
# There are two slots, each a port and a container of its own: $PORT+1 and $PORT+2. $DEPLOY_ROOT/ENVIRONMENT/live is a
# symlink to the file with the port of the one that is live; the proxy reads it for every connection.
#
# The rename of that symlink is all that changes what is live, so whatever ends this script, and wherever, leaves the
# old release or the new one. Each run begins and ends with emptying the slot that is not live.
# For Linux: setsid, flock, mv -T, /proc.
set -euo pipefail
cd "$(dirname "$0")"
: "${1:?which environment}" "${DEPLOY_ROOT:?}" "${PORT:?}" "${HOOKCI_COMMIT:?}" "${HOOKCI_IMAGE:?}"

mkdir -p "$DEPLOY_ROOT/$1"
root=$(cd "$DEPLOY_ROOT/$1" && pwd -P)
name=backend-$1

live() {
    cat "$root/live" 2>/dev/null || true
}

# await_health PORT: until what listens there says that it is well
await_health() {
    local why
    SECONDS=0
    until why=$(curl -fsS --noproxy '*' -m 5 -o /dev/null "http://127.0.0.1:$1/health" 2>&1); do
        if [ $SECONDS -ge "${START_WITHIN:-30}" ]; then
            docker logs --tail 5 "$name-$1" || true
            echo "port $1 does not come to be healthy: $why"
            exit 1
        fi
        sleep 0.1
    done
}

# await_silence PORT: until the proxy has no connection to it any more, or for 10 seconds
await_silence() {
    flock -w 10 "$root/port.$1" true || true
}

clear_up() {
    local slot
    for slot in $((PORT + 1)) $((PORT + 2)); do
        if [ "$(live)" != $slot ] && docker container inspect "$name-$slot" >/dev/null 2>&1; then
            # with the container goes what carries its bytes, so who was passed on to it is answered first
            await_silence $slot
            docker stop -t 10 "$name-$slot" >/dev/null # it has 10 seconds to answer what it has begun to
            docker rm --force "$name-$slot" >/dev/null
        fi
    done
}

exec 9>"$root/lock"
flock 9
clear_up
trap clear_up EXIT

before=$(live)
slot=$((PORT + 1))
[ "$before" != $slot ] || slot=$((PORT + 2))
docker run --detach --name "$name-$slot" --restart unless-stopped --pull never \
    --publish "127.0.0.1:$slot:8000" --env HOOKCI_COMMIT --env HOOKCI_ENVIRONMENT "$HOOKCI_IMAGE" >/dev/null
await_health $slot

echo $slot >"$root/port.$slot"
ln -sfn "port.$slot" "$root/next"
mv -T "$root/next" "$root/live"

proxy=$root/proxy.$PORT
if ! grep -qsF "$proxy" "/proc/$(cat "$proxy/pid" 2>/dev/null)/cmdline"; then
    mkdir -p "$proxy"
    cp proxy.py "$proxy/"
    # shellcheck disable=SC2016  # for the inner shell, which holds the lock until the pid is written
    setsid sh -c 'cd "$0" && echo $$ >pid && exec "$@" 9>&-' "$proxy" \
        python3 "$proxy/proxy.py" "$PORT" "$root/live" >>"$root/log" 2>&1 </dev/null &
    await_health "$PORT"
fi
