// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing

@testable import Agent

@Suite struct DropMonitorTests {
    static let second: UInt64 = 1_000_000_000

    private func monitor(threshold: Double = 0.1, burst: Double = 1, rate: Double = 0) -> DropMonitor {
        var settings = Settings.SyscallEventDrops()
        (settings.threshold, settings.maxBurst, settings.ratePerSecond) = (threshold, burst, rate)
        return DropMonitor(settings)
    }

    @Test func asksOncePerSecond() {
        var monitor = monitor()
        var asked = 0
        for time in stride(from: Self.second, through: 5 * Self.second, by: 100_000_000) {
            _ = monitor.check(timestampNs: time) {
                asked += 1
                return .init(events: 0, drops: 0)
            }
        }
        // The first event, and then the first one after each full second.
        #expect(asked == 4)
        #expect(monitor.occurrences == 0)
    }

    @Test func goesOnWhenTheClockIsSetBack() {
        var monitor = monitor(rate: 1)
        _ = monitor.check(timestampNs: 1000 * Self.second) { .init(events: 0, drops: 0) }
        let finding = monitor.check(timestampNs: 100 * Self.second) { .init(events: 100, drops: 20) }
        #expect(finding?.actionsDue == true)
        let next = monitor.check(timestampNs: 102 * Self.second) { .init(events: 200, drops: 40) }
        #expect(next?.actionsDue == true)
    }

    @Test(arguments: [(drops: UInt64(20), finds: true), (drops: 5, finds: false)])
    func actsAboveTheThreshold(drops: UInt64, finds: Bool) {
        var monitor = monitor()
        let first = monitor.check(timestampNs: Self.second) { .init(events: 0, drops: 0) }
        #expect(first == nil)
        let finding = monitor.check(timestampNs: 3 * Self.second) { .init(events: 100, drops: drops) }
        #expect((finding != nil) == finds)
        #expect(monitor.occurrences == 1)
    }

    @Test func theBucketLimitsActions() {
        var monitor = monitor(burst: 2)
        var due: [Bool] = []
        for index in UInt64(1)...5 {
            if let found = monitor.check(timestampNs: index * 2 * Self.second, counts: { .init(events: index, drops: index) }) {
                due.append(found.actionsDue)
            }
        }
        #expect(due == [true, true, false, false])
        #expect(monitor.actionsTaken == 2)
    }

    @Test func tokensComeBackWithTime() {
        var bucket = TokenBucket(ratePerSecond: 0.5, burst: 1)
        let claims = [1, 2, 3].map { bucket.claim(at: $0 * Self.second) }
        #expect(claims == [true, false, true])
    }
}

@Suite struct FinalStatisticsTests {
    @Test func countsBySeverityAndRule() {
        var statistics = FinalStatistics()
        statistics.alerts = 6
        statistics.rules = [
            .init(name: "b", priority: "Informational", count: 1), .init(name: "none", priority: "Error", count: 0),
            .init(name: "a", priority: "Warning", count: 2), .init(name: "c", priority: "Warning", count: 3),
        ]
        let expected = """
            Events detected: 6
            Rule counts by severity:
               WARNING: 5
               INFO: 1
            Triggered rules by rule name:
               b: 1
               a: 2
               c: 3

            """
        #expect(statistics.text == expected)
    }
}
