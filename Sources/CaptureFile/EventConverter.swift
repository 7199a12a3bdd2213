// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Glibc

/// Rewrites the events of older captures, which came as enter and exit pairs, into today's.
struct EventConverter: ~Copyable {
    enum Outcome {
        /// Deliver these bytes; they live until the arena's reset.
        case rewritten(Bytes)
        /// Consumed.
        case dropped
        case unknownLayout
        case tooLarge
        /// The arena has no room until its reset.
        case arenaFull
    }

    private let table = ConversionTable.shared
    var enterEvents = EnterEventTable()

    /// Offsets of the original's parameters; one more than parameters, the last is the end.
    private let own: UnsafeMutablePointer<Int>
    private let entered: UnsafeMutablePointer<Int>

    init() {
        own = .allocate(capacity: ConversionTable.countsPerType + 1)
        entered = .allocate(capacity: ConversionTable.countsPerType + 1)
    }
    deinit {
        own.deallocate()
        entered.deallocate()
    }

    /// Is it today's event as it lies there? The fast path: nothing else is asked of most events.
    @inline(__always)
    mutating func leavesUnchanged(_ event: EventView) -> Bool {
        guard table.verdict(type: event.type, parameterCount: event.parameterCount) == .unchanged else { return false }
        if event.type == PPME_PROCEXIT_1_E.code { enterEvents.remove(tid: event.tid) }
        return true
    }

    /// Takes in an event that is stored, or writes it to the arena as today's.
    mutating func convert(_ event: RawEvent, into arena: inout Arena) -> Outcome {
        switch table.verdict(type: event.type, parameterCount: event.parameterCount) {
        case .dropped: return .dropped
        case .unknownLayout: return .unknownLayout
        case .unchanged:
            if event.type == PPME_PROCEXIT_1_E.code { enterEvents.remove(tid: event.tid) }
            return copy(event, into: &arena)
        case .planned(let number):
            return apply(number, to: event, into: &arena)
        }
    }

    private func copy(_ event: RawEvent, into arena: inout Arena) -> Outcome {
        let total = EventView.headerBytes + event.body.count
        guard total <= arena.capacity else { return .tooLarge }
        guard let target = arena.reserve(total) else { return .arenaFull }
        Self.writeHeader(event, type: event.type, total: total, parameterCount: event.parameterCount, to: target)
        (target + EventView.headerBytes).copyMemory(from: event.body.base, byteCount: event.body.count)
        return .rewritten(arena.commit(total))
    }

    private mutating func apply(_ number: Int, to event: RawEvent, into arena: inout Arena) -> Outcome {
        let plan = table.plans[number]
        if plan.isIdentity && !plan.isDelivered {
            let room = enterEvents.store(
                tid: event.tid, type: event.type, parameterCount: UInt16(event.parameterCount), byteCount: event.body.count)
            room.copyMemory(from: event.body.base, byteCount: event.body.count)
            return .dropped
        }
        let type = plan.type
        let count = Int(plan.sourceCount)
        let sources = table.sources.baseAddress! + Int(plan.firstSource)
        let lengthBytes = RawEvent.lengthBytes(of: type)

        Self.offsets(of: event, to: own)
        let enter = enterEvents.entry(tid: event.tid)
        var enterCount = 0
        if let enter { enterCount = Self.offsets(of: enter, to: entered) }

        var data = 0
        for index in 0..<count {
            let length = self.length(of: sources[index], event, enter, enterCount)
            // A parameter of an ordinary event has sixteen bits for its length.
            guard lengthBytes == 4 || length <= 0xffff else { return .tooLarge }
            data += length
        }
        let total = EventView.headerBytes + count * lengthBytes + data
        guard total <= arena.capacity else { return .tooLarge }
        guard let target = arena.reserve(total) else { return .arenaFull }
        Self.writeHeader(event, type: type, total: total, parameterCount: count, to: target)
        var lengths = target + EventView.headerBytes
        var place = lengths + count * lengthBytes
        for index in 0..<count {
            let source = sources[index]
            let length = self.length(of: source, event, enter, enterCount)
            if lengthBytes == 2 {
                lengths.storeBytes(of: UInt16(length), as: UInt16.self)
            } else {
                lengths.storeBytes(of: UInt32(length), as: UInt32.self)
            }
            lengths += lengthBytes
            switch source.kind {
            case .own: place.copyMemory(from: event.body.base + own[Int(source.index)], byteCount: length)
            case .enter where hasEnter(source, enter, enterCount):
                place.copyMemory(from: enter!.bytes! + entered[Int(source.index)], byteCount: length)
            case .enter, .zero: memset(place, Int32(source.valueByte), length)
            case .empty: break
            case .containerJSON: Self.containerJSON(event, offsets: own, into: place)
            }
            place += length
        }
        if plan.isStored {
            let body = total - EventView.headerBytes
            let room = enterEvents.store(tid: event.tid, type: type, parameterCount: UInt16(count), byteCount: body)
            room.copyMemory(from: target + EventView.headerBytes, byteCount: body)
        }
        if type == PPME_PROCEXIT_1_E.code { enterEvents.remove(tid: event.tid) }
        return plan.isDelivered ? .rewritten(arena.commit(total)) : .dropped
    }

