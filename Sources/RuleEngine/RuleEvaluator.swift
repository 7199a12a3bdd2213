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

    /// How many rules match; `match(_:)` names them, by their index in the program's rules, in that order. Only the first of them if
    /// `firstOnly`. The values of the fields stay in `scratch`, which the caller resets per event.
    public mutating func evaluate(
        context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch, firstOnly: Bool
    ) -> Int {
        generation &+= 1
        let generation = generation
        let verdicts = verdicts
        let instructions = program.instructions
        var matchCount = 0
        var at = instructions + Int(program.entries[Int(context.event.type)])
        while true {
            switch at.pointee.opcode {
            case .check:
                let index = Int(at.pointee.index)
                let known = verdicts[index]
                let verdict: Bool
                if known >> 1 == generation {
                    verdict = known & 1 != 0
                } else {
                    verdict = check(index, context: context, state: state, scratch: &scratch)
                    verdicts[index] = generation << 1 | (verdict ? 1 : 0)
                }
                at = instructions + Int(verdict ? at.pointee.onTrue : at.pointee.onFalse)
            case .match:
                insert(at.pointee.index, behind: matchCount)
                matchCount &+= 1
                at = instructions + Int(at.pointee.onTrue)
            case .end: return firstOnly ? min(1, matchCount) : matchCount
            }
        }
    }

    /// Puts a match in its place among those found so far; there are few.
    private func insert(_ rule: Int32, behind count: Int) {
        var place = count
        while place > 0, matches[place &- 1] > rule {
            matches[place] = matches[place &- 1]
            place &-= 1
        }
        matches[place] = rule
    }

    /// The `n`-th match of the last `evaluate`.
    public func match(_ n: Int) -> Int { Int(matches[n]) }

    private mutating func check(
        _ index: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> Bool {
        checksMade &+= 1
        let check = UnsafePointer(program.checks + index)
        let left = value(check.pointee.left, context: context, state: state, scratch: &scratch)
        guard left.exists else { return false }
        guard check.pointee.opcode == .fields else { return program.tables.holds(check, left, scratch: &scratch) }
        let right = value(check.pointee.right, context: context, state: state, scratch: &scratch)
        guard right.exists else { return false }
        return Comparing.compare(
            check.pointee.comparison, check.pointee.kind, isList: check.pointee.isList, left, right, scratch: scratch)
    }

    @inline(__always)
    private func value(
        _ expression: Int32, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        let index = Int(expression)
        if valueGenerations[index] == generation { return values[index] }
        let value: FieldValue
        if program.isField[index] {
            value = FieldExtractor.extract(program.selectors[index], context: context, state: state, scratch: &scratch)
        } else {
            value = transformed(index, context: context, state: state, scratch: &scratch)
        }
        values[index] = value
        valueGenerations[index] = generation
        return value
    }

    /// Rare, and it counts references: not in the way of plain fields.
    @inline(never)
    private func transformed(
        _ index: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        program.expressions[index].evaluate(context: context, state: state, scratch: &scratch)
    }
}
