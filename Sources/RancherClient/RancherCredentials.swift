import TextEncodings

/// An API key: of an account, or bound to one environment.
package struct RancherCredentials: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package let accessKey: String
    private let secretKey: String

    package init(accessKey: String, secretKey: String) {
        self.accessKey = accessKey
        self.secretKey = secretKey
    }

    var header: String { "Basic " + Base64.encode(Array("\(accessKey):\(secretKey)".utf8)) }

    package var description: String { "\(accessKey):•••" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["accessKey": accessKey]) }
}
