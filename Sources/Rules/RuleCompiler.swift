// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import Fields
import FilterLanguage
import RuleEngine

extension FieldCatalogue {
    var fieldNames: [String] { classes.flatMap { $0.definitions.map(\.name) } }
}

/// Everything collected so far → a rule set. Goes on after an error, so that all of them are found.
struct RuleCompiler {
    let settings: RuleLoader.Settings
    let catalogue: FieldCatalogue
    let collector: RuleCollector
    private(set) var report: LoadReport
    private(set) var ruleSet = RuleSet()
    /// Only when the settings ask for it.
    private(set) var anatomy: RulesAnatomy?

    private(set) var registry = TextRegistry()
    private(set) var lists = ListTable()
    let macros = MacroTable()
    private var usedMacros: Set<String> = []
    private var usedLists: Set<String> = []

    static let deprecatedFields = [
        "evt.dir", "evt.latency", "evt.latency.s", "evt.latency.ns", "evt.latency.human", "evt.wait_latency",
    ]
    static let eventTypesMax = 100
    /// Checks and connectives of all conditions together, and bytes of their texts: what stops many rules that each bring in
    /// much.
    static let partsMax = 5_000_000
    static let textBytesMax = 512 << 20
    private var partsLeft = Self.partsMax
    private var textBytesLeft = Self.textBytesMax

    init(settings: RuleLoader.Settings, catalogue: FieldCatalogue, collector: RuleCollector, report: LoadReport) {
        self.settings = settings
        self.catalogue = catalogue
        self.collector = collector
        self.report = report
    }

    mutating func compile() {
        compileLists()
        parseMacros()
        resolveMacros()
        for rule in collector.rules.items where rule.isSourceKnown {
            do throws(Diagnostic) {
                if let compiled = try compile(rule) { ruleSet.rules.append(compiled) }
            } catch {
                // A rule that uses a broken macro has nothing new to say.
                if !error.message.isEmpty { report.fail(error) }
            }
        }
        reportUnused()
        ruleSet.requiredEngineVersion = collector.requiredEngineVersion
        ruleSet.requiredPlugins = collector.requiredPlugins
        if settings.keepsAnatomy { anatomy = makeAnatomy() }
    }

    // MARK: lists

    private mutating func compileLists() {
        var itemsOf: [[TracedText]] = []
        for list in collector.lists.items {
            var items: [TracedText] = []
            for item in list.items {
                // The name of an earlier list stands for that list's own items: one level, as today.
                if let other = collector.lists[item.text], other.index < list.visibility {
                    usedLists.insert(other.name)
                    items += other.items
                } else {
                    items.append(item)
                }
            }
            itemsOf.append(items)
        }
        lists = ListTable(zip(collector.lists.items.map(\.name), itemsOf))
    }

    // MARK: macros

    private mutating func parseMacros() {
        for info in collector.macros.items where info.dialect == .today { macros[info.name] = parse(info) }
        for (name, versions) in collector.foundingMacros {
            let parsed = versions.map { parse($0) }
            macros.founding[name] = parsed
            if collector.macros[name]?.dialect == .founding { macros[name] = parsed.last }
        }
    }

    private mutating func parse(_ info: MacroInfo) -> MacroTable.Entry {
        var used: Set<String> = []
        let entry: TextRegistry.Entry
        do throws(Diagnostic) {
            entry = try expand(info.condition, info.conditionContext, info.dialect, &used)
            let condition = try parse(entry, info.dialect)
            return MacroTable.Entry(info: info, condition: condition, entry: entry, lists: used)
        } catch {
            report.fail(error)
            return MacroTable.Entry(
                info: info, condition: nil, entry: registry.add(info.condition, info.conditionContext), lists: used)
        }
    }

