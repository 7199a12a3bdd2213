// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// PPM_CL_…: clone flags in the portable numbers that captures and probe use (flags.def, table clone_flags, plus the state's marks).
enum CloneFlag {
    static let files: UInt32 = 1
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
        if old.exists { removeThread(old, keepEmptyLeader: false) }
        let slot = threads.insert(record)
        guard slot.exists else { return .none }
        link(slot)
        return slot
    }

    /// Finds group leader and parent of a thread just added, and makes its descriptor table.
    func link(_ slot: ThreadSlot) {
        let record = row(slot)
        if record.pointee.tid == record.pointee.pid || record.pointee.pid < 0 {
            record.pointee.leader = slot
            record.pointee.groupThreadCount = 1
            record.pointee.descriptors = descriptors.create()
        } else {
            let leader = threads.find(record.pointee.pid)
            if leader.exists, row(leader).pointee.pid == record.pointee.pid {
                join(slot, leader)
            } else {
                record.pointee.leader = .none
                record.pointee.descriptors = descriptors.create()
            }
        }
        linkParent(slot)
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
            if row(leader).pointee.isDead, row(leader).pointee.groupThreadCount <= 0 { dropRow(leader) }
        } else if leader == slot, !record.pointee.isDead || record.pointee.groupThreadCount > 0 {
            if !record.pointee.isDead { record.pointee.groupThreadCount -= 1 }
            record.pointee.isDead = true
            if keepEmptyLeader, record.pointee.groupThreadCount > 0 { return }
            if record.pointee.groupThreadCount > 0 { detachGroup(of: slot) }
        }
        dropRow(slot)
    }

    /// The leader goes although threads remain (its tid was reused): they stand alone from now on.
    private func detachGroup(of leader: ThreadSlot) {
        while row(leader).pointee.firstMember >= 0 {
            let member = ThreadSlot(row(leader).pointee.firstMember)
            leave(member, leader)
            row(member).pointee.leader = .none
            row(member).pointee.descriptors = descriptors.create()
        }
    }

    private func dropRow(_ slot: ThreadSlot) {
        reparentChildren(of: slot)
        unlinkParent(slot)
        let record = row(slot)
        if record.pointee.descriptors >= 0 { descriptors.destroy(record.pointee.descriptors) }
        record.pointee.descriptors = -1
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

    /// Looks where the source can be asked, else makes a placeholder.
    func findMissing(tid: Int64) -> ThreadSlot {
        if let taskLookup, tid > 0, threads.count < threads.countMax, taskLookup.lookUp(tid: tid, into: self) {
            let found = threads.find(tid)
            if found.exists {
                counters.threadLookupsElsewhere &+= 1
                return found
            }
        }
        counters.threadLookupsFailed &+= 1
        return addPlaceholder(tid: tid)
    }

    func updateContainer(_ record: UnsafeMutablePointer<ThreadRecord>) {
        guard let found = ContainerPath.find(inCgroups: pool[record.pointee.cgroups]) else {
            record.pointee.containerID = .empty
            return
        }
        record.pointee.containerID = pool.intern(found.short)
    }
}

extension SystemState: SnapshotSink {
    public func machine(_ row: MachineRow) { machine = row }
    public func interface(_ row: InterfaceRow) {
        guard interfaces.count < Self.interfacesMax else { return accountsRefused &+= 1 }
        interfaces.append(row)
    }

    /// A user that is known may change; a new one needs room.
    func hasRoom(forUser uid: UInt32) -> Bool {
        if users.count < Self.accountsMax || users[uid] != nil { return true }
        accountsRefused &+= 1
        return false
    }
    func hasRoom(forGroup gid: UInt32) -> Bool {
        if groups.count < Self.accountsMax || groups[gid] != nil { return true }
        accountsRefused &+= 1
        return false
    }

    public func user(_ row: UserRow) {
        guard hasRoom(forUser: row.uid) else { return }
        users[row.uid] = row.name.withBytes { name in
            row.home.withBytes { home in
                row.shell.withBytes { shell in
                    UserRecord(
                        uid: row.uid, gid: row.gid, name: pool.intern(name), home: pool.intern(home), shell: pool.intern(shell))
                }
            }
        }
    }

    public func group(_ row: GroupRow) {
        guard hasRoom(forGroup: row.gid) else { return }
        groups[row.gid] = row.name.withBytes { pool.intern($0) }
    }

    public func thread(_ source: ThreadRow) {
        var record = ThreadRecord()
        record.tid = source.tid
        record.pid = source.pid
        record.ptid = source.ptid
        record.sid = source.sid
        record.pgid = source.pgid
        record.vpgid = source.vpgid
        record.vtid = source.vtid
        record.vpid = source.vpid
        record.uid = source.uid
        record.gid = source.gid
        record.loginuid = source.loginuid
        record.tty = source.tty
        record.flags = source.flags
        record.comm = intern(source.comm)
        record.exe = intern(source.exe)
        record.exepath = intern(withoutDeletedMark(source.exepath))
        record.args = intern(source.args)
        record.env = intern(source.env)
        record.cwd = internDirectory(source.cwd)
        record.root = intern(source.root)
        record.cgroups = intern(source.cgroups)
        record.fdlimit = source.fdlimit
        record.vmsizeKb = source.vmsizeKb
        record.vmrssKb = source.vmrssKb
        record.vmswapKb = source.vmswapKb
        record.pfmajor = source.pfmajor
        record.pfminor = source.pfminor
        record.capInheritable = source.capInheritable
        record.capPermitted = source.capPermitted
        record.capEffective = source.capEffective
        record.exeIno = source.exeIno
        record.exeInoCtimeNs = source.exeInoCtimeNs
        record.exeInoMtimeNs = source.exeInoMtimeNs
        record.pidnsInitStartNs = source.pidnsInitStartNs
        record.cloneTimeNs = source.startTimeNs
        record.exeWritable = source.exeWritable
        record.exeUpperLayer = source.exeUpperLayer
        record.exeLowerLayer = source.exeLowerLayer
        record.exeFromMemfd = source.exeFromMemfd
        let slot = addThread(record)
        guard slot.exists else { return }
        updateContainer(row(slot))
        if let details = source.details { apply(details, to: row(slot)) }
    }

