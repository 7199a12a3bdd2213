// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import SystemState
import Testing

@testable import Pipeline

/// A machine whose clock is set while a pass is under way.
private final class SteppingSource: RepairSource {
    var losses = LossCounters()
    var deliveredThroughNs: UInt64 = 10_000
    var clockOffsetNs: UInt64 = 1000
    private(set) var passes: [Bool] = []
    /// What the next calls of `continuePass` find; the last one ends the pass.
    var pieces: [RepairRows] = []

    func beginPass(descriptors: Bool) -> Bool {
        passes.append(descriptors)
        return true
    }
    func continuePass(budgetNs: UInt64, into found: inout [RepairRows]) -> Bool {
        if !pieces.isEmpty { found.append(pieces.removeFirst()) }
        return pieces.isEmpty
    }
}

@Suite struct StateRepairs {
    private func row(_ tid: Int64, _ comm: String) -> ThreadRow {
        var row = ThreadRow()
        (row.tid, row.pid, row.ptid, row.vtid, row.vpid) = (tid, tid, 0, tid, tid)
        (row.comm, row.exepath, row.exeIno) = (Array(comm.utf8), Array("/bin/\(comm)".utf8), 7)
        return row
    }
    private func piece(_ stampNs: UInt64, _ rows: [ThreadRow]) -> RepairRows {
        var piece = RepairRows(stampNs: stampNs)
        piece.threads = rows
        return piece
    }

    @Test func aPassIsBegunAnewWhenTheClockIsSet() {
        let source = SteppingSource()
        let state = SystemState(threadsMax: 100)
        state.thread(row(1, "init"))
        state.finishSnapshot()
        let repair = StateRepair(source, state, recordings: nil, isAlive: { _, _ in true })
        repair.noteClock()
        var nowNs: UInt64 = 2_000_000_000
        source.losses.processes = 1
        // Stamped in the old time, after everything that was delivered: it waits.
        source.pieces = [piece(50_000, [row(1, "old")])]
        repair.step(nowNs: nowNs, isIdle: false) { nowNs }
        #expect(source.passes == [true] && repair.dueNs == 50_000)
        source.clockOffsetNs = 500
        source.deliveredThroughNs = 60_000
        repair.noteClock()
        #expect(repair.dueNs == .max)
        source.pieces = [piece(55_000, [row(1, "new")])]
        for _ in 0..<5 {
            nowNs += 2_000_000_000
            repair.step(nowNs: nowNs, isIdle: true) { nowNs }
        }
        #expect(source.passes == [true, true] && state.repairs.passes == 1)
        #expect(state.pool[state[state.slot(tid: 1)].comm].string == "new")
    }

    /// A thread that a pass over threads alone added gets its descriptors by another pass.
    @Test func whoWasMissedGetsDescriptorsToo() {
        let source = SteppingSource()
        let state = SystemState(threadsMax: 100)
        state.finishSnapshot()
        let repair = StateRepair(source, state, recordings: nil, isAlive: { _, _ in true })
        repair.noteClock()
        let missing = Answering(row(7, "found"))
        state.taskLookup = missing
        var context = EventContext(event: missing.event)
        state.admit(missing.event, into: &context)
        #expect(state.counters.threadLookupsElsewhere == 1)
        source.pieces = [piece(5_000, [row(8, "also")])]
        var nowNs: UInt64 = 2_000_000_000
        for _ in 0..<8 {
            nowNs += 2_000_000_000
            repair.step(nowNs: nowNs, isIdle: true) { nowNs }
        }
        #expect(source.passes == [false, true])
    }
}

/// Answers with one thread, whatever is asked for.
private final class Answering: TaskLookup {
    private let row: ThreadRow
    private var bytes: [UInt8] = []
    private let copy: UnsafeMutableRawBufferPointer
    let event: EventView

    init(_ row: ThreadRow) {
        self.row = row
        var builder = EventBuilder()
        builder.begin(type: PPME_SYSCALL_CLOSE_X.code, tid: row.tid, timestampNs: 4_000)
        builder.append(Int64(0))
        builder.append(Int64(3))
        builder.write(to: &bytes)
        copy = .allocate(byteCount: bytes.count, alignment: 8)
        copy.copyBytes(from: bytes)
        guard let event = try? EventView(checking: Bytes(UnsafeRawBufferPointer(copy)), cpu: 0) else {
            preconditionFailure("the builder makes events that decode")
        }
        self.event = event
    }
    deinit { copy.deallocate() }

    func lookUp(tid: Int64, into sink: any SnapshotSink) -> LookupResult {
        sink.thread(row)
        return .found
    }
}
