// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// PPM_CL_…: clone flags in the portable numbers that captures and probe use (flags.def, table clone_flags, plus the state's marks).
enum CloneFlag {
    static let files: UInt32 = 1
    static let fs: UInt32 = 2
    static let newMounts: UInt32 = 32
    static let newPid: UInt32 = 64
    static let parent: UInt32 = 256
    static let thread: UInt32 = 8192
    static let newUser: UInt32 = 1 << 20
    static let vfork: UInt32 = 1 << 27
    static let childInPidNamespace: UInt32 = 1 << 29
}

/// PPM_O_…: open flags in the portable numbers (flags.def, table file_flags).
enum OpenFlag {
    static let directory: UInt32 = 1024
    static let closeOnExec: UInt32 = 4096
    static let upperLayer: UInt32 = 32768
    static let lowerLayer: UInt32 = 65536
}

extension SystemState {
    /// Adds a thread and ties it to group and parent. A thread of the same id that is there already goes first.
    @discardableResult
    func addThread(_ record: ThreadRecord) -> ThreadSlot {
        let old = threads.find(record.tid)
        var children: [ThreadSlot] = []
        if old.exists {
            if row(old).pointee.isPlaceholder { children = releaseChildren(of: old) }
            removeThread(old, keepEmptyLeader: false)
        }
        let slot = threads.insert(record)
        guard slot.exists else { return .none }
        link(slot)
        for child in children { linkParent(child) }
        return slot
    }

    /// The children of a placeholder that turns out to be a thread stay that thread's.
    private func releaseChildren(of slot: ThreadSlot) -> [ThreadSlot] {
        var children: [ThreadSlot] = []
        while row(slot).pointee.firstChild >= 0 {
            let child = ThreadSlot(row(slot).pointee.firstChild)
            unlinkParent(child)
            children.append(child)
        }
        return children
    }

    /// Finds group leader and parent of a thread just added, and what it shares with others. Where the row brings neither a table nor
    /// a directory, a thread has those of its group, unless its flags say otherwise.
    func link(_ slot: ThreadSlot) {
        let record = row(slot)
        if record.pointee.tid == record.pointee.pid || record.pointee.pid < 0 {
            record.pointee.leader = slot
            record.pointee.groupThreadCount = 1
        } else {
            let leader = threads.find(record.pointee.pid)
            if leader.exists, row(leader).pointee.pid == record.pointee.pid {
                join(slot, leader)
                share(slot, with: leader)
            } else {
                record.pointee.leader = .none
            }
        }
        if record.pointee.descriptors < 0 { record.pointee.descriptors = descriptors.create() }
        if record.pointee.directory < 0 { record.pointee.directory = directories.create(record.pointee.cwd) }
        linkParent(slot)
    }

    /// Table and directory of the leader for a thread that brought none.
    private func share(_ slot: ThreadSlot, with leader: ThreadSlot) {
        let record = row(slot)
        let hasOwnTable = record.pointee.flags & CloneFlag.thread != 0 && record.pointee.flags & CloneFlag.files == 0
        if record.pointee.descriptors < 0, !hasOwnTable {
            record.pointee.descriptors = descriptors.retain(row(leader).pointee.descriptors)
        }
        let directory = row(leader).pointee.directory
        if record.pointee.directory < 0, record.pointee.cwd.isEmpty || record.pointee.cwd == directories[directory] {
            record.pointee.directory = directories.retain(directory)
        }
    }

    /// The thread has a table of its own from now on, with what it could see in the shared one.
    func unshareDescriptors(_ slot: ThreadSlot) {
        let old = row(slot).pointee.descriptors
        guard descriptors.holders(of: old) > 1 else { return }
        let own = descriptors.create()
        descriptors.copy(from: old, to: own, marksCloned: false)
        row(slot).pointee.descriptors = own
        row(slot).pointee.flags &= ~CloneFlag.files
        descriptors.release(old)
    }

    func unshareDirectory(_ slot: ThreadSlot) {
        let old = row(slot).pointee.directory
        guard directories.holders(of: old) > 1 else { return }
        row(slot).pointee.directory = directories.create(directories[old])
        row(slot).pointee.flags &= ~CloneFlag.fs
        directories.release(old)
    }

    /// The thread belongs to the leader's group from now on.
    func join(_ slot: ThreadSlot, _ leader: ThreadSlot) {
        let record = row(slot)
        record.pointee.leader = leader
        record.pointee.nextMember = row(leader).pointee.firstMember
        record.pointee.previousMember = -1
        if record.pointee.nextMember >= 0 { row(ThreadSlot(record.pointee.nextMember)).pointee.previousMember = slot.index }
        row(leader).pointee.firstMember = slot.index
        row(leader).pointee.groupThreadCount += 1
    }