    public func descriptor(_ source: DescriptorRow, tid: Int64) {
        let slot = threads.find(tid)
        guard slot.exists else { return }
        var record = DescriptorRecord()
        record.kind = source.kind == .fileV2 ? .file : source.kind
        record.inode = source.inode
        record.openFlags = source.openFlags
        record.device = source.device
        record.mountID = source.mountID
        record.name = intern(source.name)
        record.source = source.sourceAddress
        record.destination = source.destinationAddress
        record.sourcePort = source.sourcePort
        record.destinationPort = source.destinationPort
        record.l4Protocol = source.l4Protocol
        record.unixSource = source.unixSource
        record.unixDestination = source.unixDestination
        record.flags = .fromScan
        if record.isInet { record.name = internTuple(record) }
        if record.kind == .ipv4Server || record.kind == .ipv6Server { record.flags.insert(.roleServer) }
        if let details = source.details {
            record.flags = DescriptorFlags(rawValue: details.flags)
            record.rawName = intern(details.rawName)
            record.kernelPath = intern(details.kernelPath)
            record.kernelFSPath = intern(details.kernelFSPath)
            if record.isTurned { record.swapEnds() }
            if let name = details.name { record.name = intern(name) }
        }
        descriptors.set(table(of: slot), source.fd, record)
    }

    public func gone(tid: Int64) {
        let slot = threads.find(tid)
        if slot.exists { removeThread(slot) }
    }

    /// A concatenated capture: everything known is of another run.
    public func restart() {
        isRestarted = true
        for index in 0..<threads.used where threads.rows[index].isInUse {
            if threads.rows[index].descriptors >= 0 { descriptors.destroy(threads.rows[index].descriptors) }
        }
        threads.removeAll()
        users.removeAll()
        groups.removeAll()
        interfaces.removeAll()
    }

    /// After the rows of a snapshot: ties threads to leaders and parents that came later in the list.
    public func finishSnapshot() {
        isRestarted = false
        for index in 0..<threads.used where threads.rows[index].isInUse {
            let slot = ThreadSlot(Int32(index))
            let record = row(slot)
            if !record.pointee.leader.exists {
                let leader = threads.find(record.pointee.pid)
                if leader.exists, row(leader).pointee.pid == record.pointee.pid {
                    join(slot, leader)
                    if record.pointee.descriptors >= 0 { descriptors.destroy(record.pointee.descriptors) }
                    record.pointee.descriptors = -1
                }
            }
            linkParent(slot)
        }
        turnServerSockets()
    }

    /// Connections that existed before the first event are listed from their own end: where the local port is one that somebody
    /// listens on, the other end is the client and stands first, as for an accepted connection.
    private func turnServerSockets() {
        var serverPorts: Set<UInt16> = []
        for index in 0..<threads.used where threads.rows[index].isInUse {
            descriptors.forEach(threads.rows[index].descriptors) { _, record in
                if record.kind == .ipv4Server { serverPorts.insert(record.sourcePort) }
            }
        }
        for index in 0..<threads.used where threads.rows[index].isInUse {
            let table = threads.rows[index].descriptors
            descriptors.forEach(table) { fd, record in
                // A recording of ours tells the role.
                guard record.kind == .ipv4Socket, record.flags.contains(.fromScan), !record.name.isEmpty,
                    record.flags.isDisjoint(with: [.roleServer, .roleClient])
                else { return }
                var record = record
                if serverPorts.contains(record.sourcePort) {
                    record.swapEnds()
                    record.name = internTuple(record)
                    record.flags.insert(.roleServer)
                } else {
                    record.flags.insert(.roleClient)
                }
                descriptors.set(table, fd, record)
            }
        }
    }

    /// The kernel shows the path of a removed program with ` (deleted)` behind it.
    private func withoutDeletedMark(_ path: [UInt8]) -> [UInt8] {
        let mark = Array(" (deleted)".utf8)
        return path.count > mark.count && path.suffix(mark.count) == mark[...] ? Array(path.dropLast(mark.count)) : path
    }

    func intern(_ bytes: [UInt8]) -> PoolID { bytes.withBytes { pool.intern($0) } }

    private func internDirectory(_ path: [UInt8]) -> PoolID {
        path.last == UInt8(ascii: "/") || path.isEmpty ? intern(path) : intern(path + [UInt8(ascii: "/")])
    }
}

extension [UInt8] {
    func withBytes<R>(_ body: (Bytes) -> R) -> R { withUnsafeBytes { body(Bytes($0)) } }
}
