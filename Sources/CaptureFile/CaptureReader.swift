// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel

/// Reads a capture: metadata as rows, events into batches, older formats converted on the way.
///
/// Untrusted bytes: a record that cannot be an event is counted and left out; a file that is cut, or whose blocks do not
/// fit together, gives the events before that place and then one error.
public final class CaptureReader {
    private let stream: CaptureStream
    private var decoder: EventDecoder
    private var sink: (any SnapshotSink)?
    private var details = PendingDetails()
    /// Where the recorded run stood; known after `snapshot`, and only of recordings of ours.
    public private(set) var startingPosition: RunPosition?
    private var isFirstSection = true
    /// How far the file is read and how large it is, compressed as it lies there; the size is 0 for what is no regular file.
    public var progress: (bytesRead: UInt64, bytesTotal: UInt64) { stream.progress }

    /// Records read, delivered or not.
    public var recordsRead: UInt64 { decoder.recordsRead }
    /// Records left out because they could not be decoded, by reason.
    public var malformed: [(reason: String, count: UInt64)] {
        RecordFault.allCases.map { ($0.rawValue, decoder.faults[$0.index]) }
    }
    public var malformedTotal: UInt64 { malformed.reduce(0) { $0 + $1.count } }
    /// Enter events that had to be forgotten because there were too many.
    public var enterEventsForgotten: UInt64 { decoder.enterEventsForgotten }

    public struct Limits: Sendable {
        /// Memory for bytes of the file; grows only for a single larger block.
        public var windowBytes = 1024 * 1024
        /// Memory for the converted events of one batch.
        public var arenaBytes = 1024 * 1024
        public init() {}
    }

    /// Opens the file and checks that it is a capture. An error of the system comes as its bare reason.
    public init(path: String, limits: Limits = Limits()) throws(CaptureError) {
        precondition(limits.windowBytes >= 4096 && limits.arenaBytes >= 256 * 1024, "window and arena hold at least one event")
        stream = try CaptureStream(path: path, windowBytes: limits.windowBytes)
        decoder = EventDecoder(arenaBytes: limits.arenaBytes)
        guard stream.ensure(8) else {
            if let failure = stream.failureAtEnd { throw failure }
            throw CaptureError("'\(path)' is not a capture file: it has only \(stream.available) bytes")
        }
        guard let first: UInt32 = stream.window.integer(at: 0), BlockKind(identifier: first) == .section else {
            throw CaptureError("'\(path)' is not a capture file: it does not begin with a section header")
        }
    }

    /// Reads what stands before the first event. The sink also receives the metadata of captures appended to this one.
    public func snapshot(into sink: any SnapshotSink) throws(CaptureError) {
        self.sink = sink
        try readMetadata(into: sink)
    }

    /// Fills the batch; its events live until the next call. `.end` at the end of the capture.
    public func nextBatch(into batch: EventBatch) throws(CaptureError) -> BatchResult {
        batch.removeAll()
        decoder.beginBatch()
        stream.refill(below: 2 * CaptureFormat.eventBlockBytesMax)
        while true {
            let used = decoder.decode(stream.window, into: batch)
            stream.advance(used)
            // Whatever stopped the decoder waits until these are seen: the window may not move under them.
            if !batch.events.isEmpty { return .events }
            guard let block = try nextBlock() else {
                if let failure = stream.failureAtEnd { throw failure }
                return .end
            }
            switch block.kind {
            case .event:
                // Now it is in the window.
                if isOwnRecord(block) { try takeOwnRecord(block) }
            case .unknown, .run, .threadDetails, .descriptorDetails: try skip(block)
            default:
                // Another capture was appended to this one.
                decoder.restart()
                if let sink {
                    sink.restart()
                    try readMetadata(into: sink)
                } else {
                    try skip(block)
                }
            }
        }
    }

    // MARK: Blocks

    private struct Block {
        var kind: BlockKind
        var total: Int
    }

