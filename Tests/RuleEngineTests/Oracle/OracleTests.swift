// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import FilterLanguage
import Foundation
import SystemState
import Testing

@testable import RuleEngine

/// Random programs of random conditions on random events: the flat program says what the oracle says.
///
/// `FALCO_SEED=n` repeats a run, `FALCO_ORACLE_PAIRS=n` sets how many condition × event pairs are looked at.
@Suite struct OracleTests {
    @Test func flatProgramAgreesWithTheOracle() throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["FALCO_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...999_999_999)
        let pairs = environment["FALCO_ORACLE_PAIRS"].flatMap { Int($0) } ?? 24_000
        let run = OracleRun(seed: seed)
        let clock = ContinuousClock()
        let time = try clock.measure { try run.look(at: pairs) }
        print("oracle: \(run.summary), \(time.components.seconds) s; again with FALCO_SEED=\(seed) FALCO_ORACLE_PAIRS=\(pairs)")
        for difference in run.differences { print(difference) }
        if environment["FALCO_ORACLE_VERBOSE"] != nil {
            print(run.phases.joined(separator: ", "))
            for (refusal, count) in run.refusals.sorted(by: { $0.value > $1.value }).prefix(20) { print("\(count)× \(refusal)") }
        }
        #expect(run.differenceCount == 0, "seed \(seed)")
        #expect(run.pairs >= pairs)
        #expect(run.matches * 200 > run.pairs && run.matches < run.pairs, "conditions that say something")
        #expect(run.refused * 20 < run.conditions, "conditions that compile")
    }
}

/// One program and what it was made of.
private final class OracleProgram {
    let conditions: [Condition]
    let compiled: [CompiledCondition]
    private var evaluator: RuleEvaluator
    private var scratch = ExtractionScratch()

    init(_ rules: [(Condition, CompiledCondition)]) {
        conditions = rules.map(\.0)
        compiled = rules.map(\.1)
        evaluator = RuleEvaluator(program: RuleProgram(rules: compiled))
    }

    func matches(_ context: borrowing EventContext, _ state: SystemState, firstOnly: Bool) -> [Int] {
        scratch.reset()
        let count = evaluator.evaluate(context: context, state: state, scratch: &scratch, firstOnly: firstOnly)
        return (0..<count).map { evaluator.match($0) }
    }
}

final class OracleRun {
    private let seed: UInt64
    private let machine: OracleMachine
    private var generator: ConditionGenerator
    private var oracle: ConditionOracle?
    private(set) var pairs = 0
    private(set) var matches = 0
    private(set) var events = 0
    private(set) var conditions = 0
    /// The compiler did not take them.
    private(set) var refused = 0
    private(set) var refusals: [String: Int] = [:]
    private(set) var differenceCount = 0
    private(set) var differences: [String] = []
    private static let rulesPerProgram = 40

    init(seed: UInt64) {
        self.seed = seed
        machine = OracleMachine(seed: seed)
        generator = ConditionGenerator(seed: seed ^ 0x5eed)
    }

    var summary: String {
        "seed \(seed), \(pairs) pairs of \(conditions - refused) conditions and \(events) events, \(matches) matches, "
            + "\(differenceCount) differences; \(refused) conditions did not compile"
    }

    func look(at pairsWanted: Int) throws {
        last = clock.now
        // What values fields have: constants are drawn from them.
        for _ in 0..<80 {
            try event { oracle in
                for field in ConditionGenerator.fields { self.generator.remember(field, oracle.side(field.name).value) }
            }
        }
        phase("values seen")
        let programCount = max(2, Int(Double(pairsWanted / Self.rulesPerProgram).squareRoot() / 3.2))
        let programs = try (0..<programCount).map { _ in try program() }
        phase("programs built")
        let perEvent = programs.reduce(0) { $0 + $1.conditions.count }
        while pairs < pairsWanted {
            try event { oracle in
                self.events += 1
                for program in programs { self.look(program, oracle) }
                self.pairs += perEvent
            }
        }
        phase("events looked at")
    }

    private let clock = ContinuousClock()
    private lazy var last = clock.now
    /// How long each part took.
    private(set) var phases: [String] = []
    private func phase(_ name: String) {
        let now = clock.now
        phases.append("\(name) \((now - last) / .milliseconds(1)) ms")
        last = now
    }

