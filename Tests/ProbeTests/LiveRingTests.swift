// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import Glibc
import LinuxSystem
import Testing

@testable import CaptureProbe

extension Live {
    @Suite(.timeLimit(.minutes(10))) struct Rings {
        /// A tiny ring and a reader that does not read: what is lost is counted, what is delivered is whole and in order.
        @Test func lossIsCounted() throws {
            let session = try LiveSession(
                [actions, "flood", "50000"], interest: InterestSet(named: "openat"), ringBytes: 1 << 16)
            try session.child.start()
            #expect(session.child.wait() == 0)
            session.source.finish()
            let batch = EventBatch(capacity: 100)
            var delivered: UInt64 = 0
            var last: UInt64 = 0
            while try session.source.nextBatch(into: batch, waitMs: 10) != .end {
                #expect(batch.events.count <= 100)
                for event in batch.events {
                    #expect(event.timestampNs >= last)
                    last = event.timestampNs
                    delivered += 1
                }
            }
            let counters = session.source.counters
            #expect(counters.events > 50_000 && counters.drops > 0 && delivered > 100)
            #expect(delivered + counters.drops == counters.events)
            #expect(counters.dropsByReason["ring_full"] == counters.drops && counters.malformed == 0)
            #expect((counters.dropsByClass["open"] ?? 0) + (counters.dropsByClass["proc"] ?? 0) == counters.drops)
            #expect(counters.eventsByCPU.reduce(0, +) == counters.events)
        }

        /// 100 000 opens, more or less read as they come (they fit, whoever else runs): all of them, in order, over one ring and over one
        /// for each CPU.
        @Test(arguments: [0, 1]) func floodIsDrained(cpusForEachBuffer: Int) throws {
            let count = 100_000
            let session = try LiveSession(
                [actions, "flood", "\(count)"], interest: InterestSet(named: "openat"), ringBytes: 32 << 20,
                cpusForEachBuffer: cpusForEachBuffer)
            try session.child.start()
            let batch = EventBatch()
            var opens = 0
            var last: UInt64 = 0
            var finished = false
            let startNs = Clock.monotonicNs
            while try session.source.nextBatch(into: batch, waitMs: 20) != .end {
                for event in batch.events {
                    if event.type == PPME_SYSCALL_OPENAT_2_X.code, let name = event.text(2), name == "/dev/null" { opens += 1 }
                    #expect(event.timestampNs >= last)
                    last = event.timestampNs
                }
                if !finished, session.child.poll() != nil {
                    session.source.finish()
                    finished = true
                }
            }
            let milliseconds = (Clock.monotonicNs - startNs) / 1_000_000
            let counters = session.source.counters
            print(
                "flood: \(opens) of \(count) opens in \(milliseconds) ms, \(counters.drops) lost, "
                    + "\(session.source.ringCount) rings"
            )
            #expect(UInt64(opens) + counters.drops >= UInt64(count))
            #expect(counters.drops == 0 && opens == count)
        }

        @Test func idleReaderIsWokenByAnEventAndByWake() throws {
            let session = try LiveSession([actions, "flood", "1"], interest: InterestSet(named: "openat"))
            let batch = EventBatch()
            #expect(try session.source.nextBatch(into: batch, waitMs: 60) == .idle)
            let wakeUp = session.source.wakeUp
            var thread = pthread_t()
            let argument = Unmanaged.passRetained(wakeUp)
            pthread_create(
                &thread, nil,
                { raw in
                    Clock.sleep(ms: 50)
                    Unmanaged<WakeUp>.fromOpaque(raw!).takeRetainedValue().signal()
                    return nil
                }, argument.toOpaque())
            var startNs = Clock.monotonicNs
            #expect(try session.source.nextBatch(into: batch, waitMs: 60_000) == .idle)
            #expect(Clock.monotonicNs - startNs < 30_000_000_000)
            pthread_join(thread, nil)
            try session.child.start()
            startNs = Clock.monotonicNs
            #expect(try session.source.nextBatch(into: batch, waitMs: 60_000) == .events)
            #expect(Clock.monotonicNs - startNs < 30_000_000_000)
            #expect(batch.events.first.map { abs(Int64($0.timestampNs) - Int64(Clock.realtimeNs)) < 60_000_000_000 } == true)
            _ = session.child.wait()
        }

        @Test func interestMayChangeWhileItRuns() throws {
            let session = try LiveSession([actions, "flood", "10"], interest: InterestSet())
            #expect(!session.source.isSysExitAttached)
            try session.source.setInterest(InterestSet(named: "close"))
            #expect(session.source.isSysExitAttached)
            let events = try session.run()
            #expect(events.filter { $0.name == "close" }.count >= 10 && !events.contains { $0.name == "openat" })
        }
    }
}
