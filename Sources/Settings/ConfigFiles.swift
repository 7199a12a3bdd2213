// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The files that configuration comes from; replaced in tests.
public protocol ConfigFileSystem {
    /// Nil when there is no such entry.
    func kind(of path: String) -> ConfigFileKind?
    func read(_ path: String) throws(SettingsError) -> [UInt8]
    /// Names of the regular files (symlinks followed) of a directory, sorted.
    func regularFiles(in directory: String) -> [String]
}

public enum ConfigFileKind: Sendable { case file, directory }

/// The machine's files.
public struct HostFileSystem: ConfigFileSystem {
    /// A configuration is a few kilobytes; this stops a device or a capture given by mistake.
    static let bytesMax = 16 << 20
    public init() {}

    public func kind(of path: String) -> ConfigFileKind? {
        (try? Files.status(path)).map { $0.kind == .directory ? .directory : .file }
    }

    public func read(_ path: String) throws(SettingsError) -> [UInt8] {
        do throws(Errno) { return try Files.read(path, bytesMax: Self.bytesMax) } catch { throw SettingsError("\(error)") }
    }

    public func regularFiles(in directory: String) -> [String] {
        let names = (try? Files.names(in: directory)) ?? []
        return names.filter { kind(of: directory + "/" + $0) == .file }.sorted()
    }
}