    private func event(_ body: (ConditionOracle) -> Void) throws {
        _ = try machine.next { context, state in
            if let oracle {
                oracle.look(at: copy context, in: state)
            } else {
                oracle = ConditionOracle(context: copy context, state: state)
            }
            body(oracle!)
        }
    }

    private func program() throws -> OracleProgram {
        generator.beginProgram()
        var rules: [(Condition, CompiledCondition)] = []
        while rules.count < Self.rulesPerProgram {
            let text = generator.rule()
            conditions += 1
            var parser = ConditionParser(text)
            let condition: Condition
            do { condition = try parser.parse() } catch {
                Issue.record("seed \(seed): '\(text)' does not parse: \(error.message)")
                throw error
            }
            do { rules.append((condition, try ConditionCompiler(catalogue: .builtin).compile(condition))) } catch {
                refused += 1
                refusals[error.message, default: 0] += 1
            }
        }
        return OracleProgram(rules)
    }

    private func look(_ program: OracleProgram, _ oracle: ConditionOracle) {
        let context = oracle.context
        let flat = program.matches(context, oracle.state, firstOnly: false)
        let first = program.matches(context, oracle.state, firstOnly: true)
        if first != Array(flat.prefix(1)) { differs("first match \(first), matches \(flat)", context) }
        var place = 0
        for (number, condition) in program.conditions.enumerated() {
            let isFlat = place < flat.count && flat[place] == number
            if isFlat { place += 1 }
            let holds = oracle.holds(condition)
            if holds { matches += 1 }
            if holds, let gap = gap(in: program.compiled[number], context) {
                differs("\(condition.normalised)\n  \(gap)", context)
            }
            guard holds != isFlat else { continue }
            differs("\(condition.normalised)\n  oracle \(holds), program \(isFlat)\(culprits(condition, oracle))", context)
        }
    }

    /// A condition that holds for an event which it was not derived to ask for.
    private func gap(in condition: CompiledCondition, _ context: EventContext) -> String? {
        let type = context.event.type
        if !condition.eventCodes.contains(type) { return "holds for an event type that was not derived" }
        let isGeneric = type <= 1
        if isGeneric {
            guard let parameter = context.event.integer(0, signed: false) else { return nil }
            let code = UInt16(truncatingIfNeeded: parameter)
            return condition.systemCallCodes.contains(code) ? nil : "holds for system call \(code), which was not derived"
        }
        // The other half of an event that comes alone never happens.
        if EventTable.events[Int(type)].isUnused { return nil }
        let calls = Self.callsByEvent[type | 1] ?? []
        if calls.isEmpty || !calls.isDisjoint(with: condition.systemCallCodes) { return nil }
        return "holds for the event of system calls \(calls), which were not derived"
    }
    private static let callsByEvent: [UInt16: Set<UInt16>] = {
        var table: [UInt16: Set<UInt16>] = [:]
        for call in EventTable.systemCallCodes where !call.isGeneric && !call.name.isEmpty && call.code != 0 {
            table[call.event | 1, default: []].insert(call.code)
        }
        return table
    }()

    private func differs(_ text: String, _ context: EventContext) {
        differenceCount += 1
        guard differences.count < 8 else { return }
        differences.append("DIFFERENCE at event \(events), \(EventTable.events[Int(context.event.type)].identifier): \(text)")
    }

    /// The checks that alone differ too.
    private func culprits(_ condition: Condition, _ oracle: ConditionOracle) -> String {
        var found: [String] = []
        func walk(_ condition: Condition) {
            switch condition {
            case .and(let children, _), .or(let children, _): for child in children { walk(child) }
            case .not(let child, _): walk(child)
            case .macro: break
            case .check(let check):
                guard let compiled = try? ConditionCompiler(catalogue: .builtin).compile(.check(check)) else { return }
                let whole = CompiledCondition(root: compiled.root, eventCodes: .all, warnings: [], systemCallCodes: [])
                let flat = OracleProgram([(.check(check), whole)]).matches(oracle.context, oracle.state, firstOnly: false)
                guard flat.isEmpty == oracle.holds(check) else { return }
                found.append("\n  check \(check.normalised): oracle \(oracle.holds(check)), left \(oracle.leftSide(check))")
            }
        }
        walk(condition)
        return found.joined()
    }
}