    private mutating func resolveMacros() {
        for info in collector.macros.items {
            guard let macro = macros[info.name], let condition = macro.condition else { continue }
            var resolver = makeResolver(info.dialect, index: info.index, visibility: info.visibility)
            var expanded: Condition?
            do throws(MacroProblem) {
                let resolved = try resolver.resolveAll(condition)
                expanded = resolved.condition
                if info.dialect == .today { macros.setResolved(info.name, resolved) }
            } catch {
                // A founding macro may name one that is not there; only a rule that uses it fails.
                var isForgiven = false
                if case .undefined = error { isForgiven = info.dialect == .founding }
                if !isForgiven {
                    if let diagnostic = diagnostic(error, in: macro.entry, info.conditionContext, usedBy: info) {
                        report.fail(diagnostic)
                    }
                    macros[info.name] = MacroTable.Entry(info: info, condition: nil, entry: macro.entry, lists: macro.lists)
                }
            }
            usedMacros.formUnion(resolver.used)
            partsLeft -= resolver.size
            let details = ConditionDetails(condition)
            ruleSet.macros.append(
                MacroSummary(
                    name: info.name, conditionText: info.condition.text, expandedCondition: expanded, isUsed: false,
                    macros: details.macros, lists: macro.lists))
        }
    }

    mutating func add(_ text: TracedText, _ context: ItemContext) -> TextRegistry.Entry { registry.add(text, context) }

    func makeResolver(_ dialect: ConditionDialect, index: Int, visibility: Int) -> MacroResolver {
        // Captures the table alone: a closure over `self` would make every later change a copy of everything.
        switch dialect {
        case .today: MacroResolver(sizeMax: partsLeft) { [macros] in macros.definition($0, before: visibility) }
        case .founding: MacroResolver(sizeMax: partsLeft) { [macros] in macros.foundingDefinition($0, before: index) }
        }
    }

    private func diagnostic(
        _ problem: MacroProblem, in entry: TextRegistry.Entry, _ context: ItemContext, usedBy item: any NamedItem
    ) -> Diagnostic? {
        guard let range = problem.range else { return nil }
        var hint: String?
        switch problem {
        case .undefined(let name, _):
            if let later = collector.macros[name] {
                hint =
                    "'\(name)' is defined in line \(later.context.line); a macro has to be defined before the line that uses it"
            } else {
                hint = Suggestion.hint(for: name, among: collector.macros.items.map(\.name))
            }
        case .loop(let name, _): hint = "macro '\(name)' leads back to itself"
        case .tooLarge, .tooDeep, .broken: break
        }
        let place = registry.entry(at: range.start.offset) ?? entry
        return place.diagnostic(.validate, problem.message, at: range.start, to: range.end, within: context, hint: hint)
    }

    // MARK: conditions

    mutating func expand(
        _ text: TracedText, _ context: ItemContext, _ dialect: ConditionDialect, _ used: inout Set<String>
    ) throws(Diagnostic) -> TextRegistry.Entry {
        guard dialect == .today else { return registry.add(text, context) }
        do throws(ListTable.TooLarge) {
            let expanded = try lists.expand(text, used: &used)
            textBytesLeft -= expanded.bytes.count
            guard textBytesLeft >= 0 else { throw ListTable.TooLarge() }
            usedLists.formUnion(used)
            return registry.add(expanded, context)
        } catch {
            throw context.diagnostic(
                .validate,
                "the lists in this condition expand to more than \(ListTable.expandedBytesMax) bytes, or all conditions "
                    + "to more than \(Self.textBytesMax)"
            )
        }
    }

    func parse(_ entry: TextRegistry.Entry, _ dialect: ConditionDialect) throws(Diagnostic) -> Condition {
        var parser = ConditionParser(bytes: entry.text.bytes, depthMax: 1000, dialect: dialect == .founding ? .founding : .today)
        do throws(ConditionParseError) {
            return withoutAliases(try parser.parse()).shifted(entry.base)
        } catch {
            throw entry.diagnostic(
                .compileCondition, error.message, at: error.position.shifted(entry.base),
                hint: ConditionHints.hint(entry.text.bytes, at: error.position.offset))
        }
    }

    /// `evt.type = pread64` is the event `pread`.
    private func withoutAliases(_ condition: Condition) -> Condition {
        switch condition {
        case .and(let children, let range): return .and(children.map(withoutAliases), range)
        case .or(let children, let range): return .or(children.map(withoutAliases), range)
        case .not(let child, let range): return .not(withoutAliases(child), range)
        case .macro: return condition
        case .check(var check):
            guard check.isEventTypeCheck else { return condition }
            switch check.right {
            case .value(let text, let range): check.right = .value(IgnoredSyscalls.aliases[text] ?? text, range)
            case .list(let items):
                check.right = .list(items.map { ListItem(IgnoredSyscalls.aliases[$0.text] ?? $0.text, $0.range) })
            case .none, .operand: break
            }
            return .check(check)
        }
    }

