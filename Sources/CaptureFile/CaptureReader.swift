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
    private var converter = EventConverter()
    private var arena: Arena
    private let hostIsBigEndian = UInt16(bigEndian: 1) == 1
    private var sink: (any SnapshotSink)?
    /// Only events that describe containers and accounts came so far: today's Falco takes them in before it begins.
    private var isPreamble = true

    /// Records read, delivered or not.
    public private(set) var recordsRead: UInt64 = 0
    /// Events put into batches.
    public private(set) var eventsDelivered: UInt64 = 0
    /// Records left out because they could not be decoded, by reason.
    public var malformed: [(reason: String, count: UInt64)] {
        RecordFault.allCases.map { ($0.rawValue, faults[$0.index]) }
    }
    public var malformedTotal: UInt64 { faults.reduce(0, +) }
    /// Enter events that had to be forgotten because there were too many.
    public var enterEventsForgotten: UInt64 { converter.enterEvents.forgotten }
    private var faults = ContiguousArray<UInt64>(repeating: 0, count: RecordFault.allCases.count)

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
        arena = Arena(capacity: limits.arenaBytes)
        guard stream.ensure(8) else {
            if let failure = stream.failureAtEnd { throw failure }
            throw CaptureError("'\(path)' is not a capture file: it has only \(stream.available) bytes")
        }
        guard let first: UInt32 = stream.window.integer(at: 0), BlockKind(identifier: first) == .section else {
            throw CaptureError("'\(path)' is not a capture file: it does not begin with a section header")
        }
        precondition(!hostIsBigEndian, "the capture format is little-endian, and so are the machines we build for")
    }

    /// Reads what stands before the first event. The sink also receives the metadata of captures appended to this one.
    public func snapshot(into sink: any SnapshotSink) throws(CaptureError) {
        self.sink = sink
        try readMetadata(into: sink)
    }

    /// Fills the batch; its events live until the next call. `.end` at the end of the capture.
    public func nextBatch(into batch: EventBatch) throws(CaptureError) -> BatchResult {
        batch.removeAll()
        arena.reset()
        stream.refill(below: 2 * CaptureFormat.eventBlockBytesMax)
        while !batch.isFull {
            guard let block = try nextBlock(mayMove: batch.events.isEmpty) else {
                if batch.events.isEmpty {
                    if let failure = stream.failureAtEnd { throw failure }
                    return .end
                }
                return .events
            }
            switch block.kind {
            case .event(let version, let flagged, _):
                guard deliver(block, version: version, flagged: flagged, into: batch) else { return .events }
            case .unknown:
                guard batch.events.isEmpty else { return .events }
                guard stream.skip(UInt64(block.total)) else { throw cut(block) }
            default:
                // Another capture was appended. The events before it are to be seen first.
                guard batch.events.isEmpty else { return .events }
                if let sink {
                    sink.restart()
                    try readMetadata(into: sink)
                } else {
                    guard stream.skip(UInt64(block.total)) else { throw cut(block) }
                }
            }
        }
        return .events
    }

    // MARK: Blocks

    private struct Block {
        var kind: BlockKind
        var total: Int
    }

    /// The block at the start of the window, an event's with all its bytes; nil at the end of the file or,
    /// where the window may not move, at the end of the window.
    @inline(__always)
    private func nextBlock(mayMove: Bool) throws(CaptureError) -> Block? {
        if stream.available < 8 {
            guard mayMove else { return nil }
            guard stream.ensure(8) else {
                if stream.available == 0 { return nil }
                throw stream.truncated(in: "a block header", beganAt: stream.offset, missing: UInt64(8 - stream.available))
            }
        }
        let window = stream.window
        let identifier = UnsafeRawPointer(window.base).loadUnaligned(as: UInt32.self)
        let total = Int(UnsafeRawPointer(window.base).loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let block = Block(kind: BlockKind(identifier: identifier), total: total)
        guard case .event(_, _, let large) = block.kind else {
            if total < CaptureFormat.blockOverhead { if mayMove { throw damaged(block) } else { return nil } }
            return block
        }
        let totalMax = large ? CaptureFormat.largeEventBlockBytesMax : CaptureFormat.eventBlockBytesMax
        guard total >= CaptureFormat.blockOverhead, total <= totalMax else {
            if mayMove { throw damaged(block) }
            return nil
        }
        if stream.available < total {
            guard mayMove else { return nil }
            guard stream.ensure(total) else { throw cut(block) }
        }
        let trailer = UnsafeRawPointer(stream.window.base).loadUnaligned(fromByteOffset: total &- 4, as: UInt32.self)
        guard Int(trailer) == total else {
            if mayMove { throw mismatch(block, trailer: trailer) }
            return nil
        }
        return block
    }

    private func readMetadata(into sink: any SnapshotSink) throws(CaptureError) {
        while let block = try nextBlock(mayMove: true) {
            if case .event = block.kind { return }
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
            case .threads(let version): try cursor.readThreads(version: version, into: sink)
            case .descriptors(let version): try cursor.readDescriptors(version: version, into: sink)
            case .event, .unknown: break
            }
            try cursor.endBlock()
            guard stream.ensure(4), let trailer: UInt32 = stream.window.integer(at: 0) else {
                throw stream.truncated(in: block.kind.name, beganAt: begin, missing: UInt64(4 - stream.available))
            }
            guard Int(trailer) == block.total else { throw mismatch(block, trailer: trailer) }
            stream.advance(4)
        }
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

    // MARK: Events

    /// Takes the event in the block, which lies in the window with all its bytes, to the batch. False when the batch has
    /// to be handed over first; the block is then still there.
    @inline(__always)
    private func deliver(_ block: Block, version: Int, flagged: Bool, into batch: EventBatch) -> Bool {
        let payload = stream.window[8..<block.total - 4]
        let prefix = flagged ? 6 : 2
        guard payload.count >= prefix, let cpu: UInt16 = payload.integer(at: 0) else { return leaveOut(block, .headerTruncated) }
        let isStateOnly = flagged && (payload.integer(at: 2, as: UInt32.self) ?? 0) & 1 != 0
        let event: RawEvent
        do throws(RecordFault) {
            event = try Self.check(payload.from(prefix), version: version)
        } catch {
            return leaveOut(block, error)
        }
        let bytes: Bytes
        switch converter.convert(event, needsHeader: version == 1, into: &arena) {
        case .unchanged: bytes = payload.from(prefix)
        case .rewritten(let rewritten): bytes = rewritten
        case .dropped:
            recordsRead &+= 1
            stream.advance(block.total)
            return true
        case .unknownLayout: return leaveOut(block, .unknownLayout)
        case .tooLarge: return leaveOut(block, .tooLarge)
        case .arenaFull:
            precondition(!batch.events.isEmpty, "an empty arena holds any event it accepts")
            return false
        }
        do throws(DecodeError) {
            let type = bytes.integer(at: 20, as: UInt16.self) ?? event.type
            batch.append(
                try EventView(checking: bytes, cpu: cpu, isStateOnly: isStateOnly, isHidden: isHidden(type)))
        } catch {
            return leaveOut(block, .headerTruncated)
        }
        recordsRead &+= 1
        eventsDelivered &+= 1
        stream.advance(block.total)
        return true
    }

    private func leaveOut(_ block: Block, _ fault: RecordFault) -> Bool {
        faults[fault.index] &+= 1
        recordsRead &+= 1
        stream.advance(block.total)
        return true
    }

    /// Enter events serve the state alone (the path as it was when the call began); so do the container and account events
    /// that a capture begins with. All take an event number and reach no rule.
    @inline(__always)
    private func isHidden(_ type: UInt16) -> Bool {
        if isPreamble {
            switch type {
            case PPME_CONTAINER_E, PPME_CONTAINER_JSON_E, PPME_CONTAINER_JSON_2_E, PPME_USER_ADDED_E, PPME_USER_DELETED_E,
                PPME_GROUP_ADDED_E, PPME_GROUP_DELETED_E:
                return true
            default: isPreamble = false
            }
        }
        return type & 1 == 0 && EventTable.categoryByCode[Int(type)] & UInt16(EC_SYSCALL.rawValue) != 0
    }

    /// Checks header and lengths of the event at the start of `bytes` (which padding may follow).
    @inline(__always)
    private static func check(_ bytes: Bytes, version: Int) throws(RecordFault) -> RawEvent {
        let headerBytes = version == 1 ? EventView.headerBytes - 4 : EventView.headerBytes
        guard bytes.count >= headerBytes else { throw .headerTruncated }
        let base = UnsafeRawPointer(bytes.base)
        let length = Int(base.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
        let type = base.loadUnaligned(fromByteOffset: 20, as: UInt16.self)
        guard Int(type) < EventTable.count else { throw .unknownType }
        var recordBytes = length
        if version == 1 && (type == PPME_INFRASTRUCTURE_EVENT_E.code || type == PPME_NOTIFICATION_E.code) {
            // Their writer counted three bytes that are not there.
            recordBytes -= 3
        }
        guard recordBytes >= headerBytes, recordBytes <= bytes.count else { throw .lengthOutside }
        let body = bytes[headerBytes..<recordBytes]
        let lengthBytes = RawEvent.lengthBytes(of: type)
        let count: Int
        if version == 1 {
            guard let inferred = RawEvent.inferParameterCount(type: type, body: body, bodyBytes: body.count) else {
                throw .lengthsOutside
            }
            count = inferred
        } else {
            count = Int(base.loadUnaligned(fromByteOffset: 22, as: UInt32.self))
            guard count <= body.count / lengthBytes else { throw .lengthsOutside }
            var total = count &* lengthBytes
            for index in 0..<count { total &+= RawEvent.length(body.base, index, lengthBytes) }
            guard total <= body.count else { throw .lengthsOutside }
        }
        return RawEvent(
            timestampNs: base.loadUnaligned(as: UInt64.self),
            tid: Int64(bitPattern: base.loadUnaligned(fromByteOffset: 8, as: UInt64.self)), type: type, parameterCount: count,
            lengthBytes: lengthBytes, body: body)
    }
}

/// Why a record was left out; raw values are the reasons in the metrics.
enum RecordFault: String, Error, CaseIterable {
    case headerTruncated = "header_truncated"
    case lengthOutside = "length_outside"
    case lengthsOutside = "parameters_outside"
    case unknownType = "unknown_type"
    case unknownLayout = "unknown_layout"
    case tooLarge = "too_large"

    var index: Int {
        switch self {
        case .headerTruncated: 0
        case .lengthOutside: 1
        case .lengthsOutside: 2
        case .unknownType: 3
        case .unknownLayout: 4
        case .tooLarge: 5
        }
    }
}
