// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Index of a thread in `ThreadTable`; -1 for none. Valid until the thread is retired.
public struct ThreadSlot: Sendable, Equatable, Hashable {
    public let index: Int32
    @inline(__always) public init(_ index: Int32) { self.index = index }
    public static let none = ThreadSlot(-1)
    @inline(__always) public var exists: Bool { index >= 0 }
}

/// What is known of one thread. Byte strings are pool ids. A row is plain memory: copying it copies integers.
public struct ThreadRecord {
    public var tid: Int64 = -1
    public var pid: Int64 = -1
    public var ptid: Int64 = -1
    public var sid: Int64 = -1
    public var pgid: Int64 = -1
    public var vpgid: Int64 = -1
    public var vtid: Int64 = -1
    public var vpid: Int64 = -1
    public var reaperTid: Int64 = -1
    public var uid: UInt32 = 0xffff_ffff
    public var gid: UInt32 = 0xffff_ffff
    public var loginuid: UInt32 = 0xffff_ffff
    public var tty: UInt32 = 0
    /// PPM_CL_… clone flags and marks.
    public var flags: UInt32 = 0
    public var comm = PoolID.empty
    public var exe = PoolID.empty
    public var exepath = PoolID.empty
    /// NUL-terminated arguments without argv[0].
    public var args = PoolID.empty
    public var env = PoolID.empty
    /// With a final `/` where known (Falco's form), as a row that is added brings it. From then on it is in `directory`, which threads
    /// and processes may share: read it through `SystemState.cwd(of:)`.
    var cwd = PoolID.empty
    public var root = PoolID.empty
    /// `<NA>` where the pool had no room for them.
    public var cgroups = PoolID.empty
    /// `host` is `.empty`: read it through `SystemState.containerID(of:)`.
    public var containerID = PoolID.empty
    public var fdlimit: Int64 = -1
    public var vmsizeKb: UInt32 = 0
    public var vmrssKb: UInt32 = 0
    public var vmswapKb: UInt32 = 0
    public var pfmajor: UInt64 = 0
    public var pfminor: UInt64 = 0
    public var capInheritable: UInt64 = 0
    public var capPermitted: UInt64 = 0
    public var capEffective: UInt64 = 0
    public var exeIno: UInt64 = 0
    public var exeInoCtimeNs: UInt64 = 0
    public var exeInoMtimeNs: UInt64 = 0
    public var exeInoCtimeDurationCloneNs: UInt64 = 0
    public var exeInoCtimeDurationPidnsNs: UInt64 = 0
    public var pidnsInitStartNs: UInt64 = 0
    public var cloneTimeNs: UInt64 = 0
    public var lastExecTimeNs: UInt64 = 0
    public var lastAccessNs: UInt64 = 0
    /// Timestamp of this thread's previous event (for `evt.deltatime` family see EventContext).
    public var previousEventNs: UInt64 = 0
    /// Time on a processor since the capture began, as switch events tell it.
    public var totalRunTimeNs: UInt64 = 0
    /// Processor time at the last statistics event, in hundredths of a second.
    var statisticsUser: UInt64 = 0
    var statisticsSystem: UInt64 = 0
    public var exeWritable = false
    public var exeUpperLayer = false
    public var exeLowerLayer = false
    public var exeFromMemfd = false
    /// Made up because the thread was never seen: no name, pid -1.
    public var isPlaceholder = false
    public var isDead = false
    public var isSubreaper = false
    /// Index into `DescriptorTables`; threads that share a table (CLONE_FILES) have the same.
    var descriptors: Int32 = -1
    /// Index into `DirectoryTable`; threads that share a working directory (CLONE_FS) have the same.
    var directory: Int32 = -1
    /// The last pass of a repair that saw this thread.
    var repairPass: UInt32 = 0
    /// Looked up and not found, because the budget of look-ups was used up: asked again at the next event.
    var asksAgain = false
    /// Of arguments that are more than an event carries: their bytes, and the last of them; 0 where the event has them all.
    public var argumentsBytes: UInt64 = 0
    public var argumentsTail = PoolID.empty
    /// What a record of the kernel's knowledge said, until the event right behind it takes it.
    var kernelPath = PoolID.empty
    var kernelFSPath = PoolID.empty
    var kernelArgumentsBytes: UInt64 = 0
    var kernelArgumentsTail = PoolID.empty
    var hasKernelRecord = false
    /// Slot of the thread group leader, itself for a main thread; none when it is not known.
    public var leader = ThreadSlot.none
    /// Living threads of the group, kept on the leader.
    public var groupThreadCount: Int32 = 0
    /// Path or address that an enter event told, until the exit event takes it: wins over the exit's.
    public var enterPath = PoolID.empty
    public var enterType: UInt16 = 0
    /// Children, newest first: intrusive list by slot.
    var firstChild: Int32 = -1
    var nextSibling: Int32 = -1
    var previousSibling: Int32 = -1
    var linkedParent: Int32 = -1
    /// Threads of the group other than the leader: intrusive list by slot, its head on the leader.
    var firstMember: Int32 = -1
    var nextMember: Int32 = -1
    var previousMember: Int32 = -1
    public internal(set) var childCount: Int32 = 0
    var isInUse = false
    public init() {}

