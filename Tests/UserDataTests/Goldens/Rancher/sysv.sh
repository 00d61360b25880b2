#!/bin/sh
# Written by muster. Joins Rancher now and at every start, leaves it at shutdown.
set -eu
umask 077
mkdir -p /etc/muster /var/lib/muster /usr/local/sbin
cat >/usr/local/sbin/muster-rancher-join <<'MUSTER_EOF'
#!/bin/sh
# Joins Rancher. Does nothing where the agent is already there.
set -eu
umask 077
die() { echo "muster: $*" >&2; exit 1; }
meta() {
    token=$(curl -fsS -m 3 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' \
        http://169.254.169.254/latest/api/token 2>/dev/null) || token=
    curl -fsS -m 5 ${token:+-H "X-aws-ec2-metadata-token: $token"} "http://169.254.169.254/latest/meta-data/$1"
}
tries=0
until docker info >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 150 ] || die "docker does not answer"
    sleep 2
done
url='http://rancher.test:8080/v1/projects/1a5/scripts/TOKEN:1483142400000:abc'
image=rancher/agent:v1.0.2
host=$(meta instance-id) || die "the metadata service does not say which instance this is"
echo "$host" >/etc/muster/host
curl_word() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }
echo https://rancher.example.com/v1/projects/1a5/ >/etc/muster/api
{ access=$(printf '%s\n' KEY) && [ -n "$access" ]; } || die "the access key of Rancher cannot be read"
{ secret=$(printf '%s\n' 'it'\''s the rancher_secret') && [ -n "$secret" ]; } || die "the secret key of Rancher cannot be read"
printf 'user = %s\n' "$(curl_word "$access:$secret")" >/etc/muster/rancher.curl
printf 'cacert = %s\n' '"/etc/ssl/rancher.pem"' >>/etc/muster/rancher.curl

# A host that left cannot come back as the one that it was.
if [ -e /var/lib/muster/left ]; then
    docker rm -f rancher-agent >/dev/null 2>&1 || true
    rm -rf /var/lib/rancher/state
    rm -f /var/lib/muster/left
fi
if docker inspect rancher-agent >/dev/null 2>&1; then exit 0; fi
address=$(meta public-ipv4) || die "this instance has no public address"
place=
if mac=$(meta mac 2>/dev/null); then \
    place="&instance-account=$(meta "network/interfaces/macs/$mac/owner-id" 2>/dev/null)&instance-subnet=$(meta "network/interfaces/macs/$mac/subnet-id" 2>/dev/null)" || place=; fi
labels='role=celery&''note=it%27s%205%20o%27clock%20%26%20more&'"instance-id=$host$place"
docker run -d --privileged \
    -e CA_FINGERPRINT=AA:BB \
    -e CATTLE_AGENT_IP="$address" \
    -e CATTLE_HOST_LABELS="$labels" \
    -v /var/run/docker.sock:/var/run/docker.sock \
    -v /var/lib/rancher:/var/lib/rancher \
    "$image" "$url"
MUSTER_EOF
chmod 0700 /usr/local/sbin/muster-rancher-join
cat >/usr/local/sbin/muster-rancher-leave <<'MUSTER_EOF'
#!/bin/sh
# Takes this host out of Rancher: deactivate, evacuate, remove, purge.
set -u
umask 077
host=$(cat /etc/muster/host 2>/dev/null) && api=$(cat /etc/muster/api) || exit 0
api=${api%/}

# A restart is no farewell.
if systemctl list-jobs 2>/dev/null | grep -Eq '(reboot|kexec)\.target +start'; then exit 0; fi
if runlevel 2>/dev/null | grep -q ' 6$'; then exit 0; fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
now() { date +%s; }
flatten() {
    LC_ALL=C awk '
    BEGIN { RS = "\"" }
    {
        if (inside) {
            text = text $0
            if ($0 ~ /(^|[^\\])(\\\\)*\\$/) { text = text "\""; next }
            inside = 0
            gsub(/\\\\/, "\001", text)
            gsub(/\\"/, "\"", text)
            gsub(/\\\//, "/", text)
            gsub(/\001/, "\\\\", text)
            if (kind[depth] == "{" && wants_key[depth]) key[depth] = text
            else tell(text)
        } else {
            structure($0)
            inside = 1
            text = ""
        }
    }
    function structure(piece, i, c) {
        for (i = 1; i <= length(piece); i++) {
            c = substr(piece, i, 1)
            if (c == "{" || c == "[") { kind[++depth] = c; wants_key[depth] = 1; key[depth] = 0 }
            else if (c == ":") wants_key[depth] = 0
            else if (c == "," || c == "}" || c == "]") {
                if (word != "") { tell(word); word = "" }
                if (c != ",") depth--
                else if (kind[depth] == "{") wants_key[depth] = 1
                else key[depth]++
            } else if (c !~ /[ \t\r\n]/) word = word c
        }
    }
    function tell(value, i, path) {
        path = key[1]
        for (i = 2; i <= depth; i++) path = path "." key[i]
        print path "\t" value
    }'
}
tell() { echo "muster: leaving Rancher: $*" >&2; }
fail() { tell "$*"; exit 1; }

# call METHOD URL: $status is 000 when nothing answered; the answer is in $work/answer.
call() {
    status=$(curl -sS -K /etc/muster/rancher.curl -X "$1" -H 'Accept: application/json' \
        --connect-timeout 5 --max-time 30 -o "$work/answer" -w '%{http_code}' "$2") || status=000
    case $status in
        401 | 403) fail "Rancher refuses the API key (HTTP $status)" ;;
    esac
}
value() { awk -F '\t' -v path="$1" '$1 == path { print substr($0, length(path) + 2); exit }' "$work/host"; }
offers() { [ -n "$(value "actions.$1")" ]; }

# The id of the host that carries this instance in its label; fails while the server does not answer.
find_host() {
    id=
    page="$api/hosts?limit=1000"
    while [ -n "$page" ]; do
        call GET "$page"
        [ "$status" = 200 ] || return 1
        flatten <"$work/answer" >"$work/hosts"
        id=$(awk -F '\t' -v host="$host" '
            $2 == host && $1 ~ /^data\.[0-9]+\.labels\.instance-id$/ { split($1, part, "."); found[part[2]] = 1 }
            { all[$1] = $2 }
            END {
                # A host of the same name may be on its way out, and an instance has one that lives.
                for (at in found)
                    if (all["data." at ".state"] !~ /^(removed|purging|purged)$/) print all["data." at ".id"]
            }' "$work/hosts" | head -n 1)
        if [ -n "$id" ]; then return 0; fi
        page=$(awk -F '\t' '$1 == "pagination.next" && $2 != "null" { print $2 }' "$work/hosts")
    done
}

# What the server says of the host now; fails while it does not answer.
look() {
    call GET "$api/hosts/$id"
    case $status in
        200) flatten <"$work/answer" >"$work/host" && state=$(value state) ;;
        404) : >"$work/host" && state=purged ;;
        *) return 1 ;;
    esac
}

