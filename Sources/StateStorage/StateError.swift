import FoundationEssentials
import GRDB
package import MusterModel

/// Why the state could not be read or written. Unless it says otherwise, nothing was changed.
package struct StateError: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// The file is no SQLite database.
        case notADatabase
        /// The file is damaged or incomplete.
        case torn
        case unreadable
        case readOnly
        /// Another process has been writing for too long.
        case busy
        case diskFull
        /// A SQLite database of another program.
        case foreign
        /// Written by a newer muster.
        case newerSchema
        case networkFilesystem(String)
        /// `PRAGMA synchronous` is not 2 on the connection that writes.
        case notDurable
        /// Bound to another account or endpoint.
        case boundElsewhere(StateBinding)
        case leaseHeld(Lease)
        /// Another run took a lease of this one over.
        case leaseLost(stack: String)
        /// The row has another version than expected.
        case moved(Address, expected: Int, found: Int)
        case noSuchResource(Address)
        case addressTaken(Address)
        /// The remote object belongs to another address already.
        case alreadyManaged(by: Address)
        /// The intent was settled by another run, or there is an open one for the same object.
        case intentGone
        case intentOpen(Address)
        case other
    }

    package var kind: Kind
    package var summary: String
    package var detail: String
    package var hint: String

    package init(_ kind: Kind, summary: String, detail: String, hint: String) {
        self.kind = kind
        self.summary = summary
        self.detail = detail
        self.hint = hint
    }
}

extension StateError {
    static func notADatabase(_ path: String) -> Self {
        StateError(
            .notADatabase, summary: "The state file is not a database",
            detail: "\"\(path)\" does not begin as a SQLite database does.",
            hint: "Point \"state:\" in muster.yaml at another file, or restore this one from a backup.")
    }

    static func torn(_ path: String, _ why: String) -> Self {
        StateError(
            .torn, summary: "The state file is damaged",
            detail: "\"\(path)\" is incomplete or damaged: \(why)",
            hint: "Keep the file and its -wal companion as they are, and restore a backup (\"\(path).backup-…\").")
    }

    static func unreadable(_ path: String, _ why: String) -> Self {
        StateError(
            .unreadable, summary: "The state file cannot be opened", detail: "\"\(path)\": \(why)",
            hint: "Look at the permissions of the file and of its folder, and at \"state:\" in muster.yaml.")
    }

    static func readOnly(_ path: String) -> Self {
        StateError(
            .readOnly, summary: "The state cannot be written",
            detail: "\"\(path)\" or its folder is read-only for this user; SQLite writes to both.",
            hint: "Give the user write permission on the folder, or run as the user who owns it.")
    }

    static func openedForReading(_ path: String) -> Self {
        StateError(
            .readOnly, summary: "The state was opened for reading",
            detail: "\"\(path)\" was opened for reading, and something wanted to write.",
            hint: "This is a bug in muster.")
    }

    static func busy(_ path: String) -> Self {
        StateError(
            .busy, summary: "The state is busy",
            detail: "Another process has been writing to \"\(path)\" for too long.",
            hint: "Wait for the other process; \"fuser\" on the file names it.")
    }

    static func writeFailed(_ path: String, _ message: String) -> Self {
        StateError(
            .diskFull, summary: "The state could not be written",
            detail: "A write to \"\(path)\" failed: \(message). The disk or a quota may be full, a file may not grow "
                + "any more, or the disk is broken. What was not written yet was not done either.",
            hint: "Put that right and run the same command again: it continues where this one stopped.")
    }

    static func diskFull(_ path: String) -> Self {
        StateError(
            .diskFull, summary: "The disk is full",
            detail: "There is no room for another page of \"\(path)\". What was not written yet was not done either.",
            hint: "Make room and run the same command again: it continues where this one stopped.")
    }

    static func foreign(_ path: String) -> Self {
        StateError(
            .foreign, summary: "The state file belongs to another program",
            detail: "\"\(path)\" is a SQLite database, but muster did not make it.",
            hint: "Point \"state:\" in muster.yaml at a file of its own.")
    }

    static func newerSchema(_ path: String) -> Self {
        StateError(
            .newerSchema, summary: "The state was written by a newer muster",
            detail: "\"\(path)\" has a schema that this muster does not know.",
            hint: "Install the muster that wrote it, or a newer one. States are never converted back.")
    }

    static func networkFilesystem(_ path: String, _ type: String) -> Self {
        StateError(
            .networkFilesystem(type), summary: "The state is on a network filesystem",
            detail: "\"\(path)\" is on \(type). Locks and shared memory do not work reliably there, and a state could "
                + "be lost without anybody noticing.",
            hint: "Put the state on a local disk.")
    }

