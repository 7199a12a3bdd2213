// SPDX-License-Identifier: Apache-2.0
import Fields
import FilterLanguage
import RuleEngine

/// A condition with every `not` pushed down to its checks, which are numbered.
indirect enum Formula: Sendable {
    case constant(Bool)
    case literal(Int, isTrue: Bool)
    case and([Formula])
    case or([Formula])

    func collectAtoms(_ atoms: inout Set<Int>) {
        switch self {
        case .constant: break
        case .literal(let atom, _): atoms.insert(atom)
        case .and(let parts), .or(let parts): for part in parts { part.collectAtoms(&atoms) }
        }
    }

    var negated: Formula {
        switch self {
        case .constant(let value): .constant(!value)
        case .literal(let atom, let isTrue): .literal(atom, isTrue: !isTrue)
        case .and(let parts): .or(parts.map(\.negated))
        case .or(let parts): .and(parts.map(\.negated))
        }
    }
}

/// Every check of all conditions once. What is numbered here is what the refuter reasons about.
final class Vocabulary {
    let compiler: ConditionCompiler
    private(set) var atoms: [Atom] = []
    private var atomsByKey: [String: Int] = [:]
    /// Normal texts of checks of plain fields that have been read already.
    private var atomsByText: [String: Int] = [:]
    private var fieldsByKey: [String: Int] = [:]
    private var decisions: [EventDecisions] = []

    init(catalogue: FieldCatalogue) { compiler = ConditionCompiler(catalogue: catalogue) }

    /// `idiomsAreFree`: what authors leave for others to change may be true or false: `evt.num = 0` and its like, and checks of
    /// a list that is still empty.
    func formula(_ condition: Condition, isNegated: Bool = false, idiomsAreFree: Bool = false) -> Formula {
        switch condition {
        case .not(let child, _): return formula(child, isNegated: !isNegated, idiomsAreFree: idiomsAreFree)
        case .and(let children, _):
            let parts = children.map { formula($0, isNegated: isNegated, idiomsAreFree: idiomsAreFree) }
            return isNegated ? .or(parts) : .and(parts)
        case .or(let children, _):
            let parts = children.map { formula($0, isNegated: isNegated, idiomsAreFree: idiomsAreFree) }
            return isNegated ? .and(parts) : .or(parts)
        case .macro(let name, _): return .literal(opaque("macro \(name)"), isTrue: !isNegated)
        case .check(let check):
            let number = atom(check)
            guard let idiom = atoms[number].reading?.idiom else {
                // A list that is empty waits for its user to fill it.
                if idiomsAreFree, case .list(let items) = check.right, items.isEmpty {
                    return .literal(opaque("empty \(check.range.start.offset)"), isTrue: !isNegated)
                }
                return .literal(number, isTrue: !isNegated)
            }
            // Each is a switch of its own.
            if idiomsAreFree { return .literal(opaque("switch \(check.range.start.offset)"), isTrue: !isNegated) }
            return .constant(idiom != isNegated)
        }
    }

    func atom(_ check: Check) -> Int {
        var text: String?
        // The normal form of a transformer may stand for two of them.
        if case .field = check.left { text = check.normalised }
        if case .operand(.transformer) = check.right { text = nil }
        if let text, let known = atomsByText[text] { return known }
        guard let reading = try? compiler.read(check) else { return opaque("unread \(check.normalised)") }
        let key = (reading.idiom == nil ? "" : "idiom ") + reading.key
        let number = atomsByKey[key] ?? add(Atom(reading, field: field(reading.leftKey)), key)
        if let text { atomsByText[text] = number }
        return number
    }

    /// The check as the engine reads it; nil for one that does not compile.
    func reading(_ check: Check) -> CheckReading? { atoms[atom(check)].reading }

    /// What the code of an event says about the check: nil where it leaves it open.
    func decision(_ atom: Int, _ code: UInt16) -> Bool? { decisions[atom][code] }
    func isDecidedByEvents(_ atom: Int) -> Bool { decisions[atom].decidesAny }

    private func field(_ key: String) -> Int {
        if let known = fieldsByKey[key] { return known }
        fieldsByKey[key] = fieldsByKey.count
        return fieldsByKey.count - 1
    }

    private func opaque(_ key: String) -> Int { atomsByKey[key] ?? add(Atom(opaqueField: field(key)), key) }

    private func add(_ atom: Atom, _ key: String) -> Int {
        atoms.append(atom)
        decisions.append(EventDecisions(atom))
        atomsByKey[key] = atoms.count - 1
        return atoms.count - 1
    }
}
