#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What must hold of a process before it opens its first file.
enum ProcessStart {
    #if canImport(Glibc)
        private static let coreResource = __rlimit_resource_t(RLIMIT_CORE.rawValue)
    #else
        private static let coreResource = RLIMIT_CORE
    #endif

    static func prepare() {
        // A stream that was closed by whoever started us would give its number to the next file, and talk would be
        // written into that.
        for stream in STDIN_FILENO...STDERR_FILENO where fcntl(stream, F_GETFD) < 0 {
            let file = open("/dev/null", stream == STDIN_FILENO ? O_RDONLY : O_WRONLY)
            if file >= 0, file != stream {
                dup2(file, stream)
                close(file)
            }
        }
        // What a process holds in memory when it crashes are secrets, too.
        var limit = rlimit()
        if getrlimit(coreResource, &limit) == 0 {
            limit.rlim_cur = 0
            setrlimit(coreResource, &limit)
        }
        // A file that may not grow is an error to tell, not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
    }
}
