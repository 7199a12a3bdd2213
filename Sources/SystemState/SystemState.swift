// SPDX-License-Identifier: Apache-2.0
import CLinux
import CProbeABI
import EventModel

public struct UserRecord: Sendable {
    public let uid: UInt32
    public let gid: UInt32
    public let name: PoolID
    public let home: PoolID
    public let shell: PoolID
}

/// What the tables count, for the metrics of facts §11.
public struct StateCounters: Sendable, Equatable {
    public var threadLookupsCached: UInt64 = 0
    public var threadLookupsFailed: UInt64 = 0
    public var threadLookupsElsewhere: UInt64 = 0
    public var descriptorLookupsCached: UInt64 = 0
    public var descriptorLookupsFailed: UInt64 = 0
    /// Processes whose descriptors were asked for, because a message brought some.
    public var descriptorLookupsElsewhere: UInt64 = 0
    /// Look-ups that were not made, because too many were made lately.
    public var lookupsRefused: UInt64 = 0
    public init() {}
}

/// How a question to the machine ended.
public enum LookupResult: Sendable, Equatable {
    case found
    case gone
    /// So many questions were asked lately that this one has to wait: ask again later.
    case refused
}

/// Where a thread that was missed can be asked for: an iterator, `/proc`, or nothing (replay).
public protocol TaskLookup: AnyObject {
    /// Delivers the thread's row and the descriptors of its process. May cost a millisecond, so whoever answers limits how many.
    func lookUp(tid: Int64, into sink: any SnapshotSink) -> LookupResult
    /// Delivers the descriptors of a process alone.
    func lookUpDescriptors(pid: Int64, into sink: any SnapshotSink) -> LookupResult
}

extension TaskLookup {
    public func lookUpDescriptors(pid: Int64, into sink: any SnapshotSink) -> LookupResult { .gone }
}

