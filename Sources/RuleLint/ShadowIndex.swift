// SPDX-License-Identifier: Apache-2.0

/// Which earlier rules may take everything from a later one: what keeps the comparing of each with each small.
///
/// A rule that requires a field to be one of a few values is found under each of these; the later rule has to speak of one of them.
struct ShadowIndex {
    private struct Entry {
        let rule: Int
        /// Fields that the rule's own conjuncts ask about; who is to be shadowed has to speak of all of them.
        let required: Set<Int>
    }
    private struct Key: Hashable {
        let field: Int
        let value: Atom.Value
    }
    private let vocabulary: Vocabulary
    private var byValue: [Key: [Entry]] = [:]
    /// Those of `byValue` again, for later rules of which nobody knows the value.
    private var withValues: [Int: [Entry]] = [:]
    private var byField: [Int: [Entry]] = [:]
    private var others: [Entry] = []
    private static let valuesMax = 64

    init(_ vocabulary: Vocabulary) { self.vocabulary = vocabulary }

    mutating func add(_ rule: Int, _ formula: Formula) {
        var required: Set<Int> = []
        var members: (field: Int, values: Set<Atom.Value>)?
        forEachConjunct(formula) { atom, isTrue in
            required.insert(atom.field)
            guard isTrue, atom.isSingle, let values = atom.members, values.count <= Self.valuesMax else { return }
            if values.count < members?.values.count ?? .max { members = (atom.field, values) }
        }
        let entry = Entry(rule: rule, required: required)
        if let members {
            for value in members.values { byValue[Key(field: members.field, value: value), default: []].append(entry) }
            withValues[members.field, default: []].append(entry)
        } else if let field = required.min(by: { (byField[$0]?.count ?? 0, $0) < (byField[$1]?.count ?? 0, $1) }) {
            byField[field, default: []].append(entry)
        } else {
            others.append(entry)
        }
    }

    /// In the order in which they were added.
    func candidates(for formula: Formula, _ premises: Refuter.Prepared) -> [Int] {
        var atoms: Set<Int> = []
        formula.collectAtoms(&atoms)
        let fields = Set(atoms.map { vocabulary.atoms[$0].field })
        let openFields = premises.openFields(vocabulary)
        var entries = others
        for field in fields {
            entries += byField[field] ?? []
            if openFields.contains(field) {
                entries += withValues[field] ?? []
            } else if let value = premises.someValue(of: field) {
                entries += byValue[Key(field: field, value: value)] ?? []
            }
        }
        return Set(entries.filter { $0.required.isSubset(of: fields) }.map(\.rule)).sorted()
    }

    /// The literals that the whole formula requires, without those that the event's code decides.
    private func forEachConjunct(_ formula: Formula, _ body: (Atom, _ isTrue: Bool) -> Void) {
        switch formula {
        case .literal(let atom, let isTrue): if !vocabulary.isDecidedByEvents(atom) { body(vocabulary.atoms[atom], isTrue) }
        case .and(let parts): for part in parts { forEachConjunct(part, body) }
        case .or, .constant: break
        }
    }
}
