// SPDX-License-Identifier: Apache-2.0
import Alerts
import Capture
import EventModel
import Fields
import RuleEngine
import SystemState

/// Who hears from a pipeline; all calls come from its thread, none per event.
public protocol PipelineDelegate: AnyObject {
    /// `rule`: index into the rules of the program.
    func pipeline(_ pipeline: Pipeline, raised alert: Alert, byRule rule: Int)
    /// At most once per second of event time, before the event that begins it reaches the rules.
    func pipeline(_ pipeline: Pipeline, reachedSecondAt timestampNs: UInt64) throws(CaptureError)
    /// Between two batches, and while nothing arrives; false ends the run.
    func pipelineMayGoOn(_ pipeline: Pipeline) throws(CaptureError) -> Bool
}

/// The whole way of an event, in order: batch → admit → evaluate → retire. Owns what it calls, on one thread.
public final class Pipeline {
    public let source: any EventSource
    public let state: SystemState
    private let batch: EventBatch
    private let plan: OutputPlan
    private let program: RuleProgram
    private var evaluator: RuleEvaluator
    private var scratch = ExtractionScratch()
    private let firstOnly: Bool
    public weak var delegate: (any PipelineDelegate)?
    /// Ends the run when events have covered so much time.
    public var timeLimitNs = UInt64.max

    /// Events that took a number.
    public private(set) var eventCount: UInt64 = 0
    public private(set) var firstTimestampNs: UInt64 = 0
    public private(set) var lastTimestampNs: UInt64 = 0
    private var nextSecondNs: UInt64 = 0

    /// `plan` has the output of each rule of `program`, in the same order.
    public init(source: any EventSource, state: SystemState, program: RuleProgram, plan: OutputPlan, firstOnly: Bool, batchMax: Int = 4096) {
        precondition(plan.count == program.ruleCount, "each rule has its output")
        self.source = source
        self.state = state
        self.program = program
        self.plan = plan
        self.firstOnly = firstOnly
        batch = EventBatch(capacity: batchMax)
        evaluator = RuleEvaluator(program: program)
    }

    /// Until the source ends, the time limit is reached, or the delegate says so. `waitMs`: how long an idle source may keep the thread.
    public func run(waitMs: Int = 100) throws(CaptureError) {
        while true {
            let result = try source.nextBatch(into: batch, waitMs: waitMs)
            if result == .events, try !process() { return }
            if result == .end { return }
            guard try delegate?.pipelineMayGoOn(self) ?? true else { return }
        }
    }

    /// False at the time limit.
    private func process() throws(CaptureError) -> Bool {
        guard let first = batch.events.first else { return true }
        var context = EventContext(event: first)
        for event in batch.events {
            if event.isStateOnly {
                state.admit(event, into: &context)
                state.retire(context)
                continue
            }
            let time = event.timestampNs
            if eventCount == 0 { firstTimestampNs = time }
            if time > firstTimestampNs, time &- firstTimestampNs >= timeLimitNs { return false }
            if time > nextSecondNs { try beginSecond(time) }
            lastTimestampNs = time
            eventCount &+= 1
            context.number = eventCount
            state.admit(event, into: &context)
            if !event.isHidden { match(context) }
            state.retire(context)
        }
        return true
    }

    @inline(__always) private func match(_ context: borrowing EventContext) {
        scratch.reset()
        let count = evaluator.evaluate(context: context, state: state, scratch: &scratch, firstOnly: firstOnly)
        if count > 0 { raise(count, context) }
    }

    private func raise(_ count: Int, _ context: borrowing EventContext) {
        for index in 0..<count {
            let rule = evaluator.match(index)
            let alert = plan[rule].alert(context: context, state: state, scratch: &scratch)
            delegate?.pipeline(self, raised: alert, byRule: rule)
        }
    }

    private func beginSecond(_ time: UInt64) throws(CaptureError) {
        nextSecondNs = time &+ 1_000_000_000
        try delegate?.pipeline(self, reachedSecondAt: time)
    }
}
