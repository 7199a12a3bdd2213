// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import FilterLanguage
import SystemState

/// All rules of a source as one flat program, immutable and shared between threads.
///
/// For each event code there is an entry into jump code that asks exactly the rules which that event can fire, checks of
/// `evt.type` folded away. Checks and field expressions that rules share are there once, so an evaluator asks each at most
/// once per event. Codes for which the folded rules are the same share their code.
public final class RuleProgram: @unchecked Sendable {  // immutable after init
    enum Opcode: UInt8 { case check, match, end }
    struct Instruction {
        var opcode: Opcode
        /// Check or rule.
        var index: Int32
        var onTrue: Int32
        var onFalse: Int32
    }

    let instructions: UnsafeMutablePointer<Instruction>
    let instructionCount: Int
    /// By event code: where to start.
    let entries: UnsafeMutablePointer<Int32>
    let checks: UnsafeMutablePointer<FlatCheck>
    let checkCount: Int
    let expressions: UnsafeMutablePointer<ValueExpression>
    /// By expression: the field it reads; all of it when `isField`.
    let selectors: UnsafeMutablePointer<FieldSelector>
    let isField: UnsafeMutablePointer<Bool>
    let expressionCount: Int
    let tables: CheckTables
    public let ruleCount: Int
    /// Event codes for which there is anything to ask.
    public let eventCodes: EventCodeSet

    private let byteSetCount: Int
    private let wordSetCount: Int
    private let treeCount: Int
    private let globCount: Int
    /// Keeps the constants alive that the tables point at.
    private let sources: [TypedCheck]
    private let loweredConstants: [FieldKey]
    private let groups: [(codes: EventCodeSet, start: Int, rules: [Int])]

    public init(rules: [CompiledCondition]) {
        var builder = ProgramBuilder(rules: rules)
        builder.build()
        ruleCount = rules.count
        eventCodes = builder.groups.filter { !$0.rules.isEmpty }.reduce(EventCodeSet.none) { $0.union($1.codes) }
        groups = builder.groups
        sources = builder.sources
        loweredConstants = builder.loweredConstants
        func copy<T>(_ array: [T]) -> UnsafeMutablePointer<T> {
            let pointer = UnsafeMutablePointer<T>.allocate(capacity: max(1, array.count))
            pointer.initialize(from: array, count: array.count)
            return pointer
        }
        instructions = copy(builder.instructions)
        instructionCount = builder.instructions.count
        entries = copy(builder.entries)
        checks = copy(builder.checks)
        checkCount = builder.checks.count
        expressions = copy(builder.expressions)
        selectors = copy(builder.expressions.map { $0.selector ?? FieldSelector.none })
        isField = copy(builder.expressions.map { $0.selector != nil })
        expressionCount = builder.expressions.count
        tables = CheckTables(
            operands: copy(builder.operands), byteSets: copy(builder.byteSets), wordSets: copy(builder.wordSets),
            trees: copy(builder.trees), globs: copy(builder.globs))
        byteSetCount = builder.byteSets.count
        wordSetCount = builder.wordSets.count
        treeCount = builder.trees.count
        globCount = builder.globs.count
    }

    deinit {
        for index in 0..<byteSetCount { tables.byteSets[index].deallocate() }
        for index in 0..<wordSetCount { tables.wordSets[index].deallocate() }
        for index in 0..<treeCount { tables.trees[index].deallocate() }
        for index in 0..<globCount { tables.globs[index].deallocate() }
        tables.byteSets.deallocate()
        tables.wordSets.deallocate()
        tables.trees.deallocate()
        tables.globs.deallocate()
        tables.operands.deallocate()
        expressions.deinitialize(count: expressionCount)
        expressions.deallocate()
        selectors.deallocate()
        isField.deallocate()
        checks.deallocate()
        entries.deallocate()
        instructions.deallocate()
    }

    /// The program as text: per group of event codes its instructions, with the checks in words.
    public func listing() -> String {
        var lines = [
            "\(ruleCount) rules, \(checkCount) distinct checks, \(expressionCount) distinct fields, "
                + "\(instructionCount) instructions"
        ]
        for (number, group) in groups.enumerated() {
            let codes = group.codes.codes
            let names = codes.prefix(6).map { EventTable.events[Int($0)].identifier }.joined(separator: " ")
            lines.append("")
            lines.append("\(names)\(codes.count > 6 ? " and \(codes.count - 6) more" : ""): \(group.rules.count) rules")
            let end = number + 1 < groups.count ? groups[number + 1].start : instructionCount
            for index in group.start..<end {
                let instruction = instructions[index]
                let text =
                    switch instruction.opcode {
                    case .check:
                        "\(sources[Int(instruction.index)].text)  true \(instruction.onTrue), false \(instruction.onFalse)"
                    case .match: "match rule \(instruction.index)  then \(instruction.onTrue)"
                    case .end: "end"
                    }
                lines.append("  \(index)  \(text)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
