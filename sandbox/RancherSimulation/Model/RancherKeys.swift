import SandboxServing

extension SeededRandom {
    /// 20 upper-case hexadecimal digits, as `publicValue` has them.
    mutating func publicValue() -> String { text(20, from: "0123456789ABCDEF") }

    /// 40 characters without those that are easily mistaken, as `secretValue` has them.
    mutating func secretValue() -> String {
        text(40, from: "ABCDEFGHIJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789")
    }
}
