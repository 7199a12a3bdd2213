// SPDX-License-Identifier: Apache-2.0
import EventModel

/// What repairs of the state found.
public struct RepairCounters: Sendable, Equatable {
    /// Passes over all threads that came to their end.
    public var passes: UInt64 = 0
    /// Threads that were added or corrected.
    public var threadsRepaired: UInt64 = 0
    /// Of these, those that were not known, or were another process.
    public var threadsAdded: UInt64 = 0
    /// Threads that had ended unseen.
    public var threadsRemoved: UInt64 = 0
    /// Descriptors that were added or corrected, and those that had been closed unseen.
    public var descriptorsRepaired: UInt64 = 0
    public var descriptorsRemoved: UInt64 = 0
    /// Rows that were left out, because an event admitted meanwhile was younger.
    public var stale: UInt64 = 0
    public init() {}
}

/// A pass over everything that exists, merged by time: rows are applied when every event older than them was admitted and none that
/// is younger, so they are the newest that is known. Between two events; allocates, for it follows a loss and not an event.
extension SystemState {
    /// Once per pass, before its rows.
    public func beginRepair() { repairPass &+= 1 }

    /// Corrects what the rows show to be wrong. Names that events gave and that name the same file stay as they are.
    /// `changed` gets the processes whose rows or descriptors are not as before.
    public func repair(_ found: RepairRows, lostImages: Bool, changed: inout Set<Int64>) {
        isSnapshotting = true
        defer { isSnapshotting = false }
        for row in found.threads where repair(row, stampNs: found.stampNs, lostImages: lostImages) { changed.insert(row.tid) }
        for (pid, rows) in found.descriptors where repair(rows, pid: pid, stampNs: found.stampNs) { changed.insert(pid) }
    }

    /// After the last row of a pass that began at `startNs`: what existed before it, was not in it, and is gone, is to be removed.
    public func endRepair(startNs: UInt64) { (repairCursor, repairStartNs) = (0, startNs) }

    /// A part of that: so many rows are looked at and so many threads asked after, since events wait meanwhile. True when all is done.
    public func continueRepairEnd(isAlive: (Int64, Int64) -> Bool) -> Bool {
        guard repairCursor >= 0 else { return true }
        let end = min(threads.used, repairCursor + Self.purgeRowsMax)
        var questions = 0
        while repairCursor < end, questions < Self.purgeQuestionsMax {
            let slot = ThreadSlot(Int32(repairCursor))
            repairCursor += 1
            let record = row(slot)
            guard record.pointee.isInUse else { continue }
            if record.pointee.repairPass != repairPass, !record.pointee.isDead, record.pointee.lastAccessNs < repairStartNs,
                record.pointee.cloneTimeNs < repairStartNs
            {
                questions += 1
                if !isAlive(record.pointee.tid, record.pointee.pid) {
                    removeThread(slot)
                    repairs.threadsRemoved &+= 1
                    continue
                }
            }
            if !record.pointee.leader.exists || record.pointee.linkedParent < 0 && record.pointee.ptid > 0 {
                tieLooseEnds(to: slot)
            }
        }
        guard repairCursor >= threads.used else { return false }
        repairCursor = -1
        repairs.passes &+= 1
        return true
    }

    /// The clock was set while a pass was under way: its rows are of another time and are dropped.
    public func cancelRepair() { repairCursor = -1 }

    /// The machine's clock was set: epoch minus boot time was `before`, and is `now`. Rows that come from now on tell the same starts
    /// as other times; what users see of the threads that are known stays. O(threads).
    public func clockWasSet(before: UInt64, now: UInt64) {
        earlierOffsetsNs.removeAll { $0 == now }
        earlierOffsetsNs.append(before)
        if earlierOffsetsNs.count > Self.earlierOffsetsMax { earlierOffsetsNs.removeFirst() }
        clockOffsetNs = now
        if machine.bootTimeNs != 0 { machine.bootTimeNs = machine.bootTimeNs &+ now &- before }
        for index in 0..<threads.used where threads.rows[index].isInUse {
            let last = threads.rows[index].lastAccessNs
            // Never after what comes now.
            if last != 0 { threads.rows[index].lastAccessNs = last &+ now &- before }
        }
    }

