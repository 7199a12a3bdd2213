// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// Appends alerts to a file, opened for each alert or kept open.
public final class FileOutput: AlertOutput {
    public let name = "file"
    private let path: String
    private let keepAlive: Bool
    private var file: AppendFile?

    /// Opens once, so that a wrong path shows at start.
    public init(path: String, keepAlive: Bool) throws(OutputError) {
        (self.path, self.keepAlive) = (path, keepAlive)
        file = try Self.open(path)
        if !keepAlive { file = nil }
    }

    public func write(_ alert: RenderedAlert) throws(OutputError) {
        if file == nil { file = try Self.open(path) }
        defer { if !keepAlive { file = nil } }
        do throws(Errno) { try file!.append(alert.line) } catch { throw OutputError("append to '\(path)': \(error)") }
    }
    public func reopen() throws(OutputError) { if keepAlive { file = try Self.open(path) } }
    public func close() throws(OutputError) { file = nil }

    private static func open(_ path: String) throws(OutputError) -> AppendFile {
        do throws(Errno) { return try AppendFile(path) } catch {
            throw OutputError("failed to open output file \(path): \(error)")
        }
    }
}