    // MARK: rules

    private mutating func compile(_ rule: RuleInfo) throws(Diagnostic) -> Rule? {
        var usedByRule: Set<String> = []
        let text = try ConditionText.withExceptions(rule.condition, rule.exceptions)
        let entry = try expand(text, rule.conditionContext, rule.dialect, &usedByRule)
        let parsed = try parse(entry, rule.dialect)
        var resolver = makeResolver(rule.dialect, index: rule.index, visibility: Int.max)
        let condition: Condition
        do throws(MacroProblem) {
            condition = try resolver.resolve(parsed)
        } catch {
            throw diagnostic(error, in: entry, rule.conditionContext, usedBy: rule) ?? Diagnostic(.validate, "")
        }
        usedMacros.formUnion(resolver.used)
        partsLeft -= resolver.size
        warnOfChecks(condition, entry, rule)

        guard let output = try compileOutput(rule) else { return nil }
        guard let compiled = try compile(condition, entry, rule) else { return nil }
        if rule.source == Rule.syscallSource, rule.warnsOfEventTypes, compiled.eventCodes.count > Self.eventTypesMax {
            report.warn(
                rule.context.diagnostic(
                    .noEventType, "Rule matches too many evt.type values. This has a significant performance penalty.",
                    hint: "narrow it down with 'evt.type in (…)', or set 'warn_evttypes: false'"))
        }
        noticeCostlyEvents(condition, rule)

        let raw = ConditionDetails(parsed)
        let isBelow = rule.priority > settings.minimumPriority
        return Rule(
            name: rule.name, description: rule.description, source: rule.source, priority: rule.priority,
            tags: rule.tags.sorted(),
            outputText: rule.output.text, output: output.text, extraFields: output.extraFields,
            conditionText: rule.condition.text,
            expandedCondition: condition, condition: compiled, isEnabled: rule.isEnabled && !isBelow,
            isBelowMinimumPriority: isBelow,
            captures: rule.captures, captureDurationMs: rule.captureDurationMs, warnsOfEventTypes: rule.warnsOfEventTypes,
            origin: .init(file: rule.context.file.name, line: rule.context.line, isFounding: rule.dialect == .founding),
            details: .init(
                macros: raw.macros, lists: usedByRule, exceptionNames: rule.exceptions.map(\.name),
                exceptionFields: Set(rule.exceptions.flatMap { $0.fields?.scalars.map(\.text) ?? [] }),
                exceptionOperators: Set(rule.exceptions.flatMap { $0.comparisons?.scalars.map(\.text) ?? [] })))
    }

    /// Nil when the rule is skipped with a warning.
    private mutating func compile(
        _ condition: Condition, _ entry: TextRegistry.Entry, _ rule: RuleInfo
    ) throws(Diagnostic) -> CompiledCondition? {
        do throws(CompileProblem) {
            let compiled = try ConditionCompiler(catalogue: catalogue).compile(condition)
            for warning in compiled.warnings { report.warn(conditionWarning(warning, condition, entry, rule)) }
            return compiled
        } catch {
            let place = registry.entry(at: error.position.offset) ?? entry
            var diagnostic = place.diagnostic(
                .compileCondition, error.message, at: error.position, within: rule.conditionContext,
                hint: hint(for: error.message))
            if let range = culprit(error, condition) {
                // Falco's position is that of the check; the caret goes under the value itself.
                let value = registry.entry(at: range.start.offset) ?? entry
                diagnostic.excerpt = value.diagnostic(.compileCondition, "", at: range.start, to: range.end).excerpt
            }
            guard rule.skipsUnknownFilter, Self.isAboutUnknownName(error.message) else { throw diagnostic }
            diagnostic.code = .unknownFilter
            report.warn(diagnostic)
            return nil
        }
    }

    static func isAboutUnknownName(_ message: String) -> Bool {
        ["nonexistent field", "invalid formatting token", "unknown event type", "unknown filter:"].contains {
            message.contains($0)
        }
    }