    static let earlierOffsetsMax = 16

    private func repair(_ row: ThreadRow, stampNs: UInt64, lostImages: Bool) -> Bool {
        let slot = threads.find(row.tid)
        guard slot.exists else { return add(row) }
        let known = self.row(slot)
        known.pointee.repairPass = repairPass
        guard known.pointee.lastAccessNs <= stampNs else {
            repairs.stale &+= 1
            return false
        }
        if known.pointee.isPlaceholder || !isSameProcess(known.pointee, row) {
            removeThread(slot, keepEmptyLeader: false)
            return add(row)
        }
        if known.pointee.isDead { return false }
        guard correct(known, row, lostImages: lostImages) else { return false }
        repairs.threadsRepaired &+= 1
        return true
    }

    private func add(_ row: ThreadRow) -> Bool {
        thread(row)
        let slot = threads.find(row.tid)
        guard slot.exists else { return false }
        self.row(slot).pointee.repairPass = repairPass
        tieLooseEnds(to: slot)
        repairs.threadsRepaired &+= 1
        repairs.threadsAdded &+= 1
        return true
    }

    /// A number may be used again. Starts are told by the scheduler, by the end of the maker's call, or by /proc in hundredths of a second.
    private func isSameProcess(_ known: ThreadRecord, _ row: ThreadRow) -> Bool {
        let toleranceNs: UInt64 = 1_000_000_000
        guard known.pid == row.pid else { return false }
        if known.cloneTimeNs == 0 || row.startTimeNs == 0 { return true }
        func isSame(_ startNs: UInt64) -> Bool {
            max(known.cloneTimeNs, startNs) - min(known.cloneTimeNs, startNs) <= toleranceNs
        }
        // What is known was told by the clock as it was then.
        return isSame(row.startTimeNs) || earlierOffsetsNs.contains { isSame(row.startTimeNs &- clockOffsetNs &+ $0) }
    }

    /// True when something was wrong.
    private func correct(_ known: UnsafeMutablePointer<ThreadRecord>, _ row: ThreadRow, lostImages: Bool) -> Bool {
        let before = known.pointee
        let slot = threads.find(row.tid)
        // A thread that renames itself keeps its name, as in Falco, and a process may write over its arguments: they are taken only
        // where an exec was missed.
        let exepath = intern(withoutDeletedMark(row.exepath))
        let isOtherImage = row.exeIno != 0 && (exepath != before.exepath && !row.exepath.isEmpty || row.exeIno != before.exeIno)
        let args = intern(row.args)
        let env = row.env.withBytes { pool.internSpare($0) }
        if isOtherImage || lostImages && row.exeIno != 0 && (args != before.args || env != before.env) {
            known.pointee.comm = intern(row.comm)
            known.pointee.exe = intern(row.exe)
            known.pointee.exepath = exepath
            (known.pointee.args, known.pointee.env) = (args, env)
            (known.pointee.argumentsBytes, known.pointee.argumentsTail) = (0, .empty)
            known.pointee.exeIno = row.exeIno
            known.pointee.exeInoCtimeNs = row.exeInoCtimeNs
            known.pointee.exeInoMtimeNs = row.exeInoMtimeNs
            known.pointee.exeWritable = row.exeWritable
            known.pointee.exeUpperLayer = row.exeUpperLayer
            known.pointee.exeLowerLayer = row.exeLowerLayer
            known.pointee.exeFromMemfd = row.exeFromMemfd
        }
        (known.pointee.sid, known.pointee.pgid, known.pointee.vpgid) = (row.sid, row.pgid, row.vpgid)
        (known.pointee.uid, known.pointee.gid) = (row.uid, row.gid)
        (known.pointee.loginuid, known.pointee.tty) = (row.loginuid, row.tty)
        if row.fdlimit >= 0 { known.pointee.fdlimit = row.fdlimit }
        known.pointee.capInheritable = row.capInheritable
        known.pointee.capPermitted = row.capPermitted
        known.pointee.capEffective = row.capEffective
        known.pointee.cgroups = row.cgroups.withBytes { internCgroups($0) }
        if known.pointee.cgroups != before.cgroups { updateContainer(known) }
        if row.ptid != before.ptid, row.ptid > 0 {
            unlinkParent(slot)
            known.pointee.ptid = row.ptid
            linkParent(slot)
        }
        let directory = internDirectory(row.cwd)
        var moved = false
        if !row.cwd.isEmpty, directories[known.pointee.directory] != directory, lostDirectories {
            directories[known.pointee.directory] = directory
            moved = true
        }
        let now = known.pointee
        return moved || now.comm != before.comm || now.exepath != before.exepath || now.args != before.args
            || now.env != before.env
            || now.exeIno != before.exeIno || now.sid != before.sid || now.pgid != before.pgid || now.vpgid != before.vpgid
            || now.uid != before.uid || now.gid != before.gid || now.loginuid != before.loginuid || now.tty != before.tty
            || now.fdlimit != before.fdlimit || now.capInheritable != before.capInheritable
            || now.capPermitted != before.capPermitted || now.capEffective != before.capEffective
            || now.cgroups != before.cgroups || now.ptid != before.ptid
    }

