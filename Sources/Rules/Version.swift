// SPDX-License-Identifier: Apache-2.0

/// `major.minor.patch`
public struct Version: Sendable, Equatable, Comparable, CustomStringConvertible {
    public var major: UInt32
    public var minor: UInt32
    public var patch: UInt32

    public init(_ major: UInt32, _ minor: UInt32, _ patch: UInt32) {
        (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    /// Three numbers with dots; a suffix such as `-rc1` or `+build` is allowed and not compared.
    public init?(_ text: String) {
        let core = text.prefix { $0 != "-" && $0 != "+" }
        let parts = core.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ $0.allSatisfy(\.isASCII) }), let major = UInt32(parts[0]),
            let minor = UInt32(parts[1]),
            let patch = UInt32(parts[2])
        else { return nil }
        self.init(major, minor, patch)
    }

    public var description: String { "\(major).\(minor).\(patch)" }

    public static func < (left: Version, right: Version) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    /// This version can stand in where `required` is asked for.
    public func isCompatible(with required: Version) -> Bool { major == required.major && self >= required }
}
