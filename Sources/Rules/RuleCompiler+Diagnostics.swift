// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import Fields
import FilterLanguage
import RuleEngine

/// How the compiler's errors and warnings are told: Falco's sentence and place, and beside them the text in the user's file, the
/// way from there to the rule, and what to do.
extension RuleCompiler {
    /// The rule or macro that is being compiled.
    struct Subject {
        let kind: ItemKind
        let name: String
        let context: ItemContext
        let conditionContext: ItemContext
        /// With its macros still as names.
        let condition: Condition

        init(_ rule: RuleInfo, _ condition: Condition) {
            (kind, name, context, conditionContext) = (.rule, rule.name, rule.context, rule.conditionContext)
            self.condition = condition
        }
        init(_ macro: MacroInfo, _ condition: Condition) {
            (kind, name, context, conditionContext) = (.macro, macro.name, macro.context, macro.conditionContext)
            self.condition = condition
        }
        func link(_ relation: ChainLink.Relation) -> ChainLink {
            ChainLink(relation, "\(kind.rawValue) '\(name)'", file: context.file.name, line: context.line)
        }
    }

    /// Of one rule: more would not help.
    private static let problemsMax = 20

    private var names: ParseAdvice.Names {
        .init(
            fields: catalogue.suggestedNames, macros: Set(collector.macros.items.map(\.name)),
            lists: Set(collector.lists.items.map(\.name)))
    }

    // MARK: conditions that do not parse

    func diagnostic(_ error: ConditionParseError, in entry: TextRegistry.Entry) -> Diagnostic {
        var diagnostic = entry.diagnostic(.compileCondition, error.message, at: error.position.shifted(entry.base))
        let advice = ParseAdvice.advice(entry.text.bytes, error, names)
        diagnostic.headline = advice.headline
        diagnostic.hint = advice.hint
        diagnostic.help = advice.help
        var origin = entry.text.origin(of: error.position.offset..<error.position.offset + 1)
        if let range = advice.range {
            if range.isEmpty, let last = entry.text.origin(of: max(0, range.lowerBound - 1)..<range.lowerBound) {
                // Something is missing behind the last word.
                origin = (last.file, last.range.upperBound..<last.range.upperBound)
            } else if let found = entry.text.origin(of: range) {
                origin = found
            }
            if let origin { diagnostic.excerpt = Excerpt(origin.file, origin.range, linesMax: 3) }
        }
        for (message, range) in advice.related {
            guard let place = entry.text.origin(of: range) else { continue }
            diagnostic.related.append(RelatedPlace(message, Excerpt(place.file, place.range)))
        }
        if let origin {
            diagnostic.chain = chain(from: origin, in: entry, subject: nil)
            if diagnostic.chain.last?.relation == .base, diagnostic.headline?.contains("is missing before") == true {
                diagnostic.help = "what is appended to a condition begins with 'and' or 'or'"
            }
            explainListAsCheck(&diagnostic, origin, entry)
        }
        return diagnostic
    }

    /// The name of a list where a check should stand: its items were put there, and make no sense.
    private func explainListAsCheck(
        _ diagnostic: inout Diagnostic, _ origin: (file: SourceFile, range: Range<Int>), _ entry: TextRegistry.Entry
    ) {
        guard let list = index.items(at: origin.range.lowerBound, in: origin.file).first, list.kind == .list,
            let owner = entry.context.locations.last(where: { [.rule, .macro].contains($0.kind) })
        else { return }
        let written = owner.kind == .rule ? collector.rules[owner.name]?.condition : collector.macros[owner.name]?.condition
        guard let written, let use = ConditionTokens(written.bytes).standingAlone(list.name),
            let place = written.origin(of: use.range)
        else { return }
        diagnostic.headline = "list '\(list.name)' stands where a check or a macro is expected"
        diagnostic.hint = "a list stands behind an operator"
        diagnostic.help = "as in: proc.name in (\(list.name))"
        diagnostic.excerpt = Excerpt(place.file, place.range)
        diagnostic.related = [RelatedPlace("the items were put in from here", Excerpt(origin.file, origin.range))]
        diagnostic.chain = chain(from: place, in: entry, subject: nil)
    }

    // MARK: macros

    /// All macros of a condition that cannot be put in; the first one is Falco's.
    func diagnostics(_ problem: MacroProblem, in entry: TextRegistry.Entry, _ subject: Subject) -> [Diagnostic] {
        var found = [diagnostic(problem, in: entry, subject)].compactMap(\.self)
        guard case .undefined(let first, _) = problem else { return found }
        var seen: Set<String> = [first]
        subject.condition.forEachMacro { name, range in
            guard found.count < Self.problemsMax, macros[name] == nil, macros.founding[name] == nil, seen.insert(name).inserted,
                let other = diagnostic(.undefined(name, range), in: entry, subject)
            else { return }
            found.append(other)
        }
        return found
    }

