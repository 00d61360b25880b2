/// A change of state that takes time.
struct Process: Sendable {
    enum Route: Sendable {
        case via(String, to: String)
        /// `active → updating-active → active`.
        case inPlace
    }

    var name: String
    var start: Set<String>
    var route: Route
    /// Whether clients may ask for it.
    var isAction: Bool
    /// How long it takes, in units of the configured delay.
    var share: Double
    var versions: Range<ServerVersion>

    static let always = ServerVersion(1, 0)..<ServerVersion(9, 0)

    init(
        _ name: String, _ start: Set<String>, via: String, to end: String, isAction: Bool = true, share: Double = 1,
        versions: Range<ServerVersion> = Process.always
    ) {
        self.name = name
        self.start = start
        self.route = .via(via, to: end)
        self.isAction = isAction
        self.share = share
        self.versions = versions
    }

    static func update(_ start: Set<String>) -> Process {
        var process = Process("update", start, via: "", to: "", share: 0.5)
        process.route = .inPlace
        return process
    }

    func states(from state: String) -> (via: String, end: String) {
        switch route {
        case .via(let via, let end): (via, end)
        case .inPlace: ("updating-\(state)", state)
        }
    }

    static func create(via: String, to end: String) -> Process {
        Process("create", ["requested"], via: via, to: end, isAction: false)
    }

    static let purge = Process("purge", ["removed"], via: "purging", to: "purged")
    static let restore = Process(
        "restore", ["removed"], via: "restoring", to: "inactive", versions: ServerVersion(1, 0)..<ServerVersion(1, 6))

    /// Of accounts, credentials, pools and most others.
    static let generic: [Process] = [
        create(via: "registering", to: "inactive"),
        Process("activate", ["inactive", "registering"], via: "activating", to: "active"),
        Process(
            "deactivate", ["requested", "registering", "active", "activating", "updating-active", "updating-inactive"],
            via: "deactivating", to: "inactive"),
        Process(
            "remove", ["requested", "inactive", "registering", "updating-active", "updating-inactive"], via: "removing",
            to: "removed"),
        update(["active", "inactive"]), purge, restore,
    ]
}
