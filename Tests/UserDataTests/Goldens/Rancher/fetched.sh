#!/bin/sh
# Written by muster. Joins Rancher now and at every start.
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
command -v aws >/dev/null 2>&1 || die "secrets are fetched with the AWS CLI, which this image lacks"
region=$(meta placement/availability-zone | sed 's/[a-z]*$//')
parameter() {
    aws ssm get-parameter --region "$region" --name "$1" --with-decryption --query Parameter.Value --output text
}
managed_secret() {
    aws secretsmanager get-secret-value --region "$region" --secret-id "$1" --query SecretString --output text
}
member() { flatten | sed -n "s|^$1$(printf '\t')||p"; }
# fetch WHERE: what muster keeps at ssm:… or secretsmanager:….
fetch() {
    case $1 in
        ssm:*) parameter "${1#ssm:}" ;;
        secretsmanager:*#*) managed_secret "$(echo "${1#secretsmanager:}" | cut -d '#' -f 1)" | member "${1##*#}" ;;
        secretsmanager:*) managed_secret "${1#secretsmanager:}" ;;
        *) die "$1 cannot be reached from a machine: keep it in ssm: or secretsmanager:" ;;
    esac
}
{ url=$(fetch 'ssm:/rancher/registration-url') && [ -n "$url" ]; } || die "the registration URL cannot be read"
case $url in */scripts/*) ;; *) die "what is kept as the registration URL is none" ;; esac
image=rancher/agent:v1.2.11
host=$(meta instance-id) || die "the metadata service does not say which instance this is"
echo "$host" >/etc/muster/host

# A host that left cannot come back as the one that it was.
if [ -e /var/lib/muster/left ]; then
    docker rm -f rancher-agent >/dev/null 2>&1 || true
    rm -rf /var/lib/rancher/state
    rm -f /var/lib/muster/left
fi
if docker inspect rancher-agent >/dev/null 2>&1; then exit 0; fi
address=$(meta local-ipv4) || die "the metadata service tells no private address"
place=
if mac=$(meta mac 2>/dev/null); then \
    place="&instance-account=$(meta "network/interfaces/macs/$mac/owner-id" 2>/dev/null)&instance-subnet=$(meta "network/interfaces/macs/$mac/subnet-id" 2>/dev/null)" || place=; fi
labels='role=celery&''note=it%27s%205%20o%27clock%20%26%20more&'"instance-id=$host$place"
docker run --rm --privileged \
    -e CATTLE_AGENT_IP="$address" \
    -e CATTLE_HOST_LABELS="$labels" \
    -v /var/run/docker.sock:/var/run/docker.sock \
    -v /var/lib/rancher:/var/lib/rancher \
    "$image" "$url"
MUSTER_EOF
chmod 0700 /usr/local/sbin/muster-rancher-join
cat >/etc/systemd/system/muster-rancher-agent.service <<'MUSTER_EOF'
[Unit]
Description=Membership in Rancher, by muster
Wants=docker.service network-online.target
After=docker.service network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/muster-rancher-join
TimeoutStartSec=900

[Install]
WantedBy=multi-user.target
MUSTER_EOF
chmod 0644 /etc/systemd/system/muster-rancher-agent.service
systemctl daemon-reload
systemctl enable muster-rancher-agent.service
systemctl start muster-rancher-agent.service
