// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem

/// Feeds a shell command's standard input: one run per alert, or one for all.
public final class ProgramOutput: AlertOutput {
    public let name = "program"
    private let command: String
    private let keepAlive: Bool
    private var pipe: UnsafeMutablePointer<FILE>?

    public init(command: String, keepAlive: Bool) { (self.command, self.keepAlive) = (command, keepAlive) }
    deinit { end() }

    public func write(_ alert: RenderedAlert) throws(OutputError) {
        if pipe == nil { pipe = popen(command, "w") }
        guard let pipe else { throw OutputError("start '\(command)': \(Errno.last)") }
        let written = fwrite(alert.line, 1, alert.line.count, pipe)
        let failure = written == alert.line.count && fflush(pipe) == 0 ? nil : Errno.last
        if let failure {
            end()
            throw OutputError("write to '\(command)': \(failure)")
        }
        if !keepAlive { end() }
    }
    public func reopen() throws(OutputError) { end() }
    public func close() throws(OutputError) { end() }

    private func end() {
        if let pipe { pclose(pipe) }
        pipe = nil
    }
}