    static func notDurable(_ path: String, _ found: String) -> Self {
        StateError(
            .notDurable, summary: "The state cannot be written durably",
            detail: "PRAGMA synchronous is \(found) on the writing connection to \"\(path)\" and should be 2.",
            hint: "This is a bug in muster, or a SQLite library that was built without it.")
    }

    package static func boundElsewhere(_ bound: StateBinding, wanted: StateBinding) -> Self {
        StateError(
            .boundElsewhere(bound), summary: "The state belongs to another account",
            detail: "\(bound.key) was made in account \(bound.account) at \(bound.endpoint); the credentials belong to "
                + "account \(wanted.account) at \(wanted.endpoint).",
            hint: "Use the credentials and the endpoint of that account, or another state.")
    }

    static func leaseHeld(_ lease: Lease) -> Self {
        StateError(
            .leaseHeld(lease), summary: "Another run holds the stack",
            detail: "\(lease.stack) is held by \(lease.holder.who) on \(lease.holder.host) (process "
                + "\(lease.holder.pid)) since \(lease.acquired.formatted(.iso8601)); seen last "
                + "\(lease.heartbeat.formatted(.iso8601)).",
            hint: "Wait for that run. If it is dead, its lease ends at \(lease.expiry.formatted(.iso8601)) by itself.")
    }

    static func leaseLost(_ stack: String) -> Self {
        StateError(
            .leaseLost(stack: stack), summary: "The lease was lost",
            detail: "Another run took \(stack) over, since this one was not heard of for too long.",
            hint: "Look at \"muster history\", then plan again.")
    }

    static func moved(_ address: Address, expected: Int, found: Int) -> Self {
        StateError(
            .moved(address, expected: expected, found: found), summary: "The state has moved on",
            detail: "The row of \(address) should have version \(expected) and has version \(found).",
            hint: "Plan again.")
    }

    static func noSuchResource(_ address: Address) -> Self {
        StateError(
            .noSuchResource(address), summary: "No such resource in the state",
            detail: "There is no row for \(address).", hint: "\"muster state list\" shows what there is.")
    }

    static func addressTaken(_ address: Address) -> Self {
        StateError(
            .addressTaken(address), summary: "The address is taken",
            detail: "There is a row for \(address) already.",
            hint: "Choose another address, or \"muster state rm\" the one that is there.")
    }

    static func alreadyManaged(_ id: RemoteID, by address: Address) -> Self {
        StateError(
            .alreadyManaged(by: address), summary: "The object is managed already",
            detail: "\(id) belongs to \(address); one object has one address.",
            hint: "Use that address, or remove one of the two definitions.")
    }

    static func intentGone(_ intent: Int64) -> Self {
        StateError(
            .intentGone, summary: "The intent was settled by another run",
            detail: "Intent \(intent) is not open any more: another run took over and settled it.",
            hint: "Look at \"muster history\", then plan again.")
    }

    static func intentOpen(_ address: Address) -> Self {
        StateError(
            .intentOpen(address), summary: "An earlier call is not settled",
            detail: "There is an open intent for \(address).",
            hint: "\"muster apply\" settles it first; \"muster doctor\" shows it.")
    }

    /// What a SQLite error means to the user.
    static func from(_ error: any Error, path: String) -> StateError {
        if let error = error as? StateError { return error }
        if let error = error as? UnreadableColumn { return torn(path, error.description) }
        guard let error = error as? DatabaseError else {
            return unreadable(path, String(describing: error))
        }
        let message = error.message ?? String(describing: error.extendedResultCode)
        switch error.resultCode {
        case .SQLITE_NOTADB: return notADatabase(path)
        case .SQLITE_CORRUPT: return torn(path, message)
        case .SQLITE_READONLY: return readOnly(path)
        case .SQLITE_BUSY, .SQLITE_LOCKED: return busy(path)
        case .SQLITE_FULL: return diskFull(path)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: return unreadable(path, message)
        case .SQLITE_IOERR:
            switch error.extendedResultCode {
            case .SQLITE_IOERR_SHORT_READ, .SQLITE_IOERR_DATA, .SQLITE_IOERR_CORRUPTFS: return torn(path, message)
            case .SQLITE_IOERR_READ, .SQLITE_IOERR_ACCESS, .SQLITE_IOERR_FSTAT: return unreadable(path, message)
            default: return writeFailed(path, message)
            }
        default:
            return StateError(
                .other, summary: "The state could not be used",
                detail: "SQLite says of \"\(path)\": \(message) (code \(error.extendedResultCode.rawValue)).",
                hint: "\"muster doctor\" checks the state. If it finds nothing, this is a bug in muster.")
        }
    }
}
