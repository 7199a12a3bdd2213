// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import Foundation
import RuleEngine
import Rules
import SystemState
import Testing

/// The rules that Falco ships, as one program.
@Suite struct UpstreamRules {
    @Test func compileToAProgramThatAgreesWithTheTreeWalker() throws {
        guard let root = Corpus.root else {
            print("upstream rules: skipped, no conformance corpus beside the repository")
            return
        }
        let directory = root.deletingLastPathComponent().appending(path: "upstream/rules")
        let files = try ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"].map {
            (name: $0, content: Array(try Data(contentsOf: directory.appending(path: $0))))
        }
        let loader = RuleLoader()
        let results = loader.load(files: files)
        for result in results { #expect(result.successful, "\(result.name)") }
        let conditions = loader.ruleSet.rules.map(\.condition)
        #expect(conditions.count > 80)
        let program = RuleProgram(rules: conditions)
        let groups = program.listing().split(separator: "\n\n")
        // Only events that bring their own names are asked for their type.
        for group in groups.dropFirst() where group.contains("evt.type = ") || group.contains("evt.type in ") {
            #expect(["GENERIC_", "ASYNCEVENT", "PLUGINEVENT"].contains { group.prefix(60).contains($0) }, "\(group.prefix(200))")
        }
        let state = SystemState()
        var evaluator = RuleEvaluator(program: program)
        var scratch = ExtractionScratch()
        for code in 0..<UInt16(EventTable.count) where !EventTable.events[Int(code)].isUnused {
            var builder = EventBuilder()
            builder.begin(type: code, tid: 7, timestampNs: 1)
            for parameter in EventTable.events[Int(code)].parameters {
                if let width = parameter.type.fixedBytes {
                    builder.append(raw: [UInt8](repeating: 1, count: width))
                } else {
                    builder.append(text: "/etc/shadow")
                }
            }
            var bytes: [UInt8] = []
            builder.write(to: &bytes)
            try bytes.withUnsafeBytes { buffer in
                var context = EventContext(event: try EventView(checking: Bytes(buffer), cpu: 0))
                context.number = UInt64(code) + 1
                scratch.reset()
                let count = evaluator.evaluate(context: context, state: state, scratch: &scratch, firstOnly: false)
                let flat = (0..<count).map { evaluator.match($0) }
                var naive: [Int] = []
                for (number, condition) in conditions.enumerated() where condition.eventCodes.contains(code) {
                    scratch.reset()
                    if NaiveEvaluator.holds(condition, context: context, state: state, scratch: &scratch) { naive.append(number) }
                }
                #expect(flat == naive, "\(EventTable.events[Int(code)].identifier)")
            }
        }
    }
}
