// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// A set of event codes: for which events a rule has to be asked.
public struct EventCodeSet: Sendable, Equatable, Hashable {
    private var words: [UInt64]
    private static let wordCount = (EventTable.count + 63) / 64

    public init() { words = .init(repeating: 0, count: Self.wordCount) }
    public init(_ codes: some Sequence<UInt16>) {
        self.init()
        for code in codes { insert(code) }
    }
    public static let none = EventCodeSet()
    public static let all = EventCodeSet((0..<UInt16(EventTable.count)).lazy)

    public func contains(_ code: UInt16) -> Bool {
        Int(code) < EventTable.count && words[Int(code) / 64] & (1 << UInt64(code % 64)) != 0
    }
    public mutating func insert(_ code: UInt16) {
        precondition(Int(code) < EventTable.count, "an event code is below PPM_EVENT_MAX")
        words[Int(code) / 64] |= 1 << UInt64(code % 64)
    }
    public func union(_ other: EventCodeSet) -> EventCodeSet { combined(other, |) }
    public func intersection(_ other: EventCodeSet) -> EventCodeSet { combined(other, &) }
    /// All other codes.
    public var inverted: EventCodeSet { Self.all.combined(self) { $0 & ~$1 } }
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
    public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
    /// In ascending order.
    public var codes: [UInt16] { (0..<UInt16(EventTable.count)).filter(contains) }

    private func combined(_ other: EventCodeSet, _ operation: (UInt64, UInt64) -> UInt64) -> EventCodeSet {
        var result = self
        for index in words.indices { result.words[index] = operation(words[index], other.words[index]) }
        return result
    }
}
