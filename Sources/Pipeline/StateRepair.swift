// SPDX-License-Identifier: Apache-2.0
import Capture
import EventModel
import Recording
import SystemState

/// Brings the state in step again after events were lost or a start was missed: plans passes over everything that exists, reads them a
/// little at a time between two batches, and applies each piece at its place among the events.
///
/// A pass begins at most once a second, and takes at most a twentieth of the time.
final class StateRepair {
    private let source: any RepairSource
    private let state: SystemState
    private let recordings: Recordings?
    private let isAlive: (Int64, Int64) -> Bool
    /// Rows that wait for the events before them, oldest first.
    private var held: [RepairRows] = []
    /// Stamp of the oldest of them: the pipeline asks before every younger event.
    private(set) var dueNs = UInt64.max

    private var asked = LossCounters()
    private var missedAsked: UInt64 = 0
    private var isReading = false
    private var isWaitingForEnd = false
    /// All rows were applied; what ended unseen is removed a part at a time.
    private var isRemoving = false
    private var hasDescriptors = false
    private var addedBefore: UInt64 = 0
    /// A pass over everything is due though nothing else was lost.
    private var owed = Owed()
    private var clockOffsetNs: UInt64?
    private var passStartNs: UInt64 = 0
    private var passEndNs: UInt64 = 0
    private var passCostNs: UInt64 = 0
    private var lostImages = false
    private var nextLookNs: UInt64 = 0
    private var nextPassNs: UInt64 = 0

    private struct Owed {
        var pass = false
        var images = false
        var directories = false
    }

    static let lookIntervalNs: UInt64 = 100_000_000
    static let passIntervalNs: UInt64 = 1_000_000_000
    /// Between two batches of events, and when none came.
    static let stepBusyNs: UInt64 = 500_000
    static let stepIdleNs: UInt64 = 5_000_000
    /// More pieces than this wait for the events before them: reading goes on when those have come.
    static let heldMax = 256

    init(_ source: any RepairSource, _ state: SystemState, recordings: Recordings?, isAlive: @escaping (Int64, Int64) -> Bool) {
        (self.source, self.state, self.recordings, self.isAlive) = (source, state, recordings, isAlive)
    }

    /// Between two batches. `nowNs`: a clock that only goes on.
    func step(nowNs: UInt64, isIdle: Bool, clock: () -> UInt64) {
        if isRemoving { removeSome(isIdle: isIdle, clock: clock) }
        if !isReading, !isWaitingForEnd, !isRemoving, nowNs >= nextLookNs {
            nextLookNs = nowNs &+ Self.lookIntervalNs
            if nowNs >= nextPassNs { plan(nowNs) }
        }
        if isReading, held.count < Self.heldMax {
            let startNs = clock()
            let isComplete = source.continuePass(budgetNs: isIdle ? Self.stepIdleNs : Self.stepBusyNs, into: &held)
            passCostNs &+= clock() &- startNs
            if isComplete {
                isReading = false
                isWaitingForEnd = true
                passEndNs = held.last?.stampNs ?? source.deliveredThroughNs
                nextPassNs = clock() &+ max(Self.passIntervalNs, 20 &* passCostNs)
            }
        }
        dueNs = held.first?.stampNs ?? .max
        apply(throughNs: source.deliveredThroughNs)
    }

    private func removeSome(isIdle: Bool, clock: () -> UInt64) {
        let startNs = clock()
        let budgetNs = isIdle ? Self.stepIdleNs : Self.stepBusyNs
        repeat {
            guard state.continueRepairEnd(isAlive: isAlive) else { continue }
            isRemoving = false
            // Who was added by a pass over threads alone has no descriptors yet.
            if !hasDescriptors, state.repairs.threadsAdded != addedBefore { owed.pass = true }
        } while isRemoving && clock() &- startNs < budgetNs
    }

    private func plan(_ nowNs: UInt64) {
        let losses = source.losses
        let missed = state.counters.threadLookupsElsewhere
        guard losses != asked || missed != missedAsked || owed.pass else { return }
        hasDescriptors = losses != asked || owed.pass
        lostImages = losses.processes != asked.processes || owed.images
        state.lostDirectories = losses.others != asked.others || owed.directories
        (asked, missedAsked, owed) = (losses, missed, Owed())
        addedBefore = state.repairs.threadsAdded
        passStartNs = source.deliveredThroughNs
        passCostNs = 0
        guard source.beginPass(descriptors: hasDescriptors) else {
            nextPassNs = .max
            return
        }
        state.beginRepair()
        isReading = true
    }

    /// Applies what was seen before `throughNs`: every older event was admitted, and none that is younger.
    func apply(throughNs: UInt64) {
        guard !held.isEmpty || isWaitingForEnd else { return }
        var count = 0
        var changed: Set<Int64> = []
        while count < held.count, held[count].stampNs <= throughNs {
            state.repair(held[count], lostImages: lostImages, changed: &changed)
            count += 1
        }
        held.removeFirst(count)
        dueNs = held.first?.stampNs ?? .max
        if isWaitingForEnd, held.isEmpty, throughNs >= passEndNs {
            state.endRepair(startNs: passStartNs)
            isWaitingForEnd = false
            isRemoving = true
        }
        note(changed)
    }

    /// Before the events of a batch: where the clock was set, rows and stamps of a pass under way are of another time than the events
    /// that come, so another pass takes its place.
    func noteClock() {
        let offsetNs = source.clockOffsetNs
        defer { clockOffsetNs = offsetNs }
        guard let before = clockOffsetNs, before != offsetNs else { return }
        state.clockWasSet(before: before, now: offsetNs)
        guard isReading || isWaitingForEnd || isRemoving else { return }
        owed = Owed(pass: true, images: lostImages, directories: state.lostDirectories)
        (isReading, isWaitingForEnd, isRemoving) = (false, false, false)
        held.removeAll()
        dueNs = .max
        state.cancelRepair()
    }

    /// A replay of a recording has nobody to ask: it gets the rows as they are now, of a process also that it has no descriptors.
    private func note(_ changed: Set<Int64>) {
        guard let recordings, recordings.isActive else { return }
        for tid in changed.sorted() {
            guard let rows = state.rows(of: tid) else { continue }
            recordings.noteRows(
                threads: [rows.thread], descriptors: rows.thread.tid == rows.thread.pid ? [(tid, rows.descriptors)] : [])
        }
    }
}
