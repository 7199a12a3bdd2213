// SPDX-License-Identifier: Apache-2.0
import Capture
import EventModel
import LinuxSystem

/// `engine.kind: nodriver`: no events, for trying out everything around them.
final class IdleSource: EventSource {
    var openingMessage: String { "Opening 'syscall' source with no driver" }
    var isLive: Bool { true }
    func snapshot(into sink: any SnapshotSink) throws(CaptureError) { sink.machine(Machine.row()) }
    func nextBatch(into batch: EventBatch, waitMs: Int) throws(CaptureError) -> BatchResult {
        batch.removeAll()
        Clock.sleep(ms: waitMs)
        return .idle
    }
    func setInterest(_ interest: InterestSet) throws(CaptureError) {}
    var counters: CaptureCounters { CaptureCounters() }
    func wake() {}
    func close() {}
}
