// SPDX-License-Identifier: Apache-2.0
import Fields
import FilterLanguage
import Glibc
import RuleEngine
import Testing

@testable import RuleLint

/// What lint calls certain is tried on random events: one event that says otherwise is a false alarm.
@Suite struct SoundnessTests {
    /// Two each time; `LINT_SEEDS=50` for more.
    static func seeds(_ first: UInt64) -> [UInt64] {
        let count = getenv("LINT_SEEDS").flatMap { UInt64(String(cString: $0)) } ?? 2
        return Array(first..<first + max(1, count))
    }

    private func parsed(_ text: String) throws -> (Condition, CompiledCondition) {
        var parser = ConditionParser(text)
        let condition = try parser.parse()
        return (condition, try ConditionCompiler(catalogue: .builtin).compile(condition))
    }

    @Test(arguments: seeds(1))
    func whatIsNeverTrueNeverMatches(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let events = RandomEvents(count: 250, &random)
        let vocabulary = Vocabulary(catalogue: .builtin)
        let refuter = Refuter(vocabulary)
        var claims = (never: 0, always: 0, open: 0)
        for _ in 0..<250 {
            let text = RandomConditions.condition(depth: 3, &random)
            let (condition, compiled) = try parsed(text)
            let formula = vocabulary.formula(condition)
            if refuter.isNeverTrue(formula) {
                claims.never += 1
                #expect(!events.verdicts(compiled).contains(true), "seed \(seed): called never true: \(text)")
            } else if refuter.isAlwaysTrue(formula) {
                claims.always += 1
                #expect(!events.verdicts(compiled).contains(false), "seed \(seed): called always true: \(text)")
            } else {
                claims.open += 1
                let codes = refuter.codes(of: formula)
                for (sample, holds) in zip(events.samples, events.verdicts(compiled)) where holds {
                    #expect(
                        codes.contains(sample.context.event.type),
                        "seed \(seed): event \(sample.context.event.type) left out: \(text)")
                }
            }
        }
        #expect(claims.never > 10 && claims.always > 2 && claims.open > 50, "the conditions show nothing: \(claims)")
    }

    @Test(arguments: seeds(1_000_000))
    func whoeverMatchesTheShadowedMatchesTheShadow(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let events = RandomEvents(count: 250, &random)
        let vocabulary = Vocabulary(catalogue: .builtin)
        let refuter = Refuter(vocabulary)
        var claims = 0
        var matches = 0
        for _ in 0..<300 {
            // Conditions that have to do with each other: one is a part, a neighbour or a variation of the other.
            let common = RandomConditions.condition(depth: 1, &random)
            let extra = RandomConditions.condition(depth: 2, &random)
            let more = RandomConditions.condition(depth: 1, &random)
            let pairs = [
                ("(\(common)) and (\(extra))", "(\(common)) or (\(more))"), ("(\(common)) and (\(extra))", common),
                ("(\(extra)) and (\(more))", "(\(extra)) and (\(common))"), (extra, "(\(common)) or (\(extra))"), (common, more),
            ]
            for (later, earlier) in pairs {
                let (laterCondition, laterCompiled) = try parsed(later)
                let (earlierCondition, earlierCompiled) = try parsed(earlier)
                guard refuter.follows(vocabulary.formula(earlierCondition), from: [vocabulary.formula(laterCondition)]) else {
                    continue
                }
                claims += 1
                for (laterHolds, earlierHolds) in zip(events.verdicts(laterCompiled), events.verdicts(earlierCompiled))
                where laterHolds {
                    matches += 1
                    #expect(earlierHolds, "seed \(seed): '\(earlier)' is said to shadow '\(later)'")
                }
            }
        }
        #expect(claims > 300 && matches > 2000, "the conditions show nothing: \(claims) claims, \(matches) matches")
    }
}
