// SPDX-License-Identifier: Apache-2.0
import CLinux
import CRE2
import EventModel
import Fields
import FilterLanguage

/// The operators on single values. Used by both evaluators where there is only one sensible way to do it.
enum Comparing {
    /// Numbers and bools as 64 bits; nil for a value of another kind.
    @inline(__always)
    static func bits(_ value: FieldValue) -> UInt64? {
        switch value {
        case .int(let number): UInt64(bitPattern: number)
        case .uint(let number): number
        case .bool(let flag): flag ? 1 : 0
        default: nil
        }
    }

    @inline(__always)
    static func double(_ value: FieldValue) -> Double? {
        switch value {
        case .double(let number): number
        case .int(let number): Double(number)
        case .uint(let number): Double(number)
        default: nil
        }
    }

    @inline(__always)
    static func ordered<T: Comparable>(_ comparison: Comparison, _ left: T, _ right: T) -> Bool {
        switch comparison {
        case .equal, .in, .intersects: left == right
        case .notEqual: left != right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        default: false
        }
    }

    /// As `strcmp`: below zero, zero or above.
    static func order(_ left: Bytes, _ right: Bytes) -> Int {
        let result = Int(memcmp(left.base, right.base, min(left.count, right.count)))
        return result != 0 ? result : left.count - right.count
    }

    @inline(__always)
    static func lowered(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

    /// `needle` is in lower case already.
    static func containsIgnoringCase(_ value: Bytes, lowerNeedle needle: Bytes) -> Bool {
        if needle.isEmpty { return true }
        guard value.count >= needle.count else { return false }
        let first = needle.base[0]
        for start in 0...(value.count - needle.count) where lowered(value.base[start]) == first {
            var index = 1
            while index < needle.count, lowered(value.base[start &+ index]) == needle.base[index] { index &+= 1 }
            if index == needle.count { return true }
        }
        return false
    }

    /// Parameters of one name can be of different kinds in different events; what is no address does not even differ from one.
    @inline(__always)
    static func isAddress(_ value: FieldValue) -> Bool {
        switch value {
        case .ipv4, .ipv6: true
        default: false
        }
    }

    @inline(__always)
    static func isEqualAddress(_ value: FieldValue, _ constant: Constant) -> Bool {
        switch (value, constant) {
        case (.ipv4(let left), .ipv4(let right)): left == right
        case (.ipv6(let left), .ipv6(let right)): left == right
        case (.ipv4(let left), .ipv4Network(let address, let mask)): left & mask == address
        case (.ipv6(let left), .ipv6Network(let address, let mask)):
            left.high & mask.high == address.high && left.low & mask.low == address.low
        default: false
        }
    }

    /// RE2 over a value, repaired to valid UTF-8 first as Falco does.
    static func matches(_ pattern: OpaquePointer, _ value: Bytes, scratch: inout ExtractionScratch) -> Bool {
        if isASCII(value) || UTF8Repair.isValid(value) { return fullMatch(pattern, value) }
        let mark = scratch.mark
        defer { scratch.rewind(to: mark) }
        scratch.begin()
        UTF8Repair.append(value, to: &scratch)
        return fullMatch(pattern, scratch.finish())
    }

    private static func isASCII(_ value: Bytes) -> Bool {
        var index = 0
        while index &+ 8 <= value.count {
            guard UnsafeRawPointer(value.base + index).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0 else {
                return false
            }
            index &+= 8
        }
        while index < value.count {
            guard value.base[index] < 0x80 else { return false }
            index &+= 1
        }
        return true
    }

    private static func fullMatch(_ pattern: OpaquePointer, _ value: Bytes) -> Bool {
        cre2_full_match(pattern, UnsafeRawPointer(value.base).assumingMemoryBound(to: CChar.self), value.count)
    }

    /// `left operator right` where both come from the event: the same type on both sides, or the compiler has refused it.
    static func compare(
        _ comparison: Comparison, _ kind: ValueKind, isList: Bool, _ left: FieldValue, _ right: FieldValue,
        scratch: borrowing ExtractionScratch
    ) -> Bool {
        guard isList else { return compareSingle(comparison, kind, left, right) }
        guard case .list(let start, let count) = left, case .list(let otherStart, let otherCount) = right else { return false }
        for index in start..<start + count {
            var isFound = false
            for other in otherStart..<otherStart + otherCount where !isFound {
                isFound = compareSingle(.equal, kind, scratch.list[index], scratch.list[other])
            }
            if comparison == .in, !isFound { return false }
            if comparison == .intersects, isFound { return true }
        }
        return comparison == .in
    }

    private static func compareSingle(_ comparison: Comparison, _ kind: ValueKind, _ left: FieldValue, _ right: FieldValue)
        -> Bool
    {
        switch kind {
        case .signed:
            guard let left = bits(left), let right = bits(right) else { return false }
            return ordered(comparison, Int64(bitPattern: left), Int64(bitPattern: right))
        case .unsigned, .bool:
            guard let left = bits(left), let right = bits(right) else { return false }
            return ordered(comparison, left, right)
        case .double:
            guard let left = double(left), let right = double(right) else { return false }
            return ordered(comparison, left, right)
        case .text, .buffer:
            guard case .bytes(let left) = left, case .bytes(let right) = right else { return false }
            return compareBytes(comparison, left, right)
        case .address, .network:
            let isEqual =
                switch (left, right) {
                case (.ipv4(let left), .ipv4(let right)): left == right
                case (.ipv6(let left), .ipv6(let right)): left == right
                default: false
                }
            return isEqual == (comparison != .notEqual)
        case .opaque: return false
        }
    }

    private static func compareBytes(_ comparison: Comparison, _ left: Bytes, _ right: Bytes) -> Bool {
        switch comparison {
        case .equal, .in, .intersects: return left == right
        case .notEqual: return !(left == right)
        case .less: return order(left, right) < 0
        case .lessOrEqual: return order(left, right) <= 0
        case .greater: return order(left, right) > 0
        case .greaterOrEqual: return order(left, right) >= 0
        case .contains, .bcontains: return left.contains(right)
        case .icontains:
            guard left.count >= right.count else { return false }
            for start in 0...(left.count - right.count) {
                var index = 0
                while index < right.count, lowered(left.base[start + index]) == lowered(right.base[index]) { index += 1 }
                if index == right.count { return true }
            }
            return false
        case .startswith, .bstartswith: return left.hasPrefix(right)
        case .endswith: return left.hasSuffix(right)
        case .glob: return GlobText.matches(right, left, ignoringCase: false)
        case .iglob: return GlobText.matches(right, left, ignoringCase: true)
        case .exists: return true
        case .regex, .pmatch: return false  // refused by the compiler
        }
    }
}
