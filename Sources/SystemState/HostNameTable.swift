// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Names of addresses: those that rules ask for, looked up away from the events. Immutable; swapped as a whole between two batches.
public final class HostNameTable: @unchecked Sendable {
    private struct Entry {
        let address: AddressBytes
        let isIPv6: Bool
        let start: Int
        let count: Int
    }

    /// By address, then by name: an address with several names has them side by side.
    private let entries: ContiguousArray<Entry>
    private let storage: UnsafeMutablePointer<UInt8>

    public init(_ rows: [(name: String, address: AddressBytes, isIPv6: Bool)]) {
        let sorted = rows.sorted { left, right in
            if Self.precedes(left.address, left.isIPv6, right.address, right.isIPv6) { return true }
            if Self.precedes(right.address, right.isIPv6, left.address, left.isIPv6) { return false }
            return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        }
        var bytes: [UInt8] = []
        var entries: ContiguousArray<Entry> = []
        for row in sorted {
            entries.append(
                Entry(address: row.address, isIPv6: row.isIPv6, start: bytes.count, count: row.name.utf8.count))
            bytes += Array(row.name.utf8)
        }
        self.entries = entries
        storage = .allocate(capacity: max(1, bytes.count))
        storage.initialize(from: bytes, count: bytes.count)
    }
    deinit { storage.deallocate() }

    /// Places of an address's names, empty when nobody knows one. O(log n), no allocation.
    public func names(of address: AddressBytes, isIPv6: Bool) -> Range<Int> {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if Self.precedes(entries[middle].address, entries[middle].isIPv6, address, isIPv6) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        var end = low
        while end < entries.count, entries[end].address == address, entries[end].isIPv6 == isIPv6 { end += 1 }
        return low..<end
    }
    /// Lives as long as the table.
    public subscript(place: Int) -> Bytes { Bytes(base: storage + entries[place].start, count: entries[place].count) }
    public var count: Int { entries.count }

    private static func precedes(_ left: AddressBytes, _ leftIsIPv6: Bool, _ right: AddressBytes, _ rightIsIPv6: Bool) -> Bool {
        if leftIsIPv6 != rightIsIPv6 { return !leftIsIPv6 }
        return left.high != right.high ? left.high < right.high : left.low < right.low
    }
}
