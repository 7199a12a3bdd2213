// SPDX-License-Identifier: Apache-2.0

/// An alert as it goes out: one line of text or JSON with its line feed.
public struct RenderedAlert: Sendable {
    public let line: [UInt8]
    /// 0 emergency … 7 debug, which is also syslog's severity.
    public let priority: UInt8
    /// Epoch time of the event behind it; 0 for alerts of our own. Only live latency is computed from it.
    public let timestampNs: UInt64

    public init(line: [UInt8], priority: UInt8, timestampNs: UInt64) {
        (self.line, self.priority, self.timestampNs) = (line, priority, timestampNs)
    }
}

/// What an output could not do, and why: `append to '/var/log/falco.log': ENOSPC (no space left on device)`.
public struct OutputError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    /// Trying again can't help: nobody is at the other end any more.
    public let isFinal: Bool
    public init(_ description: String, isFinal: Bool = false) { (self.description, self.isFinal) = (description, isFinal) }
}

/// Where alerts go. Only the output thread calls it, so it needs no lock.
public protocol AlertOutput {
    /// The word of the configuration: `stdout`, `file`, …
    var name: String { get }
    mutating func write(_ alert: RenderedAlert) throws(OutputError)
    /// Nothing more is waiting: what was gathered for one write goes out now.
    mutating func flush() throws(OutputError)
    /// On SIGUSR1, after logrotate moved a file away.
    mutating func reopen() throws(OutputError)
    /// Before the program ends.
    mutating func close() throws(OutputError)
}

extension AlertOutput {
    public mutating func flush() throws(OutputError) {}
    public mutating func reopen() throws(OutputError) {}
    public mutating func close() throws(OutputError) { try flush() }
}
