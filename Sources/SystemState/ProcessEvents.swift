// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

// Parameters of the clone family and of execve share their first fifteen places (events.def).
private enum P {
    static let exe = 1, args = 2, tid = 3, pid = 4, ptid = 5, cwd = 6, fdlimit = 7, pgftMaj = 8, pgftMin = 9
    static let vmSize = 10, vmRss = 11, vmSwap = 12, comm = 13, cgroups = 14
    static let cloneFlags = 15, cloneUid = 16, cloneGid = 17, cloneVtid = 18, cloneVpid = 19, clonePidns = 20
    static let execEnv = 15, execTty = 16, execVpgid = 17, execLoginuid = 18, execFlags = 19, execCapInheritable = 20
    static let execCapPermitted = 21, execCapEffective = 22, execIno = 23, execCtime = 24, execMtime = 25, execUid = 26
    static let execTrustedPath = 27, execPgid = 28, execGid = 29, execFilename = 30
}

extension SystemState {
    // MARK: clone

    func applyClone(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        guard let result = event.integer(0), result >= 0 else { return }
        if result > 0 {
            guard slot.exists else { return }
            refreshAtClone(event, slot)
            addChildFromCaller(event, slot, childTid: result)
        } else {
            context.thread = addChildItself(event, slot)
        }
    }

    /// The caller's own row learns what the event says of it.
    private func refreshAtClone(_ event: EventView, _ slot: ThreadSlot) {
        let record = row(slot)
        if record.pointee.isPlaceholder {
            if let pid = event.integer(P.pid), pid > 0 { rehome(slot, pid: pid, ptid: event.integer(P.ptid)) }
            let caller = row(slot)
            setImage(event, caller)
            if let uid = event.uint32(P.cloneUid) { caller.pointee.uid = uid }
            if let gid = event.uint32(P.cloneGid) { caller.pointee.gid = gid }
            if let vtid = event.integer(P.cloneVtid) { caller.pointee.vtid = vtid }
            if let vpid = event.integer(P.cloneVpid) { caller.pointee.vpid = vpid }
            if let cgroups = event.parameter(P.cgroups), !cgroups.isEmpty {
                caller.pointee.cgroups = internCgroups(cgroups)
                updateContainer(caller)
            }
        }
    }

    private func setImage(_ event: EventView, _ record: UnsafeMutablePointer<ThreadRecord>) {
        if let exe = event.text(P.exe) { record.pointee.exe = pool.intern(exe) }
        if let args = event.parameter(P.args) { record.pointee.args = pool.intern(args) }
        if let comm = event.text(P.comm) { record.pointee.comm = pool.intern(comm) }
        if let limit = event.integer(P.fdlimit) { record.pointee.fdlimit = limit }
        setMemory(event, record)
        record.pointee.isPlaceholder = false
    }

    private func setMemory(_ event: EventView, _ record: UnsafeMutablePointer<ThreadRecord>) {
        if let value = event.unsigned(P.pgftMaj) { record.pointee.pfmajor = value }
        if let value = event.unsigned(P.pgftMin) { record.pointee.pfminor = value }
        if let value = event.uint32(P.vmSize) { record.pointee.vmsizeKb = value }
        if let value = event.uint32(P.vmRss) { record.pointee.vmrssKb = value }
        if let value = event.uint32(P.vmSwap) { record.pointee.vmswapKb = value }
    }

    /// A placeholder turns out to be a thread of process `pid`.
    private func rehome(_ slot: ThreadSlot, pid: Int64, ptid: Int64?) {
        let record = row(slot)
        guard record.pointee.isPlaceholder, record.pointee.pid < 0 else { return }
        record.pointee.pid = pid
        if let ptid, ptid > 0 { record.pointee.ptid = ptid }
        record.pointee.vtid = record.pointee.tid
        record.pointee.vpid = pid
        record.pointee.isPlaceholder = false
        if pid != record.pointee.tid {
            let leader = threads.find(pid)
            if leader.exists, row(leader).pointee.pid == pid {
                record.pointee.groupThreadCount = 0
                adopt(slot, leader)
            } else {
                record.pointee.leader = .none
            }
        }
        linkParent(slot)
    }