    private func diagnostic(_ problem: MacroProblem, in entry: TextRegistry.Entry, _ subject: Subject) -> Diagnostic? {
        guard let range = problem.range else { return nil }
        let place = registry.entry(at: range.start.offset) ?? entry
        var diagnostic = place.diagnostic(
            .validate, problem.message, at: range.start, to: range.end, within: subject.conditionContext)
        switch problem {
        case .undefined(let name, _): explainUndefined(name, &diagnostic)
        case .loop(let name, _):
            let way = path(from: name, to: name) ?? [name]
            diagnostic.headline = "macro '\(name)' leads back to itself"
            diagnostic.hint = "macro '\(name)' leads back to itself"
            if way.count > 1 { diagnostic.hint = (way + [name]).joined(separator: " → ") }
            diagnostic.help = "a macro can only use macros defined before it; take one of the uses out"
        case .tooLarge, .tooDeep, .broken: break
        }
        if let origin = place.origin(range) {
            diagnostic.chain = chain(from: origin, in: place, subject: subject)
            if case .undefined = problem { explainListAsCheck(&diagnostic, origin, place) }
        }
        return diagnostic
    }

    private func explainUndefined(_ name: String, _ diagnostic: inout Diagnostic) {
        diagnostic.headline = "unknown macro '\(name)'"
        if let later = collector.macros[name] {
            diagnostic.headline = "macro '\(name)' is used before it is defined"
            diagnostic.hint =
                "'\(name)' is defined in line \(later.context.line); a macro has to be defined before the line that uses it"
        } else if collector.lists[name] != nil {
            diagnostic.headline = "'\(name)' is a list, not a macro"
            diagnostic.hint = "a list stands behind an operator"
            diagnostic.help = "as in: proc.name in (\(name))"
        } else if let near = Suggestion.nearest(to: name, among: collector.macros.items.map(\.name)) {
            diagnostic.hint = "did you mean '\(near)'?"
        } else if ["true", "false"].contains(name.lowercased()) {
            diagnostic.help = "there are no such words; 'evt.num >= 0' always holds, 'evt.num < 0' never"
        } else if let field = ParseAdvice.field(likelyMeantBy: name, catalogue.suggestedNames),
            name.contains("_") || name.count > 3
        {
            diagnostic.hint = "did you mean the field '\(field)'?"
            diagnostic.help = "a word without a dot is the name of a macro; a field needs an operator and a value behind it"
        } else {
            diagnostic.help =
                "define '- macro: \(name)' before the rules that use it, load the file that defines it before this one,\n"
                + "or put the word into quotes if it belongs to a value"
        }
    }

    /// The macros from `macro` to `name`, each of which uses the next; without `name`. Nil when there is no way.
    private func path(from macro: String, to name: String) -> [String]? {
        macros[macro]?.condition.flatMap { way(from: $0, to: name) }.map { [macro] + $0 }
    }

    /// The macros that a condition goes through to come to `name`, outermost first, without `name` itself.
    private func way(from condition: Condition, to name: String) -> [String]? {
        var cameFrom: [String: String] = [:]
        var open: [(condition: Condition, name: String)] = [(condition, "")]
        var next = 0
        while next < open.count {
            let (body, owner) = open[next]
            next += 1
            var isFound = false
            body.forEachMacro { used, _ in
                if used == name { isFound = true }
                guard cameFrom[used] == nil else { return }
                cameFrom[used] = owner
                if let inner = macros[used]?.condition { open.append((inner, used)) }
            }
            guard isFound else { continue }
            var way: [String] = []
            var step = owner
            while !step.isEmpty, way.count < 100 {
                way.insert(step, at: 0)
                step = cameFrom[step] ?? ""
            }
            return way
        }
        return nil
    }

