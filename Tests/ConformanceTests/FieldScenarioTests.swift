// SPDX-License-Identifier: Apache-2.0
import Fields
import FilterLanguage
import Foundation
import RuleEngine
import Testing

/// Values of fields after each event of the corpus' scenarios, and conditions at those events.
@Suite struct FieldScenarioTests {
    /// One case lacks the step that makes the account which three of its checks name. Never raise it.
    private static let knownDeviations = 3

    @Test func scenarios() throws {
        var ran: [String: Int] = [:]
        var skipped: [String: Int] = [:]
        var wrong: [String] = []
        for scenarioCase in try Corpus.cases("filter-eval.json", kinds: ["scenario"]) {
            let name = scenarioCase["name"] as? String ?? ""
            let scenario = Scenario()
            for thread in scenarioCase["threads"] as? [Corpus.Case] ?? [] { scenario.add(thread: thread) }
            scenario.state.finishSnapshot()
            var obstacle: String?
            for step in scenarioCase["steps"] as? [Corpus.Case] ?? [] {
                switch step["op"] as? String {
                case "event": try scenario.play(step)
                case "add_user":
                    guard step["name"] is String else {
                        obstacle = "names the accounts of the machine that upstream's tests ran on"
                        continue
                    }
                    scenario.add(user: step)
                case "rm_user": try scenario.removeUser(step)
                case "check":
                    if step["after_unreproducible_step"] as? Bool == true { obstacle = "pokes upstream's internals before" }
                    if let obstacle {
                        skipped[obstacle, default: 0] += 1
                        continue
                    }
                    ran[step["kind"] as? String ?? "", default: 0] += 1
                    if let difference = try difference(step, scenario) { wrong.append("\(name) \(difference)") }
                case let other: Issue.record("\(name): unknown step '\(other ?? "")'")
                }
            }
            scenario.finish()
        }
        for line in wrong { print(line) }
        let counts = ran.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        print("scenarios: checks made: \(counts); not as upstream: \(wrong.count)")
        for (reason, count) in skipped { print("scenarios: \(count) checks skipped: the case \(reason)") }
        #expect(wrong.count <= Self.knownDeviations)
    }

    /// What is not as the check says; nil when all is.
    private func difference(_ step: Corpus.Case, _ scenario: Scenario) throws -> String? {
        let expected = step["expect"] as? Bool
        switch step["kind"] as? String {
        case "field_string":
            let field = step["field"] as! String
            let got = scenario.render(try OutputTemplate("*%" + field, catalogue: .builtin)).text
            if got == Corpus.bytes(step["expect"]) { return nil }
            return "\(field): want \(step["expect"] ?? ""), got \(String(decoding: got, as: UTF8.self))"
        case "has_value":
            let field = step["field"] as! String
            let got = scenario.render(try OutputTemplate("%" + field, catalogue: .builtin)).isComplete
            return got == expected ? nil : "\(field): has a value is \(got)"
        case "filter":
            let text = step["expr"] as! String
            do {
                let got = try scenario.holds(text)
                return got == expected ? nil : "\(text): holds is \(got)"
            } catch {
                // A condition that is none holds for no event either.
                return expected == false ? nil : "\(text): \(error)"
            }
        case "filter_compiles_and_runs":
            let text = step["expr"] as! String
            return (try? scenario.holds(text)) == nil ? "\(text): does not run" : nil
        case "compiles", "filter_throws":
            let text = step["expr"] as! String
            var parser = ConditionParser(text)
            var compiles = false
            if let condition = try? parser.parse() {
                compiles = (try? ConditionCompiler(catalogue: .builtin).compile(condition)) != nil
            }
            let isExpected = step["kind"] as? String == "compiles" ? compiles == expected : compiles != expected
            return isExpected ? nil : "\(text): compiles is \(compiles)"
        case let other: return "unknown check '\(other ?? "")'"
        }
    }
}