    private func addChildFromCaller(_ event: EventView, _ caller: ThreadSlot, childTid: Int64) {
        let flags = event.uint32(P.cloneFlags) ?? 0
        let record = row(caller).pointee
        // The number is the child's only in the caller's pid namespace; the child's own event tells the rest.
        let vtid = event.integer(P.cloneVtid) ?? record.vtid
        if flags & (CloneFlag.childInPidNamespace | CloneFlag.newPid) != 0 || vtid > 0 && vtid != record.tid { return }
        // A vfork's child has run by now; with CLONE_PARENT the caller is not the parent. The child's event tells.
        if case PPME_SYSCALL_VFORK_20_X = event.type { return }
        if flags & (CloneFlag.vfork | CloneFlag.parent) != 0 && flags & CloneFlag.thread == 0 { return }
        let existing = threads.find(childTid)
        if existing.exists, !row(existing).pointee.isPlaceholder {
            // The child's event came first; an old thread of the same number is replaced.
            let (now, cloned, seen) = (event.timestampNs, row(existing).pointee.cloneTimeNs, row(existing).pointee.lastAccessNs)
            if isWithinASecond(now, after: cloned) { return }
            // A caller that was held up tells late of a child that began during this very call.
            if record.previousEventNs > 0, cloned > record.previousEventNs, cloned <= now { return }
            if cloned > now, seen > now || isWithinASecond(now, after: seen) { return }
        }
        var child = ThreadRecord()
        inherit(from: caller, &child)
        child.tid = childTid
        child.flags = flags
        let isThread = flags & CloneFlag.thread != 0
        child.pid = isThread ? record.pid : childTid
        child.ptid = flags & (CloneFlag.parent | CloneFlag.thread) != 0 ? record.ptid : record.tid
        child.vtid = childTid
        child.vpid = isThread ? record.vpid : childTid
        child.cloneTimeNs = event.timestampNs
        if let cgroups = event.parameter(P.cgroups), !cgroups.isEmpty { child.cgroups = internCgroups(cgroups) }
        if let comm = event.text(P.comm) { child.comm = pool.intern(comm) }
        if let uid = event.uint32(P.cloneUid) { child.uid = uid }
        if let gid = event.uint32(P.cloneGid) { child.gid = gid }
        if let sinceBootNs = event.unsigned(P.clonePidns) { child.pidnsInitStartNs = machine.bootTimeNs &+ sinceBootNs }
        addChild(child, copyingFrom: caller)
    }

    private func addChildItself(_ event: EventView, _ existing: ThreadSlot) -> ThreadSlot {
        if existing.exists, !row(existing).pointee.isPlaceholder, !row(existing).pointee.isDead {
            let known = row(existing).pointee
            if known.pid == event.integer(P.pid), isWithinASecond(event.timestampNs, after: known.cloneTimeNs) {
                if let sinceBootNs = event.unsigned(P.clonePidns) {
                    row(existing).pointee.pidnsInitStartNs = machine.bootTimeNs &+ sinceBootNs
                }
                return existing
            }
        }
        let flags = event.uint32(P.cloneFlags) ?? 0
        let tid = event.integer(P.tid) ?? event.tid
        let pid = event.integer(P.pid) ?? tid
        let ptid = event.integer(P.ptid) ?? -1
        let isThread = flags & CloneFlag.thread != 0 || tid != pid
        let sourceTid = isThread ? pid : ptid
        var source = threads.find(sourceTid)
        if !source.exists, sourceTid > 0, sourceTid != event.tid { source = findMissing(tid: sourceTid) }
        var child = ThreadRecord()
        if source.exists, !row(source).pointee.isPlaceholder {
            inherit(from: source, &child)
        } else {
            child.cwd = event.text(P.cwd).map { pool.intern($0) } ?? .empty
        }
        child.tid = event.tid
        child.pid = pid
        child.ptid = ptid
        child.flags = flags
        child.cloneTimeNs = event.timestampNs
        child.lastAccessNs = event.timestampNs
        child.vtid = event.integer(P.cloneVtid) ?? tid
        child.vpid = event.integer(P.cloneVpid) ?? pid
        withUnsafeMutablePointer(to: &child) { setImage(event, $0) }
        if let uid = event.uint32(P.cloneUid) { child.uid = uid }
        if let gid = event.uint32(P.cloneGid) { child.gid = gid }
        if let sinceBootNs = event.unsigned(P.clonePidns) { child.pidnsInitStartNs = machine.bootTimeNs &+ sinceBootNs }
        if let cgroups = event.parameter(P.cgroups), !cgroups.isEmpty { child.cgroups = internCgroups(cgroups) }
        return addChild(child, copyingFrom: source)
    }

