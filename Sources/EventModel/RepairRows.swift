// SPDX-License-Identifier: Apache-2.0

/// What a source saw of the machine at one moment of a repair pass: threads, and the descriptors of whole processes. Owns its bytes:
/// control plane.
public struct RepairRows: Sendable {
    /// Epoch nanoseconds just before the rows were read: events that are older are in them, events that are younger may be.
    public var stampNs: UInt64
    public var threads: [ThreadRow] = []
    /// Every descriptor of a process, but for sockets of families that have no row.
    public var descriptors: [(pid: Int64, rows: [DescriptorRow])] = []
    public init(stampNs: UInt64) { self.stampNs = stampNs }
    public var isEmpty: Bool { threads.isEmpty && descriptors.isEmpty }
}
