// SPDX-License-Identifier: Apache-2.0
import Capture
import EventModel
import Fields
import Recording
import RuleEngine
import Synchronization
import SystemState

/// Who is told of a match, on the pipeline's thread, while the event still lives. Ownership changes here: what is kept is copied.
public protocol MatchHandler: AnyObject {
    /// The state knows what was there before the first event: whoever waited for that may begin.
    func snapshotEnded() throws(CaptureError)
    /// `rule` is the index in the program's load order.
    func matched(rule: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch)
    /// A new second of event time begins, the first one too; before its first event reaches the rules.
    func secondBegan(timestampNs: UInt64)
    /// Between two batches: flush, count, look at the clock.
    func batchEnded(nowNs: UInt64)
}

extension MatchHandler {
    public func snapshotEnded() throws(CaptureError) {}
}

/// Rules compiled for the pipeline, swapped as a whole between two batches.
public struct PipelineRules: Sendable {
    public let program: RuleProgram
    /// `rule_matching: first`: stop at the first rule that holds.
    public let firstOnly: Bool
    public init(program: RuleProgram, firstOnly: Bool) {
        self.program = program
        self.firstOnly = firstOnly
    }
}

/// What a run of the pipeline counted.
public struct PipelineCounters: Sendable, Equatable {
    /// Events that were numbered and given to the rules.
    public var events: UInt64 = 0
    /// Records for the state alone.
    public var stateOnly: UInt64 = 0
    public var matches: UInt64 = 0
    public var firstTimestampNs: UInt64 = 0
    public var lastTimestampNs: UInt64 = 0
    public init() {}
}

public enum PipelineEnd: Sendable, Equatable {
    /// The source is exhausted.
    case sourceEnded
    /// `stop()` was called.
    case stopped
    /// So much event time has passed since the first event (`-M`).
    case timeLimit
}

/// The one loop: inbox → batch → admit → evaluate → retire. Owns its state and rules; runs on one thread.
///
/// Other threads reach it through `stop`, `replaceRules` and the source's `wake`.
public final class EventPipeline {
    public let source: any EventSource
    public let state: SystemState
    private let handler: any MatchHandler
    private let batch: EventBatch
    private var evaluator: RuleEvaluator
    private var firstOnly: Bool
    private var scratch = ExtractionScratch()
    public private(set) var counters = PipelineCounters()
    private let inbox: PipelineInbox
    /// Asked when a thread was silent for long: does (tid, pid) still run? Nil in replay.
    private let isAlive: ((Int64, Int64) -> Bool)?
    /// Nanoseconds of event time after which the run ends; 0 for none.
    private let durationNs: UInt64
    /// `evt.num` of the event at hand.
    private var number: UInt64 = 0
    private var nextSecondNs: UInt64 = 0
    /// Records for the state alone take a number: in a capture, unless it says otherwise.
    private var numbersStateOnly: Bool
    private let recordings: Recordings?
    /// Nil where nothing can be asked: in a replay, or without a clock.
    private let repair: StateRepair?
    private let clock: (() -> UInt64)?

    /// `clock`: nanoseconds of a clock that only goes on, for a source that can repair the state.
    public init(
        source: any EventSource, state: SystemState, rules: PipelineRules, handler: any MatchHandler,
        inbox: PipelineInbox = .init(),
        durationNs: UInt64 = 0, batchCapacity: Int = 4096, isAlive: ((Int64, Int64) -> Bool)? = nil,
        recordings: Recordings? = nil, clock: (() -> UInt64)? = nil
    ) {
        self.source = source
        self.state = state
        self.handler = handler
        self.inbox = inbox
        self.durationNs = durationNs
        self.isAlive = isAlive
        self.recordings = recordings
        self.clock = clock
        if let source = source as? any RepairSource, let isAlive, clock != nil {
            repair = StateRepair(source, state, recordings: recordings, isAlive: isAlive)
        } else {
            repair = nil
        }
        numbersStateOnly = !source.isLive
        batch = EventBatch(capacity: batchCapacity)
        evaluator = RuleEvaluator(program: rules.program)
        firstOnly = rules.firstOnly
    }