    /// The times are a capture's: any two numbers.
    private func isWithinASecond(_ nowNs: UInt64, after thenNs: UInt64) -> Bool {
        nowNs >= thenNs && nowNs - thenNs < 1_000_000_000
    }

    /// What a child has of the thread that made it. The caller sets ids, flags and times.
    private func inherit(from source: ThreadSlot, _ child: inout ThreadRecord) {
        let parent = row(source).pointee
        let leader = row(leader(of: source)).pointee
        child = ThreadRecord()
        child.comm = parent.comm
        child.exe = leader.exe
        child.exepath = leader.exepath
        child.args = leader.args
        child.argumentsBytes = leader.argumentsBytes
        child.argumentsTail = leader.argumentsTail
        child.env = leader.env.isEmpty ? parent.env : leader.env
        child.cwd = directories[parent.directory]
        child.root = parent.root
        child.cgroups = parent.cgroups
        child.containerID = parent.containerID
        child.sid = parent.sid
        child.pgid = parent.pgid
        child.vpgid = parent.vpgid
        child.tty = parent.tty
        child.uid = parent.uid
        child.gid = parent.gid
        child.loginuid = parent.loginuid
        child.fdlimit = parent.fdlimit
        child.capInheritable = parent.capInheritable
        child.capPermitted = parent.capPermitted
        child.capEffective = parent.capEffective
        child.exeWritable = parent.exeWritable
        child.exeUpperLayer = parent.exeUpperLayer
        child.exeLowerLayer = parent.exeLowerLayer
        child.exeFromMemfd = parent.exeFromMemfd
        child.exeIno = parent.exeIno
        child.exeInoCtimeNs = parent.exeInoCtimeNs
        child.exeInoMtimeNs = parent.exeInoMtimeNs
        child.exeInoCtimeDurationCloneNs = parent.exeInoCtimeDurationCloneNs
        child.exeInoCtimeDurationPidnsNs = parent.exeInoCtimeDurationPidnsNs
        child.pidnsInitStartNs = parent.pidnsInitStartNs
        child.lastExecTimeNs = parent.lastExecTimeNs
    }

    /// The child has its maker's descriptor table and directory, or copies of them, as the flags say.
    @discardableResult
    private func addChild(_ record: ThreadRecord, copyingFrom source: ThreadSlot) -> ThreadSlot {
        var child = record
        if source.exists {
            let sourceTable = table(of: source)
            let sharesGroup = child.flags & CloneFlag.thread == 0 && child.tid != child.pid
            if child.flags & CloneFlag.files != 0 || sharesGroup {
                child.descriptors = descriptors.retain(sourceTable)
            } else {
                child.descriptors = descriptors.create()
                descriptors.copy(from: sourceTable, to: child.descriptors)
            }
            if child.flags & CloneFlag.fs != 0 || sharesGroup {
                child.directory = directories.retain(row(source).pointee.directory)
            } else {
                child.directory = directories.create(child.cwd)
            }
        }
        let slot = addThread(child)
        guard slot.exists else {
            descriptors.release(child.descriptors)
            directories.release(child.directory)
            return .none
        }
        updateContainer(row(slot))
        return slot
    }

    // MARK: execve

