// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import Fields
import FilterLanguage
import RuleEngine

extension FieldCatalogue {
    var fieldNames: [String] { classes.flatMap { $0.definitions.map(\.name) } }
    /// Fields that somebody is told to use.
    var suggestedNames: [String] {
        classes.flatMap { $0.definitions.filter { $0.flags.isDisjoint(with: [.hidden, .deprecated]) }.map(\.name) }
    }
}

/// Everything collected so far → a rule set. Goes on after an error, so that all of them are found.
struct RuleCompiler {
    let settings: RuleLoader.Settings
    let catalogue: FieldCatalogue
    let collector: RuleCollector
    /// Which item a place of a file belongs to, for diagnostics.
    let index: ItemIndex
    var report: LoadReport
    var ruleSet = RuleSet()
    /// Only when the settings ask for it.
    private(set) var anatomy: RulesAnatomy?

    private(set) var registry = TextRegistry()
    private(set) var lists = ListTable()
    let macros = MacroTable()
    private var usedMacros: Set<String> = []
    private var usedLists: Set<String> = []
    /// Words looked at by `noticeMisspeltLists`.
    var seenWords: Set<String> = []

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

    init(
        settings: RuleLoader.Settings, catalogue: FieldCatalogue, collector: RuleCollector, index: ItemIndex, report: LoadReport
    ) {
        self.settings = settings
        self.catalogue = catalogue
        self.collector = collector
        self.index = index
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
                    for diagnostic in diagnostics(error, in: macro.entry, Subject(info, condition)) { report.fail(diagnostic) }
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
            throw diagnostic(error, in: entry)
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
            // The rest of the rule is looked at all the same.
            let subject = Subject(rule, parsed)
            for diagnostic in diagnostics(error, in: entry, subject) + problems(parsed, entry, subject) {
                report.fail(diagnostic)
            }
            for diagnostic in outputProblems(rule) { report.fail(diagnostic) }
            throw Diagnostic(.validate, "")
        }
        usedMacros.formUnion(resolver.used)
        partsLeft -= resolver.size
        let subject = Subject(rule, parsed)
        warnOfChecks(condition, entry, subject)

        let output: (text: String, extraFields: [ExtraField])?
        do throws(Diagnostic) { output = try compileOutput(rule) } catch {
            report.fail(error)
            for diagnostic in outputProblems(rule).dropFirst() + problems(condition, entry, subject) { report.fail(diagnostic) }
            throw Diagnostic(.validate, "")
        }
        guard let output else { return nil }
        guard let compiled = try compile(condition, entry, rule, subject) else { return nil }
        if rule.source == Rule.syscallSource, rule.warnsOfEventTypes, compiled.eventCodes.count > Self.eventTypesMax {
            report.warn(
                rule.context.diagnostic(
                    .noEventType, "Rule matches too many evt.type values. This has a significant performance penalty.",
                    hint: "narrow it down with 'evt.type in (…)', or set 'warn_evttypes: false'"))
        }
        noticeCostlyEvents(condition, rule, subject)
        noticeMisspeltLists(condition, subject)

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
        _ condition: Condition, _ entry: TextRegistry.Entry, _ rule: RuleInfo, _ subject: Subject
    ) throws(Diagnostic) -> CompiledCondition? {
        do throws(CompileProblem) {
            let compiled = try ConditionCompiler(catalogue: catalogue).compile(condition)
            for warning in compiled.warnings { report.warn(conditionWarning(warning, condition, entry, subject)) }
            return compiled
        } catch {
            var all = problems(condition, entry, subject, first: error)
            guard rule.skipsUnknownFilter, Self.isAboutUnknownName(error.message) else {
                for diagnostic in all { report.fail(diagnostic) }
                throw Diagnostic(.validate, "")
            }
            all[0].code = .unknownFilter
            report.warn(all[0])
            return nil
        }
    }

    static func isAboutUnknownName(_ message: String) -> Bool {
        ["nonexistent field", "invalid formatting token", "unknown event type", "unknown filter:"].contains {
            message.contains($0)
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