    /// The block at the start of the window, an event's with all its bytes; nil at the end of the file.
    private func nextBlock() throws(CaptureError) -> Block? {
        guard stream.ensure(8) else {
            if stream.available == 0 { return nil }
            throw stream.truncated(in: "a block header", beganAt: stream.offset, missing: UInt64(8 - stream.available))
        }
        guard let identifier: UInt32 = stream.window.integer(at: 0), let length: UInt32 = stream.window.integer(at: 4) else {
            preconditionFailure("eight bytes are in the window")
        }
        let total = Int(length)
        let block = Block(kind: BlockKind(identifier: identifier), total: total)
        guard total >= CaptureFormat.blockOverhead else { throw damaged(block) }
        guard case .event(_, _, let large) = block.kind else { return block }
        guard total <= CaptureFormat.eventBlockBytesMax(large: large) else { throw damaged(block) }
        guard stream.ensure(total) else { throw cut(block) }
        guard let trailer: UInt32 = stream.window.integer(at: total - 4), Int(trailer) == total else {
            throw mismatch(block, trailer: stream.window.integer(at: total - 4) ?? 0)
        }
        return block
    }

    private func skip(_ block: Block) throws(CaptureError) {
        let begin = stream.offset
        guard stream.skip(UInt64(block.total)) else {
            let missing = begin + UInt64(block.total) - stream.offset
            throw stream.truncated(in: block.kind.name, beganAt: begin, missing: missing)
        }
    }

    private func readMetadata(into sink: any SnapshotSink) throws(CaptureError) {
        details = PendingDetails()
        defer {
            details = PendingDetails()
            isFirstSection = false
        }
        while let block = try nextBlock() {
            if case .event = block.kind { return }
            try readMetadata(block, into: sink)
        }
    }

    private func readMetadata(_ block: Block, into sink: any SnapshotSink) throws(CaptureError) {
        let begin = stream.offset
        stream.advance(8)
        var cursor = MetadataCursor(
            stream: stream, kind: block.kind, blockOffset: begin,
            payloadBytes: UInt64(block.total - CaptureFormat.blockOverhead))
        switch block.kind {
        case .section: try cursor.readSection()
        case .machine: try cursor.readMachine(into: sink)
        case .interfaces(let version): try cursor.readInterfaces(version: version, into: sink)
        case .accounts(let version): try cursor.readAccounts(version: version, into: sink)
        case .threads(let version): try cursor.readThreads(version: version, &details, into: sink)
        case .descriptors(let version): try cursor.readDescriptors(version: version, &details, into: sink)
        case .run:
            let position = try cursor.readRunPosition()
            if isFirstSection { startingPosition = position }
        case .threadDetails: try cursor.readThreadDetails(into: &details)
        case .descriptorDetails: try cursor.readDescriptorDetails(into: &details)
        case .event, .unknown: break
        }
        try cursor.endBlock()
        guard stream.ensure(4), let trailer: UInt32 = stream.window.integer(at: 0) else {
            throw stream.truncated(in: block.kind.name, beganAt: begin, missing: UInt64(4 - stream.available))
        }
        guard Int(trailer) == block.total else { throw mismatch(block, trailer: trailer) }
        stream.advance(4)
    }

    // MARK: Records of ours

    /// The block is an event's and lies in the window as a whole.
    private func isOwnRecord(_ block: Block) -> Bool {
        guard case .event(2, true, true) = block.kind else { return false }
        return OwnFormat.record(inBlock: stream.window.prefix(block.total)) != nil
    }

    private func takeOwnRecord(_ block: Block) throws(CaptureError) {
        guard let sink, let record = OwnFormat.record(inBlock: stream.window.prefix(block.total)) else { return try skip(block) }
        if record.type == OwnFormat.goneRecord {
            sink.gone(tid: record.tid)
            return try skip(block)
        }
        // Blocks inside the block: rows, as in front of the events.
        let end = stream.offset + UInt64(block.total)
        stream.advance(record.dataOffset)
        var left = record.dataBytes
        details = PendingDetails()
        defer { details = PendingDetails() }
        while left >= CaptureFormat.blockOverhead {
            guard let inner = try nextBlock(), inner.total <= left, inner.kind.isRows else {
                throw stream.damaged(at: stream.offset, "a record of rows holds something else")
            }
            try readMetadata(inner, into: sink)
            left -= inner.total
        }
        guard stream.skip(end - stream.offset) else { throw cut(block) }
    }

    private func cut(_ block: Block) -> CaptureError {
        stream.truncated(in: block.kind.name, beganAt: stream.offset, missing: UInt64(max(1, block.total - stream.available)))
    }
    private func damaged(_ block: Block) -> CaptureError {
        stream.damaged(at: stream.offset, "\(block.kind.name) claims a length of \(block.total) bytes")
    }
    private func mismatch(_ block: Block, trailer: UInt32) -> CaptureError {
        stream.damaged(
            at: stream.offset, "the two lengths of \(block.kind.name) differ (\(block.total) in front, \(trailer) behind)")
    }
}
