// SPDX-License-Identifier: Apache-2.0
import EventModel

/// The machine or the capture failed: what was done, to what, why, and what helps.
public struct CaptureError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

public enum BatchResult: Sendable, Equatable {
    /// The batch holds at least one event.
    case events
    /// Nothing arrived within the wait.
    case idle
    /// The source is exhausted (end of the capture file, or the traced command ended and all was drained).
    case end
}

/// Events of one `nextBatch`, borrowed from the source until its next call. Kept and refilled, so it does not allocate once grown.
public final class EventBatch {
    public private(set) var events: ContiguousArray<EventView> = []
    public let capacity: Int
    public init(capacity: Int = 4096) {
        self.capacity = capacity
        events.reserveCapacity(capacity)
    }
    public var isFull: Bool { events.count >= capacity }
    public func removeAll() { events.removeAll(keepingCapacity: true) }
    public func append(_ event: EventView) { events.append(event) }
    /// For sources that append many: one access to the list instead of one per event.
    @inline(__always)
    public func fill<Result>(_ body: (inout ContiguousArray<EventView>) -> Result) -> Result { body(&events) }
    /// Appends, and moves the event before those that are younger: for events that come nearly in order. No allocation.
    public func insertByTime(_ event: EventView) {
        events.append(event)
        var at = events.count - 1
        while at > 0, events[at - 1].timestampNs > events[at].timestampNs {
            events.swapAt(at, at - 1)
            at -= 1
        }
    }
    /// Stable sort by timestamp, for sources that merge several rings.
    public func sortByTime() { events.sort { $0.timestampNs < $1.timestampNs } }
}

/// What a source counted; every loss has a reason.
public struct CaptureCounters: Sendable, Equatable {
    /// Events that passed the kernel's tests (live) or were read (replay), delivered or lost.
    public var events: UInt64 = 0
    public var drops: UInt64 = 0
    /// Reason (`ring_full`, `scratch_busy`, `truncated`, …) → events lost by it.
    public var dropsByReason: [String: UInt64] = [:]
    /// Falco's classes (`clone_fork`, `execve`, `connect`, `open`, `dir_file`, `other_interest`, `close`, `proc`) → ring-full drops.
    public var dropsByClass: [String: UInt64] = [:]
    public var eventsByCPU: [UInt64] = []
    public var dropsByCPU: [UInt64] = []
    /// Records that could not be decoded and were left out.
    public var malformed: UInt64 = 0
    public init() {}
}

/// Where a run stood when its recording began, so that a replay goes on counting from there.
public struct RunPosition: Sendable, Equatable {
    /// `evt.num` of the event before the first one recorded.
    public var eventNumber: UInt64 = 0
    /// Time of the run's first event, 0 when there was none.
    public var firstTimestampNs: UInt64 = 0
    /// Time of the event before the first one recorded, 0 when there was none.
    public var previousTimestampNs: UInt64 = 0
    /// Do records for the state alone take an event number? In a filtered recording, where they stand for events; not in others.
    public var numbersStateOnly = true
    /// Were records of what the kernel knows (`PROBE_KERNEL_RECORD`) asked for? Without one, a name is then as the kernel has it.
    public var hasKernelRecords = false
    public init() {}
}

/// Where events come from. One pipeline owns it and calls it from one thread; only `wake` may come from others.
public protocol EventSource: AnyObject {
    /// `Replaying events from the capture file: F`, `Opening 'syscall' source with modern BPF probe.`
    var openingMessage: String { get }
    /// True for live sources, whose surplus may be dropped; a replay waits instead.
    var isLive: Bool { get }
    /// Delivers what existed before the first event: machine, users, threads, descriptors. Called once, after attaching.
    func snapshot(into sink: any SnapshotSink) throws(CaptureError)
    /// Fills the (emptied) batch, waiting up to `waitMs`. The events live until the next call.
    func nextBatch(into batch: EventBatch, waitMs: Int) throws(CaptureError) -> BatchResult
    /// Which system calls to deliver from now on. A replay ignores it: everything in the file reaches the rules.
    func setInterest(_ interest: InterestSet) throws(CaptureError)
    var counters: CaptureCounters { get }
    /// After `snapshot`: where the recorded run stood when the recording began; nil for anything but a recording of ours.
    var startingPosition: RunPosition? { get }
    /// Ends a waiting `nextBatch` early; any thread.
    func wake()
    func close()
}

extension EventSource {
    public var startingPosition: RunPosition? { nil }
}
