// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Lost events by what their absence leaves wrong. They only grow.
public struct LossCounters: Sendable, Equatable {
    /// Starts, images and ends of processes.
    public var processes: UInt64 = 0
    /// Everything else that changes the state: descriptors, directories, identities.
    public var others: UInt64 = 0
    public init() {}
}

/// A live source that can tell anew what exists, after events were lost. Called by the pipeline's thread, between two batches.
public protocol RepairSource: AnyObject {
    /// Costs a system call: asked a few times a second.
    var losses: LossCounters { get }
    /// Epoch minus boot time, as the last batch's events and all rows have it: another value when the clock was set.
    var clockOffsetNs: UInt64 { get }
    /// Every event that is not younger was delivered. Epoch nanoseconds.
    var deliveredThroughNs: UInt64 { get }
    /// Begins a pass over all threads in scope, and over their descriptors if asked to. False where that is not possible.
    func beginPass(descriptors: Bool) -> Bool
    /// Reads on for about `budgetNs` and appends what it saw. True when the pass is complete.
    func continuePass(budgetNs: UInt64, into found: inout [RepairRows]) -> Bool
}