    func applyExecve(_ event: EventView, _ slot: ThreadSlot) {
        guard slot.exists, event.integer(0) == 0 else { return }
        if row(slot).pointee.isPlaceholder, let pid = event.integer(P.pid), pid > 0 {
            rehome(slot, pid: pid, ptid: event.integer(P.ptid))
        }
        if row(slot).pointee.isDead {
            // Another thread of the process called: the first one ended, and the caller goes on under its number.
            row(slot).pointee.isDead = false
            row(slot).pointee.groupThreadCount += 1
        }
        if threadCount(of: slot) > 1 { endOtherThreads(of: slot) }
        // A new image shares its descriptors with nobody; the working directory stays shared.
        unshareDescriptors(slot)
        let record = row(slot)
        setImage(event, record)
        takeKernelArguments(record)
        if event.text(P.comm) == nil, let exe = event.text(P.exe) {
            let name = exe.lastIndex(of: UInt8(ascii: "/")).map { exe.from($0 + 1) } ?? exe
            record.pointee.comm = pool.intern(name.prefix(15))
        }
        if let env = event.parameter(P.execEnv) { record.pointee.env = pool.internSpare(env) }
        if let cgroups = event.parameter(P.cgroups), !cgroups.isEmpty {
            let id = internCgroups(cgroups)
            if id != record.pointee.cgroups {
                record.pointee.cgroups = id
                updateContainer(record)
            }
        }
        if let value = event.uint32(P.execTty) { record.pointee.tty = value }
        if let value = event.integer(P.execVpgid) { record.pointee.vpgid = value }
        if let value = event.uint32(P.execLoginuid) { record.pointee.loginuid = value }
        let flags = event.uint32(P.execFlags) ?? 0
        record.pointee.exeWritable = flags & 1 != 0
        record.pointee.exeUpperLayer = flags & 2 != 0
        record.pointee.exeFromMemfd = flags & 4 != 0
        record.pointee.exeLowerLayer = flags & 8 != 0
        if let value = event.unsigned(P.execCapInheritable) { record.pointee.capInheritable = value }
        if let value = event.unsigned(P.execCapPermitted) { record.pointee.capPermitted = value }
        if let value = event.unsigned(P.execCapEffective) { record.pointee.capEffective = value }
        if let value = event.unsigned(P.execIno) { record.pointee.exeIno = value }
        if let value = event.unsigned(P.execCtime) { record.pointee.exeInoCtimeNs = value }
        if let value = event.unsigned(P.execMtime) { record.pointee.exeInoMtimeNs = value }
        if let value = event.uint32(P.execUid) { record.pointee.uid = value }
        if let value = event.uint32(P.execGid) { record.pointee.gid = value }
        if let value = event.integer(P.execPgid) { record.pointee.pgid = value }
        if let path = event.text(P.execTrustedPath) {
            record.pointee.exepath = pool.intern(path)
        } else if !record.pointee.enterPath.isEmpty, record.pointee.enterType == PPME_SYSCALL_EXECVEAT_E.code {
            record.pointee.exepath = record.pointee.enterPath
        } else if let filename = event.text(P.execFilename) {
            let length = Paths.concatenate(cwd(of: slot), filename, into: pathBuffer)
            record.pointee.exepath = pool.intern(joined(length))
        }
        record.pointee.enterPath = .empty
        record.pointee.lastExecTimeNs = event.timestampNs
        let ctime = record.pointee.exeInoCtimeNs
        let start = record.pointee.cloneTimeNs
        let namespaceStart = record.pointee.pidnsInitStartNs
        // A file that changed after the process started, as one that a shell just wrote and runs, wraps around: as in Falco.
        record.pointee.exeInoCtimeDurationCloneNs = ctime == 0 || start == 0 ? 0 : start &- ctime
        record.pointee.exeInoCtimeDurationPidnsNs = namespaceStart != 0 && ctime > namespaceStart ? ctime - namespaceStart : 0
        descriptors.removeAll(table(of: slot)) { _, descriptor in descriptor.flags.contains(.closeOnExec) }
    }

