// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import FilterLanguage
import RuleEngine
import Rules

/// What can never hold, always holds, or holds anyway.
extension Linter {
    func checkTruth(of index: Int) {
        let subject = subjects[index]
        let part = subject.part
        let free = vocabulary.formula(subject.rule.expandedCondition, idiomsAreFree: true)
        if refuter.isNeverTrue(subject.formula) {
            subjects[index].isNeverTrue = true
            // A rule that its switch alone turns off is off on purpose.
            if !refuter.isNeverTrue(free) {
                subjects[index].isSwitchedOff = true
            } else {
                reportNeverTrue(subject)
                return
            }
        } else if refuter.isAlwaysTrue(free) {
            report(
                .alwaysTrue, "the condition holds for every event", at: part.conditionPlace,
                hint: "a rule like this alerts at every event; narrow it down")
        }
        let examiner = PartExaminer(linter: self, root: part.base, user: part.conditionPlace)
        examiner.examine(part.base, within: [])
    }

    func checkMacroTruth() {
        for macro in anatomy.macros {
            guard let resolved = macro.resolved else { continue }
            let free = vocabulary.formula(resolved, idiomsAreFree: true)
            if refuter.isNeverTrue(free) {
                report(
                    .deadBranch, "macro '\(macro.name)' can never hold", at: macro.conditionPlace,
                    hint: "to switch something off on purpose, write (evt.num=0)")
                continue
            }
            PartExaminer(linter: self, root: resolved, user: macro.conditionPlace).examine(resolved, within: [])
        }
    }

    private func reportNeverTrue(_ subject: Subject) {
        let part = subject.part
        // The exceptions may be what takes everything away.
        if !refuter.isNeverTrue(subject.base) {
            report(
                .neverTrue, "the exceptions take away everything the rule could match", at: part.conditionPlace,
                hint: "an exception's values are as wide as the condition itself")
            return
        }
        let (place, reason) = reasonOfNever(part)
        report(.neverTrue, "no event can satisfy this condition\(reason)", at: place, hint: "the rule never alerts as it stands")
    }

    /// The check that makes it impossible, when there is one: that with which the checks before it cannot hold together.
    private func reasonOfNever(_ part: RulesAnatomy.RulePart) -> (RulesPlace, String) {
        guard case .and(let children, _) = part.base else { return (part.conditionPlace, "") }
        var before: [Formula] = []
        for child in children {
            let formula = vocabulary.formula(child)
            if refuter.areNeverTrue(before + [formula]) {
                let place = anatomy.place(of: child.range, within: part.conditionPlace)
                if case .check(let check) = child, let reading = vocabulary.reading(check) {
                    let codes = refuter.codes(of: .and(before)).intersection(Self.delivered)
                    if !codes.isEmpty,
                        reading.leftFields.contains(where: { field in !codes.codes.contains(where: field.mayHaveValue) })
                    {
                        return (place, ": '\(check.left.normalised)' has no value in \(Self.names(codes)) events")
                    }
                }
                return (
                    place,
                    refuter.isNeverTrue(formula) ? ": this part alone never holds" : ": this contradicts what stands before it"
                )
            }
            before.append(formula)
        }
        return (part.conditionPlace, "")
    }

    /// `: 'evt.arg.flags' has no value in creat events`, where that is why the premises cannot hold.
    func missingField(_ alternative: Formula, _ premises: [Formula]) -> String {
        let codes = refuter.codes(of: alternative).intersection(Self.delivered)
        guard !codes.isEmpty else { return "" }
        for premise in premises {
            guard case .literal(let atom, true) = premise, let reading = vocabulary.atoms[atom].reading,
                let field = reading.fields.first(where: { !codes.codes.contains(where: $0.mayHaveValue) })
            else { continue }
            return ": '\(field.text)' has no value in \(Self.names(codes)) events"
        }
        return ""
    }

    // MARK: shadows

    func checkShadows() {
        var index = ShadowIndex(vocabulary)
        for (number, subject) in subjects.enumerated() where subject.rule.isEnabled && !subject.isNeverTrue {
            if refuter.isExhausted { return }
            let premises = refuter.prepare([subject.formula])
            for candidate in index.candidates(for: subject.formula, premises) {
                let first = subjects[candidate]
                guard subject.codes.isSubset(of: first.codes), refuter.follows(first.formula, from: premises) else { continue }
                reportShadow(subject, by: first)
                break
            }
            index.add(number, subject.formula)
        }
    }

