// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

extension SystemState {
    /// Updates the tables from an event and fills `context` for the rules. Before the rules; `retire` comes after them.
    /// No allocation in the steady state; a missed thread may cost a look-up elsewhere.
    public func admit(_ event: EventView, into context: inout EventContext) {
        context.event = event
        context.fd = nil
        context.hasDescriptor = false
        context.enterPath = .empty
        context.thread = .none
        context.runTimeNs = 0
        context.processorShare = nil
        ending = .none
        if !untied.isEmpty { tieUntied() }
        if firstTimestampNs == 0 { firstTimestampNs = event.timestampNs }
        context.firstTimestampNs = firstTimestampNs
        context.previousTimestampNs = previousTimestampNs == 0 ? event.timestampNs : previousTimestampNs
        if !event.isStateOnly { previousTimestampNs = event.timestampNs }

        let flags = event.flags
        if event.isKernelRecord {
            admitKernelRecord(event)
            return
        }
        if flags & UInt16(EF_SKIPPARSERESET.rawValue) != 0 {
            if case PPME_PROCINFO_E = event.type {
                context.thread = threads.find(event.tid)
                applyStatistics(event, context.thread, &context)
            }
            return
        }
        switch event.type {
        case PPME_CONTAINER_E, PPME_CONTAINER_JSON_E, PPME_CONTAINER_JSON_2_E, PPME_USER_ADDED_E, PPME_USER_DELETED_E,
            PPME_GROUP_ADDED_E, PPME_GROUP_DELETED_E, PPME_PLUGINEVENT_E, PPME_ASYNCEVENT_E:
            admitMetaEvent(event)
            return
        default: break
        }

        var slot = threads.find(event.tid)
        if slot.exists {
            counters.threadLookupsCached &+= 1
            if row(slot).pointee.asksAgain, row(slot).pointee.isPlaceholder, asksForMissing(event) {
                slot = findMissing(tid: event.tid)
            }
        } else if asksForMissing(event) {
            slot = findMissing(tid: event.tid)
        }
        context.thread = slot
        if slot.exists {
            let record = row(slot)
            record.pointee.previousEventNs = record.pointee.lastAccessNs
            record.pointee.lastAccessNs = event.timestampNs
            forgetStaleEnter(event, record)
            if flags & UInt16(EF_USES_FD.rawValue) != 0 { findDescriptor(event, slot, &context) }
        }
        switch event.type {
        case PPME_SYSCALL_MMAP_X, PPME_SYSCALL_MMAP2_X: applyMemory(event, from: 1, slot)
        default: break
        }
        if flags & UInt16(EF_MODIFIES_STATE.rawValue | EF_USES_FD.rawValue | EF_CREATES_FD.rawValue) != 0 {
            apply(event, slot, &context)
        } else {
            switch event.type {
            case PPME_SYSCALL_SETPGID_X: applySetpgid(event, slot)
            case PPME_SYSCALL_SETNS_X, PPME_SYSCALL_UNSHARE_X: applyNamespaceChange(event, slot)
            case PPME_SYSCALL_PRLIMIT_X, PPME_SYSCALL_SETRLIMIT_X, PPME_SYSCALL_GETRLIMIT_X: applyResourceLimit(event, slot)
            case PPME_SYSCALL_GETCWD_X: applyGetcwd(event, slot)
            case PPME_SCHEDSWITCH_1_E, PPME_SCHEDSWITCH_6_E: applySwitch(event, slot, &context)
            case PPME_SYSCALL_BRK_4_X, PPME_SYSCALL_MUNMAP_X: applyMemory(event, from: 1, slot)
            default: break
            }
        }
        if slot.exists, row(slot).pointee.hasKernelRecord { forgetKernelRecord(slot) }
    }

    /// After the rules: threads that ended and descriptors that were closed go away.
    public func retire(_ context: borrowing EventContext) {
        switch context.event.type {
        case PPME_PROCEXIT_E, PPME_PROCEXIT_1_E:
            if ending.exists {
                removeThread(ending)
                ending = .none
            }
        case PPME_SYSCALL_CLOSE_X:
            if let fd = context.fd, context.hasDescriptor, (context.event.integer(0) ?? -1) >= 0 {
                descriptors.remove(table(of: context.thread), fd)
            }
        default: break
        }
    }