    /// Where execveat will find the program, for captures whose exit event does not tell: the descriptor itself for an empty path
    /// with AT_EMPTY_PATH, else the path from the directory. `<NA>` where that is nothing.
    func keepExecveatPath(_ event: EventView, _ slot: ThreadSlot) {
        let dirfd = event.integer(0) ?? -100
        let path = event.text(1) ?? .empty
        let isEmptyPath = path.isEmpty || path == "<NA>"
        var id = unnamed
        if isEmptyPath {
            if (event.uint32(2) ?? 0) & 1 != 0, let found = descriptor(dirfd, of: slot) { id = found.name }
        } else {
            id = pool.intern(joined(Paths.concatenate(pathDirectory(dirfd, path, slot), path, into: pathBuffer)))
        }
        row(slot).pointee.enterPath = id
        row(slot).pointee.enterType = event.type
    }

    /// The other threads of the group end with an execve, unseen.
    private func endOtherThreads(of slot: ThreadSlot) {
        let leader = leader(of: slot)
        var member = row(leader).pointee.firstMember
        while member >= 0 {
            let next = row(ThreadSlot(member)).pointee.nextMember
            if member != slot.index { removeThread(ThreadSlot(member)) }
            member = next
        }
    }

    func joined(_ length: Int) -> Bytes { Bytes(base: UnsafePointer(pathBuffer.baseAddress!), count: length) }

    // MARK: exit

    func applyExit(_ event: EventView, _ slot: ThreadSlot) {
        guard slot.exists else { return }
        if case PPME_PROCEXIT_1_E = event.type, let reaper = event.integer(4) { row(slot).pointee.reaperTid = reaper }
        ending = slot
    }

    // MARK: directories

    func setWorkingDirectory(_ slot: ThreadSlot, _ path: Bytes, relativeTo directory: Bytes) {
        var length = Paths.concatenate(directory, path, into: pathBuffer)
        if length > 0, pathBuffer[length - 1] != UInt8(ascii: "/") {
            pathBuffer[length] = UInt8(ascii: "/")
            length += 1
        }
        directories[row(slot).pointee.directory] = pool.intern(joined(length))
    }

    func applyChdir(_ event: EventView, _ slot: ThreadSlot) {
        guard (event.integer(0) ?? -1) >= 0, let path = event.text(1) else { return }
        setWorkingDirectory(slot, path, relativeTo: cwd(of: slot))
    }

    /// Where the directory was followed rightly this changes nothing; where a change was missed it repairs.
    func applyGetcwd(_ event: EventView, _ slot: ThreadSlot) {
        guard slot.exists, (event.integer(0) ?? -1) >= 0, let path = event.text(1), path.hasPrefix("/") else { return }
        setWorkingDirectory(slot, path, relativeTo: .empty)
    }

    func applyFchdir(_ event: EventView, _ slot: ThreadSlot) {
        guard (event.integer(0) ?? -1) >= 0, let fd = event.integer(1), let found = descriptor(fd, of: slot) else { return }
        setWorkingDirectory(slot, pool[found.name], relativeTo: .empty)
    }

    func applyChroot(_ event: EventView, _ slot: ThreadSlot) {
        guard (event.integer(0) ?? -1) == 0, let path = event.text(1) else { return }
        row(slot).pointee.root = pool.intern(joined(Paths.concatenate(cwd(of: slot), path, into: pathBuffer)))
    }

    // MARK: identity and limits

    func applyIdentity(_ event: EventView, _ slot: ThreadSlot) {
        guard (event.integer(0) ?? -1) >= 0 else { return }
        let unchanged: UInt32 = 0xffff_ffff
        let record = row(slot)
        switch event.type {
        case PPME_SYSCALL_SETUID_X: if let id = event.uint32(1) { record.pointee.uid = id }
        case PPME_SYSCALL_SETGID_X: if let id = event.uint32(1) { record.pointee.gid = id }
        case PPME_SYSCALL_SETRESUID_X, PPME_SYSCALL_SETREUID_X:
            if let id = event.uint32(2), id != unchanged { record.pointee.uid = id }
        default:
            if let id = event.uint32(2), id != unchanged { record.pointee.gid = id }
        }
    }

    func applyCapset(_ event: EventView, _ slot: ThreadSlot) {
        guard (event.integer(0) ?? -1) >= 0 else { return }
        let record = row(slot)
        if let value = event.unsigned(1) { record.pointee.capInheritable = value }
        if let value = event.unsigned(2) { record.pointee.capPermitted = value }
        if let value = event.unsigned(3) { record.pointee.capEffective = value }
    }