    private func repair(_ rows: [DescriptorRow], pid: Int64, stampNs: UInt64) -> Bool {
        let slot = threads.find(pid)
        guard slot.exists, row(slot).pointee.pid == pid, !row(slot).pointee.isDead else { return false }
        guard lastAccessNs(ofGroup: slot) <= stampNs else {
            repairs.stale &+= 1
            return false
        }
        let table = table(of: slot)
        let before = repairs
        var seen: Set<Int64> = []
        for row in rows {
            seen.insert(row.fd)
            var fresh = record(of: row)
            if let known = descriptors.get(table, row.fd), known.isSameFile(as: fresh) { continue }
            giveRole(&fresh)
            descriptors.set(table, row.fd, fresh)
            repairs.descriptorsRepaired &+= 1
        }
        // Sockets of other families have no row.
        descriptors.removeAll(table) { fd, record in
            guard !seen.contains(fd), record.kind != .unknown, record.kind != .unsupported else { return false }
            repairs.descriptorsRemoved &+= 1
            return true
        }
        return repairs != before
    }

    private func lastAccessNs(ofGroup leader: ThreadSlot) -> UInt64 {
        var last = row(leader).pointee.lastAccessNs
        var member = row(leader).pointee.firstMember
        while member >= 0 {
            last = max(last, threads.rows[Int(member)].lastAccessNs)
            member = threads.rows[Int(member)].nextMember
        }
        return last
    }

    /// The thread's row and its process's descriptors as they are now, for whoever records.
    public func rows(of tid: Int64) -> (thread: ThreadRow, descriptors: [DescriptorRow])? {
        let slot = threads.find(tid)
        guard slot.exists else { return nil }
        var rows: [DescriptorRow] = []
        if row(slot).pointee.tid == row(slot).pointee.pid {
            descriptors.forEach(table(of: slot)) { fd, record in
                if record.kind != .unknown { rows.append(descriptorRow(fd, record)) }
            }
            rows.sort { $0.fd < $1.fd }
        }
        return (threadRow(slot), rows)
    }
}

extension DescriptorRecord {
    /// Do both name the same open file, as far as both tell? What an event told of it is more than a row tells.
    func isSameFile(as other: DescriptorRecord) -> Bool {
        if isInet || other.isInet {
            guard isInet, other.isInet else { return false }
            // A socket without ends has no address yet.
            if sourcePort == 0, destinationPort == 0 { return other.sourcePort == 0 && other.destinationPort == 0 }
            let same = source == other.source && sourcePort == other.sourcePort
            let turned = destination == other.source && destinationPort == other.sourcePort
            // Before it is bound to one, a socket shows no own address.
            return same || turned
                || other.source.isZero && (sourcePort == other.sourcePort || destinationPort == other.sourcePort)
                || source.isZero && sourcePort == other.sourcePort
        }
        guard kind == other.kind else { return kind == .unknown }
        if kind == .unixSocket {
            return unixSource == 0 || other.unixSource == 0 || unixSource == other.unixSource
                || unixDestination == other.unixSource
        }
        switch kind {
        case .file, .directory, .fifo, .memfd: return inode == 0 || other.inode == 0 || inode == other.inode
        default: return true
        }
    }
}
