/// How the loader gets at files. The loader itself reads nothing: the caller's closure does.
package struct SourceReader: Sendable {
    /// Why a file could not be read.
    package enum Failure: Error, Sendable, Hashable {
        case missing
        case isDirectory
        case permissionDenied
        /// Larger than the caller is willing to read: the size in bytes, and the limit.
        case tooLarge(Int, limit: Int)
        /// In the system's words.
        case other(String)
    }

    /// The bytes of the file at a path: as given by the caller, or relative to the folder of the file that names it.
    package let read: @Sendable (_ path: String) throws(Failure) -> [UInt8]

    package init(read: @escaping @Sendable (_ path: String) throws(Failure) -> [UInt8]) {
        self.read = read
    }
}

/// What the loader is asked to load, and the values that the command line gives.
package struct LoadRequest: Sendable {
    /// A value given on the command line, as text.
    package struct GivenVariable: Sendable, Hashable {
        package var name: String
        package var text: String
        /// Where it was given, in words for messages: `--var`.
        package var origin: String

        package init(name: String, text: String, origin: String = "--var") {
            self.name = name
            self.text = text
            self.origin = origin
        }
    }

    /// The path of `muster.yaml`, as it is shown to people.
    package var workspacePath: String
    /// Of two values of one variable the last counts.
    package var variables: [GivenVariable]
    /// Paths of YAML files with one value per variable; of two values of one variable the last counts.
    package var variableFiles: [String]
    /// What `${stack.region}` is in a stack for which the workspace names no region.
    package var fallbackRegion: String?

    package init(
        workspacePath: String, variables: [GivenVariable] = [], variableFiles: [String] = [],
        fallbackRegion: String? = nil
    ) {
        self.workspacePath = workspacePath
        self.variables = variables
        self.variableFiles = variableFiles
        self.fallbackRegion = fallbackRegion
    }
}