    /// PR_SET_CHILD_SUBREAPER. A thread that renames itself (PR_SET_NAME) keeps the name it had in rules, as in Falco: a process
    /// does not get out of a rule by taking another name.
    func applyPrctl(_ event: EventView, _ slot: ThreadSlot) {
        guard (event.integer(0) ?? -1) >= 0, event.uint32(1) == 36 else { return }
        row(leader(of: slot)).pointee.isSubreaper = (event.integer(3) ?? 0) != 0
    }

    /// The numbers are those of the caller's pid namespace: outside of the host's they name no thread of ours, and the group
    /// is known again with the next exec.
    func applySetpgid(_ event: EventView, _ slot: ThreadSlot) {
        guard slot.exists, (event.integer(0) ?? -1) >= 0, let pid = event.integer(1), let pgid = event.integer(2),
            row(slot).pointee.vtid == row(slot).pointee.tid
        else { return }
        let target = pid == 0 ? leader(of: slot) : threads.find(pid)
        guard target.exists else { return }
        let id = pgid == 0 ? row(target).pointee.tid : pgid
        row(target).pointee.pgid = id
        row(target).pointee.vpgid = id
    }

    /// `unshare` ends sharing; a new user namespace gives every capability; who enters another mount namespace stands at its root.
    func applyNamespaceChange(_ event: EventView, _ slot: ThreadSlot) {
        guard slot.exists, (event.integer(0) ?? -1) >= 0 else { return }
        var flags: UInt32
        if case PPME_SYSCALL_SETNS_X = event.type {
            flags = event.uint32(2) ?? 0
            if flags == 0, let fd = event.integer(1), let target = descriptor(fd, of: slot) {
                flags = Self.namespaceFlag(ofDescriptorNamed: pool[target.name])
            }
            if flags & CloneFlag.newMounts != 0 { setWorkingDirectory(slot, staticBytes("/"), relativeTo: .empty) }
        } else {
            flags = event.uint32(1) ?? 0
            if flags & CloneFlag.files != 0 { unshareDescriptors(slot) }
            if flags & (CloneFlag.fs | CloneFlag.newMounts | CloneFlag.newUser) != 0 { unshareDirectory(slot) }
        }
        guard flags & CloneFlag.newUser != 0 else { return }
        let all: UInt64 = (1 << 41) - 1
        row(slot).pointee.capInheritable = all
        row(slot).pointee.capPermitted = all
        row(slot).pointee.capEffective = all
    }

    /// `setns` with type 0 takes what the descriptor is: `/proc/1/ns/mnt`, or `mnt:[4026531840]` as the kernel names it.
    private static func namespaceFlag(ofDescriptorNamed name: Bytes) -> UInt32 {
        let file = name.lastIndex(of: UInt8(ascii: "/")).map { name.from($0 + 1) } ?? name
        if file == "mnt" || file.hasPrefix("mnt:[") { return CloneFlag.newMounts }
        if file == "user" || file.hasPrefix("user:[") { return CloneFlag.newUser }
        return 0
    }

    func applyResourceLimit(_ event: EventView, _ slot: ThreadSlot) {
        guard slot.exists, (event.integer(0) ?? -1) >= 0 else { return }
        let nofile: Int64 = 7  // PPM_RLIMIT_NOFILE
        if case PPME_SYSCALL_PRLIMIT_X = event.type {
            guard event.integer(6, signed: false) == nofile, var limit = event.integer(1), limit >= 0 else { return }
            // Who only asks for the limit gives no new one, which the event tells as 0 and 0; the old one is the limit then.
            if limit == 0, event.integer(2) == 0, let old = event.integer(3), old > 0 { limit = old }
            let pid = event.integer(5) ?? 0
            let target = pid == 0 ? slot : threads.find(pid)
            if target.exists { row(leader(of: target)).pointee.fdlimit = limit }
        } else if event.integer(3, signed: false) == nofile, let limit = event.integer(1), limit >= 0 {
            row(leader(of: slot)).pointee.fdlimit = limit
        }
    }
}