    private func hint(for message: String) -> String? {
        if message.contains("nonexistent field"), let name = message.split(separator: " ").last {
            let bare = name.prefix { $0 != "[" }
            return Suggestion.hint(for: String(bare), among: catalogue.fieldNames)
        }
        if message.contains("unknown event type"), let name = message.split(separator: " ").last {
            let known = Set(EventTable.events.map(\.name)).union(EventTable.systemCallCodes.map(\.name))
            return Suggestion.hint(for: String(name), among: known)
        }
        return nil
    }

    /// The constant that an error at a check speaks of.
    private func culprit(_ problem: CompileProblem, _ condition: Condition) -> SourceRange? {
        var found: SourceRange?
        let offset = problem.position.offset
        condition.forEachCheck { check, _ in
            guard found == nil, check.range.start.offset <= offset, offset <= check.range.end.offset,
                offset != check.left.range.start.offset
            else { return }
            found = check.rightTexts.first { !$0.text.isEmpty && problem.message.contains($0.text) }?.range
        }
        return found
    }

    /// The compiler's warnings quote the constant they are about; the check that holds it tells where.
    private func conditionWarning(
        _ message: String, _ condition: Condition, _ entry: TextRegistry.Entry, _ rule: RuleInfo
    ) -> Diagnostic {
        var range: SourceRange?
        condition.forEachCheck { check, _ in
            for (text, place) in check.rightTexts where range == nil && message.contains("'\(text)'") { range = place }
        }
        guard let range else { return rule.conditionContext.diagnostic(.conditionWarning, message) }
        let place = registry.entry(at: range.start.offset) ?? entry
        return place.diagnostic(.conditionWarning, message, at: range.start, to: range.end, within: rule.conditionContext)
    }

    private mutating func warnOfChecks(_ condition: Condition, _ entry: TextRegistry.Entry, _ rule: RuleInfo) {
        let unsafe = ConditionWarnings.unsafeComparison(in: condition)
        if let unsafe {
            let place = registry.entry(at: unsafe.start.offset) ?? entry
            report.warn(
                place.diagnostic(
                    .unsafeNotAvailable, "a comparison with <NA> does not tell whether the field has a value",
                    at: unsafe.start, to: unsafe.end, within: rule.conditionContext, hint: "use 'exists'"))
        }
        for (field, range) in ConditionWarnings.deprecatedFields(in: condition) {
            let place = registry.entry(at: range.start.offset) ?? entry
            report.warn(
                place.diagnostic(
                    .deprecatedItem, "usage of deprecated field '\(field)' has been detected in the rule condition",
                    at: range.start, to: range.end, within: rule.conditionContext, deprecatedField: field))
        }
    }

    private mutating func noticeCostlyEvents(_ condition: Condition, _ rule: RuleInfo) {
        guard rule.source == Rule.syscallSource else { return }
        for (name, range) in ConditionWarnings.namedEvents(in: condition) {
            guard let place = registry.entry(at: range.start.offset) else { continue }
            let written = place.words(range)
            if IgnoredSyscalls.contains(name) {
                ruleSet.ignoredSyscallsNamed.insert(name)
                if settings.deliversIgnoredSyscalls { continue }
                report.notice(
                    place.diagnostic(
                        .ignoredSystemCall,
                        "live, this rule will see no '\(written)' event: high-volume system calls are delivered only "
                            + "with base_syscalls.all (or -A)",
                        at: range.start, to: range.end, within: rule.conditionContext,
                        hint: "start with -A, or name another event"))
            } else if name == "switch" {
                report.notice(
                    place.diagnostic(
                        .expensiveEvent,
                        "'switch' is every context switch of every CPU: delivering them slows the whole host down",
                        at: range.start, to: range.end, within: rule.conditionContext))
            }
        }
    }

    // MARK: outputs

