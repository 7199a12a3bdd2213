// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Lines to the system log, facility user, the alert's priority as severity.
public struct SyslogOutput: AlertOutput {
    public let name = "syslog"
    public init() {}
    public mutating func write(_ alert: RenderedAlert) throws(OutputError) {
        var line = alert.line[...]
        if line.last == UInt8(ascii: "\n") { line.removeLast() }
        SystemLog.send(Array(line), severity: alert.priority)
    }
}

/// syslog(3) without its variadic arguments. Where no log daemon listens the message is lost without a word, as everywhere.
public enum SystemLog {
    public static func send(_ message: [UInt8], severity: UInt8) {
        let text = message.map { $0 == 0 ? UInt8(ascii: " ") : $0 } + [0]
        text.withUnsafeBytes { bytes in
            withVaList([OpaquePointer(bytes.baseAddress!)]) { vsyslog(LOG_USER | Int32(severity & 7), "%s", $0) }
        }
    }
}
