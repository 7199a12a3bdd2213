// SPDX-License-Identifier: Apache-2.0
import Capture
import EventModel
import LinuxSystem
import Testing

@testable import CaptureProbe

extension Live {
    @Suite struct Start {
        /// Prints what a start costs; loading must stay well below what a user notices.
        @Test func startIsQuick() throws {
            let child = try ChildProcess(["sleep", "60"])
            func milliseconds(_ body: () throws -> Void) rethrows -> UInt64 {
                let startNs = Clock.monotonicNs
                try body()
                return (Clock.monotonicNs - startNs) / 1_000_000
            }
            var source: ProbeSource!
            let load = try milliseconds { source = try ProbeSource(LiveSession.options(child: child)) }
            let attach = try milliseconds {
                try source.setInterest(InterestSet(named: "openat"))
                try source.attach()
            }
            let detach = milliseconds { source.finish() }
            print(
                "probe: loaded in \(load) ms, attached in \(attach) ms, detached in \(detach) ms, \(ProbeObject.byteCount) bytes")
            #expect(load < 10_000)
        }
    }
}
