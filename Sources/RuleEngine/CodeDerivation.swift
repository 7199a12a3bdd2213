// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import FilterLanguage

/// `evt.num` starts at 1, so some checks of it are known beforehand. Rules use them to be never or always true.
enum EventNumberIdiom: Equatable {
    case never, always

    init?(_ check: Check) {
        guard let field = check.left.bareField, field.name == "evt.num", field.argument == nil, check.modifier == nil else {
            return nil
        }
        func number(_ text: String) -> UInt64? { try? ConditionCompiler.integer(text) }
        switch (check.comparison, check.right) {
        case (.equal, .value(let text, _)) where number(text) == 0: self = .never
        case (.lessOrEqual, .value(let text, _)) where number(text) == 0: self = .never
        case (.less, .value(let text, _)): if let number = number(text), number <= 1 { self = .never } else { return nil }
        case (.notEqual, .value(let text, _)) where number(text) == 0: self = .always
        case (.greater, .value(let text, _)) where number(text) == 0: self = .always
        case (.greaterOrEqual, .value(let text, _)):
            if let number = number(text), number <= 1 { self = .always } else { return nil }
        case (.in, .value(let text, _)) where number(text) == 0: self = .never
        case (.in, .list(let items)) where items.allSatisfy({ number($0.text) == 0 }): self = .never
        default: return nil
        }
    }
}

/// For which events, and which system calls, a condition can be true.
///
/// Checks of `evt.type` decide, all others are neutral: they and their negation say "all". `not` is pushed down to the checks
/// by De Morgan, because negating "all" of a neutral check would say "none".
struct CodeDerivation {
    let isSystemCallSource: Bool

    struct Interest {
        var events: EventCodeSet
        var systemCalls: Set<UInt16>
    }
    private struct Codes {
        var events: EventCodeSet
        var systemCalls: Set<UInt16>
        static let all = Codes(events: .all, systemCalls: allSystemCalls)
        static let none = Codes(events: .none, systemCalls: [])
        /// All but these. Many calls share the generic codes: that some of them are ruled out says nothing of the others.
        var others: Codes {
            var events = events.inverted
            for code in [PPME_GENERIC_E.code, PPME_GENERIC_X.code] { events.insert(code) }
            return Codes(events: events, systemCalls: allSystemCalls.subtracting(systemCalls))
        }
        func union(_ other: Codes) -> Codes {
            Codes(events: events.union(other.events), systemCalls: systemCalls.union(other.systemCalls))
        }
        func intersection(_ other: Codes) -> Codes {
            Codes(events: events.intersection(other.events), systemCalls: systemCalls.intersection(other.systemCalls))
        }
    }

    static let allSystemCalls = Set(EventTable.systemCallCodes.filter { !$0.name.isEmpty && $0.code != 0 }.map(\.code))

    func derive(_ condition: Condition) throws(CompileProblem) -> Interest {
        let codes = try derive(condition, isNegated: false)
        guard isSystemCallSource else {
            return Interest(
                events: EventCodeSet([PPME_PLUGINEVENT_E.code, PPME_ASYNCEVENT_E.code]), systemCalls: [])
        }
        var events = codes.events
        events.insert(PPME_ASYNCEVENT_E.code)
        return Interest(events: events, systemCalls: codes.systemCalls)
    }

    private func derive(_ condition: Condition, isNegated: Bool) throws(CompileProblem) -> Codes {
        switch condition {
        case .not(let child, _): return try derive(child, isNegated: !isNegated)
        case .macro: return .all
        case .and(let children, _): return try combine(children, isNegated, isIntersection: !isNegated)
        case .or(let children, _): return try combine(children, isNegated, isIntersection: isNegated)
        case .check(let check):
            guard let verdicts = try verdicts(of: check) else { return .all }
            return isNegated ? verdicts.no : verdicts.yes
        }
    }

    private func combine(
        _ children: [Condition], _ isNegated: Bool, isIntersection: Bool
    ) throws(CompileProblem) -> Codes {
        var result = isIntersection ? Codes.all : Codes.none
        for child in children {
            let codes = try derive(child, isNegated: isNegated)
            result = isIntersection ? result.intersection(codes) : result.union(codes)
        }
        return result
    }

    /// For which events the check can hold, and for which it can fail; nil for a neutral check.
    private func verdicts(of check: Check) throws(CompileProblem) -> (yes: Codes, no: Codes)? {
        if let idiom = EventNumberIdiom(check) { return idiom == .always ? (.all, .none) : (.none, .all) }
        guard let name = check.left.bareField?.name, name == "evt.type" || name == "syscall.type", check.modifier == nil,
            check.comparison == .equal || check.comparison == .notEqual || check.comparison == .in
        else { return nil }
        var names: [String] = []
        switch check.right {
        case .none: return nil
        case .value(let text, _): names = [text]
        case .list(let items): names = items.map(\.text)
        case .operand(let operand):
            throw CompileProblem(
                message: "right-hand field comparisons on `evt.type` checks are not supported by event code search",
                position: operand.range.start)
        }
        var codes = Codes.none
        for name in Set(names) {
            for code in EventTable.codes(named: name) ?? [] { codes.events.insert(code) }
            codes.systemCalls.formUnion(Self.systemCalls(named: name))
        }
        return check.comparison == .notEqual ? (codes.others, codes) : (codes, codes.others)
    }

    private static func systemCalls(named name: String) -> Set<UInt16> { systemCallsByName[name] ?? [] }

    /// Calls of that name, and those whose events bear it (`procexit`: the scheduler's exit).
    private static let systemCallsByName: [String: Set<UInt16>] = {
        var table: [String: Set<UInt16>] = [:]
        for call in EventTable.systemCallCodes where !call.name.isEmpty && call.code != 0 {
            table[call.name, default: []].insert(call.code)
            if !call.isGeneric { table[EventTable.events[Int(call.event)].name, default: []].insert(call.code) }
        }
        return table
    }()
}
