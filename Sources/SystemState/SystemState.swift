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

/// Threads, descriptors, users, groups, containers of the watched machine. One pipeline owns it; not thread-safe.
public final class SystemState {
    public let pool = BytePool()
    public internal(set) var machine = MachineRow()
    /// What container runtimes told; filled from outside, between two batches.
    public let containers = ContainerTable()

    public init() {}

    /// The thread's row. O(1).
    @inline(__always) public subscript(slot: ThreadSlot) -> ThreadRecord { fatalError("in work") }
    /// Slot of a thread id, `.none` when unknown; never looks anywhere but in the table. O(1).
    public func slot(tid: Int64) -> ThreadSlot { .none }
    /// Thread group leader; the thread itself when the leader is not known.
    public func leader(of slot: ThreadSlot) -> ThreadSlot { .none }
    /// Main thread of the parent process, `.none` at the top. Walks are bounded by the caller (loops exist in bad captures).
    public func parent(of slot: ThreadSlot) -> ThreadSlot { .none }
    /// Working directory of the process, with its final `/`.
    public func cwd(of slot: ThreadSlot) -> Bytes { .empty }
    /// `host`, or the first 12 hex digits of the container.
    public func containerID(of slot: ThreadSlot) -> Bytes { .empty }
    public func fullContainerID(of slot: ThreadSlot) -> Bytes { .empty }
    /// A descriptor of the thread's process. O(1).
    public func descriptor(_ fd: Int64, of slot: ThreadSlot) -> DescriptorRecord? { nil }
    /// Number of open descriptors known of the process.
    public func descriptorCount(of slot: ThreadSlot) -> Int { 0 }
    /// Every known descriptor of the process, in no order.
    public func forEachDescriptor(of slot: ThreadSlot, _ body: (Int64, DescriptorRecord) -> Void) {}
    /// Living threads of the process.
    public func threadCount(of slot: ThreadSlot) -> Int { 0 }
    /// Threads and processes that this thread started and that live.
    public func childCount(of slot: ThreadSlot) -> Int { 0 }
    public func user(_ uid: UInt32) -> UserRecord? { nil }
    public func groupName(_ gid: UInt32) -> PoolID? { nil }
    /// Session leader (`sid`), process group leaders (`pgid`, `vpgid`) as facts §10.3 finds them.
    public func sessionLeader(of slot: ThreadSlot) -> ThreadSlot { .none }
    public func processGroupLeader(of slot: ThreadSlot) -> ThreadSlot { .none }
    public func virtualProcessGroupLeader(of slot: ThreadSlot) -> ThreadSlot { .none }
    /// Is this IPv4/IPv6 address one of the machine's own?
    public func isLocalAddress(_ address: AddressBytes, isIPv6: Bool) -> Bool { false }
    /// Absolute, normalised path of `path` relative to `directory`, written to `output` (no allocation); cut at 4096 bytes... see implementation.
    public func concatenatePath(_ directory: Bytes, _ path: Bytes, into output: UnsafeMutableBufferPointer<UInt8>) -> Int { 0 }
    /// Directory a relative path parameter is relative to: cwd for AT_FDCWD, else the descriptor's name; nil when unknown.
    public func directory(fd: Int64, of slot: ThreadSlot) -> Bytes? { nil }
}
