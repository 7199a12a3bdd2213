// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Fields
import FilterLanguage
import RuleEngine
import Rules

/// Exceptions, macros and lists.
extension Linter {
    // MARK: exceptions

    func checkExceptions(of subject: Subject) {
        guard !subject.part.exceptions.isEmpty, !subject.isNeverTrue || subject.isSwitchedOff else { return }
        let base = refuter.prepare([subject.base])
        for exception in subject.part.exceptions {
            var seen: [[String]: RulesPlace] = [:]
            var formulas: [(formula: Formula, text: String, place: RulesPlace)] = []
            for value in exception.values {
                let text = value.texts.joined(separator: ", ")
                if seen[value.texts] != nil {
                    report(
                        .exceptionRepeated, "exception '\(exception.name)' has '\(text)' twice", at: value.place,
                        hint: "remove one",
                        also: [subject.part.place])
                    continue
                }
                seen[value.texts] = value.place
                guard let condition = value.condition, !subject.isNeverTrue else { continue }
                let formula = vocabulary.formula(condition)
                if refuter.isNeverTrue(formula, given: base) {
                    let cause = cause(condition, base, subject.codes).map { ": \($0)" } ?? ""
                    report(
                        .exceptionNeverMatches,
                        "nothing the rule matches fits '\(text)' of exception '\(exception.name)'\(cause)",
                        at: value.place, hint: "it excepts nothing; mend the values or remove them", also: [subject.part.place])
                    continue
                }
                // Each with each is too much for long lists, whose values are plain words anyway.
                if formulas.count < 100 {
                    func covers(_ wide: String, _ narrow: String, at place: RulesPlace) {
                        report(
                            .exceptionRepeated, "'\(wide)' of exception '\(exception.name)' covers '\(narrow)'", at: place,
                            hint: "remove what is covered", also: [subject.part.place])
                    }
                    if let wider = formulas.first(where: { refuter.follows($0.formula, from: [formula]) }) {
                        covers(wider.text, text, at: value.place)
                    } else if let narrower = formulas.first(where: { refuter.follows(formula, from: [$0.formula]) }) {
                        covers(text, narrower.text, at: narrower.place)
                    }
                    formulas.append((formula, text, value.place))
                }
            }
        }
    }

    /// The check of an exception's value that cannot hold together with the rule's condition.
    private func cause(_ condition: Condition, _ base: Refuter.Prepared, _ codes: EventCodeSet) -> String? {
        var found: String?
        condition.forEachCheckHere { check in
            guard found == nil else { return }
            let formula = vocabulary.formula(.check(check))
            guard refuter.isNeverTrue(formula, given: base) else { return }
            let fields = vocabulary.reading(check)?.fields ?? []
            if let field = fields.first(where: { !codes.isEmpty && !codes.codes.contains(where: $0.mayHaveValue) }) {
                found = "'\(field.text)' has no value in \(Self.names(codes)) events"
            } else if refuter.isNeverTrue(formula) {
                found = "'\(check.normalised)' never holds"
            } else {
                found = "'\(check.normalised)' contradicts the condition"
            }
        }
        return found
    }

    // MARK: macros and lists

    func checkItems() {
        checkReach()
        for list in anatomy.lists {
            var seen: Set<String> = []
            for (text, place) in list.items where !seen.insert(text).inserted {
                report(.repeatedValue, "'\(text)' is in list '\(list.name)' twice", at: place, hint: "remove one")
            }
        }
        for part in anatomy.redefinitions where part.earlier.file === part.later.file {
            report(
                .redefinedItem,
                "\(part.kind.rawValue) '\(part.name)' is defined again in line \(part.later.line) of this file; this definition has no effect",
                at: part.earlier, hint: "remove one of the two, or write 'override' or another name", also: [part.later])
        }
    }

    /// What no rule leads to, although something refers to it: Falco itself tells of what nothing refers to.
    private func checkReach() {
        let macros = Dictionary(anatomy.macros.map { ($0.name, $0) }) { first, _ in first }
        let unusedMacros = Set(ruleSet.macros.filter { !$0.isUsed }.map(\.name))
        let unusedLists = Set(ruleSet.lists.filter { !$0.isUsed }.map(\.name))
        var reached: Set<String> = []
        var open: [String] = []
        func visit(_ condition: Condition) {
            condition.forEachMacroHere { if reached.insert($0).inserted { open.append($0) } }
        }
        for rule in anatomy.rules {
            visit(rule.unresolved)
            for value in rule.exceptions.flatMap(\.values) { if let condition = value.condition { visit(condition) } }
        }
        while let name = open.popLast() { if let macro = macros[name] { visit(macro.unresolved) } }
        // Rules that did not compile, or of sources that are not there, may use anything.
        guard anatomy.isComplete else { return }
        for macro in anatomy.macros where !reached.contains(macro.name) && !unusedMacros.contains(macro.name) && !macro.isFounding
        {
            report(
                .unreachableMacro, "only macros that no rule uses refer to macro '\(macro.name)'", at: macro.place,
                hint: "remove it together with them")
        }
        var used = ruleSet.listsNamedByRules
        for macro in anatomy.macros where reached.contains(macro.name) { used.formUnion(macro.lists) }
        let lists = Dictionary(anatomy.lists.map { ($0.name, $0) }) { first, _ in first }
        var openLists = Array(used)
        while let name = openLists.popLast() {
            for (text, _) in lists[name]?.items ?? [] where lists[text] != nil && used.insert(text).inserted {
                openLists.append(text)
            }
        }
        for list in anatomy.lists where !used.contains(list.name) && !unusedLists.contains(list.name) {
            report(
                .unreachableList, "only what no rule uses refers to list '\(list.name)'", at: list.place,
                hint: "remove it together with that")
        }
    }
}
