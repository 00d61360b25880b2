#!/bin/sh
# Written by muster. Starts a Rancher server.
set -eu
umask 077
mkdir -p /etc/muster
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
command -v aws >/dev/null 2>&1 || die "secrets are fetched with the AWS CLI, which this image lacks"
region=us-east-1
parameter() {
    aws ssm get-parameter --region "$region" --name "$1" --with-decryption --query Parameter.Value --output text
}
managed_secret() {
    aws secretsmanager get-secret-value --region "$region" --secret-id "$1" --query SecretString --output text
}
image=rancher/server:v1.6.30
address=$(meta local-ipv4) || die "the metadata service tells no private address"
tries=0
until docker inspect "$image" >/dev/null 2>&1 || docker pull "$image"; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || die "the image $image cannot be had"
    sleep 10
done

# What no list of processes may show.
{ password=$(parameter /rancher/db) && [ -n "$password" ]; } || die "the password of the database cannot be read"
printf 'CATTLE_DB_CATTLE_PASSWORD=%s\n' "$password" >/etc/muster/rancher-server.env
docker run -d --name rancher-server --restart=unless-stopped \
    -p 8080:8080 -p 9345:9345 \
    -e JAVA_OPTS='-Xmx2g -Xms2g' \
    --env-file /etc/muster/rancher-server.env \
    "$image" \
    --db-host 'rancher.address.test' --db-port 3306 \
    --db-user cattle --db-name cattle \
    --advertise-address "$address"