# Containers that the server is still to move away; none where it does not tell.
count_containers() {
    call GET "$api/hosts/$id/instances?limit=1000"
    [ "$status" = 200 ] || { echo 0; return; }
    flatten <"$work/answer" | awk -F '\t' '
        { all[$1] = $2; split($1, part, "."); if (part[1] == "data") seen[part[2]] = 1 }
        END {
            for (i in seen) {
                at = "data." i "."
                if (all[at "state"] !~ /^(running|starting|stopping|restarting)$/) continue
                if (all[at "system"] == "true") continue
                if (all[at "systemContainer"] != "" && all[at "systemContainer"] != "null") continue
                count++
            }
            print count + 0
        }'
}
evacuate() {
    if ! offers evacuate; then return; fi
    call POST "$api/hosts/$id/?action=evacuate"
    deadline=$(($(now) + 120))
    while count=$(count_containers) && [ "${count:-0}" -gt 0 ]; do
        [ "$(now)" -lt "$deadline" ] || { tell "containers were still there after 120 s"; return; }
        sleep 2
    done
}

# enter PHASE SECONDS: begins a phase, or fails when it takes too long.
phase=
enter() {
    if [ "$phase" != "$1" ]; then
        phase=$1
        deadline=$(($(now) + $2))
    elif [ "$(now)" -ge "$deadline" ]; then
        fail "$1 took more than $2 s (state $state, HTTP $status)"
    fi
}

state=unknown
status=000
enter find 60
until find_host; do
    enter find 60
    sleep 2
done
if [ -z "$id" ]; then exit 0; fi

evacuated=
while [ "$state" != purged ]; do
    look || state=unanswered
    case $state in
        purged) ;;
        unanswered) enter "${phase:-find}" 120 ;;
        removed)
            : >/var/lib/muster/left
            enter purge 60
            offers purge || break
            call POST "$api/hosts/$id/?action=purge"
            ;;
        purging) enter purge 60 ;;
        inactive)
            if [ -z "$evacuated" ]; then
                evacuated=1
                evacuate
            fi
            enter remove 120
            call POST "$api/hosts/$id/?action=remove"
            ;;
        removing) enter remove 120 ;;
        *)
            enter deactivate 60
            if offers deactivate; then call POST "$api/hosts/$id/?action=deactivate"; fi
            ;;
    esac
    [ "$state" = purged ] || sleep 2
done
: >/var/lib/muster/left
MUSTER_EOF
chmod 0700 /usr/local/sbin/muster-rancher-leave

(
yum install -y docker
service docker start
)
cat >/etc/init.d/muster-rancher-agent <<'MUSTER_EOF'
#!/bin/sh
# chkconfig: 2345 96 04
# description: Membership in Rancher, by muster
### BEGIN INIT INFO
# Provides:          muster-rancher-agent
# Required-Start:    $network $remote_fs docker
# Required-Stop:     $network $remote_fs docker
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Membership in Rancher, by muster
### END INIT INFO
lock=/var/lock/subsys/muster-rancher-agent
case ${1:-} in
    start)
        /usr/local/sbin/muster-rancher-join || exit 1
        # Without its lock a service is not stopped at shutdown on some systems.
        if [ -d /var/lock/subsys ]; then : >"$lock"; fi
        ;;
    stop)
        rm -f "$lock"
        /usr/local/sbin/muster-rancher-leave
        ;;
    restart | force-reload) /usr/local/sbin/muster-rancher-join ;;
    status) docker inspect rancher-agent >/dev/null 2>&1 ;;
    *)
        echo "usage: $0 {start|stop|restart|status}" >&2
        exit 2
        ;;
esac
MUSTER_EOF
chmod 0755 /etc/init.d/muster-rancher-agent
if command -v update-rc.d >/dev/null 2>&1; then
    update-rc.d muster-rancher-agent defaults
else
    chkconfig --add muster-rancher-agent
fi
/etc/init.d/muster-rancher-agent start
