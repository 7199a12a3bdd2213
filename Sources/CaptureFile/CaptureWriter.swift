// SPDX-License-Identifier: Apache-2.0
import Capture
import EventModel

/// Writes a capture that today's Falco reads: section header, snapshot, events, in this order.
///
/// Events may follow each other from any source; their bytes are copied as they are. `close` writes what is still
/// buffered: a writer that is dropped without it leaves a cut file.
public final class CaptureWriter {
    private let output: CaptureOutput
    private var encoder = CaptureEncoder()
    public private(set) var bytesWritten: UInt64 = 0
    /// Events that no block can hold, left out.
    public private(set) var eventsTooLarge: UInt64 = 0

    private static let bufferBytes = 64 * 1024

    public enum Compression: Sendable { case none, gzip }

    public init(path: String, compression: Compression = .gzip) throws(CaptureError) {
        output = try CaptureOutput(path: path, isCompressed: compression == .gzip)
        encoder.appendSection()
    }

    /// What existed before the first event; lists that hold nothing are left out.
    public func write(_ snapshot: CaptureSnapshot) throws(CaptureError) {
        encoder.append(snapshot, position: nil)
        try flushIfFull()
    }

    /// Another capture begins here: what follows is read as if nothing had been before.
    public func writeSection(_ snapshot: CaptureSnapshot) throws(CaptureError) {
        encoder.appendSection(snapshot)
        try flushIfFull()
    }

    public func write(_ event: EventView) throws(CaptureError) {
        if !encoder.append(event) { eventsTooLarge += 1 }
        try flushIfFull()
    }

    public func flush() throws(CaptureError) {
        guard !encoder.bytes.isEmpty else { return }
        try output.write(encoder.bytes)
        bytesWritten += UInt64(encoder.bytes.count)
        encoder.removeAll()
    }

    public func close() throws(CaptureError) {
        try flush()
        try output.close()
    }

    private func flushIfFull() throws(CaptureError) {
        if encoder.bytes.count >= Self.bufferBytes { try flush() }
    }
}

/// The rows of a snapshot, kept: for the writer and for tests.
public final class CaptureSnapshot: SnapshotSink {
    public var machine: MachineRow?
    public var interfaces: [InterfaceRow] = []
    public var users: [UserRow] = []
    public var groups: [GroupRow] = []
    public var threads: [ThreadRow] = []
    /// By thread, in the order of arrival.
    public var descriptors: [(tid: Int64, rows: [DescriptorRow])] = []
    public private(set) var restarts = 0

    public init() {}

    public func machine(_ row: MachineRow) { machine = row }
    public func interface(_ row: InterfaceRow) { interfaces.append(row) }
    public func user(_ row: UserRow) { users.append(row) }
    public func group(_ row: GroupRow) { groups.append(row) }
    public func thread(_ row: ThreadRow) { threads.append(row) }
    public func descriptors(of tid: Int64) { descriptors.append((tid, [])) }
    public func descriptor(_ row: DescriptorRow, tid: Int64) {
        if descriptors.last?.tid == tid {
            descriptors[descriptors.count - 1].rows.append(row)
        } else {
            descriptors.append((tid, [row]))
        }
    }
    public func restart() {
        machine = nil
        interfaces = []
        users = []
        groups = []
        threads = []
        descriptors = []
        restarts += 1
    }
}
