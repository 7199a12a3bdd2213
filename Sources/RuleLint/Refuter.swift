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
    static let queryStepsMax = 20_000
    private static let splitsMax = 3

    init(_ vocabulary: Vocabulary, stepsMax: Int = 20_000_000) {
        self.vocabulary = vocabulary
        stepsLeft = stepsMax
    }
    var isExhausted: Bool { stepsLeft <= 0 }

    // MARK: questions

    /// Certainly no event satisfies all of them.
    func areNeverTrue(_ formulas: [Formula]) -> Bool {
        groups(of: formulas, among: Self.allCodes).allSatisfy { refute(formulas, [:], code: $0[0]) }
    }
    func isNeverTrue(_ formula: Formula) -> Bool { areNeverTrue([formula]) }
    func isAlwaysTrue(_ formula: Formula) -> Bool { areNeverTrue([formula.negated]) }
    /// Every event that satisfies the premises satisfies the conclusion.
    func follows(_ conclusion: Formula, from premises: [Formula]) -> Bool { follows(conclusion, from: prepare(premises)) }

    /// Codes of events that may satisfy the formula, as far as can be told.
    func codes(of formula: Formula) -> EventCodeSet {
        var codes = EventCodeSet()
        for state in prepare([formula]).states { for code in state.codes { codes.insert(code) } }
        return codes
    }

    // MARK: questions to the same premises again and again

    /// What premises say, by groups of event codes with which they can hold.
    struct Prepared {
        fileprivate struct State {
            var codes: [UInt16]
            let facts: Facts
            let open: [Formula]
        }
        fileprivate let states: [State]

        /// Fields about which something is left open: alternatives that are not decided yet.
        func openFields(_ vocabulary: Vocabulary) -> Set<Int> {
            var atoms: Set<Int> = []
            for state in states { for formula in state.open { formula.collectAtoms(&atoms) } }
            return Set(atoms.map { vocabulary.atoms[$0].field })
        }
        /// One of the values that the premises leave to a field, where they leave a finite number.
        func someValue(of field: Int) -> Atom.Value? { states.first?.facts[field]?.candidates?.first }
    }

    func prepare(_ premises: [Formula]) -> Prepared {
        var states: [Prepared.State] = []
        for group in groups(of: premises, among: Self.allCodes) {
            begin()
            defer { end() }
            var facts: Facts = [:]
            var open: [[Formula]] = []
            guard premises.allSatisfy({ absorb($0, &facts, &open, group[0]) }), narrow(&open, &facts, group[0]) else { continue }
            let rest = open.map { Formula.or($0) }
            if !rest.isEmpty, refuteOpen(rest, facts, code: group[0], splits: Self.splitsMax) { continue }
            states.append(Prepared.State(codes: group, facts: facts, open: rest))
        }
        return Prepared(states: states)
    }

    func isNeverTrue(_ formula: Formula, given premises: Prepared) -> Bool {
        premises.states.allSatisfy { state in
            groups(of: [formula], among: state.codes).allSatisfy { refute([formula] + state.open, state.facts, code: $0[0]) }
        }
    }

    /// Part by part: the first that does not follow is the answer.
    func follows(_ conclusion: Formula, from premises: Prepared) -> Bool {
        if case .and(let parts) = conclusion { return parts.allSatisfy { follows($0, from: premises) } }
        return isNeverTrue(conclusion.negated, given: premises)
    }

    // MARK: groups of event codes

    private static let allCodes = Array(0..<UInt16(EventTable.count))
    private var partitions: [Set<Int>: [[UInt16]]] = [:]

    /// Codes for which the checks of the formulas are decided alike.
    private func groups(of formulas: [Formula], among codes: [UInt16]) -> [[UInt16]] {
        var atoms: Set<Int> = []
        for formula in formulas { formula.collectAtoms(&atoms) }
        atoms = atoms.filter(vocabulary.isDecidedByEvents)
        guard !atoms.isEmpty else { return [codes] }
        let isAll = codes.count == Self.allCodes.count
        if isAll, let known = partitions[atoms] { return known }
        var groups = [codes]
        for atom in atoms {
            groups = groups.flatMap { group -> [[UInt16]] in
                guard group.count > 1 else { return [group] }
                var parts: ([UInt16], [UInt16], [UInt16]) = ([], [], [])
                for code in group {
                    switch vocabulary.decision(atom, code) {
                    case nil: parts.0.append(code)
                    case true?: parts.1.append(code)
                    case false?: parts.2.append(code)
                    }
                }
                return [parts.0, parts.1, parts.2].filter { !$0.isEmpty }
            }
        }
        if isAll { partitions[atoms] = groups }
        return groups
    }

    // MARK: refuting

    fileprivate struct FieldFacts {
        /// Nil as long as nothing says whether the field has a value.
        var isPresent: Bool?
        var holding: [Int] = []
        var failing: [Int] = []
        /// The values that are left, once there is a finite number of them.
        var candidates: [Atom.Value]?
    }
    fileprivate typealias Facts = [Int: FieldFacts]

    private func begin() { queryStepsLeft = min(Self.queryStepsMax, stepsLeft) }
    private func end() { stepsLeft -= min(Self.queryStepsMax, stepsLeft) - max(0, queryStepsLeft) }

    private func refute(_ formulas: [Formula], _ facts: Facts, code: UInt16) -> Bool {
        begin()
        defer { end() }
        return refuteOpen(formulas, facts, code: code, splits: Self.splitsMax)
    }

    private func refuteOpen(_ formulas: [Formula], _ facts: Facts, code: UInt16, splits: Int) -> Bool {
        var facts = facts
        var open: [[Formula]] = []
        for formula in formulas where !absorb(formula, &facts, &open, code) { return true }
        guard narrow(&open, &facts, code) else { return true }
        guard splits > 0, queryStepsLeft > 0 else { return false }
        let bySize = open.indices.sorted { open[$0].count < open[$1].count }
        for index in bySize.prefix(4) {
            var rest = open
            let alternatives = rest.remove(at: index)
            let others = rest.map { Formula.or($0) }
            if alternatives.allSatisfy({ refuteOpen([$0] + others, facts, code: code, splits: splits - 1) }) { return true }
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
