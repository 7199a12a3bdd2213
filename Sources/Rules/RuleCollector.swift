// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

/// Items in the order of their first definition, found by name.
struct ItemTable<Item: NamedItem & Sendable>: Sendable {
    private(set) var items: [Item] = []
    private var byName: [String: Int] = [:]

    subscript(name: String) -> Item? { byName[name].map { items[$0] } }

    /// A second definition replaces the first, but keeps its position.
    mutating func define(_ item: Item, at index: Int) {
        var item = item
        item.visibility = index
        if let place = byName[item.name] {
            item.index = items[place].index
            items[place] = item
        } else {
            item.index = index
            byName[item.name] = items.count
            items.append(item)
        }
    }

    mutating func change(_ name: String, at index: Int, _ body: (inout Item) throws(Diagnostic) -> Void) throws(Diagnostic) {
        guard let place = byName[name] else { return }
        try body(&items[place])
        items[place].visibility = index
    }
}

/// One definition takes the place of an earlier one.
struct Redefinition: Sendable {
    let kind: ItemKind
    let name: String
    let earlier: ItemContext
    let later: ItemContext
    init(_ kind: ItemKind, _ name: String, _ earlier: ItemContext, _ later: ItemContext) {
        (self.kind, self.name, self.earlier, self.later) = (kind, name, earlier, later)
    }
}

/// What all files together define, before anything is compiled.
struct RuleCollector: Sendable {
    private(set) var lists = ItemTable<ListItemInfo>()
    private(set) var macros = ItemTable<MacroInfo>()
    private(set) var rules = ItemTable<RuleInfo>()
    /// Every definition of a founding macro: a rule sees the last one before its own line.
    private(set) var foundingMacros: [String: [MacroInfo]] = [:]
    private(set) var requiredEngineVersion: Version?
    private(set) var requiredPlugins: [[PluginRequirement]] = []
    /// Definitions that took another's place.
    private(set) var redefinitions: [Redefinition] = []
    /// Items seen so far, of any kind.
    private(set) var next = 0

    mutating func require(engine required: Version, have engine: Version, _ context: ItemContext) throws(Diagnostic) {
        next += 1
        requiredEngineVersion = max(requiredEngineVersion ?? required, required)
        guard engine.isCompatible(with: required) else {
            throw context.diagnostic(.validate, "Rules require engine version \(required), but engine version is \(engine)")
        }
    }

    mutating func require(plugin alternatives: [PluginRequirement], _ context: ItemContext) throws(Diagnostic) {
        var names: Set<String> = []
        for alternative in alternatives {
            guard Version(alternative.version) != nil else {
                throw context.diagnostic(
                    .validate, "Invalid required version '\(alternative.version)' for plugin '\(alternative.name)'",
                    hint: "write three numbers, as in 1.2.3")
            }
            guard names.insert(alternative.name).inserted else {
                throw context.diagnostic(
                    .validate, "Plugin '\(alternative.name)' is named twice among the alternatives of one requirement")
            }
        }
        requiredPlugins.append(alternatives)
        next += 1
    }

    // MARK: lists

    mutating func define(_ list: ListItemInfo) {
        if let earlier = lists[list.name] { redefinitions.append(Redefinition(.list, list.name, earlier.context, list.context)) }
        lists.define(list, at: position())
    }

    mutating func append(_ list: ListItemInfo) throws(Diagnostic) {
        guard lists[list.name] != nil else {
            throw list.context.diagnostic(
                .validate, "List uses 'append' or 'override.items: append' but no list by that name already exists",
                hint: Suggestion.hint(for: list.name, among: lists.items.map(\.name)))
        }
        try lists.change(list.name, at: position()) { $0.items += list.items }
    }

    // MARK: macros

    mutating func define(_ macro: MacroInfo) {
        var macro = macro
        if macro.dialect == .today, let earlier = macros[macro.name] {
            redefinitions.append(Redefinition(.macro, macro.name, earlier.context, macro.context))
        }
        let index = position()
        macros.define(macro, at: index)
        macro.index = index
        if macro.dialect == .founding { foundingMacros[macro.name, default: []].append(macro) }
    }

    mutating func append(_ macro: MacroInfo) throws(Diagnostic) {
        guard macros[macro.name] != nil else {
            throw macro.context.diagnostic(
                .validate, "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists",
                hint: Suggestion.hint(for: macro.name, among: macros.items.map(\.name)))
        }
        try macros.change(macro.name, at: position()) { previous in
            previous.condition.append(" ")
            previous.condition.append(macro.condition)
            previous.context = macro.context
            previous.conditionContext = macro.conditionContext
            previous.dialect = .today
        }
    }

    // MARK: rules