    /// Takes the snapshot, then events until the source ends, `stop` is called or the time is over.
    public func run() throws(CaptureError) -> PipelineEnd {
        try source.snapshot(into: state)
        state.finishSnapshot()
        repair?.noteClock()
        if let position = source.startingPosition {
            number = position.eventNumber
            numbersStateOnly = position.numbersStateOnly
            state.hasKernelRecords = position.hasKernelRecords
            state.resume(firstTimestampNs: position.firstTimestampNs, previousTimestampNs: position.previousTimestampNs)
        }
        try handler.snapshotEnded()
        while true {
            if inbox.isStopped { return .stopped }
            if let rules = inbox.takeRules() {
                evaluator = RuleEvaluator(program: rules.program)
                firstOnly = rules.firstOnly
            }
            batch.removeAll()
            let result = try source.nextBatch(into: batch, waitMs: 100)
            repair?.noteClock()
            // The rows of a capture appended to this one came before the batch's events.
            if state.isRestarted { state.finishSnapshot() }
            // What was read before a failure or the end still counts.
            if process() { return .timeLimit }
            if let repair, let clock, result != .end {
                repair.step(nowNs: clock(), isIdle: result == .idle, clock: clock)
            }
            handler.batchEnded(nowNs: counters.lastTimestampNs)
            if result == .end { return .sourceEnded }
        }
    }

    /// Where the run stands between two events: a recording that begins now says so.
    public var position: RunPosition {
        var position = RunPosition()
        position.eventNumber = number
        (position.firstTimestampNs, position.previousTimestampNs) = (state.firstTimestampNs, state.previousTimestampNs)
        position.numbersStateOnly = numbersStateOnly
        position.hasKernelRecords = state.hasKernelRecords
        return position
    }

    /// Every event of the batch. True when the time limit was reached.
    private func process() -> Bool {
        guard let first = batch.events.first else { return false }
        var context = EventContext(event: first)
        for index in batch.events.indices {
            let event = batch.events[index]
            if let repair, event.timestampNs > repair.dueNs { repair.apply(throughNs: event.timestampNs &- 1) }
            if event.isStateOnly || event.isHidden {
                state.admit(event, into: &context)
                state.retire(context)
                counters.stateOnly &+= 1
                // What a capture holds has a number, whether or not rules see it; but not what only we write.
                if event.isHidden || numbersStateOnly && event.type < EventTable.count { number &+= 1 }
                if let recordings, recordings.isActive { recordings.record(event, matched: true) }
                continue
            }
            if counters.firstTimestampNs == 0 { counters.firstTimestampNs = event.timestampNs }
            if durationNs > 0, event.timestampNs >= counters.firstTimestampNs &+ durationNs { return true }
            // More than a second before the last beginning: the clock was set back.
            if event.timestampNs > nextSecondNs || event.timestampNs &+ 2_000_000_000 < nextSecondNs {
                nextSecondNs = event.timestampNs &+ 1_000_000_000
                handler.secondBegan(timestampNs: event.timestampNs)
            }
            counters.events &+= 1
            number &+= 1
            counters.lastTimestampNs = event.timestampNs
            state.admit(event, into: &context)
            context.number = number
            scratch.reset()
            let matches = evaluator.evaluate(context: context, state: state, scratch: &scratch, firstOnly: firstOnly)
            if matches > 0 {
                counters.matches &+= UInt64(matches)
                for match in 0..<matches {
                    scratch.reset()
                    handler.matched(rule: evaluator.match(match), context: context, state: state, scratch: &scratch)
                }
            }
            if let recordings, recordings.isActive { recordings.record(event, matched: matches > 0) }
            state.retire(context)
        }
        state.maintain(nowNs: counters.lastTimestampNs, isAlive: isAlive)
        return false
    }
}

/// What other threads leave for the pipeline; taken between two batches.
public final class PipelineInbox: Sendable {
    private let rules = Mutex<PipelineRules?>(nil)
    private let stopped = Atomic<Bool>(false)
    public init() {}
    public func replaceRules(_ new: PipelineRules) { rules.withLock { $0 = new } }
    func takeRules() -> PipelineRules? {
        rules.withLock { slot in
            let taken = slot
            slot = nil
            return taken
        }
    }
    /// The run ends after the batch at hand; call the source's `wake` too.
    public func stop() { stopped.store(true, ordering: .releasing) }
    public var isStopped: Bool { stopped.load(ordering: .acquiring) }
}
