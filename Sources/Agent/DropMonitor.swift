// SPDX-License-Identifier: Apache-2.0
import Settings

/// Watches the share of lost events, once per second of event time, and says when what the configuration asks for is due.
struct DropMonitor {
    struct Counts {
        var events: UInt64
        var drops: UInt64
    }
    struct Finding: Equatable {
        let drops: UInt64
        let events: UInt64
        /// The token bucket lets actions be taken only so often.
        let actionsDue: Bool
    }

    private let settings: Settings.SyscallEventDrops
    private var bucket: TokenBucket
    private var nextCheckNs: UInt64 = 0
    private var last = Counts(events: 0, drops: 0)
    private(set) var occurrences: UInt64 = 0
    private(set) var actionsTaken: UInt64 = 0

    init(_ settings: Settings.SyscallEventDrops) {
        self.settings = settings
        bucket = TokenBucket(ratePerSecond: settings.ratePerSecond, burst: settings.maxBurst)
    }

    /// Cheap unless a second has passed; `counts` is asked only then.
    mutating func check(timestampNs: UInt64, counts: () -> Counts) -> Finding? {
        guard nextCheckNs > 0 else {
            (nextCheckNs, last) = (timestampNs &+ 1_000_000_000, counts())
            return nil
        }
        // More than a second before the last check: the clock was set back.
        guard timestampNs > nextCheckNs || timestampNs &+ 2_000_000_000 < nextCheckNs else { return nil }
        nextCheckNs = timestampNs &+ 1_000_000_000
        var now = counts()
        // Simulated drops let the actions be tried out on a machine that loses nothing.
        if settings.simulateDrops {
            simulated &+= 1
            now.drops &+= simulated
        }
        defer { last = now }
        let (events, drops) = (now.events &- last.events, now.drops &- last.drops)
        guard drops > 0 else { return nil }
        occurrences += 1
        guard events == 0 || Double(drops) / Double(events) > settings.threshold || settings.simulateDrops else { return nil }
        let due = bucket.claim(at: timestampNs)
        if due { actionsTaken += 1 }
        return Finding(drops: drops, events: events, actionsDue: due)
    }
    private var simulated: UInt64 = 0
}

/// So many tokens per second, and no more saved up than `burst`.
struct TokenBucket {
    private let ratePerSecond: Double
    private let burst: Double
    private var tokens: Double
    private var lastNs: UInt64 = 0

    init(ratePerSecond: Double, burst: Double) { (self.ratePerSecond, self.burst, tokens) = (ratePerSecond, burst, burst) }

    mutating func claim(at timestampNs: UInt64) -> Bool {
        if lastNs > 0, timestampNs > lastNs { tokens = min(burst, tokens + ratePerSecond * Double(timestampNs - lastNs) / 1e9) }
        lastNs = timestampNs
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