    /// Out of the list; the thread still says whose group it was.
    private func leave(_ slot: ThreadSlot, _ leader: ThreadSlot) {
        let record = row(slot)
        let (next, previous) = (record.pointee.nextMember, record.pointee.previousMember)
        if previous >= 0 { row(ThreadSlot(previous)).pointee.nextMember = next } else { row(leader).pointee.firstMember = next }
        if next >= 0 { row(ThreadSlot(next)).pointee.previousMember = previous }
        record.pointee.nextMember = -1
        record.pointee.previousMember = -1
        row(leader).pointee.groupThreadCount -= 1
    }

    /// The leader of a thread that stood alone became known.
    func adopt(_ slot: ThreadSlot, _ leader: ThreadSlot) {
        join(slot, leader)
        let (table, directory) = (row(slot).pointee.descriptors, row(slot).pointee.directory)
        if descriptors.holders(of: table) == 1, descriptors.count(of: table) == 0 {
            row(slot).pointee.descriptors = -1
            descriptors.release(table)
        }
        if directories.holders(of: directory) == 1 {
            row(slot).pointee.cwd = directories[directory]
            row(slot).pointee.directory = -1
            directories.release(directory)
        }
        share(slot, with: leader)
        if row(slot).pointee.descriptors < 0 { row(slot).pointee.descriptors = descriptors.create() }
        if row(slot).pointee.directory < 0 { row(slot).pointee.directory = directories.create(row(slot).pointee.cwd) }
    }

    func linkParent(_ slot: ThreadSlot) {
        let record = row(slot)
        guard record.pointee.linkedParent < 0, record.pointee.ptid > 0 else { return }
        let parent = threads.find(record.pointee.ptid)
        guard parent.exists, parent != slot else { return }
        record.pointee.linkedParent = parent.index
        record.pointee.nextSibling = row(parent).pointee.firstChild
        record.pointee.previousSibling = -1
        if record.pointee.nextSibling >= 0 { row(ThreadSlot(record.pointee.nextSibling)).pointee.previousSibling = slot.index }
        row(parent).pointee.firstChild = slot.index
        row(parent).pointee.childCount += 1
    }

    func unlinkParent(_ slot: ThreadSlot) {
        let record = row(slot)
        guard record.pointee.linkedParent >= 0 else { return }
        let parent = row(ThreadSlot(record.pointee.linkedParent))
        if record.pointee.previousSibling >= 0 {
            row(ThreadSlot(record.pointee.previousSibling)).pointee.nextSibling = record.pointee.nextSibling
        } else {
            parent.pointee.firstChild = record.pointee.nextSibling
        }
        if record.pointee.nextSibling >= 0 {
            row(ThreadSlot(record.pointee.nextSibling)).pointee.previousSibling = record.pointee.previousSibling
        }
        parent.pointee.childCount -= 1
        record.pointee.linkedParent = -1
        record.pointee.nextSibling = -1
        record.pointee.previousSibling = -1
    }

    /// Takes a thread out. A leader stays, marked dead, while its group has other threads.
    func removeThread(_ slot: ThreadSlot, keepEmptyLeader: Bool = true) {
        let record = row(slot)
        let leader = record.pointee.leader
        if leader.exists, leader != slot {
            leave(slot, leader)
            if row(leader).pointee.isDead, row(leader).pointee.groupThreadCount <= 0 {
                // The leader's end named a reaper that may have ended since: another thread of the process.
                if record.pointee.reaperTid > 0 { row(leader).pointee.reaperTid = record.pointee.reaperTid }
                dropRow(leader)
            }
        } else if leader == slot, !record.pointee.isDead || record.pointee.groupThreadCount > 0 {
            if !record.pointee.isDead { record.pointee.groupThreadCount -= 1 }
            record.pointee.isDead = true
            if keepEmptyLeader, record.pointee.groupThreadCount > 0 { return }
            if record.pointee.groupThreadCount > 0 { detachGroup(of: slot) }
        }
        dropRow(slot)
    }

    /// The leader goes although threads remain (its tid was reused): they stand alone from now on, with the table they had.
    private func detachGroup(of leader: ThreadSlot) {
        while row(leader).pointee.firstMember >= 0 {
            let member = ThreadSlot(row(leader).pointee.firstMember)
            leave(member, leader)
            row(member).pointee.leader = .none
        }
    }

    private func dropRow(_ slot: ThreadSlot) {
        reparentChildren(of: slot)
        unlinkParent(slot)
        let record = row(slot)
        descriptors.release(record.pointee.descriptors)
        directories.release(record.pointee.directory)
        (record.pointee.descriptors, record.pointee.directory) = (-1, -1)
        threads.remove(slot)
    }

