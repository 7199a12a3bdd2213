// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import FilterLanguage
import SystemState
import Testing

@testable import RuleEngine

@Suite struct RuleProgramTests {
    private func matches(_ rules: [String], _ context: EventContext, firstOnly: Bool = false) throws -> [Int] {
        var evaluator = RuleEvaluator(program: RuleProgram(rules: try rules.map { try compiled($0) }))
        var scratch = ExtractionScratch()
        let count = evaluator.evaluate(context: context, state: SystemState(), scratch: &scratch, firstOnly: firstOnly)
        return (0..<count).map { evaluator.match($0) }
    }

    @Test func matchesInLoadOrderAndStopsWhenAsked() throws {
        let store = EventStore()
        var context = EventContext(event: try store.event(PPME_SYSCALL_CLOSE_X.code))
        context.number = 7
        let rules = ["evt.type = open", "evt.num = 7", "evt.type = close", "evt.num = 8", "evt.num > 0 and evt.type != open"]
        #expect(try matches(rules, context) == [1, 2, 4])
        #expect(try matches(rules, context, firstOnly: true) == [1])
        #expect(try matches([], context) == [])
    }

    @Test func eventTypeIsFoldedAwayAndSharedChecksAreThereOnce() throws {
        let rules = [
            "evt.type = open and evt.num = 7", "evt.type in (open, close) and evt.num == 7 and evt.cpu = 1", "evt.num = 0",
        ]
        let program = RuleProgram(rules: try rules.map { try compiled($0) })
        let groups = program.listing().split(separator: "\n\n")
        let ofOpen = try #require(groups.first { $0.contains("PPME_SYSCALL_OPEN_X") })
        #expect(!ofOpen.contains("evt.type"))
        #expect(ofOpen.contains("evt.num = 7"))
        #expect(ofOpen.contains("match rule 1"))
        // Async events bring their names along; there, and nowhere else, the two checks of `evt.type` are made.
        #expect(program.checkCount == 2 + 2)
        #expect(groups.filter { $0.contains("evt.type") }.allSatisfy { $0.contains("PPME_ASYNCEVENT_E") })
    }

    @Test func aSharedCheckIsMadeOncePerEvent() throws {
        let store = EventStore()
        var context = EventContext(event: try store.event(PPME_SYSCALL_OPEN_X.code))
        context.number = 7
        var evaluator = RuleEvaluator(
            program: RuleProgram(
                rules: try ["evt.num = 7 and evt.cpu = 5", "evt.num = 7", "not evt.num = 7"].map { try compiled($0) }))
        var scratch = ExtractionScratch()
        #expect(evaluator.evaluate(context: context, state: SystemState(), scratch: &scratch, firstOnly: false) == 1)
        #expect(evaluator.checksMade == 2)
        context.number = 8
        #expect(evaluator.evaluate(context: context, state: SystemState(), scratch: &scratch, firstOnly: false) == 1)
        #expect(evaluator.checksMade == 3)
    }

    /// `concat("a","b.c")` and `concat("a",b.c)` have one text in Falco's normal form; they are not one check.
    @Test func literalsAndFieldsOfOneTextAreNotMixedUp() throws {
        let store = EventStore()
        var context = EventContext(event: try store.event(PPME_SYSCALL_OPEN_X.code))
        context.number = 1
        let rules = [
            "concat('', 'evt.source') = evt.source", "concat('', evt.source) = evt.source", "concat('', evt.source) = syscall",
        ]
        #expect(try matches(rules, context) == [0, 2])
    }

    @Test(arguments: [
        ("evt.source = val(evt.source)", true), ("evt.source != val(evt.source)", false), ("evt.source < val(evt.source)", false),
        ("evt.source contains val(evt.source)", true), ("evt.source glob val(evt.source)", true),
        ("evt.source in val(evt.source)", true),
        ("evt.num >= val(evt.num)", true), ("evt.source = toupper(evt.source)", false),
        ("evt.source icontains toupper(evt.source)", true),
        ("evt.source iglob toupper(evt.source)", true), ("evt.source = val(evt.plugininfo)", false),
        ("evt.source != val(evt.plugininfo)", false),
        ("not evt.source != val(evt.plugininfo)", true), ("len(evt.source) = 7", true),
    ])
    func fieldsOnBothSides(_ text: String, _ expected: Bool) throws {
        let store = EventStore()
        var context = EventContext(event: try store.event(PPME_SYSCALL_OPEN_X.code))
        context.number = 3
        #expect(try matches([text], context).count == (expected ? 1 : 0))
        var scratch = ExtractionScratch()
        #expect(NaiveEvaluator.holds(try compiled(text), context: context, state: SystemState(), scratch: &scratch) == expected)
    }

