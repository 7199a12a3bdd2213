// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Diagnostics
import EventModel
import Fields
import FilterLanguage
import RuleEngine
import Rules

/// Which events a rule asks for, and what they can tell it.
extension Linter {
    func checkEvents(of subject: Subject) {
        if subject.isNeverTrue { return }
        if subject.rule.condition.eventCodes.count > 100, let branch = unrestrictedBranch(subject.part.base) {
            report(
                .branchWithoutEventType,
                "this alternative names no event types, so the rule is asked for every event although the others are narrow",
                at: anatomy.place(of: branch.range, within: subject.part.conditionPlace),
                hint: "put 'evt.type in (…) and' into it, or make it a rule of its own")
        }
        guard !subject.codes.isEmpty else { return }
        subject.part.unresolved.forEachCheckHere { check in
            guard let reading = vocabulary.reading(check) else { return }
            for field in reading.fields where !subject.canHaveValue(field) {
                report(
                    .fieldNotInEvent,
                    "'\(field.text)' has no value in \(Self.names(subject.codes)) events, so this check never holds",
                    at: anatomy.place(of: check.range, within: subject.part.conditionPlace),
                    hint: Self.eventsWith(field))
            }
        }
    }

    /// `open, openat and 3 more events have it`
    static func eventsWith(_ field: FieldReference) -> String? {
        let codes = EventCodeSet(delivered.codes.filter(field.mayHaveValue))
        guard !codes.isEmpty, codes.count < 120 else { return nil }
        return "it has one in \(names(codes)) events"
    }

    /// The first alternative that asks for all events beside one that does not.
    private func unrestrictedBranch(_ condition: Condition) -> Condition? {
        func codes(_ part: Condition) -> Int { (try? vocabulary.compiler.compile(part))?.eventCodes.count ?? 0 }
        switch condition {
        case .and(let children, _):
            guard children.allSatisfy({ codes($0) > 100 }) else { return nil }
            for child in children { if let found = unrestrictedBranch(child) { return found } }
            return nil
        case .or(let children, _):
            let counts = children.map(codes)
            guard counts.contains(where: { $0 <= 100 }), let wide = counts.firstIndex(where: { $0 > 100 }) else { return nil }
            return unrestrictedBranch(children[wide]) ?? children[wide]
        case .not, .check, .macro: return nil
        }
    }

    // MARK: one check of evt.type

    func checkEventType(_ check: Check, _ place: RulesPlace, isFounding: Bool) {
        guard case .field(let field) = check.left, field.argument == nil else { return }
        if field.name == "evt.dir", !isFounding, check.comparison == .equal || check.comparison == .in,
            check.constantTexts.allSatisfy({ $0.text == ">" }), !check.constantTexts.isEmpty
        {
            report(
                .enterEvent, "beginnings of system calls are no events: 'evt.dir = >' never holds", at: place,
                hint: "take the check out; arguments of the call are in the event of its end")
        }
        guard field.name == "evt.type" || field.name == "syscall.type" else { return }
        switch check.comparison {
        case .equal, .in, .intersects:
            guard check.modifier == nil, settings.isLive else { return }
            for (text, range) in check.constantTexts {
                guard let codes = EventTable.codes(named: text), !codes.contains(where: Self.isDelivered) else { continue }
                report(
                    .undeliveredEvent, "no live source delivers '\(text)' events", at: anatomy.place(of: range, within: place),
                    hint: "they are told to the state only, or stand in old captures")
            }
        case .notEqual, .exists, .less, .lessOrEqual, .greater, .greaterOrEqual: break
        default:
            guard let reading = vocabulary.reading(check) else { return }
            let fitting = eventNames.all.filter { reading.holds(for: .text(Array($0.utf8))) }.sorted()
            if fitting.isEmpty {
                let text = check.constantTexts.first?.text ?? ""
                report(
                    .unknownEventName, "no event has a name that fits this", at: place,
                    hint: Suggestion.hint(for: text, among: eventNames.all) ?? "falco --list-events prints the names")
            } else {
                let names =
                    fitting.count > 8 ? fitting.prefix(7).joined(separator: ", ") + ", …" : fitting.joined(separator: ", ")
                report(
                    .eventTypeOperator,
                    "'\(check.comparison.rawValue)' on \(field.name) does not narrow down for which events the rule is asked",
                    at: place,
                    hint: "write \(field.name) in (\(names))")
            }
        }
    }

    static func isDelivered(_ code: UInt16) -> Bool {
        delivered.contains(code) || code == PPME_PLUGINEVENT_E.code || code == PPME_ASYNCEVENT_E.code
    }

    // MARK: fields that nothing supplies

    func checkSupplier(_ field: FieldReference, _ check: Check?, _ place: RulesPlace) {
        guard settings.isLive, !settings.suppliesContainerMetadata else { return }
        let name = field.definition.name
        guard name.hasPrefix("container.") || name.hasPrefix("k8s."), !Self.fromCgroup.contains(name) else { return }
        // The machine itself has a name and a type without a runtime.
        if let check, Self.knownOfHost.contains(name), check.constantTexts.allSatisfy({ $0.text == "host" }) { return }
        // Once per field: the answer is the same everywhere.
        guard unsupplied.insert(name).inserted else { return }
        report(
            .fieldWithoutSource, "nothing supplies '\(name)' here: of containers only the id is known, from the cgroup",
            at: place,
            hint: "comparisons with it never hold; further uses of the field are not repeated")
    }

    /// Container fields that need no runtime.
    static let fromCgroup: Set<String> = ["container.id", "container.full_id"]
    static let knownOfHost: Set<String> = ["container.name", "container.type"]
}

extension Condition {
    /// Every check of the text itself, without those of macros.
    func forEachCheckHere(_ body: (Check) -> Void) {
        switch self {
        case .and(let children, _), .or(let children, _): for child in children { child.forEachCheckHere(body) }
        case .not(let child, _): child.forEachCheckHere(body)
        case .check(let check): body(check)
        case .macro: break
        }
    }
    func forEachMacroHere(_ body: (String) -> Void) {
        switch self {
        case .and(let children, _), .or(let children, _): for child in children { child.forEachMacroHere(body) }
        case .not(let child, _): child.forEachMacroHere(body)
        case .macro(let name, _): body(name)
        case .check: break
        }
    }
}

extension Check {
    var constantTexts: [(text: String, range: SourceRange)] {
        switch right {
        case .value(let text, let range): [(text, range)]
        case .list(let items): items.map { ($0.text, $0.range) }
        case .none, .operand: []
        }
    }
}
