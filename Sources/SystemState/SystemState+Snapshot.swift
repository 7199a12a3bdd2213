// SPDX-License-Identifier: Apache-2.0
import EventModel

/// The state as rows, as a first scan of this moment would have delivered it: what a recording begins with.
extension SystemState {
    /// Machine, interfaces, accounts, threads, then descriptors process by process. Copies every text: O(state), and allocates; for the
    /// moment a recording begins, never per event.
    /// `caller`: the thread of an event that was admitted and that the recording begins with; its times are those from before it.
    public func writeRows(to sink: any SnapshotSink, before caller: ThreadSlot = .none) {
        sink.machine(machine)
        interfaces.forEach(sink.interface)
        for user in users.values.sorted(by: { $0.uid < $1.uid }) {
            var row = UserRow()
            (row.uid, row.gid) = (user.uid, user.gid)
            (row.name, row.home, row.shell) = (pool[user.name].array, pool[user.home].array, pool[user.shell].array)
            sink.user(row)
        }
        for (gid, name) in groups.sorted(by: { $0.key < $1.key }) {
            var row = GroupRow()
            (row.gid, row.name) = (gid, pool[name].array)
            sink.group(row)
        }
        for index in 0..<threads.used where threads.rows[index].isInUse {
            var row = threadRow(ThreadSlot(Int32(index)))
            if Int32(index) == caller.index { row.details?.lastAccessNs = threads.rows[index].previousEventNs }
            sink.thread(row)
        }
        for index in 0..<threads.used where threads.rows[index].isInUse {
            let record = threads.rows[index]
            // Threads have the table of their leader, which lists it.
            let leader = record.leader
            if leader.exists, leader.index != Int32(index), row(leader).pointee.descriptors == record.descriptors { continue }
            var rows: [DescriptorRow] = []
            descriptors.forEach(record.descriptors) { fd, descriptor in
                if descriptor.kind != .unknown { rows.append(descriptorRow(fd, descriptor)) }
            }
            rows.sort { $0.fd < $1.fd }
            for row in rows { sink.descriptor(row, tid: record.tid) }
        }
    }

    /// A replay goes on where the recorded run stood.
    public func resume(firstTimestampNs: UInt64, previousTimestampNs: UInt64) {
        (self.firstTimestampNs, self.previousTimestampNs) = (firstTimestampNs, previousTimestampNs)
    }

    func threadRow(_ slot: ThreadSlot) -> ThreadRow {
        let record = row(slot).pointee
        var row = ThreadRow()
        row.tid = record.tid
        row.pid = record.pid
        row.ptid = record.ptid
        row.sid = record.sid
        row.pgid = record.pgid
        row.vpgid = record.vpgid
        row.vtid = record.vtid
        row.vpid = record.vpid
        row.uid = record.uid
        row.gid = record.gid
        row.loginuid = record.loginuid
        row.tty = record.tty
        row.flags = record.flags
        row.comm = pool[record.comm].array
        row.exe = pool[record.exe].array
        row.exepath = pool[record.exepath].array
        row.args = pool[record.args].array
        row.env = pool[record.env].array
        row.cwd = pool[directories[record.directory]].array
        row.root = pool[record.root].array
        row.cgroups = pool[record.cgroups].array
        row.fdlimit = record.fdlimit
        row.vmsizeKb = record.vmsizeKb
        row.vmrssKb = record.vmrssKb
        row.vmswapKb = record.vmswapKb
        row.pfmajor = record.pfmajor
        row.pfminor = record.pfminor
        row.capInheritable = record.capInheritable
        row.capPermitted = record.capPermitted
        row.capEffective = record.capEffective
        row.exeIno = record.exeIno
        row.exeInoCtimeNs = record.exeInoCtimeNs
        row.exeInoMtimeNs = record.exeInoMtimeNs
        row.pidnsInitStartNs = record.pidnsInitStartNs
        row.startTimeNs = record.cloneTimeNs
        row.exeWritable = record.exeWritable
        row.exeUpperLayer = record.exeUpperLayer
        row.exeLowerLayer = record.exeLowerLayer
        row.exeFromMemfd = record.exeFromMemfd
        var details = ThreadDetails()
        details.cloneTimeNs = record.cloneTimeNs
        details.lastExecTimeNs = record.lastExecTimeNs
        details.lastAccessNs = record.lastAccessNs
        details.previousEventNs = record.previousEventNs
        details.exeInoCtimeDurationCloneNs = record.exeInoCtimeDurationCloneNs
        details.exeInoCtimeDurationPidnsNs = record.exeInoCtimeDurationPidnsNs
        details.reaperTid = record.reaperTid
        details.enterType = record.enterType
        details.enterPath = pool[record.enterPath].array
        details.argumentsBytes = record.argumentsBytes
        details.argumentsTail = pool[record.argumentsTail].array
        details.isPlaceholder = record.isPlaceholder
        details.isDead = record.isDead
        details.isSubreaper = record.isSubreaper
        row.details = details
        return row
    }

