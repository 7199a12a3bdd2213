// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Borrowed bytes: a pointer and a length, no ownership. Every access is checked, in release too, because
/// captures and kernel records are untrusted.
///
/// Whoever hands out a `Bytes` says how long it lives: those of an `EventView` die with the batch, those of
/// a `BytePool` at the pool's next sweep, those of a scratch buffer at its next reset.
public struct Bytes: @unchecked Sendable {
    public let base: UnsafePointer<UInt8>
    public let count: Int

    /// Points at a constant, which nobody reads.
    @inline(__always)
    public static var empty: Bytes { Bytes(base: ("" as StaticString).utf8Start, count: 0) }

    @inline(__always)
    public init(base: UnsafePointer<UInt8>, count: Int) {
        precondition(count >= 0, "a byte count is never negative")
        self.base = base
        self.count = count
    }

    @inline(__always)
    public init(_ buffer: UnsafeRawBufferPointer) {
        if let start = buffer.baseAddress {
            self.init(base: start.assumingMemoryBound(to: UInt8.self), count: buffer.count)
        } else {
            self = .empty
        }
    }

    @inline(__always) public var isEmpty: Bool { count == 0 }

    @inline(__always)
    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "byte index outside the value")
        return base[index]
    }

    @inline(__always)
    public subscript(range: Range<Int>) -> Bytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "byte range outside the value")
        return Bytes(base: base + range.lowerBound, count: range.count)
    }

    @inline(__always) public func from(_ start: Int) -> Bytes { self[start..<count] }
    @inline(__always) public func prefix(_ length: Int) -> Bytes { self[0..<min(length, count)] }

    /// A little-endian integer at `offset`, unaligned; nil when it does not fit.
    @inlinable @inline(__always)
    public func integer<T: FixedWidthInteger>(at offset: Int, as type: T.Type = T.self) -> T? {
        let width = T.bitWidth / 8
        guard offset >= 0, offset <= count - width else { return nil }
        return T(littleEndian: UnsafeRawPointer(base + offset).loadUnaligned(as: T.self))
    }

    /// Up to, not including, the first NUL.
    public var untilNul: Bytes {
        guard let end = memchr(base, 0, count) else { return self }
        return prefix(UnsafeRawPointer(end) - UnsafeRawPointer(base))
    }

    @inline(__always)
    public static func == (left: Bytes, right: Bytes) -> Bool {
        left.count == right.count && memcmp(left.base, right.base, left.count) == 0
    }

    public static func == (left: Bytes, right: StaticString) -> Bool {
        left.count == right.utf8CodeUnitCount && memcmp(left.base, right.utf8Start, left.count) == 0
    }

    @inline(__always)
    public func hasPrefix(_ other: Bytes) -> Bool {
        count >= other.count && memcmp(base, other.base, other.count) == 0
    }

    @inline(__always)
    public func hasSuffix(_ other: Bytes) -> Bool {
        count >= other.count && memcmp(base + (count - other.count), other.base, other.count) == 0
    }

    public func hasPrefix(_ other: StaticString) -> Bool {
        hasPrefix(Bytes(base: other.utf8Start, count: other.utf8CodeUnitCount))
    }

    /// Offset of the first occurrence of `needle`, by `memmem`.
    public func firstRange(of needle: Bytes) -> Int? {
        guard let found = linux_memmem(base, count, needle.base, needle.count) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    public func contains(_ needle: Bytes) -> Bool { firstRange(of: needle) != nil }

    public func lastIndex(of byte: UInt8) -> Int? {
        guard let found = linux_memrchr(base, Int32(byte), count) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    public func firstIndex(of byte: UInt8) -> Int? {
        guard let found = memchr(base, Int32(byte), count) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// 64-bit hash by folded multiplication, sixteen bytes a step. Both factors hold a secret made of `seed`, which is random per
    /// process in tables that hold strangers' bytes: who does not know it cannot choose bytes that collide.
    @inline(__always)
    public func hash(seed: UInt64) -> UInt64 {
        let secret = (seed &* 0x9e37_79b9_7f4a_7c15) ^ 0xa076_1d64_78bd_642f
        let other = (seed &* 0xbf58_476d_1ce4_e5b9) ^ 0xe703_7ed1_a0b4_28db
        var hash = seed
        var offset = 0
        let raw = UnsafeRawPointer(base)
        while offset &+ 16 <= count {
            hash = Self.fold(
                raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ secret,
                raw.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self) ^ hash)
            offset &+= 16
        }
        let left = count &- offset
        var first: UInt64 = 0
        var second: UInt64 = 0
        if left >= 8 {
            first = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            second = raw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        } else if left >= 4 {
            first = UInt64(raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            second = UInt64(raw.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
        } else if left > 0 {
            first = UInt64(base[offset]) << 16 | UInt64(base[offset &+ left / 2]) << 8 | UInt64(base[count &- 1])
        }
        hash = Self.fold(first ^ secret, second ^ hash)
        return Self.fold(hash ^ secret, UInt64(truncatingIfNeeded: count) ^ other)
    }

    @inline(__always) private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// A copy as text, invalid UTF-8 repaired. Control plane and tests only.
    public var string: String { String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self) }
    /// A copy. Control plane and tests only.
    public var array: [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
