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

    /// 64-bit FNV-1a over eight bytes at a time, good enough for our tables; not for anything a stranger may collide
    /// on purpose: `seed` is random per process in tables that hold strangers' bytes.
    @inline(__always)
    public func hash(seed: UInt64) -> UInt64 {
        var hash = seed ^ 0xcbf2_9ce4_8422_2325
        var offset = 0
        while offset &+ 8 <= count {
            let word = UnsafeRawPointer(base + offset).loadUnaligned(as: UInt64.self)
            hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
            offset &+= 8
        }
        while offset < count {
            hash = (hash ^ UInt64(base[offset])) &* 0x100_0000_01b3
            offset &+= 1
        }
        hash ^= hash >> 32
        return hash &* 0x9e37_79b9_7f4a_7c15
    }

    /// A copy as text, invalid UTF-8 repaired. Control plane and tests only.
    public var string: String { String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self) }
    /// A copy. Control plane and tests only.
    public var array: [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
