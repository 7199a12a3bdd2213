// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel

/// Why a record was left out; raw values are the reasons in the metrics.
enum RecordFault: String, Error, CaseIterable {
    case headerTruncated = "header_truncated"
    case lengthOutside = "length_outside"
    case parametersOutside = "parameters_outside"
    case unknownType = "unknown_type"
    case unknownLayout = "unknown_layout"
    case tooLarge = "too_large"

    var index: Int {
        switch self {
        case .headerTruncated: 0
        case .lengthOutside: 1
        case .parametersOutside: 2
        case .unknownType: 3
        case .unknownLayout: 4
        case .tooLarge: 5
        }
    }

    init(_ error: DecodeError) {
        self =
            switch error {
            case .headerTruncated: .headerTruncated
            case .lengthOutside: .lengthOutside
            case .lengthsTruncated, .parametersOutside: .parametersOutside
            case .unknownType: .unknownType
            }
    }
}

/// Event blocks to event views: the hot part of reading. A struct, so that a batch costs one exclusive access.
struct EventDecoder: ~Copyable {
    private(set) var recordsRead: UInt64 = 0
    private(set) var faults: InlineArray<6, UInt64> = .init(repeating: 0)
    var enterEventsForgotten: UInt64 { converter.enterEvents.forgotten }

    private var converter = EventConverter()
    private var arena: Arena
    /// Only events that describe containers and accounts came so far: today's Falco takes them in before it begins.
    private var isPreamble = true
    /// `Trait` bits by event type.
    private let traits: UnsafeMutablePointer<UInt8>

    private enum Trait {
        /// An enter event: its path or address is for the state, which knows it before the exit event comes.
        static let enterOfCall: UInt8 = 1
        /// Describes a container, a user or a group.
        static let description: UInt8 = 2
    }

    init(arenaBytes: Int) {
        arena = Arena(capacity: arenaBytes)
        traits = .allocate(capacity: EventTable.count)
        for event in EventTable.events {
            var bits: UInt8 = 0
            if event.isEnter && event.category & UInt16(EC_SYSCALL.rawValue) != 0 { bits |= Trait.enterOfCall }
            switch event.code {
            case PPME_CONTAINER_E, PPME_CONTAINER_JSON_E, PPME_CONTAINER_JSON_2_E, PPME_USER_ADDED_E, PPME_USER_DELETED_E,
                PPME_GROUP_ADDED_E, PPME_GROUP_DELETED_E:
                bits |= Trait.description
            default: break
            }
            traits[Int(event.code)] = bits
        }
    }

    deinit { traits.deallocate() }

    /// The events of the batch before are used up.
    mutating func beginBatch() { arena.reset() }

    /// Takes event blocks from the window until the batch is full or something stops it: the end of the window, a block of
    /// another kind, a damaged block, no more room for converted events. Returns how many bytes are used up.
    mutating func decode(_ window: Bytes, into batch: EventBatch) -> Int {
        batch.fill { events in decode(window, into: &events, countMax: batch.capacity) }
    }

    private mutating func decode(_ window: Bytes, into events: inout ContiguousArray<EventView>, countMax: Int) -> Int {
        let base = UnsafeRawPointer(window.base)
        var at = 0
        while events.count < countMax {
            let left = window.count &- at
            guard left >= 8 else { break }
            let identifier = base.loadUnaligned(fromByteOffset: at, as: UInt32.self)
            let total = Int(base.loadUnaligned(fromByteOffset: at &+ 4, as: UInt32.self))
            let version: Int
            let prefix: Int
            switch identifier {
            case 0x216, 0x221: (version, prefix) = (2, 2)
            case 0x217, 0x222: (version, prefix) = (2, 6)
            case 0x204, 0x8010_ABCD: (version, prefix) = (1, 2)
            case 0x208: (version, prefix) = (1, 6)
            default: return at
            }
            let large = identifier == 0x221 || identifier == 0x222
            guard total >= CaptureFormat.blockOverhead, total <= CaptureFormat.eventBlockBytesMax(large: large), total <= left,
                Int(base.loadUnaligned(fromByteOffset: at &+ total &- 4, as: UInt32.self)) == total
            else { break }
            // Rows and the like interrupt the events: the reader takes them.
            if identifier == 0x222, OwnFormat.record(inBlock: window[at..<at &+ total]) != nil { return at }
            let payload = window[at &+ 8..<at &+ total &- 4]
            do throws(RecordFault) {
                guard try take(payload, version: version, prefix: prefix, into: &events) else { break }
            } catch {
                faults[error.index] &+= 1
            }
            recordsRead &+= 1
            at &+= total
        }
        return at
    }

    /// False when the arena is full; the record is then to be taken again in the next batch.
    @inline(__always)
    private mutating func take(
        _ payload: Bytes, version: Int, prefix: Int, into events: inout ContiguousArray<EventView>
    ) throws(RecordFault) -> Bool {
        guard payload.count >= prefix else { throw .headerTruncated }
        let start = UnsafeRawPointer(payload.base)
        let cpu = start.loadUnaligned(as: UInt16.self)
        let isStateOnly = prefix == 6 && start.loadUnaligned(fromByteOffset: 2, as: UInt32.self) & 1 != 0
        let record = payload.from(prefix)
        guard version == 2 else {
            let outcome = converter.convert(try RawEvent(versionOne: record), into: &arena)
            return try finish(outcome, cpu, isStateOnly, into: &events)
        }
        var view: EventView
        do throws(DecodeError) {
            view = try EventView(checking: record, cpu: cpu, isStateOnly: isStateOnly)
        } catch {
            throw RecordFault(error)
        }
        if view.isKernelRecord {
            events.append(view)
            return true
        }
        if converter.leavesUnchanged(view) {
            if isHidden(view.type) { view.hide() }
            events.append(view)
            return true
        }
        return try finish(converter.convert(RawEvent(view), into: &arena), cpu, isStateOnly, into: &events)
    }

    private mutating func finish(
        _ outcome: EventConverter.Outcome, _ cpu: UInt16, _ isStateOnly: Bool, into events: inout ContiguousArray<EventView>
    ) throws(RecordFault) -> Bool {
        switch outcome {
        case .dropped: return true
        case .unknownLayout: throw .unknownLayout
        case .tooLarge: throw .tooLarge
        case .arenaFull: return false
        case .rewritten(let bytes):
            do throws(DecodeError) {
                var view = try EventView(checking: bytes, cpu: cpu, isStateOnly: isStateOnly)
                if isHidden(view.type) { view.hide() }
                events.append(view)
            } catch {
                throw RecordFault(error)
            }
            return true
        }
    }

    /// Another capture was appended: what threads of the one before began is nobody's here.
    mutating func restart() { converter.enterEvents.restart() }

    /// Enter events serve the state alone (the path as it was when the call began); so do the container and account events
    /// that a capture begins with. All take an event number and reach no rule.
    @inline(__always)
    private mutating func isHidden(_ type: UInt16) -> Bool {
        let traits = self.traits[Int(type)]
        if isPreamble {
            if traits & Trait.description != 0 { return true }
            isPreamble = false
        }
        return traits & Trait.enterOfCall != 0
    }
}