    /// From a place in a file over list and macros to the rule: `in list 'a', used by macro 'b', used by rule 'c'`.
    private func chain(
        from origin: (file: SourceFile, range: Range<Int>), in entry: TextRegistry.Entry, subject: Subject?
    ) -> [ChainLink] {
        let around = index.items(at: origin.range.lowerBound, in: origin.file)
        // The item whose condition the text is.
        let owner = entry.context.locations.last { [.rule, .macro].contains($0.kind) }
        let ownerName = owner?.name ?? ""
        func ownerLink(_ relation: ChainLink.Relation) -> ChainLink? {
            guard let owner else { return nil }
            if owner.kind == .macro, let macro = collector.macros[ownerName] {
                return ChainLink(relation, "macro '\(ownerName)'", file: macro.context.file.name, line: macro.context.line)
            }
            if owner.kind == .rule, let rule = collector.rules[ownerName] {
                return ChainLink(relation, "rule '\(ownerName)'", file: rule.context.file.name, line: rule.context.line)
            }
            return ChainLink(relation, "\(owner.kind.rawValue) '\(ownerName)'", file: owner.place, line: owner.line + 1)
        }
        var links: [ChainLink] = []
        if let inner = around.first, let outer = around.last {
            links.append(inner.link(.within))
            if around.count > 1 { links.append(outer.link(.part)) }
            if outer.kind == owner?.kind, outer.name == ownerName {
                if let base = ownerLink(.base), outer.kind == .rule, base.line != outer.line || base.file != outer.file.name {
                    links.append(base)
                }
            } else if let link = ownerLink(.user) {
                links.append(link)
            }
        } else if let link = ownerLink(.within) {
            links.append(link)
        }
        guard let subject, subject.kind != owner?.kind || subject.name != ownerName else { return links }
        for name in way(from: subject.condition, to: ownerName)?.reversed() ?? [] {
            guard let macro = collector.macros[name] else { continue }
            links.append(ChainLink(.user, "macro '\(name)'", file: macro.context.file.name, line: macro.context.line))
        }
        links.append(subject.link(.user))
        return links
    }

    // MARK: conditions that parse, but do not compile

    /// Everything that does not compile in a condition, what the compiler stopped at first.
    func problems(
        _ condition: Condition, _ entry: TextRegistry.Entry, _ subject: Subject, first: CompileProblem? = nil
    ) -> [Diagnostic] {
        guard !report.isFull else { return first.map { [diagnostic($0, nil, entry, subject)] } ?? [] }
        var all = CompileAdvice.problems(in: condition, ConditionCompiler(catalogue: catalogue), max: Self.problemsMax)
        guard let first else { return all.map { diagnostic($0.problem, $0.check, entry, subject) } }
        var check: Check?
        if let place = all.firstIndex(where: { $0.problem == first }) { check = all.remove(at: place).check }
        return [diagnostic(first, check, entry, subject)] + all.map { diagnostic($0.problem, $0.check, entry, subject) }
    }

    private func diagnostic(
        _ problem: CompileProblem, _ check: Check?, _ entry: TextRegistry.Entry, _ subject: Subject
    ) -> Diagnostic {
        let place = registry.entry(at: problem.position.offset) ?? entry
        var diagnostic = place.diagnostic(
            .compileCondition, problem.message, at: problem.position, within: subject.conditionContext)
        guard let check else { return diagnostic }
        let advice = CompileAdvice.advice(problem, check, catalogue)
        diagnostic.headline = advice.headline
        diagnostic.hint = advice.hint
        diagnostic.help = advice.help
        point(&diagnostic, at: advice.range, entry, subject)
        return diagnostic
    }

    /// Puts the underline below a range of the condition's tree, and tells the way from there.
    private func point(_ diagnostic: inout Diagnostic, at range: SourceRange, _ entry: TextRegistry.Entry, _ subject: Subject) {
        let place = registry.entry(at: range.start.offset) ?? entry
        guard let origin = place.origin(range) else { return }
        diagnostic.excerpt = Excerpt(origin.file, origin.range, linesMax: 3)
        diagnostic.chain = chain(from: origin, in: place, subject: subject)
    }

    // MARK: warnings

    /// The compiler's warnings quote the constant they are about; the check that holds it tells where.
    func conditionWarning(
        _ message: String, _ condition: Condition, _ entry: TextRegistry.Entry, _ subject: Subject
    ) -> Diagnostic {
        var found: (text: String, range: SourceRange)?
        condition.forEachCheck { check, _ in
            for item in check.rightTexts where found == nil && message.contains("'\(item.text)'") { found = item }
        }
        guard let (text, range) = found else { return subject.conditionContext.diagnostic(.conditionWarning, message) }
        let place = registry.entry(at: range.start.offset) ?? entry
        var diagnostic = place.diagnostic(
            .conditionWarning, message, at: range.start, to: range.end, within: subject.conditionContext)
        if message.hasPrefix("regex check") {
            diagnostic.headline = "this regular expression does what a plain operator does faster"
            diagnostic.hint = "write \(Self.plainOperator(for: text))"
        } else if message.contains("transformer misused") {
            diagnostic.headline = "'\(text)' is compared as plain text, though it looks like a transformer"
            diagnostic.help = "without quotes '\(text)' on the right side is the transformer's result"
        } else {
            let field = text.hasPrefix("%") ? String(text.dropFirst()) : text
            diagnostic.headline = "'\(text)' is compared as plain text, though a field has this name"
            diagnostic.hint = "to compare with the field's value: val(\(field))"
        }
        point(&diagnostic, at: range, entry, subject)
        return diagnostic
    }

