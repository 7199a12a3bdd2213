// SPDX-License-Identifier: Apache-2.0
import EventModel
import RuleEngine

/// Tries to show that no event satisfies a formula. What it shows is certain; what it cannot show may still be so.
///
/// Per group of event codes that the formula cannot tell apart: literals of a conjunction are put together field by field until
/// they contradict each other, alternatives that contradict them fall away, and a few that are left are tried in turn.
final class Refuter {
    let vocabulary: Vocabulary
    /// Assumptions that may still be made; when they are used up nothing is shown any more.
    private(set) var stepsLeft: Int
    private var queryStepsLeft = 0
    static let queryStepsMax = 60_000
    private static let splitsMax = 3

    init(_ vocabulary: Vocabulary, stepsMax: Int = 30_000_000) {
        self.vocabulary = vocabulary
        stepsLeft = stepsMax
    }
    var isExhausted: Bool { stepsLeft <= 0 }

    // MARK: questions

    /// Certainly no event satisfies all of them.
    func areNeverTrue(_ formulas: [Formula]) -> Bool {
        groups(of: formulas).allSatisfy { group in refute(formulas, group) }
    }
    func isNeverTrue(_ formula: Formula) -> Bool { areNeverTrue([formula]) }
    func isAlwaysTrue(_ formula: Formula) -> Bool { areNeverTrue([formula.negated]) }
    /// Every event that satisfies the premises satisfies the conclusion.
    func follows(_ conclusion: Formula, from premises: [Formula]) -> Bool { areNeverTrue(premises + [conclusion.negated]) }

    /// Codes of events that may satisfy the formula, as far as can be told.
    func codes(of formula: Formula) -> EventCodeSet {
        var codes = EventCodeSet()
        for group in groups(of: [formula]) where !refute([formula], group) { for code in group { codes.insert(code) } }
        return codes
    }
    func isNeverTrue(_ formula: Formula, among codes: EventCodeSet) -> Bool {
        groups(of: [formula]).allSatisfy { group in !group.contains(where: codes.contains) || refute([formula], group) }
    }

    // MARK: groups of event codes

    /// Codes for which the checks of the formulas are decided alike.
    private func groups(of formulas: [Formula]) -> [[UInt16]] {
        var atoms: Set<Int> = []
        for formula in formulas { formula.collectAtoms(&atoms) }
        let deciding = atoms.filter(vocabulary.isDecidedByEvents).sorted()
        guard !deciding.isEmpty else { return [Array(0..<UInt16(EventTable.count))] }
        var groups: [[UInt8]: [UInt16]] = [:]
        for code in 0..<UInt16(EventTable.count) {
            let signature = deciding.map { vocabulary.decision($0, code).map { $0 ? UInt8(1) : 2 } ?? 0 }
            groups[signature, default: []].append(code)
        }
        return groups.values.sorted { $0[0] < $1[0] }
    }

    // MARK: refuting

    private struct FieldFacts {
        /// Nil as long as nothing says whether the field has a value.
        var isPresent: Bool?
        var holding: [Int] = []
        var failing: [Int] = []
        /// The values that are left, once there is a finite number of them.
        var candidates: [Atom.Value]?
    }
    private typealias Facts = [Int: FieldFacts]

    private func refute(_ formulas: [Formula], _ group: [UInt16]) -> Bool {
        queryStepsLeft = min(Self.queryStepsMax, stepsLeft)
        let before = queryStepsLeft
        defer { stepsLeft -= before - queryStepsLeft }
        return refute(formulas, [:], code: group[0], splits: Self.splitsMax)
    }

    private func refute(_ formulas: [Formula], _ facts: Facts, code: UInt16, splits: Int) -> Bool {
        var facts = facts
        var open: [[Formula]] = []
        for formula in formulas where !absorb(formula, &facts, &open, code) { return queryStepsLeft > 0 }
        guard narrow(&open, &facts, code) else { return queryStepsLeft > 0 }
        guard splits > 0, queryStepsLeft > 0 else { return false }
        let bySize = open.indices.sorted { open[$0].count < open[$1].count }
        for index in bySize.prefix(4) {
            var rest = open
            let alternatives = rest.remove(at: index)
            let others = rest.map { Formula.or($0) }
            if alternatives.allSatisfy({ refute([$0] + others, facts, code: code, splits: splits - 1) }) { return true }
            if queryStepsLeft <= 0 { return false }
        }
        return false
    }

    /// Takes what the formula says for certain. False on a contradiction.
    private func absorb(_ formula: Formula, _ facts: inout Facts, _ open: inout [[Formula]], _ code: UInt16) -> Bool {
        switch formula {
        case .constant(let value): return value
        case .literal(let atom, let isTrue): return assume(atom, isTrue, &facts, code)
        case .and(let parts):
            // Literals first: they make alternatives fall away.
            for part in parts { if case .literal = part, !absorb(part, &facts, &open, code) { return false } }
            for part in parts {
                if case .literal = part { continue }
                if !absorb(part, &facts, &open, code) { return false }
            }
            return true
        case .or(let parts):
            if parts.count == 1 { return absorb(parts[0], &facts, &open, code) }
            open.append(parts)
            return !parts.isEmpty
        }
    }