    /// Children of an ended thread get the reaper that the kernel named; without one, as facts §10.3: a living thread of the group,
    /// else the nearest ancestor that reaps, else nobody.
    func reparentChildren(of slot: ThreadSlot) {
        let record = row(slot)
        guard record.pointee.firstChild >= 0 else { return }
        var reaper = record.pointee.reaperTid
        let own = record.pointee.tid
        if reaper <= 0 || reaper == own { reaper = findReaper(of: slot) }
        if reaper == own { reaper = 0 }
        var next = record.pointee.firstChild
        while next >= 0 {
            let child = ThreadSlot(next)
            next = row(child).pointee.nextSibling
            unlinkParent(child)
            row(child).pointee.ptid = reaper
            linkParent(child)
        }
    }

    private func findReaper(of slot: ThreadSlot) -> Int64 {
        let leader = leader(of: slot)
        if leader != slot, leader.exists, !row(leader).pointee.isDead { return row(leader).pointee.tid }
        var member = row(leader).pointee.firstMember
        var oldest: Int32 = -1
        while member >= 0 {
            if member != slot.index { oldest = member }
            member = row(ThreadSlot(member)).pointee.nextMember
        }
        if oldest >= 0 { return row(ThreadSlot(oldest)).pointee.tid }
        var ancestor = parent(of: leader)
        var steps = 0
        while ancestor.exists, steps < 1024 {
            let candidate = self.leader(of: ancestor)
            if row(candidate).pointee.isSubreaper || row(candidate).pointee.vpid == 1 { return row(candidate).pointee.tid }
            ancestor = parent(of: candidate)
            steps += 1
        }
        return 0
    }

    /// A row for a thread nobody told us of, so that it is not asked for at each event.
    func addPlaceholder(tid: Int64) -> ThreadSlot {
        var record = ThreadRecord()
        record.tid = tid
        record.comm = unnamed
        record.exe = unnamed
        record.isPlaceholder = true
        return addThread(record)
    }

    /// Looks where the source can be asked, its unknown ancestors too, else makes a placeholder.
    func findMissing(tid: Int64) -> ThreadSlot {
        let result = ask(tid: tid)
        let found = threads.find(tid)
        if result == .found, found.exists, !row(found).pointee.isPlaceholder {
            counters.threadLookupsElsewhere &+= 1
            var ancestor = row(found).pointee.ptid
            var depth = 0
            while ancestor > 0, depth < 32, !threads.find(ancestor).exists, ask(tid: ancestor) == .found {
                let slot = threads.find(ancestor)
                guard slot.exists else { break }
                ancestor = row(slot).pointee.ptid
                depth += 1
            }
            row(found).pointee.asksAgain = false
            tieLooseEnds(to: threads.find(tid))
            return threads.find(tid)
        }
        if result != .refused { counters.threadLookupsFailed &+= 1 }
        let slot = found.exists ? found : addPlaceholder(tid: tid)
        if slot.exists { row(slot).pointee.asksAgain = result == .refused }
        return slot
    }

    private func ask(tid: Int64) -> LookupResult {
        guard let taskLookup, tid > 0, threads.count < threads.countMax else { return .gone }
        let result = taskLookup.lookUp(tid: tid, into: self)
        if result == .refused { counters.lookupsRefused &+= 1 }
        return result
    }

    /// Leader and parent of a thread that came before them.
    func tieLooseEnds(to slot: ThreadSlot) {
        guard slot.exists else { return }
        if !row(slot).pointee.leader.exists {
            let leader = threads.find(row(slot).pointee.pid)
            if leader.exists, row(leader).pointee.pid == row(slot).pointee.pid { adopt(slot, leader) }
        }
        var next = slot
        var depth = 0
        while next.exists, depth < 32 {
            linkParent(next)
            next = parent(of: next)
            depth += 1
        }
    }

    func updateContainer(_ record: UnsafeMutablePointer<ThreadRecord>) {
        guard record.pointee.cgroups != unnamed else {
            record.pointee.containerID = unnamed
            return
        }
        guard let found = ContainerPath.find(inCgroups: pool[record.pointee.cgroups]) else {
            record.pointee.containerID = .empty
            return
        }
        let id = pool.intern(found.short)
        record.pointee.containerID = id.isEmpty ? unnamed : id
    }

    /// Without room for them they are unknown, which is another thing than the host's.
    func internCgroups(_ cgroups: Bytes) -> PoolID {
        let id = pool.intern(cgroups)
        return id.isEmpty && !cgroups.isEmpty ? unnamed : id
    }
}
