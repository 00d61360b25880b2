import AWSClient
import AWSProvider
import FoundationEssentials
import HTTPTransport
import MusterModel
import ProviderKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Hands the outside world to the AWS layers: environment, files, clocks, processes.
enum AWSAccess {
    /// - Parameter tell: hears of every attempt too.
    static func provider(_ console: Console, tell: AWSClient.Observer? = nil) -> AWSProvider {
        let observer = observer(console)
        return AWSProvider(
            factory: AWSClientFactory(
                collaborators: collaborators(console), version: Muster.version,
                observer: { attempt in
                    observer(attempt)
                    tell?(attempt)
                }, makeHTTPClient: { CurlHTTPClient($0) }))
    }

    /// For what needs the catalog alone.
    static var catalogProvider: AWSProvider {
        provider(Console(environment: [:]))
    }

    private static func observer(_ console: Console) -> AWSClient.Observer {
        { attempt in
            if attempt.isMutating, let id = attempt.requestID { CallTrace.current?.note(id) }
            guard console.isVerbose else { return }
            let answer = attempt.errorCode ?? attempt.status.map { String($0) } ?? "no answer"
            let retry = attempt.number > 1 ? " attempt \(attempt.number)" : ""
            let milliseconds = Int(attempt.duration / .milliseconds(1))
            console.talk(
                "→ \(attempt.service) \(attempt.operation) \(attempt.region)\(retry): \(answer), \(milliseconds) ms"
                    + (attempt.requestID.map { ", \($0)" } ?? "") + "\n")
        }
    }

    private static func collaborators(_ console: Console) -> AWSCollaborators {
        let start = ContinuousClock.now
        return AWSCollaborators(
            environment: console.environment, homeDirectory: console.environment["HOME"],
            readFile: { path in
                do throws(LocalFile.Failure) {
                    return .content(try LocalFile.read(path, limit: 4 << 20))
                } catch {
                    return error.isMissing ? .absent : .unreadable(error.message)
                }
            },
            writeFile: { path, content in
                (try? LocalFile.write(path, content, mode: 0o600)) != nil
            },
            runProcess: { arguments in await ChildProcess.run(arguments) },
            askMFACode: console.isInputTerminal
                ? { @Sendable serial in console.ask("Code of the MFA device \(serial): ") } : nil,
            now: {
                Timestamp(millisecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1000))
            },
            elapsed: { ContinuousClock.now - start }, sleep: { try await Task.sleep(for: $0) },
            random: { Double.random(in: 0..<1) })
    }
}
