// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

public enum Clock {
    /// Since the epoch.
    public static var realtimeNs: UInt64 { linux_clock_ns(Int32(CLOCK_REALTIME)) }
    /// Since boot, suspended time included: the probe's clock.
    public static var boottimeNs: UInt64 { linux_clock_ns(Int32(CLOCK_BOOTTIME)) }
    public static var monotonicNs: UInt64 { linux_clock_ns(Int32(CLOCK_MONOTONIC)) }

    public static func sleep(ms: Int) { usleep(UInt32(max(0, ms)) * 1000) }
}

/// Turns CLOCK_BOOTTIME into nanoseconds since the epoch; follows when somebody sets the clock.
public struct ClockAnchor: Sendable, Equatable {
    /// Epoch = boot time + this, with wrap-around.
    public private(set) var offsetNs: UInt64
    public private(set) var reanchored = 0
    /// The two clocks drift together (NTP steers both), so a larger change means that the clock was set.
    static let toleranceNs: UInt64 = 500_000

    public init() { offsetNs = Self.measure() }
    init(offsetNs: UInt64) { self.offsetNs = offsetNs }

    @inline(__always) public func epochNs(boottimeNs: UInt64) -> UInt64 { boottimeNs &+ offsetNs }

    /// Measures again; true when the clock had been set. A few hundred nanoseconds.
    public mutating func refresh() -> Bool { adopt(Self.measure()) }

    mutating func adopt(_ measured: UInt64) -> Bool {
        let change = Int64(bitPattern: measured &- offsetNs)
        guard change.magnitude > Self.toleranceNs else { return false }
        offsetNs = measured
        reanchored += 1
        return true
    }

    /// Reads the wall clock between two reads of the boot clock, and again when we were interrupted between them.
    private static func measure() -> UInt64 {
        var best = UInt64.max
        var offset: UInt64 = 0
        for _ in 0..<5 {
            let before = Clock.boottimeNs
            let wall = Clock.realtimeNs
            let after = Clock.boottimeNs
            if after &- before < best {
                best = after &- before
                offset = wall &- (before &+ best / 2)
            }
            if best < 5_000 { break }
        }
        return offset
    }
}
