// SPDX-License-Identifier: Apache-2.0

/// Durations in buckets of a quarter of a power of two: percentiles within 19 %, in constant memory.
public struct LatencyHistogram: Sendable {
    private var buckets = [UInt64](repeating: 0, count: 64 * 4)
    public private(set) var count: UInt64 = 0
    public private(set) var maxNs: UInt64 = 0
    public init() {}

    public mutating func add(_ ns: UInt64) {
        buckets[Self.bucket(ns)] += 1
        count += 1
        maxNs = max(maxNs, ns)
    }

    /// Upper bound of the bucket that holds the given share (0…1) of the durations; 0 without any.
    public func percentile(_ share: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let wanted = max(1, UInt64((share * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, number) in buckets.enumerated() {
            seen += number
            if seen >= wanted { return min(maxNs, Self.upperBound(index)) }
        }
        return maxNs
    }

    private static func bucket(_ ns: UInt64) -> Int {
        guard ns >= 4 else { return Int(ns) }
        let exponent = 63 - ns.leadingZeroBitCount
        return exponent * 4 + Int((ns >> UInt64(exponent - 2)) & 3)
    }
    private static func upperBound(_ index: Int) -> UInt64 {
        guard index >= 8 else { return UInt64(index) }
        let (exponent, quarter) = (UInt64(index / 4), UInt64(index % 4))
        return ((5 + quarter) << (exponent - 2)) &- 1
    }
}
