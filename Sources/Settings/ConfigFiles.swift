// SPDX-License-Identifier: Apache-2.0
import Glibc

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
    public init() {}

    public func kind(of path: String) -> ConfigFileKind? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFDIR ? .directory : .file
    }

    public func read(_ path: String) throws(SettingsError) -> [UInt8] {
        guard let file = fopen(path, "rb") else { throw SettingsError(String(cString: strerror(errno))) }
        defer { fclose(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { content += chunk[..<count] }
        guard ferror(file) == 0 else { throw SettingsError(String(cString: strerror(errno))) }
        return content
    }

    public func regularFiles(in directory: String) -> [String] {
        guard let handle = opendir(directory) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if kind(of: directory + "/" + name) == .file { names.append(name) }
        }
        return names.sorted()
    }
}
