// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem

/// Lines to standard output. Unbuffered, a line leaves as soon as no other is waiting behind it; buffered, when a block is full.
public struct StdoutOutput: AlertOutput {
    public let name = "stdout"
    static let blockBytes = 32 << 10
    private let descriptor: Int32
    private let buffered: Bool
    private var block: [UInt8] = []

    public init(buffered: Bool, descriptor: Int32 = STDOUT_FILENO) {
        self.buffered = buffered
        self.descriptor = descriptor
        block.reserveCapacity(Self.blockBytes)
    }

    public mutating func write(_ alert: RenderedAlert) throws(OutputError) {
        block += alert.line
        if block.count >= Self.blockBytes { try drain() }
    }
    public mutating func flush() throws(OutputError) {
        if !buffered { try drain() }
    }
    public mutating func close() throws(OutputError) { try drain() }

    private mutating func drain() throws(OutputError) {
        defer { block.removeAll(keepingCapacity: true) }
        var done = 0
        while done < block.count {
            let count = block.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, $0.count - done) }
            if count >= 0 {
                done += count
            } else if errno == EAGAIN {
                // The reader's end was made non-blocking by somebody who shares it; wait instead of losing lines.
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&wait, 1, -1)
            } else if errno != EINTR {
                let reason = Errno.last
                throw OutputError("write to standard output: \(reason)", isFinal: reason == .brokenPipe)
            }
        }
    }
}
