// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Rows that come in: of a first scan, a capture, a look-up, a repair of a recorded run.
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
        record.env = source.env.withBytes { pool.internSpare($0) }
        record.cwd = internDirectory(source.cwd)
        record.root = intern(source.root)
        record.cgroups = source.cgroups.withBytes { internCgroups($0) }
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
        let known = threads.find(source.tid)
        if !isSnapshotting, known.exists, !row(known).pointee.isPlaceholder, row(known).pointee.pid == source.pid {
            if source.details != nil {
                replace(known, with: record, source.details)
                toldTid = source.tid
            }
            leaveUntied(source.tid)
            return
        }
        let slot = addThread(record)
        guard slot.exists else { return }
        if !isSnapshotting {
            leaveUntied(source.tid)
            if source.details != nil { toldTid = source.tid }
        }
        updateContainer(row(slot))
        if let details = source.details { apply(details, to: row(slot)) }
    }

    public func descriptor(_ source: DescriptorRow, tid: Int64) {
        let slot = threads.find(tid)
        guard slot.exists else { return }
        if !isSnapshotting {
            if source.details == nil {
                if descriptors.get(table(of: slot), source.fd) != nil { return }
            } else if replacedTid != tid {
                descriptors.removeAll(table(of: slot))
                replacedTid = tid
            }
        }
        var record = record(of: source)
        if !isSnapshotting { giveRole(&record) }
        descriptors.set(table(of: slot), source.fd, record)
    }

    /// The list behind a row of a recorded repair is all that the process has, also when it is empty.
    public func descriptors(of tid: Int64) {
        replacedTid = -1
        guard !isSnapshotting, tid == toldTid else { return }
        toldTid = -1
        let slot = threads.find(tid)
        guard slot.exists else { return }
        descriptors.removeAll(table(of: slot))
        replacedTid = tid
    }

    /// In a replay rows come without the look-up or repair that ties them to others: that is done before the next event.
    private func leaveUntied(_ tid: Int64) {
        if taskLookup == nil, untied.count < Self.untiedMax { untied.append(tid) }
    }

    func tieUntied() {
        for tid in untied { tieLooseEnds(to: threads.find(tid)) }
        untied.removeAll(keepingCapacity: true)
        toldTid = -1
    }

    /// Columns of a thread as a repair of the recorded run left them; its place among others stays.
    private func replace(_ slot: ThreadSlot, with fresh: ThreadRecord, _ details: ThreadDetails?) {
        var record = fresh
        let known = row(slot).pointee
        (record.descriptors, record.directory, record.leader) = (known.descriptors, known.directory, known.leader)
        (record.groupThreadCount, record.isDead, record.isInUse) = (known.groupThreadCount, known.isDead, true)
        (record.firstChild, record.childCount) = (known.firstChild, known.childCount)
        (record.nextSibling, record.previousSibling) = (known.nextSibling, known.previousSibling)
        (record.firstMember, record.nextMember) = (known.firstMember, known.nextMember)
        (record.previousMember, record.linkedParent) = (known.previousMember, known.linkedParent)
        record.repairPass = known.repairPass
        unlinkParent(slot)
        (record.linkedParent, record.nextSibling, record.previousSibling) = (-1, -1, -1)
        // Unlinking may have moved the head of the parent's children, which is this thread's own only in a loop.
        (record.firstChild, record.childCount) = (row(slot).pointee.firstChild, row(slot).pointee.childCount)
        row(slot).pointee = record
        directories[record.directory] = record.cwd
        linkParent(slot)
        updateContainer(row(slot))
        if let details { apply(details, to: row(slot)) }
    }

    func record(of source: DescriptorRow) -> DescriptorRecord {
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
            record.rawName = details.rawName.withBytes { pool.internSpare($0) }
            record.kernelPath = details.kernelPath.withBytes { pool.internSpare($0) }
            record.kernelFSPath = details.kernelFSPath.withBytes { pool.internSpare($0) }
            if record.isTurned { record.swapEnds() }
            if let name = details.name { record.name = intern(name) }
        }
        if source.closesOnExec || record.openFlags & OpenFlag.closeOnExec != 0 { record.flags.insert(.closeOnExec) }
        return record
    }

    public func gone(tid: Int64) {
        let slot = threads.find(tid)
        if slot.exists { removeThread(slot) }
    }

    /// A concatenated capture: everything known is of another run.
    public func restart() {
        isRestarted = true
        isSnapshotting = true
        for index in 0..<threads.used where threads.rows[index].isInUse {
            descriptors.release(threads.rows[index].descriptors)
            directories.release(threads.rows[index].directory)
        }
        threads.removeAll()
        users.removeAll()
        groups.removeAll()
        interfaces.removeAll()
        containerAccounts = ContainerAccounts()
        containers.removeAll()
        switchTimesNs.update(repeating: 0, count: Self.processorsMax)
        (ending, replacedTid, toldTid, purgeCursor) = (.none, -1, -1, -1)
        untied.removeAll(keepingCapacity: true)
    }

    /// After the rows of a snapshot: ties threads to leaders and parents that came later in the list.
    public func finishSnapshot() {
        isRestarted = false
        isSnapshotting = false
        for index in 0..<threads.used where threads.rows[index].isInUse {
            let slot = ThreadSlot(Int32(index))
            let record = row(slot)
            if !record.pointee.leader.exists {
                let leader = threads.find(record.pointee.pid)
                if leader.exists, row(leader).pointee.pid == record.pointee.pid { adopt(slot, leader) }
            }
            linkParent(slot)
        }
        turnServerSockets()
    }

    /// Connections that existed before the first event are listed from their own end: where the local port is one that somebody
    /// listens on, the other end is the client and stands first, as for an accepted connection.
    private func turnServerSockets() {
        descriptors.forEachTable { table in
            descriptors.forEach(table) { fd, found in
                var record = found
                if giveRole(&record) { descriptors.set(table, fd, record) }
            }
        }
    }

    /// A connection that no event told of: is this end the server's? False where that is known, or asks for no answer.
    @discardableResult
    func giveRole(_ record: inout DescriptorRecord) -> Bool {
        // A recording of ours tells the role.
        guard record.kind == .ipv4Socket, record.flags.contains(.fromScan), !record.name.isEmpty,
            record.flags.isDisjoint(with: [.roleServer, .roleClient])
        else { return false }
        if descriptors.isListening(record.sourcePort) {
            record.swapEnds()
            record.name = internTuple(record)
            record.flags.insert(.roleServer)
        } else {
            record.flags.insert(.roleClient)
        }
        return true
    }

    /// The kernel shows the path of a removed program with ` (deleted)` behind it.
    func withoutDeletedMark(_ path: [UInt8]) -> [UInt8] {
        let mark = Array(" (deleted)".utf8)
        return path.count > mark.count && path.suffix(mark.count) == mark[...] ? Array(path.dropLast(mark.count)) : path
    }

    func intern(_ bytes: [UInt8]) -> PoolID { bytes.withBytes { pool.intern($0) } }

    func internDirectory(_ path: [UInt8]) -> PoolID {
        path.last == UInt8(ascii: "/") || path.isEmpty ? intern(path) : intern(path + [UInt8(ascii: "/")])
    }
}

extension [UInt8] {
    func withBytes<R>(_ body: (Bytes) -> R) -> R { withUnsafeBytes { body(Bytes($0)) } }
}
