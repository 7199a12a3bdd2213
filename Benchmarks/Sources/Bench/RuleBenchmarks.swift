// SPDX-License-Identifier: Apache-2.0
import Capture
import CaptureReplay
import EventModel
import Fields
import Foundation
import Pipeline
import RuleEngine
import Rules
import SystemState

/// The rules that benchmarks evaluate: upstream's three files where the corpus is present, else our own.
struct BenchRules {
    let description: String
    let program: RuleProgram

    init(corpus: URL) throws {
        let upstream = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"].map {
            corpus.appending(path: "upstream/rules/\($0)")
        }
        let own = URL(fileURLWithPath: #filePath).appending(path: "../../../../rules/falco_rules.yaml").standardized
        let isUpstream = upstream.allSatisfy { FileManager.default.fileExists(atPath: $0.path) }
        let files = try (isUpstream ? upstream : [own]).map { url in
            guard let content = FileManager.default.contents(atPath: url.path) else {
                throw BenchError("no rules at \(url.path)")
            }
            return (name: url.path, content: [UInt8](content))
        }
        let loader = RuleLoader()
        for result in loader.load(files: files) {
            if let error = result.errors.first { throw BenchError("\(result.name): \(error.message)") }
        }
        let rules = loader.ruleSet.rules(ofSource: Rule.syscallSource)
        program = RuleProgram(rules: rules.map(\.condition))
        description = "\(rules.count) rules (\(isUpstream ? "upstream's stable, incubating and sandbox files" : "our own file"))"
    }
}

/// `admit`, all rules, `retire` over events in memory. The difference to the benchmark without rules is what rules cost.
final class RulesBenchmark: Benchmark {
    let name: String
    private let path: String
    private let program: RuleProgram
    private var recording: Recording?
    private var state = SystemState()
    private var evaluator: RuleEvaluator
    private var scratch = ExtractionScratch()
    private(set) var matches = 0
    /// By event type: events and the checks that were made for them.
    private(set) var checks = ContiguousArray(repeating: (events: 0, checks: 0), count: EventTable.count)

    init(_ name: String, path: String, rules: BenchRules) {
        (self.name, self.path, program) = (name, path, rules.program)
        evaluator = RuleEvaluator(program: program)
    }

    func prepare() throws {
        if recording == nil { recording = try Recording(path: path) }
        state = SystemState()
        recording?.snapshot(into: state)
        state.finishSnapshot()
        evaluator = RuleEvaluator(program: program)
        matches = 0
    }

    func run() throws -> Int {
        guard let recording, let first = recording.events.first else { return 0 }
        var context = EventContext(event: first)
        var number: UInt64 = 0
        for event in recording.events {
            state.admit(event, into: &context)
            number += 1
            if !event.isHidden {
                context.number = number
                scratch.reset()
                let before = evaluator.checksMade
                matches += evaluator.evaluate(context: context, state: state, scratch: &scratch, firstOnly: false)
                checks[Int(event.type)].events += 1
                checks[Int(event.type)].checks += Int(evaluator.checksMade - before)
            }
            state.retire(context)
            if number % 4096 == 0 { state.maintain(nowNs: event.timestampNs, isAlive: nil) }
        }
        return recording.events.count
    }
}

extension RulesBenchmark {
    /// What was evaluated, in words: how many checks an event took, and the types that took most.
    var checksText: String {
        func mean(_ row: (events: Int, checks: Int)) -> String {
            String(format: "%.1f", Double(row.checks) / Double(max(1, row.events)))
        }
        let total = checks.reduce((events: 0, checks: 0)) { ($0.events + $1.events, $0.checks + $1.checks) }
        let types = checks.enumerated().filter { $0.element.checks > 0 }.sorted { $0.element.checks > $1.element.checks }.prefix(
            5)
        let shown = types.map {
            let share = Double($0.element.checks) / Double(max(1, total.checks)) * 100
            return "\(EventTable.events[$0.offset].name) \(mean($0.element)) (\(String(format: "%.0f", share)) %)"
        }
        return "  checks per event: \(mean(total)); of the types that take most: \(shown.joined(separator: ", "))"
    }
}

/// From the file to matches, as the agent replays it; alerts are counted, not written.
final class ReplayBenchmark: Benchmark {
    private final class Counter: MatchHandler {
        func matched(rule: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch) {}
        func secondBegan(timestampNs: UInt64) {}
        func batchEnded(nowNs: UInt64) {}
    }

    let name: String
    private let path: String
    private let program: RuleProgram
    private var pipeline: EventPipeline?
    private var source: ReplaySource?

    init(_ name: String, path: String, rules: BenchRules) { (self.name, self.path, program) = (name, path, rules.program) }

    func prepare() throws {
        let source = try ReplaySource(path: path)
        self.source = source
        pipeline = EventPipeline(
            source: source, state: SystemState(), rules: PipelineRules(program: program, firstOnly: true), handler: Counter())
    }

    func run() throws -> Int {
        guard let pipeline, let source else { return 0 }
        _ = try pipeline.run()
        return Int(source.counters.events)
    }
}