    /// Random rules over fields whose values vary with the event, on random events: the flat program and the tree walker agree.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func flatProgramAgreesWithTheTreeWalker(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let store = EventStore()
        let state = SystemState()
        let conditions = try (0..<40).map { _ in try compiled(randomCondition(depth: 4, &random)) }
        var evaluator = RuleEvaluator(program: RuleProgram(rules: conditions))
        var scratch = ExtractionScratch()
        let types = [
            PPME_SYSCALL_OPEN_X, PPME_SYSCALL_CLOSE_X, PPME_SYSCALL_OPENAT_2_X, PPME_GENERIC_X, PPME_PROCEXIT_1_E,
            PPME_SYSCALL_WRITE_X,
        ]
        var matchCount = 0
        for _ in 0..<300 {
            let type = types.randomElement(using: &random)!.code
            let buffer = (0..<Int.random(in: 0...3, using: &random)).map { _ in UInt8.random(in: 97...99, using: &random) }
            var context = EventContext(
                event: try store.event(
                    type, timestampNs: UInt64.random(in: 0...4, using: &random), cpu: UInt16.random(in: 0...3, using: &random),
                    parameters: Bool.random(using: &random) ? [[0, 0, 0, 0, 0, 0, 0, 0], buffer] : []))
            context.number = UInt64.random(in: 1...4, using: &random)
            scratch.reset()
            let count = evaluator.evaluate(context: context, state: state, scratch: &scratch, firstOnly: false)
            let flat = (0..<count).map { evaluator.match($0) }
            matchCount += count
            var naive: [Int] = []
            for (number, condition) in conditions.enumerated() where condition.eventCodes.contains(type) {
                scratch.reset()
                if NaiveEvaluator.holds(condition, context: context, state: state, scratch: &scratch) { naive.append(number) }
            }
            #expect(flat == naive)
        }
        #expect(matchCount > 0)
    }

    private func randomCondition(depth: Int, _ random: inout SeededGenerator) -> String {
        let checks = [
            "evt.type = open", "evt.type != close", "evt.type in (open, write, close)", "evt.type startswith open",
            "evt.type exists",
            "evt.type = oneof (open, close)", "evt.num > 2", "evt.num = 0", "evt.num in (1, 3)", "evt.cpu = 1", "evt.cpu != 2",
            "evt.cpu <= 1",
            "evt.rawtime in (1, 2, 3)", "evt.rawtime > 3", "evt.is_io = true", "evt.buffer exists", "evt.buffer contains a",
            "evt.buffer startswith ab", "evt.buffer bcontains 61", "evt.buffer in (a, b, abc)", "evt.buffer != abc",
            "evt.plugininfo exists", "evt.source = syscall", "evt.source regex 'sys.*'", "evt.source glob '*c?ll'",
            "evt.source pmatch (sys, syscall)",
            "evt.source = val(evt.plugininfo)", "evt.num = len(evt.buffer)", "toupper(evt.type) = OPEN", "len(evt.type) > 4",
            "concat(evt.source, evt.type) endswith open", "evt.type icontains OP", "evt.rawtime = anyof (1, 4)",
            "evt.cpu != allof (1, 2)",
        ]
        if depth == 0 || Int.random(in: 0..<5, using: &random) == 0 { return checks.randomElement(using: &random)! }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return "not (\(randomCondition(depth: depth - 1, &random)))"
        case let choice:
            let parts = (0..<Int.random(in: 2...4, using: &random)).map { _ in "(\(randomCondition(depth: depth - 1, &random)))" }
            return parts.joined(separator: choice < 3 ? " and " : " or ")
        }
    }
}
