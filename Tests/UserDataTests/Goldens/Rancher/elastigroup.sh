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
url=http://rancher.test:8080/v1/projects/1a5/scripts/TOKEN:1483142400000:abc
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
labels='role=spot&'"instance-id=$host&spotinst.instanceId=$host$place"
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