    /// A thread that an event shows for the first time is looked up, but not where the event itself brings it or ends it.
    private func asksForMissing(_ event: EventView) -> Bool {
        switch event.type {
        case PPME_SYSCALL_CLONE_20_X, PPME_SYSCALL_FORK_20_X, PPME_SYSCALL_VFORK_20_X, PPME_SYSCALL_CLONE3_X:
            return event.integer(0) != 0
        case PPME_PROCEXIT_E, PPME_PROCEXIT_1_E, PPME_SCHEDSWITCH_6_E: return false
        default: return true
        }
    }

    /// Number of the parameter with the descriptor that an `EF_USES_FD` event acts on: the first of type fd that is not the result.
    private static let descriptorParameter: ContiguousArray<Int8> = ContiguousArray(
        EventTable.events.map { event in
            guard event.has(EF_USES_FD) else { return -1 }
            let from = event.isEnter ? 0 : 1
            let index = event.parameters.indices.first { $0 >= from && event.parameters[$0].type == .fd }
            return Int8(index ?? -1)
        })

    @inline(__always)
    private func findDescriptor(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        let index = Int(Self.descriptorParameter[Int(event.type)])
        guard index >= 0, let fd = event.integer(index) else { return }
        context.fd = fd
        setDescriptor(fd, slot, &context)
    }

    @inline(__always)
    func setDescriptor(_ fd: Int64, _ slot: ThreadSlot, _ context: inout EventContext) {
        context.fd = fd
        let table = table(of: slot)
        if let found = descriptors.find(table, fd) {
            context.descriptor = found.pointee
            context.hasDescriptor = true
            counters.descriptorLookupsCached &+= 1
        } else if fd >= 0, let found = descriptors.get(table, fd) {
            context.descriptor = found
            context.hasDescriptor = true
            counters.descriptorLookupsCached &+= 1
        } else {
            context.hasDescriptor = false
            if fd >= 0 { counters.descriptorLookupsFailed &+= 1 }
        }
    }

    private func apply(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        switch event.type {
        case PPME_SYSCALL_CLONE_20_X, PPME_SYSCALL_FORK_20_X, PPME_SYSCALL_VFORK_20_X, PPME_SYSCALL_CLONE3_X:
            applyClone(event, slot, &context)
        case PPME_SYSCALL_EXECVE_19_X, PPME_SYSCALL_EXECVEAT_X: applyExecve(event, slot)
        case PPME_PROCEXIT_E, PPME_PROCEXIT_1_E: applyExit(event, slot)
        default:
            guard slot.exists else { return }
            switch event.type {
            case PPME_SYSCALL_OPEN_E, PPME_SYSCALL_OPENAT_2_E, PPME_SYSCALL_OPENAT2_E, PPME_SYSCALL_CREAT_E,
                PPME_SOCKET_CONNECT_E:
                keepEnter(event, slot)
            case PPME_SYSCALL_EXECVEAT_E: keepExecveatPath(event, slot)
            case PPME_SYSCALL_OPEN_X, PPME_SYSCALL_OPENAT_2_X, PPME_SYSCALL_OPENAT2_X, PPME_SYSCALL_CREAT_X,
                PPME_SYSCALL_OPEN_BY_HANDLE_AT_X:
                applyOpen(event, slot, &context)
            case PPME_SYSCALL_CHDIR_X: applyChdir(event, slot)
            case PPME_SYSCALL_FCHDIR_X: applyFchdir(event, slot)
            case PPME_SYSCALL_CHROOT_X: applyChroot(event, slot)
            case PPME_SYSCALL_SETUID_X, PPME_SYSCALL_SETRESUID_X, PPME_SYSCALL_SETREUID_X, PPME_SYSCALL_SETGID_X,
                PPME_SYSCALL_SETRESGID_X, PPME_SYSCALL_SETREGID_X:
                applyIdentity(event, slot)
            case PPME_SYSCALL_CAPSET_X: applyCapset(event, slot)
            case PPME_SYSCALL_PRCTL_X: applyPrctl(event, slot)
            case PPME_SYSCALL_SETSID_X: if let id = event.integer(0), id >= 0 { row(slot).pointee.sid = id }
            case PPME_SYSCALL_SETNS_X: applyNamespaceChange(event, slot)
            default: applyDescriptorEvent(event, slot, &context)
            }
        }
    }

    private func admitMetaEvent(_ event: EventView) {
        switch event.type {
        case PPME_USER_ADDED_E, PPME_USER_DELETED_E, PPME_GROUP_ADDED_E, PPME_GROUP_DELETED_E: applyAccountEvent(event)
        default: applyContainerEvent(event)
        }
    }
}