    /// Drops alternatives that contradict the facts, and takes those that are the last of theirs, until nothing changes.
    private func narrow(_ open: inout [[Formula]], _ facts: inout Facts, _ code: UInt16) -> Bool {
        var isChanged = true
        while isChanged {
            isChanged = false
            var index = 0
            while index < open.count {
                guard queryStepsLeft > 0 else { return true }
                let alive = open[index].filter { isPossible($0, facts, code) }
                if alive.isEmpty { return false }
                if alive.count == 1 {
                    open.remove(at: index)
                    var more: [[Formula]] = []
                    guard absorb(alive[0], &facts, &more, code) else { return false }
                    open += more
                    isChanged = true
                    continue
                }
                open[index] = alive
                index += 1
            }
        }
        return true
    }

    private func isPossible(_ formula: Formula, _ facts: Facts, _ code: UInt16) -> Bool {
        if case .constant(let value) = formula { return value }
        var facts = facts
        var open: [[Formula]] = []
        guard absorb(formula, &facts, &open, code) else { return false }
        return open.allSatisfy { alternatives in alternatives.contains { isPossible($0, facts, code) } }
    }

    // MARK: facts of one field

    private func assume(_ number: Int, _ isTrue: Bool, _ facts: inout Facts, _ code: UInt16) -> Bool {
        queryStepsLeft -= 1
        guard queryStepsLeft > 0 else { return true }
        if let decided = vocabulary.decision(number, code) { return decided == isTrue }
        let atom = vocabulary.atoms[number]
        var field = facts[atom.field] ?? FieldFacts()
        if (isTrue ? field.holding : field.failing).contains(number) { return true }
        if (isTrue ? field.failing : field.holding).contains(number) { return false }
        var becamePresent = false
        if isTrue {
            // Whatever holds of a value says that there is one.
            if field.isPresent == false { return false }
            becamePresent = field.isPresent == nil
            field.isPresent = true
            field.holding.append(number)
        } else {
            if case .exists = atom.shape {
                if field.isPresent == true { return false }
                field.isPresent = false
            }
            field.failing.append(number)
        }
        guard isConsistent(&field, number, isTrue, becamePresent) else { return false }
        facts[atom.field] = field
        return true
    }

    private func isConsistent(_ field: inout FieldFacts, _ number: Int, _ isTrue: Bool, _ becamePresent: Bool) -> Bool {
        // Without a value everything fails, and nothing contradicts anything.
        guard field.isPresent == true else { return true }
        let atoms = vocabulary.atoms
        let atom = atoms[number]
        guard atom.reading != nil else { return true }
        if atom.isSingle {
            if let candidates = field.candidates {
                var left = candidates.filter { atom.holds($0).map { $0 == isTrue } ?? true }
                if becamePresent { left = filtered(left, field) }
                field.candidates = left
            } else if let source = candidates(of: field) {
                field.candidates = filtered(source, field)
            }
            if let candidates = field.candidates { return !candidates.isEmpty }
        }
        // The check that came, or all of them when the failing ones begin to count.
        let holding = isTrue && !becamePresent ? [number] : field.holding
        let failing = isTrue ? field.failing : [number]
        for held in holding {
            if failing.contains(where: { atoms[held].implies(atoms[$0]) }) { return false }
            if isTrue, field.holding.contains(where: { $0 != held && atoms[held].isDisjoint(with: atoms[$0]) }) { return false }
        }
        return true
    }

    private func filtered(_ values: [Atom.Value], _ field: FieldFacts) -> [Atom.Value] {
        let atoms = vocabulary.atoms
        return values.filter { value in
            field.holding.allSatisfy { atoms[$0].holds(value) ?? true }
                && field.failing.allSatisfy { !(atoms[$0].holds(value) ?? false) }
        }
    }

    /// A finite set that holds every value the field can still have; nil when there is none.
    private func candidates(of field: FieldFacts) -> [Atom.Value]? {
        let atoms = vocabulary.atoms
        var smallest: Set<Atom.Value>?
        var bounds: (low: UInt64, high: UInt64) = (0, .max)
        var kind: CheckReading.Kind?
        for number in field.holding {
            if let members = atoms[number].members, members.count < smallest?.count ?? .max { smallest = members }
            if case .between(let low, let high) = atoms[number].shape { bounds = (max(bounds.low, low), min(bounds.high, high)) }
            kind = atoms[number].reading?.kind
        }
        for number in field.failing {
            if case .other(let than) = atoms[number].shape { smallest = [than] }
            if case .between(let low, let high) = atoms[number].shape {
                if low == 0, high < .max { bounds.low = max(bounds.low, high + 1) }
                if high == .max, low > 0 { bounds.high = min(bounds.high, low - 1) }
                if low == 0, high == .max { return [] }
            }
            kind = kind ?? atoms[number].reading?.kind
        }
        if let smallest { return Array(smallest) }
        guard let kind else { return nil }
        if kind == .bool { return [.number(0), .number(1)] }
        guard kind == .signed || kind == .unsigned else { return nil }
        if bounds.low > bounds.high { return [] }
        guard bounds.high - bounds.low < 64 else { return nil }
        return (bounds.low...bounds.high).map { .number(Atom.sortable($0, kind)) }
    }
}
