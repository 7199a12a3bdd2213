// SPDX-License-Identifier: Apache-2.0

/// A thread as a first scan, a capture's process list and a recording describe it. Owns its bytes: control plane.
public struct ThreadRow: Sendable {
    public var tid: Int64 = 0
    public var pid: Int64 = 0
    public var ptid: Int64 = 0
    public var sid: Int64 = -1
    public var pgid: Int64 = -1
    public var vpgid: Int64 = -1
    public var vtid: Int64 = -1
    public var vpid: Int64 = -1
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public var loginuid: UInt32 = 0xffff_ffff
    public var tty: UInt32 = 0
    /// PPM_CL_… clone flags.
    public var flags: UInt32 = 0
    public var comm: [UInt8] = []
    public var exe: [UInt8] = []
    public var exepath: [UInt8] = []
    /// NUL-terminated arguments back to back, without argv[0].
    public var args: [UInt8] = []
    public var env: [UInt8] = []
    public var cwd: [UInt8] = []
    public var root: [UInt8] = []
    /// `subsystem=path`, NUL-terminated, back to back.
    public var cgroups: [UInt8] = []
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
    public var pidnsInitStartNs: UInt64 = 0
    /// Epoch nanoseconds when known, else 0.
    public var startTimeNs: UInt64 = 0
    public var exeWritable = false
    public var exeUpperLayer = false
    public var exeLowerLayer = false
    public var exeFromMemfd = false
    /// What a recording of ours tells besides; nil from anywhere else.
    public var details: ThreadDetails?
    public init() {}
}

/// What the state knows of a thread that has no place in a capture's process list. Times in epoch nanoseconds, 0 unknown.
public struct ThreadDetails: Sendable, Equatable {
    public var cloneTimeNs: UInt64 = 0
    public var lastExecTimeNs: UInt64 = 0
    public var lastAccessNs: UInt64 = 0
    public var previousEventNs: UInt64 = 0
    /// Durations between the change of the program's file and its start.
    public var exeInoCtimeDurationCloneNs: UInt64 = 0
    public var exeInoCtimeDurationPidnsNs: UInt64 = 0
    public var reaperTid: Int64 = -1
    /// An enter event waits for its exit: its type, and the path or address it told.
    public var enterType: UInt16 = 0
    public var enterPath: [UInt8] = []
    /// Made up because the thread was never seen.
    public var isPlaceholder = false
    /// A leader that ended before other threads of its group.
    public var isDead = false
    public var isSubreaper = false
    /// Of arguments that are more than an event carries: their bytes, and the last of them.
    public var argumentsBytes: UInt64 = 0
    public var argumentsTail: [UInt8] = []
    public init() {}
}

/// Kinds of descriptors; raw values are the capture format's fd types (facts §8.2).
public enum DescriptorKind: UInt8, Sendable, CaseIterable {
    case unknown = 0
    case file = 1, directory = 2, ipv4Socket = 3, ipv6Socket = 4, ipv4Server = 5, ipv6Server = 6, fifo = 7, unixSocket = 8
    case eventfd = 9, unsupported = 10, signalfd = 11, epoll = 12, inotify = 13, timerfd = 14, netlink = 15, fileV2 = 16
    case bpf = 17, userfaultfd = 18, ioUring = 19, memfd = 20, pidfd = 21
}

/// 16 bytes of an address, IPv4 in the first four, network order.
public struct AddressBytes: Sendable, Equatable {
    public var high: UInt64 = 0  // the first eight bytes as they lie in memory
    public var low: UInt64 = 0
    public init() {}
    public init(ipv4NetworkOrder value: UInt32) { high = UInt64(value) }
    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }
    public var ipv4NetworkOrder: UInt32 { UInt32(truncatingIfNeeded: high) }
    public var isZero: Bool { high == 0 && low == 0 }
}

/// A descriptor as a first scan, a capture's fd list and a recording describe it. Owns its bytes: control plane.
public struct DescriptorRow: Sendable {
    public var fd: Int64 = -1
    public var kind: DescriptorKind = .unknown
    public var inode: UInt64 = 0
    public var openFlags: UInt32 = 0
    public var device: UInt32 = 0
    public var mountID: UInt32 = 0
    /// Known of a first scan alone; a capture's list tells it of files, in their open flags.
    public var closesOnExec = false
    /// Path or name; sockets of the inet families have none.
    public var name: [UInt8] = []
    public var sourceAddress = AddressBytes()
    public var destinationAddress = AddressBytes()
    public var sourcePort: UInt16 = 0
    public var destinationPort: UInt16 = 0
    /// 0 unknown, 1 NA, 2 TCP, 3 UDP, 4 ICMP, 5 raw
    public var l4Protocol: UInt8 = 0
    public var unixSource: UInt64 = 0
    public var unixDestination: UInt64 = 0
    /// What a recording of ours tells besides; nil from anywhere else.
    public var details: DescriptorDetails?
    public init() {}
}

/// What the state knows of a descriptor that has no place in a capture's list.
public struct DescriptorDetails: Sendable, Equatable {
    /// The state's marks: who is the server, closed on exec, connected, …
    public var flags: UInt16 = 0
    /// As fields show it, where the list holds another text (sockets) or a cut one; nil: the list's.
    public var name: [UInt8]?
    /// The name as the caller passed it.
    public var rawName: [UInt8] = []
    /// As the kernel resolved it, across mounts and inside its file system, where that says something else.
    public var kernelPath: [UInt8] = []
    public var kernelFSPath: [UInt8] = []
    public init() {}
}

public struct UserRow: Sendable {
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public var name: [UInt8] = []
    public var home: [UInt8] = []
    public var shell: [UInt8] = []
    public init() {}
}

public struct GroupRow: Sendable {
    public var gid: UInt32 = 0
    public var name: [UInt8] = []
    public init() {}
}

public struct InterfaceRow: Sendable {
    public var isIPv6 = false
    public var address = AddressBytes()
    public var netmask = AddressBytes()
    public var broadcast = AddressBytes()
    public var speedBps: UInt64 = 0
    public var name: [UInt8] = []
    public init() {}
}

public struct MachineRow: Sendable {
    public var cpuCount: UInt32 = 0
    public var memoryBytes: UInt64 = 0
    public var pidMax: UInt64 = 0
    public var hostname: [UInt8] = []
    public var bootTimeNs: UInt64 = 0
    public var flags: UInt64 = 0
    public init() {}
}

/// Who takes the rows of a snapshot: the state, a recorder, a test.
public protocol SnapshotSink: AnyObject {
    func machine(_ row: MachineRow)
    func interface(_ row: InterfaceRow)
    func user(_ row: UserRow)
    func group(_ row: GroupRow)
    func thread(_ row: ThreadRow)
    /// Descriptors arrive after the thread they belong to.
    func descriptor(_ row: DescriptorRow, tid: Int64)
    /// A list of this thread's descriptors begins; it may be empty.
    func descriptors(of tid: Int64)
    /// In a recording of ours: the thread was found to be gone, though no event told of its end.
    func gone(tid: Int64)
    /// A concatenated capture starts over: forget everything.
    func restart()
}

extension SnapshotSink {
    public func descriptors(of tid: Int64) {}
    public func gone(tid: Int64) {}
}
