// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import CaptureFile
import EventModel
import SystemState

/// The recordings of one pipeline: one that runs all the time, one that matches begin.
public final class Recordings {
    public var continuous: Recorder?
    public var triggered: Recorder?
    /// Of the continuous one: only what a rule matched is an event there; what else the state needs is written for the state alone.
    public var onlyMatches = false

    public init() {}

    @inline(__always)
    public var isActive: Bool { continuous?.isRecording == true || triggered?.isRecording == true }

    /// After the rules have seen the event. No allocation.
    @inline(__always)
    public func record(_ event: EventView, matched: Bool) {
        triggered?.record(event)
        guard let continuous else { return }
        if matched || !onlyMatches {
            continuous.record(event)
        } else if event.type >= EventTable.count || Self.changesState[Int(event.type)] {
            continuous.record(event, isStateOnly: true)
        }
    }

    /// Rows or other blocks between two events, for every recording that runs.
    func append(_ bytes: [UInt8]) {
        continuous?.append(bytes)
        triggered?.append(bytes)
    }

    /// The thread went away though no event told so.
    public func noteGone(tid: Int64) {
        guard isActive else { return }
        var encoder = CaptureEncoder()
        encoder.appendRecord(gone: tid)
        append(encoder.bytes)
    }

    /// Rows that did not come by an event: of a look-up, or of a repair.
    public func noteRows(threads: [ThreadRow], descriptors: [(tid: Int64, rows: [DescriptorRow])]) {
        guard isActive, !threads.isEmpty || !descriptors.isEmpty else { return }
        var encoder = CaptureEncoder()
        encoder.appendRecord(threads: threads, descriptors: descriptors)
        append(encoder.bytes)
    }

    /// Event types without which the state of a replay would be wrong.
    static let changesState: ContiguousArray<Bool> = ContiguousArray(
        EventTable.events.map { event in
            if event.has(EF_MODIFIES_STATE) || event.has(EF_CREATES_FD) || event.has(EF_DESTROYS_FD) { return true }
            // Sockets learn their ends from many calls.
            let category = event.category & ~(UInt16(EC_SYSCALL.rawValue) | UInt16(EC_TRACEPOINT.rawValue))
            if category == UInt16(EC_NET.rawValue), event.has(EF_USES_FD) { return true }
            switch event.code {
            case PPME_SYSCALL_SETPGID_X, PPME_SYSCALL_SETNS_X, PPME_SYSCALL_UNSHARE_X, PPME_SYSCALL_PRLIMIT_X,
                PPME_SYSCALL_SETRLIMIT_X:
                return true
            default: return false
            }
        })
}

/// Asks for a thread that was missed, and lets the recordings know the answer: a replay has nobody to ask.
public final class RecordingLookup: TaskLookup {
    private let inner: any TaskLookup
    private let recordings: Recordings

    public init(_ inner: any TaskLookup, _ recordings: Recordings) { (self.inner, self.recordings) = (inner, recordings) }

    public func lookUp(tid: Int64, into sink: any SnapshotSink) -> LookupResult {
        recording(sink) { inner.lookUp(tid: tid, into: $0) }
    }
    public func lookUpDescriptors(pid: Int64, into sink: any SnapshotSink) -> LookupResult {
        recording(sink) { inner.lookUpDescriptors(pid: pid, into: $0) }
    }

    private func recording(_ sink: any SnapshotSink, _ look: (any SnapshotSink) -> LookupResult) -> LookupResult {
        guard recordings.isActive else { return look(sink) }
        let tee = SnapshotTee(sink)
        let result = look(tee)
        if result == .found { recordings.noteRows(threads: tee.rows.threads, descriptors: tee.rows.descriptors) }
        return result
    }
}

/// Hands rows on and keeps them.
final class SnapshotTee: SnapshotSink {
    private let sink: any SnapshotSink
    private(set) var rows = CaptureSnapshot()
    private(set) var gone: [Int64] = []

    init(_ sink: any SnapshotSink) { self.sink = sink }

    func machine(_ row: MachineRow) {
        rows.machine(row)
        sink.machine(row)
    }
    func interface(_ row: InterfaceRow) {
        rows.interface(row)
        sink.interface(row)
    }
    func user(_ row: UserRow) {
        rows.user(row)
        sink.user(row)
    }
    func group(_ row: GroupRow) {
        rows.group(row)
        sink.group(row)
    }
    func thread(_ row: ThreadRow) {
        rows.thread(row)
        sink.thread(row)
    }
    func descriptors(of tid: Int64) {
        rows.descriptors(of: tid)
        sink.descriptors(of: tid)
    }
    func descriptor(_ row: DescriptorRow, tid: Int64) {
        rows.descriptor(row, tid: tid)
        sink.descriptor(row, tid: tid)
    }
    func gone(tid: Int64) {
        gone.append(tid)
        sink.gone(tid: tid)
    }
    /// The rows kept so far; none are kept any more.
    func take() -> (rows: CaptureSnapshot, gone: [Int64]) {
        defer { (rows, gone) = (CaptureSnapshot(), []) }
        return (rows, gone)
    }
    func restart() {
        rows.restart()
        sink.restart()
    }
}
