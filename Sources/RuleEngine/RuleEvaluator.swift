// SPDX-License-Identifier: Apache-2.0
import EventModel
import Fields
import FilterLanguage
import SystemState

/// Runs a `RuleProgram` over events. Owns what one thread needs for that: which checks and fields are known of the event at
/// hand, and the matches. No allocation per event.
public struct RuleEvaluator: ~Copyable {
    private let program: RuleProgram
    /// Per check: generation and verdict in the lowest bit.
    private let verdicts: UnsafeMutablePointer<UInt64>
    /// Per expression: the generation its value is of.
    private let valueGenerations: UnsafeMutablePointer<UInt64>
    private let values: UnsafeMutablePointer<FieldValue>
    private let matches: UnsafeMutablePointer<Int32>
    private var generation: UInt64 = 0
    /// Checks that were really made, those taken from memory not counted.
    public private(set) var checksMade: UInt64 = 0

    public init(program: RuleProgram) {
        self.program = program
        verdicts = .allocate(capacity: max(1, program.checkCount))
        verdicts.initialize(repeating: 0, count: program.checkCount)
        valueGenerations = .allocate(capacity: max(1, program.expressionCount))
        valueGenerations.initialize(repeating: 0, count: program.expressionCount)
        values = .allocate(capacity: max(1, program.expressionCount))
        values.initialize(repeating: .none, count: program.expressionCount)
        matches = .allocate(capacity: max(1, program.ruleCount))
        matches.initialize(repeating: 0, count: program.ruleCount)
    }

    deinit {
        verdicts.deallocate()
        valueGenerations.deallocate()
        values.deallocate()
        matches.deallocate()
    }

    /// How many rules match; `match(_:)` names them, by their index in the program's rules. Stops at the first if `firstOnly`.
    /// The values of the fields stay in `scratch`, which the caller resets per event.
    public mutating func evaluate(
        context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch, firstOnly: Bool
    ) -> Int {
        generation &+= 1
        let instructions = program.instructions
        var matchCount = 0
        var at = Int(program.entries[Int(context.event.type)])
        while true {
            let instruction = instructions[at]
            switch instruction.opcode {
            case .check:
                let known = verdicts[Int(instruction.index)]
                let verdict: Bool
                if known >> 1 == generation {
                    verdict = known & 1 != 0
                } else {
                    verdict = check(Int(instruction.index), context: context, state: state, scratch: &scratch)
                    verdicts[Int(instruction.index)] = generation << 1 | (verdict ? 1 : 0)
                }
                at = Int(verdict ? instruction.onTrue : instruction.onFalse)
            case .match:
                matches[matchCount] = instruction.index
                matchCount &+= 1
                if firstOnly { return matchCount }
                at = Int(instruction.onTrue)
            case .end: return matchCount
            }
        }
    }

    /// The `n`-th match of the last `evaluate`.
    public func match(_ n: Int) -> Int { Int(matches[n]) }

    private mutating func check(
        _ index: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> Bool {
        checksMade &+= 1
        let check = program.checks[index]
        let left = value(check.left, context: context, state: state, scratch: &scratch)
        guard left.exists else { return false }
        guard check.opcode == .fields else { return program.tables.holds(check, left, scratch: &scratch) }
        let right = value(check.right, context: context, state: state, scratch: &scratch)
        guard right.exists else { return false }
        return Comparing.compare(check.comparison, check.kind, isList: check.isList, left, right, scratch: scratch)
    }

    @inline(__always)
    private func value(
        _ expression: Int32, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        let index = Int(expression)
        if valueGenerations[index] != generation {
            values[index] = program.expressions[index].evaluate(context: context, state: state, scratch: &scratch)
            valueGenerations[index] = generation
        }
        return values[index]
    }
}