    mutating func define(_ rule: RuleInfo, checking fields: ExceptionChecker, into report: inout LoadReport) throws(Diagnostic) {
        var rule = rule
        rule.isSourceKnown = fields.sources.contains(rule.source)
        if !rule.isSourceKnown {
            report.warn(
                rule.context.diagnostic(
                    .unknownSource, "Unknown source \(rule.source), skipping",
                    hint: Suggestion.hint(for: rule.source, among: fields.sources)))
        }
        if let previous = rules[rule.name], previous.source != rule.source {
            throw rule.context.diagnostic(
                .validate, "Rule has been re-defined with a different source",
                hint: "the first definition has source '\(previous.source)'")
        }
        for index in rule.exceptions.indices {
            guard rule.exceptions[index].fields != nil else {
                throw rule.exceptions[index].context.diagnostic(
                    .validate, "Rule exception item must have fields property with a list of fields")
            }
            try fields.complete(&rule.exceptions[index], isSourceKnown: rule.isSourceKnown)
        }
        if let earlier = rules[rule.name] {
            redefinitions.append(Redefinition(.rule, rule.name, earlier.context, rule.context))
        }
        rules.define(rule, at: position())
    }

    mutating func append(_ change: RuleChange, checking fields: ExceptionChecker) throws(Diagnostic) {
        guard rules[change.name] != nil else {
            throw noSuchRule(change, "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists")
        }
        guard
            change.condition != nil || change.exceptions != nil || change.output != nil || change.description != nil
                || change.tags != nil
        else { throw change.context.diagnostic(.validate, "Appended rule must have exceptions or condition property") }
        try rules.change(change.name, at: position()) { (rule) throws(Diagnostic) in
            if let condition = change.condition {
                rule.condition.append(" ")
                rule.condition.append(condition)
                rule.conditionContext = change.conditionContext ?? rule.conditionContext
            }
            if let output = change.output {
                rule.output.append(" ")
                rule.output.append(output)
                rule.outputContext = change.outputContext ?? rule.outputContext
            }
            if let description = change.description { rule.description += " " + description }
            if let tags = change.tags { rule.tags.formUnion(tags) }
            for exception in change.exceptions ?? [] { try Self.append(exception, to: &rule, checking: fields) }
        }
    }

    private static func append(
        _ exception: ExceptionInfo, to rule: inout RuleInfo, checking fields: ExceptionChecker
    ) throws(Diagnostic) {
        guard let place = rule.exceptions.firstIndex(where: { $0.name == exception.name }) else {
            guard exception.fields != nil else {
                throw exception.context.diagnostic(
                    .validate, "Rule exception must have fields property with a list of fields",
                    hint: Suggestion.hint(for: exception.name, among: rule.exceptions.map(\.name)))
            }
            guard !exception.values.isEmpty else {
                throw exception.context.diagnostic(.validate, "Rule exception must have values property with a list of values")
            }
            var exception = exception
            try fields.complete(&exception, isSourceKnown: rule.isSourceKnown)
            rule.exceptions.append(exception)
            return
        }
        guard exception.fields == nil else {
            throw exception.context.diagnostic(.validate, "Can not append exception fields to existing exception, only values")
        }
        guard exception.comparisons == nil else {
            throw exception.context.diagnostic(.validate, "Can not append exception comps to existing exception, only values")
        }
        rule.exceptions[place].values += exception.values
    }

    mutating func replace(_ change: RuleChange, checking fields: ExceptionChecker) throws(Diagnostic) {
        guard rules[change.name] != nil else {
            throw noSuchRule(
                change, "An 'override.<key>: replace' to a rule was requested but no rule by that name already exists")
        }
        try rules.change(change.name, at: position()) { (rule) throws(Diagnostic) in
            if let condition = change.condition {
                rule.condition = condition
                rule.dialect = .today
                rule.conditionContext = change.conditionContext ?? rule.conditionContext
            }
            if let output = change.output {
                rule.output = output
                rule.outputContext = change.outputContext ?? rule.outputContext
            }
            if var exceptions = change.exceptions {
                for index in exceptions.indices { try fields.complete(&exceptions[index], isSourceKnown: rule.isSourceKnown) }
                rule.exceptions = exceptions
            }
            rule.description = change.description ?? rule.description
            rule.tags = change.tags ?? rule.tags
            rule.priority = change.priority ?? rule.priority
            rule.isEnabled = change.isEnabled ?? rule.isEnabled
            rule.warnsOfEventTypes = change.warnsOfEventTypes ?? rule.warnsOfEventTypes
            rule.skipsUnknownFilter = change.skipsUnknownFilter ?? rule.skipsUnknownFilter
            rule.captures = change.captures ?? rule.captures
            rule.captureDurationMs = change.captureDurationMs ?? rule.captureDurationMs
        }
    }

    mutating func enable(_ name: String, _ isEnabled: Bool, _ context: ItemContext) throws(Diagnostic) {
        guard rules[name] != nil else {
            throw noSuchRule(
                RuleChange(name: name, context: context), "Rule has 'enabled' key but no rule by that name already exists")
        }
        try rules.change(name, at: position()) { $0.isEnabled = isEnabled }
    }

    private func noSuchRule(_ change: RuleChange, _ message: String) -> Diagnostic {
        change.context.diagnostic(.validate, message, hint: Suggestion.hint(for: change.name, among: rules.items.map(\.name)))
    }

    private mutating func position() -> Int {
        defer { next += 1 }
        return next
    }
}
