// SPDX-License-Identifier: Apache-2.0
import CProbeABI

/// Why a record cannot be an event.
public enum DecodeError: Error, Sendable, Equatable, CaseIterable {
    case headerTruncated, lengthOutside, lengthsTruncated, parametersOutside, unknownType
}

/// One event, decoded in place: header fields copied, parameters borrowed from the batch.
///
/// `init` checks every length once, so the accessors cannot leave the record. Dies with its batch.
public struct EventView: @unchecked Sendable {
    public let bytes: Bytes
    /// Nanoseconds since the epoch.
    public let timestampNs: UInt64
    public let tid: Int64
    public let type: UInt16
    public let cpu: UInt16
    public let parameterCount: Int
    /// For the state alone: takes no event number and never reaches a rule.
    public let isStateOnly: Bool
    /// Takes an event number, but only the state sees it: enter events that come with an exit event, and the container and
    /// account events that a capture begins with.
    public private(set) var isHidden: Bool
    private let lengthBytes: Int

    public static let headerBytes = Int(PROBE_EVENT_HEADER_BYTES)

    /// Checks header and lengths of the event at the start of `bytes`. O(parameters).
    /// `timestampNs` replaces the header's (the probe's clock is not the epoch's).
    public init(
        checking bytes: Bytes, cpu: UInt16, isStateOnly: Bool = false, isHidden: Bool = false, timestampNs: UInt64? = nil
    ) throws(DecodeError) {
        guard bytes.count >= Self.headerBytes else { throw .headerTruncated }
        let start = UnsafeRawPointer(bytes.base)
        let length = Int(start.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
        let type = start.loadUnaligned(fromByteOffset: 20, as: UInt16.self)
        let count = Int(start.loadUnaligned(fromByteOffset: 22, as: UInt32.self))
        guard length >= Self.headerBytes, length <= bytes.count else { throw .lengthOutside }
        let isKernelRecord = isStateOnly && type == EventTable.kernelRecord.code
        guard Int(type) < EventTable.count || isKernelRecord else { throw .unknownType }
        self.bytes = Bytes(base: bytes.base, count: length)
        self.timestampNs = timestampNs ?? start.loadUnaligned(as: UInt64.self)
        tid = Int64(bitPattern: start.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        self.type = type
        self.cpu = cpu
        self.isStateOnly = isStateOnly
        self.isHidden = isHidden
        lengthBytes = isKernelRecord || probe_event_flags(type) & UInt16(EF_LARGE_PAYLOAD.rawValue) != 0 ? 4 : 2
        guard count <= (length &- Self.headerBytes) / lengthBytes else { throw .lengthsTruncated }
        parameterCount = count
        guard dataOffset(count) <= length else { throw .parametersOutside }
    }

    /// For a source that learns only afterwards that no rule may see the event.
    @inline(__always) public mutating func hide() { isHidden = true }

    @inline(__always) private func lengthOfParameter(_ index: Int) -> Int {
        let at = Self.headerBytes &+ index &* lengthBytes
        if lengthBytes == 2 { return Int(UnsafeRawPointer(bytes.base + at).loadUnaligned(as: UInt16.self)) }
        return Int(UnsafeRawPointer(bytes.base + at).loadUnaligned(as: UInt32.self))
    }

    /// Where parameter `index` begins: behind the header, the lengths and the parameters before it.
    @inline(__always) private func dataOffset(_ index: Int) -> Int {
        let lengths = UnsafeRawPointer(bytes.base) + Self.headerBytes
        var offset = Self.headerBytes &+ parameterCount &* lengthBytes
        if lengthBytes == 2 {
            for earlier in 0..<index { offset &+= Int(lengths.loadUnaligned(fromByteOffset: earlier &* 2, as: UInt16.self)) }
        } else {
            for earlier in 0..<index { offset &+= Int(lengths.loadUnaligned(fromByteOffset: earlier &* 4, as: UInt32.self)) }
        }
        return offset
    }

    /// Bytes of parameter `index`; nil when the event carries fewer. Empty where the probe could read nothing. O(index).
    @inline(__always)
    public func parameter(_ index: Int) -> Bytes? {
        guard index >= 0, index < parameterCount else { return nil }
        return Bytes(base: bytes.base + dataOffset(index), count: lengthOfParameter(index))
    }

    /// Parameter as an integer of whatever width it has on the wire, sign-extended when `signed`. Nil when absent or empty.
    @inline(__always)
    public func integer(_ index: Int, signed: Bool = true) -> Int64? {
        guard let value = parameter(index) else { return nil }
        return value.signedInteger(signed: signed)
    }

    @inline(__always) public func unsigned(_ index: Int) -> UInt64? {
        integer(index, signed: false).map { UInt64(bitPattern: $0) }
    }
    @inline(__always) public func uint32(_ index: Int) -> UInt32? {
        integer(index, signed: false).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// Text parameter without its NUL; nil when absent or empty (no value).
    @inline(__always)
    public func text(_ index: Int) -> Bytes? {
        guard let value = parameter(index), !value.isEmpty else { return nil }
        return value.untilNul
    }

    /// A record of ours for the state: its type is in no table of events.
    @inline(__always) public var isKernelRecord: Bool { Int(type) >= EventTable.count }
    public var info: EventInfo { isKernelRecord ? EventTable.kernelRecord : EventTable.events[Int(type)] }
    @inline(__always) public var flags: UInt16 { probe_event_flags(type) }
    @inline(__always) public var isEnter: Bool { type & 1 == 0 }
}

extension Bytes {
    /// The whole value as a little-endian integer of 1, 2, 4 or 8 bytes; nil for other widths.
    @inline(__always)
    public func signedInteger(signed: Bool) -> Int64? {
        switch count {
        case 8: return integer(at: 0, as: Int64.self)
        case 4: return signed ? integer(at: 0, as: Int32.self).map(Int64.init) : integer(at: 0, as: UInt32.self).map(Int64.init)
        case 2: return signed ? integer(at: 0, as: Int16.self).map(Int64.init) : integer(at: 0, as: UInt16.self).map(Int64.init)
        case 1: return signed ? integer(at: 0, as: Int8.self).map(Int64.init) : integer(at: 0, as: UInt8.self).map(Int64.init)
        default: return nil
        }
    }
}
