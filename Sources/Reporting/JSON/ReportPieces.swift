import MusterModel

// The pieces that several documents share, written straight into the document. An optional that is nil is left out.

extension JSONWriter {
    mutating func member(_ name: StaticString, _ place: Place?) {
        guard let place else { return }
        member(name) { json in
            json.object { json in
                json.member("column", place.column)
                json.member("line", place.line)
                json.member("path", place.path)
            }
        }
    }
}

extension Hazard {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("address", address.description)
            json.member("kind", kind.rawValue)
            json.member("text", text)
        }
    }
}

extension Drift {
    /// - Parameter keepsDeferred: as `$deferred` trees, to be read back; else as text with holes.
    func write(to json: inout JSONWriter, keepsDeferred: Bool) {
        func side(_ value: Value?) -> Value? { keepsDeferred ? value : value?.withHoles }
        json.object { json in
            json.member("address", address.description)
            json.member("attributes", attributes) { json, attribute in
                json.object { json in
                    json.member("hidden", attribute.isHidden)
                    json.member("is", value: side(attribute.after))
                    json.member("path", attribute.path)
                    json.member("place", attribute.place)
                    json.member("was", value: side(attribute.before))
                }
            }
            json.member("id", id?.rawValue)
            json.member("kind", kind.rawValue)
            json.member("name", address.name)
            json.member("place", place)
            json.member("stack", address.stack)
            json.member("type", address.type.rawValue)
        }
    }
}
