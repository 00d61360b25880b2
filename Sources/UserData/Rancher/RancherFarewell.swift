import MusterModel

extension RancherAgent {
    /// The script that takes the host out of Rancher: deactivate, evacuate, remove, purge.
    ///
    /// It follows the host's state as the server tells it, rather than a list of calls, so that it can be begun anew at
    /// any point and takes it well when the server, or somebody else, was faster. Each phase has a limit.
    package func farewell() -> Text {
        guard let leave else { return Text() }
        let limits = leave.limits
        var text: Text = """
            #!/bin/sh
            # Takes this host out of Rancher: deactivate, evacuate, remove, purge.
            set -u
            umask 077
            host=$(cat \(Self.folder)/host 2>/dev/null) && api=$(cat \(Self.folder)/api) || exit 0
            api=${api%/}

            # A restart is no farewell.
            if systemctl list-jobs 2>/dev/null | grep -Eq '(reboot|kexec)\\.target +start'; then exit 0; fi
            if runlevel 2>/dev/null | grep -q ' 6$'; then exit 0; fi

            work=$(mktemp -d) || exit 1
            trap 'rm -rf "$work"' EXIT
            now() { date +%s; }

            """
        text += Snippets.flatten.asText
        text += reporting(leave.reports)
        text += #"""

            # call METHOD URL: $status is 000 when nothing answered; the answer is in $work/answer.
            call() {
                status=$(curl -sS -K \#(Self.folder)/rancher.curl -X "$1" -H 'Accept: application/json' \
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
                        $2 == host && $1 ~ /^data\.[0-9]+\.labels\.\#(Self.instanceLabel)$/ { split($1, part, "."); found[part[2]] = 1 }
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
                deadline=$(($(now) + \#(limits.evacuate)))
                while count=$(count_containers) && [ "${count:-0}" -gt 0 ]; do
                    [ "$(now)" -lt "$deadline" ] || { tell "containers were still there after \#(limits.evacuate) s"; return; }
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
            enter find \#(limits.deactivate)
            until find_host; do
                enter find \#(limits.deactivate)
                sleep 2
            done
            if [ -z "$id" ]; then exit 0; fi

            evacuated=
            while [ "$state" != purged ]; do
                look || state=unanswered
                case $state in
                    purged) ;;
                    unanswered) enter "${phase:-find}" \#(limits.remove) ;;
                    removed)
                        : >/var/lib/muster/left
                        enter purge \#(limits.purge)
                        offers purge || break
                        call POST "$api/hosts/$id/?action=purge"
                        ;;
                    purging) enter purge \#(limits.purge) ;;
                    inactive)
                        if [ -z "$evacuated" ]; then
                            evacuated=1
                            evacuate
                        fi
                        enter remove \#(limits.remove)
                        call POST "$api/hosts/$id/?action=remove"
                        ;;
                    removing) enter remove \#(limits.remove) ;;
                    *)
                        enter deactivate \#(limits.deactivate)
                        if offers deactivate; then call POST "$api/hosts/$id/?action=deactivate"; fi
                        ;;
                esac
                [ "$state" = purged ] || sleep 2
            done
            : >/var/lib/muster/left

            """#
        return text
    }

    /// `tell` says it here, `fail` says it to those who are to know, and ends.
    private func reporting(_ reports: [Report]) -> Text {
        var text: Text = """
            tell() { echo "muster: leaving Rancher: $*" >&2; }

            """
        if reports.isEmpty {
            text += """
                fail() { tell "$*"; exit 1; }

                """
            return text
        }
        text += #"""
            fail() {
                tell "$*"
                # Nothing that would end a string of JSON.
                words=$(printf '%s' "$host cannot leave Rancher: $*" | tr -d '\\"' | tr -c '[:print:]' ' ')

            """#
        for report in reports {
            switch report.kind {
            case .pagerduty:
                text += #"""
                        post https://events.pagerduty.com/v2/enqueue <<REPORT || tell "PagerDuty could not be told"
                    {"routing_key":"$(cat \#(Self.folder)/pagerduty.key)","event_action":"trigger","dedup_key":"rancher-leave-$host",
                    "payload":{"summary":"$words","source":"$host","severity":"error"}}
                    REPORT

                    """#
            case .slack:
                text += #"""
                        post -K \#(Self.folder)/slack.curl <<REPORT || tell "Slack could not be told"
                    {"text":"$words"}
                    REPORT

                    """#
            case .webhook:
                text += #"""
                        post -K \#(Self.folder)/webhook.curl <<REPORT || tell "the webhook could not be told"
                    {"host":"$host","text":"$words"}
                    REPORT

                    """#
            }
        }
        text += #"""
                exit 1
            }
            # post WHERE…: sends stdin, so that no list of processes shows it.
            post() {
                curl -fsS --retry 3 --max-time 20 -X POST -H 'Content-Type: application/json' --data-binary @- \
                    -o /dev/null "$@"
            }

            """#
        return text
    }
}
