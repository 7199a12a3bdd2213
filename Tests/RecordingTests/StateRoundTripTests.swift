// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import CaptureFile
import EventModel
import Foundation
import SystemState
import Testing

@testable import Recording

private func text(_ snapshot: CaptureSnapshot) -> String {
    var text = ""
    dump(snapshot.threads, to: &text)
    dump(snapshot.descriptors.filter { !$0.rows.isEmpty }, to: &text)
    return text
}

@Suite struct StateRoundTripTests {
    let scratch = Scratch()

    private func rows(of state: SystemState) -> CaptureSnapshot {
        let snapshot = CaptureSnapshot()
        state.writeRows(to: snapshot)
        return snapshot
    }

    private func sample() -> SystemState {
        let state = SystemState()
        var parent = ThreadRow()
        (parent.tid, parent.pid, parent.ptid) = (10, 10, 1)
        parent.comm = Array("sh".utf8)
        parent.cwd = Array("/".utf8)
        var child = parent
        (child.tid, child.pid, child.ptid) = (11, 11, 10)
        // Longer than a list holds.
        child.args = Array(repeating: 0x61, count: 5_000) + [0]
        child.cwd = Array(("/" + String(repeating: "d", count: 2_000) + "/").utf8)
        child.startTimeNs = 1_234
        var details = ThreadDetails()
        details.cloneTimeNs = 1_234
        details.lastExecTimeNs = 5
        details.isSubreaper = true
        details.reaperTid = 7
        details.enterType = 9
        details.enterPath = Array("/enter".utf8)
        child.details = details
        state.thread(parent)
        state.thread(child)
        // A connection that another end made: the state turns it, since somebody listens on its port.
        var listener = DescriptorRow()
        (listener.fd, listener.kind, listener.sourcePort) = (3, .ipv4Server, 80)
        var connection = DescriptorRow()
        (connection.fd, connection.kind, connection.sourcePort, connection.destinationPort) = (4, .ipv4Socket, 80, 4_000)
        var file = DescriptorRow()
        (file.fd, file.kind, file.openFlags, file.device) = (5, .fileV2, 4_097, 9)
        file.name = Array(("/" + String(repeating: "n", count: 1_500)).utf8)
        for row in [listener, connection, file] { state.descriptor(row, tid: 10) }
        state.finishSnapshot()
        return state
    }

    /// What a recording begins with makes the same state, whatever the lists themselves can hold.
    @Test(arguments: [false, true])
    func theStateComesBack(compressed: Bool) throws {
        let state = sample()
        let expected = rows(of: state)
        #expect(expected.descriptors.first?.rows.map(\.destinationPort) == [0, 4_000, 0], "a list has the own end first")
        let recorder = try Recorder(waitsWhenFull: true)
        var position = RunPosition()
        (position.eventNumber, position.firstTimestampNs, position.previousTimestampNs) = (41, 5, 6)
        position.numbersStateOnly = false
        recorder.begin(file(scratch["a"], compressed: compressed), expected, position: position)
        recorder.finish()
        let reader = try CaptureReader(path: scratch["a"])
        let again = SystemState()
        try reader.snapshot(into: again)
        again.finishSnapshot()
        #expect(text(rows(of: again)) == text(expected))
        #expect(reader.startingPosition == position)
    }

    private final class Answer: TaskLookup {
        func lookUp(tid: Int64, into sink: any SnapshotSink) -> LookupResult {
            var row = ThreadRow()
            (row.tid, row.pid, row.ptid) = (tid, tid, 10)
            row.comm = Array("found".utf8)
            sink.thread(row)
            var descriptor = DescriptorRow()
            (descriptor.fd, descriptor.kind, descriptor.name) = (3, .fileV2, Array("/x".utf8))
            sink.descriptor(descriptor, tid: tid)
            return .found
        }
    }

    /// A thread that was looked up, and one that went unseen, at their places between the events; no event number is taken.
    @Test func whatHappensBetweenEventsIsReplayed() throws {
        let recordings = Recordings()
        let recorder = try Recorder(waitsWhenFull: true)
        recordings.continuous = recorder
        recorder.begin(file(scratch["a"]), rows(of: sample()), position: nil)
        recorder.record(OwnedEvent(number: 1))
        #expect(RecordingLookup(Answer(), recordings).lookUp(tid: 77, into: CaptureSnapshot()) == .found)
        recordings.noteGone(tid: 11)
        recorder.record(OwnedEvent(number: 2))
        recorder.finish()
        let reader = try CaptureReader(path: scratch["a"])
        let state = SystemState()
        try reader.snapshot(into: state)
        state.finishSnapshot()
        let batch = EventBatch()
        #expect(try reader.nextBatch(into: batch) == .events)
        #expect(batch.events.count == 1 && state.slot(tid: 11).exists && !state.slot(tid: 77).exists)
        #expect(try reader.nextBatch(into: batch) == .events)
        #expect(batch.events.count == 1 && !state.slot(tid: 11).exists)
        #expect(state.descriptor(3, of: state.slot(tid: 77)).map { state.pool[$0.name].string } == "/x")
        #expect(try reader.nextBatch(into: batch) == .end)
        #expect(reader.malformedTotal == 0)
    }
}
