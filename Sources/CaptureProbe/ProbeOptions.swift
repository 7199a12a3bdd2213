// SPDX-License-Identifier: Apache-2.0
import CProbeABI

/// What the probe watches: decided in the kernel, so nothing else ever reaches a ring.
public enum ProbeScope: Sendable, Equatable {
    /// Every process of the machine.
    case host
    /// These processes, what they have started, and what they will start.
    case tree(pids: [Int64])
    /// Processes in these cgroups (unified hierarchy) and below them.
    case cgroups([CgroupReference])
}

public enum CgroupReference: Sendable, Equatable {
    case id(UInt64)
    /// A directory under the cgroup2 mount, or a path as /proc/PID/cgroup shows it.
    case path(String)
}

public struct ProbeOptions: Sendable {
    /// Size of one ring: a power of two, at least a page.
    public var ringBytes = 8 << 20
    /// How many CPUs share a ring; 0: one ring for all.
    public var cpusForEachBuffer = 2
    public var scope = ProbeScope.host
    /// Bytes of a read or written buffer that an event carries.
    public var snaplen = UInt32(PROBE_SNAPLEN_DEFAULT)
    /// Longer data for the ports and protocols that the probe knows, and for these two settings.
    public var dynamicSnaplen = false
    /// Ports, at either end, of which up to 16000 bytes are carried.
    public var fullcapturePorts: ClosedRange<UInt16>?
    /// Remote port of which up to 2000 bytes are carried; 0: none.
    public var statsdPort = UInt16(PROBE_STATSD_PORT_DEFAULT)
    /// Leaves out every system call that failed, whatever the rules ask for: the user's decision. `connect` in progress is
    /// no failure.
    public var dropFailed = false
    /// First scan by BPF iterators; else, and where the kernel refuses them, by /proc.
    public var useIterators = true
    /// How the beginning of open, openat, openat2, creat and connect is seen.
    public enum EnterEvents: Sendable {
        /// Not at all: their paths and addresses are those that the caller's memory holds when they return.
        case none
        /// By their own tracepoints, if the kernel lets us have them.
        case tracepoints
        /// By their own tracepoints or else by a program that every system call of the machine passes.
        case tracepointsOrEveryCall
    }
    public var enterEvents = EnterEvents.tracepoints
    /// For tests: as if the kernel had refused the tracepoints.
    var refusesTracepoints = false
    /// Where the host's file system is mounted when the agent runs in a container (`HOST_ROOT`), else empty.
    public var hostRoot = ""
    public init() {}

    /// Ring sizes of `buf_size_preset` 1…10; nil for another number.
    public static func ringBytes(preset: Int) -> Int? {
        (1...10).contains(preset) ? (1 << 20) << (preset - 1) : nil
    }
}
