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
    /// A concatenated capture starts over: forget everything.
    func restart()
}