    /// `^/usr/.*` is `startswith /usr/`.
    static func plainOperator(for pattern: String) -> String {
        var text = pattern[...]
        let isAnchoredLeft = text.hasPrefix("^")
        if isAnchoredLeft { text = text.dropFirst() }
        let isAnchoredRight = text.hasSuffix("$")
        if isAnchoredRight { text = text.dropLast() }
        var (isOpenLeft, isOpenRight) = (false, false)
        for tail in [".*", ".+", ".?"] where text.hasSuffix(tail) { (text, isOpenRight) = (text.dropLast(2), true) }
        for tail in [".*", ".+", ".?"] where text.hasPrefix(tail) { (text, isOpenLeft) = (text.dropFirst(2), true) }
        // Falco's regex matches the whole value.
        switch (isOpenLeft, isOpenRight) {
        case (true, true): return "contains \(text)"
        case (true, false): return "endswith \(text)"
        case (false, true): return "startswith \(text)"
        case (false, false): return "= \(text)"
        }
    }

    mutating func warnOfChecks(_ condition: Condition, _ entry: TextRegistry.Entry, _ subject: Subject) {
        if let unsafe = ConditionWarnings.unsafeComparison(in: condition) {
            let place = registry.entry(at: unsafe.start.offset) ?? entry
            var diagnostic = place.diagnostic(
                .unsafeNotAvailable, "a comparison with <NA> does not tell whether the field has a value",
                at: unsafe.start, to: unsafe.end, within: subject.conditionContext, hint: "use 'exists'")
            point(&diagnostic, at: unsafe, entry, subject)
            report.warn(diagnostic)
        }
        for (field, range) in ConditionWarnings.deprecatedFields(in: condition) {
            let place = registry.entry(at: range.start.offset) ?? entry
            var diagnostic = place.diagnostic(
                .deprecatedItem, "usage of deprecated field '\(field)' has been detected in the rule condition",
                at: range.start, to: range.end, within: subject.conditionContext, deprecatedField: field)
            diagnostic.headline = "the field '\(field)' is deprecated"
            diagnostic.help = Self.insteadOf(field)
            point(&diagnostic, at: range, entry, subject)
            report.warn(diagnostic)
        }
    }

    static func insteadOf(_ field: String) -> String {
        field == "evt.dir"
            ? "there are only exit events ('<'): take the check out"
            : "an event comes when its call ends, so its latency is no field"
    }

    mutating func noticeCostlyEvents(_ condition: Condition, _ rule: RuleInfo, _ subject: Subject) {
        guard rule.source == Rule.syscallSource else { return }
        for (name, range) in ConditionWarnings.namedEvents(in: condition) {
            guard let place = registry.entry(at: range.start.offset) else { continue }
            var notice: Diagnostic?
            if IgnoredSyscalls.contains(name) {
                ruleSet.ignoredSyscallsNamed.insert(name)
                if settings.deliversIgnoredSyscalls { continue }
                notice = place.diagnostic(
                    .ignoredSystemCall,
                    "live, this rule will see no '\(place.words(range))' event: high-volume system calls are delivered only "
                        + "with base_syscalls.all (or -A)",
                    at: range.start, to: range.end, within: rule.conditionContext, hint: "start with -A, or name another event")
            } else if name == "switch" {
                notice = place.diagnostic(
                    .expensiveEvent,
                    "'switch' is every context switch of every CPU: delivering them slows the whole host down",
                    at: range.start, to: range.end, within: rule.conditionContext)
            }
            guard var notice else { continue }
            point(&notice, at: range, place, subject)
            report.notice(notice)
        }
    }

    /// A word in a list that is nearly the name of a list would be compared as it stands; no error, and seldom meant.
    mutating func noticeMisspeltLists(_ condition: Condition, _ subject: Subject) {
        let known = collector.lists.items
        guard !known.isEmpty, known.count <= 1000 else { return }
        var words: [ListItem] = []
        condition.forEachCheck { check, _ in
            guard case .list(let items) = check.right, items.count <= 8 else { return }
            words += items.filter { $0.text.utf8.count >= 6 && $0.text.utf8.contains(UInt8(ascii: "_")) }
        }
        for word in words where seenWords.insert(word.text).inserted {
            guard let near = Suggestion.nearest(to: word.text, among: known.map(\.name)), near != word.text,
                let place = registry.entry(at: word.range.start.offset)
            else { continue }
            var notice = place.diagnostic(
                .misspeltList, "no list is named '\(word.text)', so it is compared as a plain word",
                at: word.range.start, to: word.range.end, within: subject.conditionContext, hint: "did you mean '\(near)'?")
            point(&notice, at: word.range, place, subject)
            report.notice(notice)
        }
    }

