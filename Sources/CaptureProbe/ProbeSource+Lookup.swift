// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import LinuxSystem

/// A tenth of the time goes into questions, and of that what 0.1 s saves up: a storm of unknown threads must not keep us from the
/// rings, nor a process with so many descriptors that one question costs more than a second's share.
struct LookupBudget {
    private var paidThroughNs: UInt64 = 0
    private var spentNs: UInt64 = 0
    static let burstNs: UInt64 = 100_000_000
    /// One part in so many.
    static let share: UInt64 = 10

    mutating func allows(nowNs: UInt64) -> Bool {
        let earnedNs = (nowNs &- paidThroughNs) / Self.share
        spentNs -= min(spentNs, earnedNs)
        paidThroughNs &+= earnedNs &* Self.share
        return spentNs < Self.burstNs
    }
    mutating func spend(_ ns: UInt64) { spentNs &+= ns }
}

extension ProbeSource {
    public enum Answer: Sendable { case found, gone, refused }

    /// A thread nobody has told of: its row, its leader's, and the descriptors of its process. By iterators over that one task, and where
    /// the kernel refuses those, or hides the task from them, by /proc. Some 100 µs, with /proc milliseconds.
    public func lookUp(tid: Int64, into sink: any SnapshotSink) -> Answer {
        within { lookUpNow(tid: tid, into: sink) }
    }

    /// The descriptors of a process alone.
    public func lookUpDescriptors(pid: Int64, into sink: any SnapshotSink) -> Answer {
        within { descriptorsNow(pid: pid, into: sink) }
    }

    private func within(_ look: () -> Bool) -> Answer {
        let startNs = Clock.monotonicNs
        guard lookupBudget.allows(nowNs: startNs) else { return .refused }
        defer { lookupBudget.spend(Clock.monotonicNs &- startNs) }
        return look() ? .found : .gone
    }

    private func lookUpNow(tid: Int64, into sink: any SnapshotSink) -> Bool {
        guard let row = row(of: tid) else { return false }
        if row.pid != tid, let leader = self.row(of: row.pid) { sink.thread(leader) }
        sink.thread(row)
        _ = descriptorsNow(pid: row.pid, into: sink)
        return true
    }

    private func row(of tid: Int64) -> ThreadRow? {
        guard tid > 0, tid <= Int64(Int32.max) else { return nil }
        if loaded.has(.iterTask), let open = try? loaded.openIterator(.iterTask, tid: UInt32(tid)) {
            let found = RowCollector()
            let reader = IteratorReader(sink: found, anchor: anchor, hostStartNs: hostStartNs)
            if (try? reader.readAll(open)) != nil, let row = found.threads.first(where: { $0.tid == tid }) { return row }
        }
        guard var row = proc.thread(tid), isScannable(row.pid) else { return nil }
        if row.pidnsInitStartNs == 0 { row.pidnsInitStartNs = hostStartNs }
        return row
    }

    private func descriptorsNow(pid: Int64, into sink: any SnapshotSink) -> Bool {
        guard pid > 0, pid <= Int64(Int32.max) else { return false }
        if loaded.has(.iterTaskFile), let open = try? loaded.openIterator(.iterTaskFile, pid: UInt32(pid)) {
            let reader = IteratorReader(sink: sink, anchor: anchor, hostStartNs: hostStartNs)
            if (try? reader.readAll(open)) != nil, reader.descriptors > 0 { return true }
        }
        guard isScannable(pid), proc.isAlive(pid) else { return false }
        sink.descriptors(of: pid)
        for row in proc.descriptors(of: pid, sockets: SocketTable(proc, pid: pid)) { sink.descriptor(row, tid: pid) }
        return true
    }

    /// When the host's first process started; for threads that are in no pid namespace any more.
    var hostStartNs: UInt64 {
        if let known = knownHostStartNs { return known }
        let found = proc.thread(1)?.startTimeNs ?? 0
        knownHostStartNs = found
        return found
    }

    /// A tree's own processes and their ancestors; everybody in other scopes, where events come from inside alone.
    private func isScannable(_ pid: Int64) -> Bool {
        guard case .tree = options.scope else { return true }
        return loaded.value("scope_tasks", UInt32(truncatingIfNeeded: pid), initial: UInt32(0)) != nil
    }
}

/// Keeps rows.
final class RowCollector: SnapshotSink {
    private(set) var threads: [ThreadRow] = []
    /// In the order in which they came, those of a process one after the other.
    private(set) var descriptors: [(pid: Int64, row: DescriptorRow)] = []
    func machine(_ row: MachineRow) {}
    func interface(_ row: InterfaceRow) {}
    func user(_ row: UserRow) {}
    func group(_ row: GroupRow) {}
    func thread(_ row: ThreadRow) { threads.append(row) }
    func descriptor(_ row: DescriptorRow, tid: Int64) { descriptors.append((tid, row)) }
    func restart() {}
    func take() -> (threads: [ThreadRow], descriptors: [(pid: Int64, row: DescriptorRow)]) {
        defer { (threads, descriptors) = ([], []) }
        return (threads, descriptors)
    }
}
