// SPDX-License-Identifier: Apache-2.0

/// The configuration can't be used: one sentence with file, key and what to do.
public struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