    /// Nil when the rule is skipped with a warning.
    private mutating func compileOutput(_ rule: RuleInfo) throws(Diagnostic) -> (text: String, extraFields: [ExtraField])? {
        var text = rule.output.text
        if text.contains("%container.info") {
            text = text.replacingAll("%container.info", with: "").trimmedBlanks
            report.warn(
                rule.outputContext.diagnostic(
                    .deprecatedItem, "%container.info is deprecated and has been removed from the rule output",
                    deprecatedField: "container.info", hint: "use 'append_output' with 'suggested_output: true'"))
        }
        var extraFields: [ExtraField] = []
        for addition in settings.appendOutput where addition.matches(name: rule.name, source: rule.source, tags: rule.tags) {
            if let extra = addition.extraOutput, !extra.isEmpty { text += " " + extra }
            if addition.suggestedOutput { for field in suggestedFields(rule.source) { text += " " + field } }
            extraFields += addition.extraFields
        }
        for format in [text] + extraFields.map({ $0.name == nil && !$0.format.hasPrefix("%") ? "%" + $0.format : $0.format }) {
            do throws(FieldError) {
                _ = try OutputTemplate(format, catalogue: catalogue)
            } catch {
                let diagnostic = outputProblem(error.message, rule)
                guard rule.skipsUnknownFilter, Self.isAboutUnknownName(error.message) else { throw diagnostic }
                var warning = diagnostic
                warning.code = .unknownFilter
                report.warn(warning)
                return nil
            }
        }
        if rule.dialect == .today {
            for field in Self.deprecatedFields where text.contains(field) {
                report.warn(
                    rule.outputContext.diagnostic(
                        .deprecatedItem, "usage of deprecated field '\(field)' has been detected in the rule output",
                        deprecatedField: field))
            }
        }
        return (text, extraFields)
    }

    /// The caret goes under the first `%…` that does not compile on its own.
    private func outputProblem(_ message: String, _ rule: RuleInfo) -> Diagnostic {
        func isName(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: ".")
        }
        var diagnostic = rule.outputContext.diagnostic(.compileOutput, message)
        let bytes = rule.output.bytes
        let percents = bytes.indices.filter { bytes[$0] == UInt8(ascii: "%") }
        for (index, start) in percents.enumerated() {
            let end = index + 1 < percents.count ? percents[index + 1] : bytes.count
            let part = String(decoding: bytes[start..<end], as: UTF8.self)
            guard (try? OutputTemplate(part, catalogue: catalogue)) == nil else { continue }
            var stop = start + 1
            while stop < end, isName(bytes[stop]) { stop += 1 }
            while stop > start + 1, bytes[stop - 1] == UInt8(ascii: ".") { stop -= 1 }
            if let origin = rule.output.origin(of: start..<stop) { diagnostic.excerpt = Excerpt(origin.file, origin.range) }
            let name = String(decoding: bytes[start + 1..<stop], as: UTF8.self)
            diagnostic.hint = Suggestion.hint(for: name, among: catalogue.fieldNames)
            break
        }
        return diagnostic
    }

    /// `container_id=%container.id` for each field that its class suggests for outputs.
    private func suggestedFields(_ source: String) -> [String] {
        catalogue.classes.filter { $0.sources.contains(source) }.flatMap { heading in
            heading.definitions.filter { $0.flags.contains(.suggestedOutput) }.map { definition in
                "\(definition.name.replacingAll(".", with: "_"))=%\(definition.name)"
            }
        }
    }

    // MARK: what nobody uses

    private mutating func reportUnused() {
        for (index, summary) in ruleSet.macros.enumerated() {
            let isUsed = usedMacros.contains(summary.name)
            ruleSet.macros[index] = MacroSummary(
                name: summary.name, conditionText: summary.conditionText, expandedCondition: summary.expandedCondition,
                isUsed: isUsed, macros: summary.macros, lists: summary.lists)
            if !isUsed, let info = collector.macros[summary.name] {
                report.warn(info.context.diagnostic(.unusedMacro, "Macro not referred to by any other rule/macro"))
            }
        }
        usedLists = lists.closure(of: usedLists)
        for list in collector.lists.items {
            let isUsed = usedLists.contains(list.name)
            ruleSet.lists.append(
                ListSummary(
                    name: list.name, items: list.items.map(\.text), expandedItems: lists[list.name]?.items.map(\.text) ?? [],
                    isUsed: isUsed, lists: Set(list.items.map(\.text).filter { lists[$0] != nil })))
            if !isUsed { report.warn(list.context.diagnostic(.unusedList, "List not referred to by any other rule/macro")) }
        }
    }
}

extension ItemContext {
    /// Line of the item in its file, from 1.
    var line: Int { (locations.last?.line ?? 0) + 1 }
}

extension String {
    func replacingAll(_ part: String, with other: String) -> String {
        split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
    }
    var trimmedBlanks: String {
        let body = drop { $0.isWhitespace }
        guard let last = body.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(body[...last])
    }
}