    private func reportShadow(_ later: Subject, by earlier: Subject) {
        let place = earlier.part.place
        let isSame = refuter.follows(later.formula, from: [earlier.formula])
        report(
            .shadowedRule,
            "rule '\(later.part.name)' never alerts: rule '\(earlier.part.name)' (\(place.file.name):\(place.line)) stands before it "
                + (isSame ? "and matches the same events" : "and matches all its events"),
            at: later.part.place,
            hint: isSame
                ? "remove one of the two"
                : "put it before '\(earlier.part.name)', narrow that one down, or set rule_matching: all")
    }
}

extension EventCodeSet {
    func isSubset(of other: EventCodeSet) -> Bool { intersection(other) == self }
}

/// Looks at the parts of one condition as its author wrote it: what macros bring in is looked at where the macro stands.
struct PartExaminer {
    let linter: Linter
    let root: Condition
    let user: RulesPlace
    /// Parts of one conjunction that are compared with each other.
    private static let partsMax = 60

    func examine(_ node: Condition, within premises: [Formula]) {
        guard linter.anatomy.isSameText(node.range, root.range), !linter.refuter.isExhausted else { return }
        switch node {
        case .check, .macro: break
        case .not(let child, _): examine(child, within: [])
        case .and(let children, _):
            reportRedundant(children)
            let formulas = children.map { linter.vocabulary.formula($0, idiomsAreFree: true) }
            for (index, child) in children.enumerated() {
                examine(child, within: premises + formulas.enumerated().filter { $0.offset != index }.map(\.element))
            }
        case .or(let children, _):
            for child in children {
                let formula = linter.vocabulary.formula(child, idiomsAreFree: true)
                if isOwn(child), linter.refuter.areNeverTrue(premises + [formula]) {
                    let isAlone = linter.refuter.isNeverTrue(formula)
                    linter.report(
                        .deadBranch,
                        isAlone
                            ? "this alternative can never hold"
                            : "this alternative contradicts what stands beside the 'or'" + linter.missingField(formula, premises),
                        at: place(child), hint: "remove it, or mend what contradicts")
                    continue
                }
                if isOwn(child), linter.refuter.isAlwaysTrue(formula) {
                    linter.report(.alwaysTrue, "this alternative always holds, and so does the whole 'or'", at: place(child))
                }
                examine(child, within: premises)
            }
            reportCovered(children)
        }
    }

    private func isOwn(_ node: Condition) -> Bool { linter.anatomy.isSameText(node.range, root.range) }
    private func place(_ node: Condition) -> RulesPlace { linter.anatomy.place(of: node.range, within: user) }

    /// A check, or the negation of one, that the author wrote here with its values: what can be taken out alone. What a list
    /// brings in may be another thing tomorrow.
    private func isSingle(_ node: Condition) -> Bool {
        guard isOwn(node) else { return false }
        switch node {
        case .check(let check):
            return check.constantTexts.allSatisfy { !linter.anatomy.place(of: $0.range, within: user).isFromList }
        case .not(let child, _): return isSingle(child)
        case .and, .or, .macro: return false
        }
    }

    private func reportRedundant(_ children: [Condition]) {
        guard children.count > 1, children.count <= Self.partsMax else { return }
        var left = children
        for index in children.indices.reversed() where isSingle(children[index]) {
            let formula = linter.vocabulary.formula(children[index], idiomsAreFree: true)
            var others = left
            others.remove(at: index)
            let premises = others.map { linter.vocabulary.formula($0, idiomsAreFree: true) }
            if linter.refuter.areNeverTrue(premises) { return }
            guard linter.refuter.follows(formula, from: premises) else { continue }
            linter.report(
                .redundantCheck, "the other checks of this 'and' make this one hold already", at: place(children[index]),
                hint: "remove it")
            left = others
            // Places of later parts stay as they are: parts are looked at from the last to the first.
        }
    }

    private func reportCovered(_ children: [Condition]) {
        guard children.count > 1, children.count <= Self.partsMax else { return }
        var covered: Set<Int> = []
        for index in children.indices.reversed() where isSingle(children[index]) {
            let formula = linter.vocabulary.formula(children[index], idiomsAreFree: true)
            let others = children.indices.filter { $0 != index && !covered.contains($0) }
                .map { linter.vocabulary.formula(children[$0], idiomsAreFree: true) }
            guard linter.refuter.follows(.or(others), from: [formula]) else { continue }
            if linter.refuter.isNeverTrue(formula) { continue }
            covered.insert(index)
            linter.report(
                .redundantCheck, "the other alternatives of this 'or' cover this one already", at: place(children[index]),
                hint: "remove it")
        }
    }
}
