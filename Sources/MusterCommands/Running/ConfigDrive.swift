import AWSClient
import Diagnostics
import MusterModel
import UserData

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The folder that becomes a config drive. All of it is for the eyes of its owner alone.
struct ConfigDrive {
    let folder: String
    private(set) var identity: RancherOSAgent.Identity?
    /// Whether the identity was made now.
    private(set) var isNew = false

    init(folder: String) { self.folder = folder }

    private var stateFolder: String { "\(folder)\(RancherOSAgent.stateFolder)" }

    /// Takes the identity that is there, or makes one.
    mutating func identify() throws(CommandFailure) {
        var files: [String: String] = [:]
        let names = [".registration_token", ".physical_host_uuid", ".docker_uuid"]
        for name in names {
            do throws(LocalFile.Failure) {
                files[name] = String(decoding: try LocalFile.read("\(stateFolder)/\(name)", limit: 4096), as: UTF8.self)
            } catch {
                if !error.isMissing { throw ConfigDrive.failure("\(stateFolder)/\(name)", error, "read") }
            }
        }
        if files.isEmpty {
            identity = ConfigDrive.makeIdentity()
            isNew = true
            return
        }
        guard let kept = RancherOSAgent.Identity(files: files) else {
            throw CommandFailure(
                code: "render.identity", summary: "The identity of the host is damaged",
                detail:
                    "\(stateFolder) holds \(files.keys.sorted().joined(separator: ", ")), but not the 128 hexadecimal digits "
                    + "and two UUIDs that make a host.",
                hint: "Put the files back, or remove all three: the machine is then a new host.")
        }
        identity = kept
    }

    private static func makeIdentity() -> RancherOSAgent.Identity {
        func digits(_ count: Int) -> String {
            (0..<count).map { _ in String(UInt8.random(in: 0...15), radix: 16) }.joined()
        }
        func uuid() -> String {
            let variant = ["8", "9", "a", "b"][Int.random(in: 0...3)]
            return "\(digits(8))-\(digits(4))-4\(digits(3))-\(variant)\(digits(3))-\(digits(12))"
        }
        return RancherOSAgent.Identity(registrationToken: digits(128), physicalHost: uuid(), docker: uuid())
    }

    func write(_ userData: String, hostName: String) throws(CommandFailure) {
        var files = [
            ("openstack/latest/user_data", userData),
            ("openstack/latest/meta_data.json", metadata(hostName)),
        ]
        for (name, content) in identity?.files ?? [] {
            files.append(("\(RancherOSAgent.stateFolder.dropFirst())/\(name)", "\(content)\n"))
        }
        for (name, content) in files {
            let path = "\(folder)/\(name)"
            do throws(LocalFile.Failure) {
                try LocalFile.makeFolder(LocalFile.folder(of: path), mode: 0o700)
                try LocalFile.write(path, Array(content.utf8), mode: 0o600)
            } catch {
                throw ConfigDrive.failure(path, error, "written")
            }
        }
    }

    private func metadata(_ hostName: String) -> String {
        let name = "\"hostname\": \(ValueJSON.plainText(.string(hostName)))"
        let uuid = identity.map { ", \"uuid\": \"\($0.physicalHost)\"" } ?? ""
        return "{\(name)\(uuid)}\n"
    }

    private static func failure(_ path: String, _ error: LocalFile.Failure, _ what: String) -> CommandFailure {
        CommandFailure(
            code: "render.file", summary: "The config drive cannot be \(what)", detail: "\(path): \(error.message).")
    }

    // MARK: Image

    static let tools = ["genisoimage", "mkisofs", "xorriso"]

    /// The drive as one file beside the folder; nil where no tool for it is installed.
    func makeImage() async throws(CommandFailure) -> String? {
        let path = "\(folder).iso"
        let temporary = "\(path).\(getpid()).tmp"
        let options = ["-quiet", "-output", temporary, "-volid", "config-2", "-joliet", "-rock", folder]
        let before = umask(0o077)
        defer {
            umask(before)
            unlink(temporary)
        }
        for tool in ConfigDrive.tools {
            let words = [tool] + (tool == "xorriso" ? ["-as", "mkisofs"] : []) + options
            guard let result = await ChildProcess.run(words) else { continue }
            guard result.exitCode == 0 else {
                throw CommandFailure(
                    code: "render.image", summary: "The image cannot be made",
                    detail: "\(tool) ended with \(result.exitCode): "
                        + DisplayText.neutralised(String(decoding: result.errorOutput.suffix(500), as: UTF8.self)))
            }
            guard rename(temporary, path) == 0 else {
                throw ConfigDrive.failure(path, LocalFile.Failure(code: errno), "written")
            }
            return path
        }
        return nil
    }
}