/// Threads, descriptors, users, groups, containers of the watched machine. One pipeline owns it; not thread-safe.
///
/// Per event: `admit` before the rules, `retire` after them.
public final class SystemState {
    public let pool: BytePool
    public internal(set) var machine = MachineRow()
    public internal(set) var counters = StateCounters()
    let threads: ThreadTable
    let descriptors: DescriptorTables
    let directories = DirectoryTable()
    var users: [UInt32: UserRecord] = [:]
    var groups: [UInt32: PoolID] = [:]
    var containerAccounts = ContainerAccounts()
    var interfaces: [InterfaceRow] = []
    /// Users, groups and interfaces that are kept at most, of each kind.
    static let accountsMax = 1 << 18
    static let interfacesMax = 4096
    /// Users, groups and interfaces that found no room.
    public internal(set) var accountsRefused: UInt64 = 0
    public var taskLookup: (any TaskLookup)?
    /// Room for one joined path; reused.
    let pathBuffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4096)
    let textBuffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4096)
    /// When each processor last switched threads; 0 never.
    let switchTimesNs = UnsafeMutablePointer<UInt64>.allocate(capacity: SystemState.processorsMax)
    let unnamed: PoolID
    let host: PoolID
    /// Of the event before the one at hand, and of the first one; 0 before there was one.
    public internal(set) var previousTimestampNs: UInt64 = 0
    public internal(set) var firstTimestampNs: UInt64 = 0
    var nextPurgeNs: UInt64 = 0
    /// Next row that a purge looks at; -1 when none is under way.
    var purgeCursor = -1
    /// Whoever writes the events also writes what the kernel knows beyond them: no record means that there is nothing to add.
    public var hasKernelRecords = false
    /// An appended capture's rows were taken in, and `finishSnapshot` was not called since.
    public internal(set) var isRestarted = false
    /// Rows that arrive are those of a first scan, or newer than all that is known. Else they are a look-up's, made while events that
    /// are older than they still wait: they add what is not known, and change nothing that is.
    var isSnapshotting = true
    /// A recording of ours told rows that replace what was known; this one's descriptors were emptied for that.
    var replacedTid: Int64 = -1
    /// The thread of the last row that a recorded repair told; -1 after its descriptors, and before the next event.
    var toldTid: Int64 = -1
    /// Threads whose rows came between two events of a replay and are not tied to leader and parents yet.
    var untied: [Int64] = []
    static let untiedMax = 1 << 16
    /// Number of the last repair pass.
    var repairPass: UInt32 = 0
    /// Next row that the end of a pass looks at; -1 when none is under way.
    var repairCursor = -1
    var repairStartNs: UInt64 = 0
    /// Epoch minus boot time: as it is, and as it was before the clock was set.
    var clockOffsetNs: UInt64 = 0
    var earlierOffsetsNs: [UInt64] = []
    /// Set by whoever repairs: events that change a working directory may have been lost.
    public var lostDirectories = false
    public internal(set) var repairs = RepairCounters()
    /// Threads that ended with the event at hand.
    var ending: ThreadSlot = .none
    /// What container runtimes told: by events of a capture, or from outside, between two batches.
    public let containers = ContainerTable()
    /// Names of addresses that rules ask for; swapped between two batches, nil where nobody looks any up.
    public var hostNames: HostNameTable?

    /// `threadsMax`: at most so many threads are kept (`falco_libs.thread_table_size`); `textBytesMax`: memory for their texts.
    public init(threadsMax: Int = 262_144, textBytesMax: Int = 512 << 20) {
        pool = BytePool(bytesMax: textBytesMax)
        threads = ThreadTable(countMax: threadsMax)
        descriptors = DescriptorTables(pool: pool)
        unnamed = pool.intern(staticBytes("<NA>"))
        host = pool.intern(staticBytes("host"))
        switchTimesNs.initialize(repeating: 0, count: Self.processorsMax)
    }

    deinit {
        pathBuffer.deallocate()
        textBuffer.deallocate()
        switchTimesNs.deallocate()
    }

    // MARK: reading

    /// The thread's row, read where it lies: a row is large, and a yielding accessor would allocate a frame for a copy. O(1).
    public subscript(slot: ThreadSlot) -> ThreadRecord {
        unsafeAddress {
            precondition(slot.index >= 0 && Int(slot.index) < threads.used, "the slot is none or from another table")
            return UnsafePointer(threads.rows + Int(slot.index))
        }
    }

    @inline(__always) func row(_ slot: ThreadSlot) -> UnsafeMutablePointer<ThreadRecord> { threads.rows + Int(slot.index) }

    public var threadCount: Int { threads.count }
    public var descriptorCount: Int { descriptors.count }
    public var threadsRefused: UInt64 { threads.refused }
    public var threadsAdded: UInt64 { threads.added }
    public var threadsRemoved: UInt64 { threads.removed }
    public var descriptorsRefused: UInt64 { descriptors.refused }
    public var descriptorsAdded: UInt64 { descriptors.added }
    public var descriptorsRemoved: UInt64 { descriptors.removed }
    /// Descriptors whose names were not kept: their process has more of them than its share of the pool.
    public var descriptorTextsCut: UInt64 { descriptors.textsCut }

    /// Slot of a thread id, `.none` when unknown; never looks anywhere but in the table. O(1).
    @inline(__always) public func slot(tid: Int64) -> ThreadSlot { threads.find(tid) }

    /// Thread group leader; the thread itself when the leader is not known.
    @inline(__always)
    public func leader(of slot: ThreadSlot) -> ThreadSlot {
        guard slot.exists else { return .none }
        let record = row(slot)
        if record.pointee.tid == record.pointee.pid { return slot }
        return record.pointee.leader.exists ? record.pointee.leader : slot
    }

    /// The thread that started this one's process, `.none` at the top. Walks are bounded by the caller (loops exist in bad captures).
    @inline(__always)
    public func parent(of slot: ThreadSlot) -> ThreadSlot {
        guard slot.exists else { return .none }
        let ptid = row(slot).pointee.ptid
        return ptid > 0 ? threads.find(ptid) : .none
    }

    /// Working directory of the thread, with its final `/`.
    public func cwd(of slot: ThreadSlot) -> Bytes {
        guard slot.exists else { return .empty }
        return pool[directories[row(slot).pointee.directory]]
    }

    /// `host`, or the container's short id; `<NA>` where the pool had no room to say which.
    public func containerID(of slot: ThreadSlot) -> Bytes {
        guard slot.exists else { return .empty }
        let id = row(slot).pointee.containerID
        return pool[id.isEmpty ? host : id]
    }

    /// The container's id as its cgroup path shows it; empty on the host.
    public func fullContainerID(of slot: ThreadSlot) -> Bytes {
        guard slot.exists, !row(slot).pointee.containerID.isEmpty else { return .empty }
        return ContainerPath.find(inCgroups: pool[row(slot).pointee.cgroups])?.full ?? .empty
    }

    @inline(__always)
    func table(of slot: ThreadSlot) -> Int32 {
        guard slot.exists else { return -1 }
        return row(slot).pointee.descriptors
    }

    /// A descriptor of the thread's process. O(1).
    public func descriptor(_ fd: Int64, of slot: ThreadSlot) -> DescriptorRecord? { descriptors.get(table(of: slot), fd) }
    /// Number of open descriptors known of the process.
    public func descriptorCount(of slot: ThreadSlot) -> Int { descriptors.count(of: table(of: slot)) }
    /// Every known descriptor of the process, in no order.
    public func forEachDescriptor(of slot: ThreadSlot, _ body: (Int64, DescriptorRecord) -> Void) {
        descriptors.forEach(table(of: slot), body)
    }
    /// Living threads of the process.
    public func threadCount(of slot: ThreadSlot) -> Int {
        guard slot.exists else { return 0 }
        let leader = leader(of: slot)
        let count = Int(row(leader).pointee.groupThreadCount)
        // What ends with the event at hand lives no more, though its row stays until the rules have seen it.
        let ends = ending.exists && self.leader(of: ending) == leader && !row(ending).pointee.isDead
        return max(0, ends ? count - 1 : count)
    }
    /// Threads other than the leader that live in the process.
    public func childCount(of slot: ThreadSlot) -> Int {
        guard slot.exists else { return 0 }
        let leader = leader(of: slot)
        let leaderLives = row(leader).pointee.isMain && !row(leader).pointee.isDead && ending != leader
        return max(0, threadCount(of: slot) - (leaderLives ? 1 : 0))
    }
    public func user(_ uid: UInt32) -> UserRecord? { users[uid] }
    public func groupName(_ gid: UInt32) -> PoolID? { groups[gid] }

    /// Session leader (`sid`), process group leaders (`pgid`, `vpgid`): the thread of that id when known, else the topmost
    /// ancestor that shares it.
    public func sessionLeader(of slot: ThreadSlot) -> ThreadSlot {
        topmost(slot, .session, direct: !isInPidNamespace(slot))
    }
    public func processGroupLeader(of slot: ThreadSlot) -> ThreadSlot { topmost(slot, .group, direct: true) }
    /// `vpgid` is an id of the process's own pid namespace, and so is `sid` after `setsid`: the thread of that number is right only
    /// outside of one.
    public func virtualProcessGroupLeader(of slot: ThreadSlot) -> ThreadSlot {
        topmost(slot, .virtualGroup, direct: !isInPidNamespace(slot))
    }
    private func isInPidNamespace(_ slot: ThreadSlot) -> Bool {
        slot.exists && row(slot).pointee.vpid >= 0 && row(slot).pointee.pid != row(slot).pointee.vpid
    }

    private enum Membership { case session, group, virtualGroup }

    @inline(__always) private func id(_ membership: Membership, of slot: ThreadSlot) -> Int64 {
        switch membership {
        case .session: row(slot).pointee.sid
        case .group: row(slot).pointee.pgid
        case .virtualGroup: row(slot).pointee.vpgid
        }
    }

    private func topmost(_ slot: ThreadSlot, _ membership: Membership, direct: Bool) -> ThreadSlot {
        guard slot.exists else { return .none }
        let wanted = id(membership, of: slot)
        if direct {
            let leader = threads.find(wanted)
            if leader.exists { return leader }
        }
        var best = leader(of: slot)
        var next = parent(of: best)
        var steps = 0
        while next.exists, steps < 1024, id(membership, of: next) == wanted {
            best = leader(of: next)
            next = parent(of: best)
            steps += 1
        }
        return best
    }

    /// Is this one of the machine's own addresses?
    public func isLocalAddress(_ address: AddressBytes, isIPv6: Bool) -> Bool {
        interfaces.contains { $0.isIPv6 == isIPv6 && $0.address == address }
    }

    /// See `Paths.concatenate`.
    public func concatenatePath(_ directory: Bytes, _ path: Bytes, into output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        Paths.concatenate(directory, path, into: output)
    }

    /// Directory that a path parameter is relative to: cwd for AT_FDCWD, else the descriptor's name; nil when unknown.
    public func directory(fd: Int64, of slot: ThreadSlot) -> Bytes? {
        if fd == -100 { return cwd(of: slot) }
        return descriptor(fd, of: slot).map { pool[$0.name] }
    }

    // MARK: housekeeping

    /// Between two batches: frees byte strings that nothing holds any more, and every 300 s of event time the threads that ended
    /// unseen. `isAlive` says whether the thread (tid, pid) still runs; nil in replay, where only placeholders go.
    public func maintain(nowNs: UInt64, isAlive: ((Int64, Int64) -> Bool)?) {
        // A clock that was set back must not put the next purge off for as long.
        if nextPurgeNs == 0 || nextPurgeNs > nowNs && nextPurgeNs - nowNs > 300_000_000_000 {
            nextPurgeNs = nowNs &+ 30_000_000_000
        }
        if nowNs >= nextPurgeNs, purgeCursor < 0 {
            nextPurgeNs = nowNs &+ 300_000_000_000
            purgeCursor = 0
        }
        if purgeCursor >= 0 { continuePurge(nowNs, isAlive) }
        if pool.needsSweep { sweepPool() }
    }

    /// A part of the table: at most so many rows are looked at and so many threads asked after in one go, since asking costs a system
    /// call and events wait meanwhile.
    private func continuePurge(_ nowNs: UInt64, _ isAlive: ((Int64, Int64) -> Bool)?) {
        let end = min(threads.used, purgeCursor + Self.purgeRowsMax)
        var questions = 0
        while purgeCursor < end, questions < Self.purgeQuestionsMax {
            let slot = ThreadSlot(Int32(purgeCursor))
            purgeCursor += 1
            let record = row(slot)
            guard record.pointee.isInUse else { continue }
            if record.pointee.isPlaceholder {
                removeThread(slot)
            } else if let isAlive, nowNs > record.pointee.lastAccessNs,
                nowNs - record.pointee.lastAccessNs > 300_000_000_000
            {
                questions += 1
                if !isAlive(record.pointee.tid, record.pointee.pid) { removeThread(slot) }
            }
        }
        if purgeCursor >= threads.used { purgeCursor = -1 }
    }

    static let purgeRowsMax = 4096
    static let purgeQuestionsMax = 64

    func sweepPool() {
        pool.beginMarking()
        pool.mark(unnamed)
        pool.mark(host)
        for index in 0..<threads.used where threads.rows[index].isInUse {
            let record = threads.rows + index
            pool.mark(record.pointee.comm)
            pool.mark(record.pointee.exe)
            pool.mark(record.pointee.exepath)
            pool.mark(record.pointee.args)
            pool.mark(record.pointee.env)
            pool.mark(record.pointee.root)
            pool.mark(record.pointee.cgroups)
            pool.mark(record.pointee.containerID)
            pool.mark(record.pointee.enterPath)
            markKernelRecord(record)
        }
        descriptors.markPool()
        directories.markPool(pool)
        for user in users.values {
            pool.mark(user.name)
            pool.mark(user.home)
            pool.mark(user.shell)
        }
        for name in groups.values { pool.mark(name) }
        containerAccounts.mark(pool)
        pool.sweep()
    }
}

/// The bytes of a literal.
@inline(__always) func staticBytes(_ text: StaticString) -> Bytes { Bytes(base: text.utf8Start, count: text.utf8CodeUnitCount) }