    func descriptorRow(_ fd: Int64, _ record: DescriptorRecord) -> DescriptorRow {
        var row = DescriptorRow()
        row.fd = fd
        row.kind = record.kind == .file ? .fileV2 : record.kind
        row.inode = record.inode
        row.openFlags = record.openFlags
        row.device = record.device
        row.mountID = record.mountID
        row.name = pool[record.name].array
        // A list has the own end first, the state the client's.
        var ends = record
        if ends.isTurned { ends.swapEnds() }
        row.sourceAddress = ends.source
        row.destinationAddress = ends.destination
        row.sourcePort = ends.sourcePort
        row.destinationPort = ends.destinationPort
        row.l4Protocol = record.l4Protocol
        row.unixSource = record.unixSource
        row.unixDestination = record.unixDestination
        var details = DescriptorDetails()
        details.flags = record.flags.subtracting(DescriptorTables.present).rawValue
        details.rawName = pool[record.rawName].array
        details.kernelPath = pool[record.kernelPath].array
        details.kernelFSPath = pool[record.kernelFSPath].array
        if record.isInet {
            details.name = row.name
        } else if record.kind == .unixSocket {
            // `source->destination path`; a list has the path alone.
            details.name = row.name
            if let blank = row.name.firstIndex(of: UInt8(ascii: " ")) { row.name.removeFirst(blank + 1) }
        }
        row.details = details
        return row
    }

    /// What a recording of ours told besides, put into the row just made.
    func apply(_ details: ThreadDetails, to record: UnsafeMutablePointer<ThreadRecord>) {
        record.pointee.cloneTimeNs = details.cloneTimeNs
        record.pointee.lastExecTimeNs = details.lastExecTimeNs
        record.pointee.lastAccessNs = details.lastAccessNs
        record.pointee.previousEventNs = details.previousEventNs
        record.pointee.exeInoCtimeDurationCloneNs = details.exeInoCtimeDurationCloneNs
        record.pointee.exeInoCtimeDurationPidnsNs = details.exeInoCtimeDurationPidnsNs
        record.pointee.reaperTid = details.reaperTid
        record.pointee.enterType = details.enterType
        record.pointee.enterPath = intern(details.enterPath)
        record.pointee.argumentsBytes = details.argumentsBytes
        record.pointee.argumentsTail = intern(details.argumentsTail)
        // Only a thread without a process is made up: what belongs to one may have members.
        record.pointee.isPlaceholder = details.isPlaceholder && record.pointee.pid < 0
        record.pointee.isSubreaper = details.isSubreaper
        if details.isDead, !record.pointee.isDead {
            record.pointee.isDead = true
            record.pointee.groupThreadCount -= 1
        }
    }
}

extension DescriptorRecord {
    /// A connection whose other end is the client, which stands first.
    var isTurned: Bool { (kind == .ipv4Socket || kind == .ipv6Socket) && flags.contains(.roleServer) }
}