    public var isMain: Bool { tid == pid }
}

/// What is known of one descriptor.
public struct DescriptorRecord {
    public var kind: DescriptorKind = .unknown
    /// Printable, absolute, normalised; for inet sockets the tuple text is made on demand (`SystemState.descriptorName`).
    public var name = PoolID.empty
    /// As the caller passed it.
    public var rawName = PoolID.empty
    /// The path as the kernel resolved it, where it is not `name`; and inside its file system, where the mount shows only a part
    /// of that.
    public var kernelPath = PoolID.empty
    public var kernelFSPath = PoolID.empty
    public var inode: UInt64 = 0
    public var openFlags: UInt32 = 0
    public var device: UInt32 = 0
    public var mountID: UInt32 = 0
    public var source = AddressBytes()
    public var destination = AddressBytes()
    public var sourcePort: UInt16 = 0
    public var destinationPort: UInt16 = 0
    /// 0 unknown, 1 NA, 2 TCP, 3 UDP, 4 ICMP, 5 raw
    public var l4Protocol: UInt8 = 0
    public var unixSource: UInt64 = 0
    public var unixDestination: UInt64 = 0
    /// What the row counts for in its table's share of the pool.
    var textBytes: UInt32 = 0
    public var flags: DescriptorFlags = []
    public init() {}

    public var isInet: Bool { kind == .ipv4Socket || kind == .ipv6Socket || kind == .ipv4Server || kind == .ipv6Server }
    public var isIPv6: Bool { kind == .ipv6Socket || kind == .ipv6Server }
}

public struct DescriptorFlags: OptionSet, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// This end accepted the connection.
    public static let roleServer = DescriptorFlags(rawValue: 1)
    public static let roleClient = DescriptorFlags(rawValue: 2)
    public static let closeOnExec = DescriptorFlags(rawValue: 4)
    public static let connected = DescriptorFlags(rawValue: 8)
    public static let connectPending = DescriptorFlags(rawValue: 16)
    public static let connectFailed = DescriptorFlags(rawValue: 32)
    /// Inherited through clone.
    public static let cloned = DescriptorFlags(rawValue: 64)
    public static let fromScan = DescriptorFlags(rawValue: 128)
    public static let upperLayer = DescriptorFlags(rawValue: 256)
    public static let lowerLayer = DescriptorFlags(rawValue: 512)
    public static let overlayKnown = DescriptorFlags(rawValue: 1024)
    /// The event changed the name (sendto on UDP and the like).
    public static let nameChanged = DescriptorFlags(rawValue: 2048)
    /// Socket with both ends local or a role not known.
    public static let isSocketPipe = DescriptorFlags(rawValue: 4096)
}

/// What `admit` found out about the event at hand; the rules and fields read it together with the state. One lives in the
/// pipeline and is refilled.
public struct EventContext {
    public var event: EventView
    /// `evt.num`, from 1.
    public var number: UInt64 = 0
    public var thread = ThreadSlot.none
    /// The event's descriptor number where it has one (`fd.num`), nil otherwise.
    public var fd: Int64?
    /// The descriptor the event acts on, as it is after the event (before it, for close).
    public var hasDescriptor = false
    public var descriptor = DescriptorRecord()
    /// Time of the first event of the run and of the previous event, for `evt.reltime` and `evt.deltatime`.
    public var firstTimestampNs: UInt64 = 0
    public var previousTimestampNs: UInt64 = 0
    /// The caller-side path argument at enter (open, openat, creat, openat2), where an enter event told it: wins over the exit's.
    public var enterPath = PoolID.empty
    /// How long the thread ran that a processor just left; 0 for all but switch events.
    public var runTimeNs: UInt64 = 0
    /// For statistics events of old captures.
    public var processorShare: ProcessorShare?
    public init(event: EventView) { self.event = event }
}