    @inline(__always)
    private func length(of source: ParameterSource, _ event: RawEvent, _ enter: EnterEventTable.Entry?, _ enterCount: Int) -> Int
    {
        switch source.kind {
        case .own: return own[Int(source.index) + 1] - own[Int(source.index)]
        case .enter where hasEnter(source, enter, enterCount):
            return entered[Int(source.index) + 1] - entered[Int(source.index)]
        case .enter, .zero: return Int(source.valueBytes)
        case .empty: return 0
        case .containerJSON: return Self.containerJSON(event, offsets: own, into: nil)
        }
    }

    @inline(__always)
    private func hasEnter(_ source: ParameterSource, _ enter: EnterEventTable.Entry?, _ enterCount: Int) -> Bool {
        guard let enter else { return false }
        return enter.type == source.enterType && Int(source.index) < enterCount
    }

    private static func offsets(of event: RawEvent, to offsets: UnsafeMutablePointer<Int>) {
        var at = event.parameterCount * event.lengthBytes
        for index in 0..<event.parameterCount {
            offsets[index] = at
            at += event.length(index)
        }
        offsets[event.parameterCount] = at
    }

    private static func offsets(of enter: EnterEventTable.Entry, to offsets: UnsafeMutablePointer<Int>) -> Int {
        guard let bytes = enter.bytes else { return 0 }
        let body = UnsafePointer(bytes.assumingMemoryBound(to: UInt8.self))
        let lengthBytes = RawEvent.lengthBytes(of: enter.type)
        let count = Int(enter.parameterCount)
        var at = count * lengthBytes
        for index in 0..<count {
            offsets[index] = at
            at += RawEvent.length(body, index, lengthBytes)
        }
        offsets[count] = at
        return count
    }

    private static func writeHeader(
        _ event: RawEvent, type: UInt16, total: Int, parameterCount: Int, to target: UnsafeMutableRawPointer
    ) {
        target.storeBytes(of: event.timestampNs, as: UInt64.self)
        (target + 8).storeBytes(of: UInt64(bitPattern: event.tid), as: UInt64.self)
        (target + 16).storeBytes(of: UInt32(total), as: UInt32.self)
        (target + 20).storeBytes(of: type, as: UInt16.self)
        (target + 22).storeBytes(of: UInt32(parameterCount), as: UInt32.self)
    }
}

/// Memory for the events of one batch that are not as they lie in the file. Never moves.
struct Arena: ~Copyable {
    let capacity: Int
    private let base: UnsafeMutableRawPointer
    private var used = 0

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }
    deinit { base.deallocate() }

    mutating func reset() { used = 0 }
    var isEmpty: Bool { used == 0 }

    /// Room at the end, without taking it.
    @inline(__always)
    func reserve(_ count: Int) -> UnsafeMutableRawPointer? { capacity - used >= count ? base + used : nil }

    /// Takes what was reserved.
    @inline(__always)
    mutating func commit(_ count: Int) -> Bytes {
        let start = base + used
        used += count
        return Bytes(base: UnsafePointer(start.assumingMemoryBound(to: UInt8.self)), count: count)
    }
}
