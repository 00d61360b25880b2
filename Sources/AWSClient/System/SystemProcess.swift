// Programs for `AWSCollaborators`: a `credential_process`, run without a shell. Waiting for a program blocks, so it
// happens on a thread of its own and not on one of Swift's.

import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

package enum SystemProcess {
    /// Runs a program to its end; its standard input is ours, its two outputs are returned (1 MiB of each at most).
    ///
    /// Cancelling the task sends it SIGTERM.
    ///
    /// - Parameters:
    ///   - arguments: the program, found by `PATH` unless it has a slash, and its arguments.
    ///   - environment: the whole environment of the program.
    /// - Returns: `nil` if it could not be started.
    package static func run(
        _ arguments: [String], environment: [String: String]
    ) async -> AWSCollaborators.ProcessResult? {
        let child = Child(arguments: arguments, environment: environment)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { child.start($0) }
        } onCancel: {
            child.terminate()
        }
    }
}

private final class Child: Sendable {
    typealias Continuation = CheckedContinuation<AWSCollaborators.ProcessResult?, Never>

    private enum Phase {
        case waiting
        case running(pid_t)
        case cancelled
        case ended
    }

    private let arguments: [String]
    private let environment: [String: String]
    // The thread and the task's cancellation meet here, and neither can await.
    private let phase = Mutex(Phase.waiting)
    private let continuation = Mutex<Continuation?>(nil)

    init(arguments: [String], environment: [String: String]) {
        self.arguments = arguments
        self.environment = environment
    }

    func start(_ continuation: Continuation) {
        self.continuation.withLock { $0 = continuation }
        let context = Unmanaged.passRetained(self)
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        guard pthread_create(&thread, nil, childThread, context.toOpaque()) == 0 else {
            context.release()
            return finish(nil)
        }
        #if canImport(Darwin)
            if let thread { pthread_detach(thread) }
        #else
            pthread_detach(thread)
        #endif
    }

    func terminate() {
        phase.withLock { phase in
            switch phase {
            // The lock is held, so that the process is not yet reaped and its number is not another's.
            case .running(let id): kill(id, SIGTERM)
            case .waiting: phase = .cancelled
            case .cancelled, .ended: break
            }
        }
    }

    private func finish(_ result: AWSCollaborators.ProcessResult?) {
        continuation.withLock { continuation in
            continuation?.resume(returning: result)
            continuation = nil
        }
    }

    // MARK: - On the thread

    func run() {
        guard var output = Pipe(), var errorOutput = Pipe() else { return finish(nil) }
        guard let id = spawn(output, errorOutput) else { return finish(nil) }
        output.closeWriting()
        errorOutput.closeWriting()
        let (text, errorText) = Self.drain(output.reading, errorOutput.reading)

        // Waited for, but not reaped: until the phase says so, the number is still the process's own.
        var information = siginfo_t()
        while waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        phase.withLock { $0 = .ended }
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        // Low seven bits: the signal; the next byte: the exit code.
        let signal = status & 0x7f
        let exitCode = signal == 0 ? status >> 8 & 0xff : 128 + signal
        finish(AWSCollaborators.ProcessResult(exitCode: exitCode, output: text, errorOutput: errorText))
    }

    private func spawn(_ output: borrowing Pipe, _ errorOutput: borrowing Pipe) -> pid_t? {
        guard let program = arguments.first else { return nil }
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, output.writing, 1)
        posix_spawn_file_actions_adddup2(&actions, errorOutput.writing, 2)
        // Our threads may block or ignore signals that the program expects.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var words = arguments.map { strdup($0) } + [nil]
        var variables = environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        return phase.withLock { phase in
            guard case .waiting = phase else { return nil }
            var id: pid_t = 0
            guard posix_spawnp(&id, program, &actions, &attributes, &words, &variables) == 0 else { return nil }
            phase = .running(id)
            return id
        }
    }

    /// Reads both to their ends at once: a program that fills one must not wait for us at the other.
    private static func drain(_ first: Int32, _ second: Int32) -> ([UInt8], [UInt8]) {
        var texts: [[UInt8]] = [[], []]
        var polled = [
            pollfd(fd: first, events: Int16(POLLIN), revents: 0), pollfd(fd: second, events: Int16(POLLIN), revents: 0),
        ]
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while polled.contains(where: { $0.fd >= 0 }) {
            if poll(&polled, nfds_t(polled.count), -1) < 0, errno != EINTR { break }
            for index in polled.indices where polled[index].fd >= 0 && polled[index].revents != 0 {
                let count = chunk.withUnsafeMutableBytes { SystemFiles.read(polled[index].fd, $0) }
                // A negative descriptor is passed over by poll.
                if count <= 0 { polled[index].fd = -1 }
                if count > 0, texts[index].count < 1 << 20 { texts[index] += chunk[..<count] }
            }
        }
        return (texts[0], texts[1])
    }
}

#if canImport(Darwin)
    private func childThread(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<Child>.fromOpaque(context).takeRetainedValue().run()
        return nil
    }
#else
    private func childThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let context { Unmanaged<Child>.fromOpaque(context).takeRetainedValue().run() }
        return nil
    }
#endif

/// Both ends are closed when it goes, and are not inherited by other programs.
private struct Pipe: ~Copyable {
    let reading: Int32
    let writing: Int32
    private var isWritingOpen = true

    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reading, writing) = (ends[0], ends[1])
    }

    mutating func closeWriting() {
        if isWritingOpen { close(writing) }
        isWritingOpen = false
    }

    deinit {
        close(reading)
        if isWritingOpen { close(writing) }
    }
}
