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
image=rancher/server:v1.1.4
address=$(meta local-ipv4) || die "the metadata service tells no private address"
tries=0
until docker inspect "$image" >/dev/null 2>&1 || docker pull "$image"; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || die "the image $image cannot be had"
    sleep 10
done

# What no list of processes may show.
{ password=$(managed_secret rancher | member db) && [ -n "$password" ]; } || die "the password of the database cannot be read"
printf 'CATTLE_DB_CATTLE_PASSWORD=%s\n' "$password" >/etc/muster/rancher-server.env
{ password=$(cat /etc/redis.password) && [ -n "$password" ]; } || die "the password of Redis cannot be read"
printf 'CATTLE_REDIS_PASSWORD=%s\n' "$password" >>/etc/muster/rancher-server.env
docker run -d --name rancher-server --restart=always \
    -p 8080:8080 \
    -e CATTLE_DB_CATTLE_MYSQL_HOST=db.example.com \
    -e CATTLE_DB_CATTLE_MYSQL_PORT=3306 \
    -e CATTLE_DB_CATTLE_MYSQL_NAME=cattle \
    -e CATTLE_DB_CATTLE_USERNAME=cattle \
    -e CATTLE_ZOOKEEPER_CONNECTION_STRING=10.0.1.2,10.0.1.3:2182 \
    -e CATTLE_REDIS_HOSTS='cache.endpoint.test,10.0.1.4:6379' \
    -e CATTLE_HOST_API_PROXY_MODE=ha \
    -e CATTLE_HOST_API_PROXY_HOST=ws.example.com:8081 \
    -e DEFAULT_CATTLE_MACHINE_EXECUTE=false \
    --env-file /etc/muster/rancher-server.env \
    "$image"

tries=0
until curl -fsS -m 10 -o /etc/muster/api.crt http://127.0.0.1:8080/v1/scripts/api.crt; do
    tries=$((tries + 1))
    [ "$tries" -lt 180 ] || die "the server does not give out its public key"
    sleep 5
done
docker run -d --name rancher-websocket-proxy --restart=always \
    -p 8081:8081 -v /etc/muster/api.crt:/api.crt:ro \
    "$image" websocket-proxy -jwt-public-key-file=/api.crt -listen-address=0.0.0.0:8081

tries=0
until access=$(parameter /rancher/ms/access) && [ -n "$access" ] &&
    secret=$(parameter /rancher/ms/secret) && [ -n "$secret" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 360 ] || die "the key of the service account cannot be read"
    sleep 10
done
printf 'CATTLE_ACCESS_KEY=%s\nCATTLE_SECRET_KEY=%s\n' "$access" "$secret" >/etc/muster/go-machine-service.env
docker run -d --name rancher-go-machine-service --restart=always \
    -e CATTLE_URL="http://$address:8080/v1" \
    --env-file /etc/muster/go-machine-service.env \
    "$image" go-machine-service
