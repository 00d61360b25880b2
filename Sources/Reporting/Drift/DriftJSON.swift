package import MusterModel

/// Drift as `drift --format json` prints it.
package enum DriftJSON {
    package static let formatVersion = 1
    static let kind = "muster-drift"

    /// One line, ended by a line break. Secrets in values are holes: `‹secret:name›`.
    package static func encode(_ drift: [Drift], phantoms: [HostFinding] = [], checkedCount: Int) -> String {
        func count(_ kind: Drift.Kind) -> Int { drift.lazy.filter { $0.kind == kind }.count }
        var json = JSONWriter(isPlain: true)
        json.object { json in
            json.member("drift", DriftText.grouped(drift).flatMap(\.members)) {
                $1.withoutHiddenValues.write(to: &$0, keepsDeferred: false)
            }
            json.member("format_version", formatVersion)
            json.member("kind", kind)
            json.member("phantoms", phantoms) { $0.write($1.reportValue) }
            json.member("summary") { json in
                json.object { json in
                    json.member("changed", count(.changed))
                    json.member("checked", checkedCount)
                    json.member("foreign", count(.foreign))
                    json.member("gone", count(.gone))
                    json.member("phantoms", phantoms.count)
                }
            }
        }
        return String(decoding: json.bytes, as: UTF8.self) + "\n"
    }
}
