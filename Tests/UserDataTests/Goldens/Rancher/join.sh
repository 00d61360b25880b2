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
region=us-east-1
parameter() {
    aws ssm get-parameter --region "$region" --name "$1" --with-decryption --query Parameter.Value --output text
}
managed_secret() {
    aws secretsmanager get-secret-value --region "$region" --secret-id "$1" --query SecretString --output text
}
member() { flatten | sed -n "s|^$1$(printf '\t')||p"; }
url='http://rancher.test:8080/v1/projects/1a5/scripts/TOKEN:1483142400000:abc'
image=rancher/agent:v1.2.11
host=$(meta instance-id) || die "the metadata service does not say which instance this is"
echo "$host" >/etc/muster/host
curl_word() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }
echo "${url%%/scripts/*}" >/etc/muster/api
{ access=$(parameter /rancher/prod/access) && [ -n "$access" ]; } || die "the access key of Rancher cannot be read"
{ secret=$(managed_secret rancher/prod | member secret) && [ -n "$secret" ]; } || die "the secret key of Rancher cannot be read"
printf 'user = %s\n' "$(curl_word "$access:$secret")" >/etc/muster/rancher.curl
{ target=$(cat /etc/pagerduty.key) && [ -n "$target" ]; } || die "where to report (pagerduty) cannot be read"
printf '%s\n' "$target" >/etc/muster/pagerduty.key
{ target=$(parameter /slack/ops) && [ -n "$target" ]; } || die "where to report (slack) cannot be read"
printf 'url = %s\n' "$(curl_word "$target")" >/etc/muster/slack.curl
{ target=$(printf '%s\n' https://hooks.example.com/x) && [ -n "$target" ]; } || die "where to report (webhook) cannot be read"
printf 'url = %s\n' "$(curl_word "$target")" >/etc/muster/webhook.curl

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