    // MARK: outputs

    /// The caret goes under the first `%…` that does not compile on its own.
    func outputProblem(_ message: String, _ rule: RuleInfo) -> Diagnostic {
        var diagnostic = outputProblems(rule).first ?? rule.outputContext.diagnostic(.compileOutput, message)
        if diagnostic.headline == nil {
            diagnostic.help = "the output itself is right: the mistake is in what append_output of the configuration adds to it"
        }
        diagnostic.message = message
        return diagnostic
    }

    /// Every `%…` of the output that does not compile on its own.
    func outputProblems(_ rule: RuleInfo) -> [Diagnostic] {
        let bytes = rule.output.bytes
        let percents = bytes.indices.filter { bytes[$0] == UInt8(ascii: "%") }
        var found: [Diagnostic] = []
        for (index, start) in percents.enumerated() where found.count < Self.problemsMax {
            let end = index + 1 < percents.count ? percents[index + 1] : bytes.count
            let part = String(decoding: bytes[start..<end], as: UTF8.self)
            var problem: FieldError?
            do throws(FieldError) { _ = try OutputTemplate(part, catalogue: catalogue) } catch { problem = error }
            guard let problem, !part.hasPrefix("%container.info") else { continue }
            found.append(outputProblem(problem.message, rule, bytes, start..<end))
        }
        return found
    }

    private func outputProblem(_ message: String, _ rule: RuleInfo, _ bytes: [UInt8], _ part: Range<Int>) -> Diagnostic {
        func isName(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: ".")
        }
        var diagnostic = rule.outputContext.diagnostic(.compileOutput, message)
        var start = part.lowerBound + 1
        while start < part.upperBound, (48...57).contains(bytes[start]) { start += 1 }
        var stop = start
        while stop < part.upperBound, isName(bytes[stop]) { stop += 1 }
        if stop < part.upperBound, stop > start, bytes[stop] == UInt8(ascii: "["),
            let close = bytes[stop..<part.upperBound].firstIndex(of: UInt8(ascii: "]"))
        {
            stop = close + 1
        }
        while stop > start, bytes[stop - 1] == UInt8(ascii: ".") { stop -= 1 }
        let name = String(decoding: bytes[start..<stop], as: UTF8.self)
        if name.isEmpty {
            diagnostic.headline = "there is no field behind this '%'"
            diagnostic.hint = "write the name of a field behind it"
            diagnostic.help = "an output cannot hold a plain '%', not even as '%%'; write 'percent' or leave it out"
        } else if message.contains("filter only") {
            diagnostic.headline = "'\(name)' can be used in conditions only"
            diagnostic.help = catalogue.definition(named: name)?.summary
        } else if let transformer = part.upperBound > stop && bytes[stop] == UInt8(ascii: "(") ? name : nil {
            let near = Suggestion.nearest(to: transformer, among: TransformerName.allCases.map(\.rawValue))
            diagnostic.headline =
                near == transformer
                ? "'%\(transformer)(…)' is not complete or takes another argument" : "'\(transformer)' is no transformer"
            diagnostic.hint = near.flatMap { $0 == transformer ? nil : "did you mean '\($0)'?" }
            diagnostic.help =
                "transformers: \(TransformerName.allCases.filter { $0 != .val }.map(\.rawValue).joined(separator: " "))"
        } else if !name.contains(".") {
            let near = ParseAdvice.field(likelyMeantBy: name, catalogue.suggestedNames)
            diagnostic.headline = "'%\(name)' is no field"
            diagnostic.hint = near.map { "did you mean '%\($0)'?" }
            diagnostic.help = "a '%' always begins a field; write 'percent' for the sign itself"
        } else {
            let (headline, hint, help) = CompileAdvice.unknownField(name, catalogue)
            (diagnostic.headline, diagnostic.hint, diagnostic.help) = (headline, hint, help)
        }
        if let origin = rule.output.origin(of: part.lowerBound..<max(stop, part.lowerBound + 1)) {
            diagnostic.excerpt = Excerpt(origin.file, origin.range)
        }
        return diagnostic
    }
}
