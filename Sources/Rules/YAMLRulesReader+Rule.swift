// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

extension YAMLRulesReader {
    private static let appendable = RuleSchema.appendable(of: .rule)
    private static let replaceable = RuleSchema.replaceable(of: .rule)

    mutating func readRule(_ node: YAMLNode, _ root: ItemContext) throws(Diagnostic) {
        let name = try YAMLItem(node: node, context: root.item(.rule, "", node)).text("rule")
        let context = root.item(.rule, name, node)
        let item = YAMLItem(node: node, context: context)
        let append = try readAppend(item)
        let overrides = try readOverrides(item, appendable: Self.appendable, replaceable: Self.replaceable)
        if append, !overrides.isEmpty { throw context.diagnostic(.yamlValidate, Self.appendAndOverride) }
        warnOfUnknownKeys(node, Self.ruleKeys, context)

        if !overrides.isEmpty {
            try readOverridden(item, name, overrides)
        } else if append {
            var change = RuleChange(name: name, context: context)
            if item.has("condition") { try readCondition(item, into: &change) }
            if item.has("exceptions") { change.exceptions = try readExceptions(item, fieldsOptional: true) }
            try collector.append(change, checking: checker)
        } else if !["condition", "output", "desc", "priority"].contains(where: item.has) {
            guard let isEnabled = try item.bool("enabled") else { throw item.missing("enabled") }
            report.warn(context.diagnostic(.deprecatedItem, Self.enabledIsDeprecated))
            try collector.enable(name, isEnabled, context)
        } else {
            try define(item, name)
        }
    }

    private mutating func define(_ item: YAMLItem, _ name: String) throws(Diagnostic) {
        let context = item.context
        let condition = try item.scalar("condition")
        let output = try item.scalar("output")
        let description = try item.text("desc")
        var rule = RuleInfo(
            name: name, condition: condition.traced, output: output.traced.trimmed(), description: description,
            priority: try readPriority(item), context: context,
            conditionContext: context.item(.ruleCondition, "", condition), outputContext: context.item(.ruleOutput, "", output))
        if let source = try item.optionalScalar("source") { rule.source = source.scalar! }
        rule.isEnabled = try item.bool("enabled") ?? true
        rule.warnsOfEventTypes = try item.bool("warn_evttypes") ?? true
        rule.skipsUnknownFilter = try item.bool("skip-if-unknown-filter") ?? false
        rule.captures = try item.bool("capture") ?? false
        rule.captureDurationMs = try item.unsigned("capture_duration", max: UInt64(UInt32.max)) ?? 0
        if item.has("tags") { rule.tags = try readTags(item) }
        if item.has("exceptions") { rule.exceptions = try readExceptions(item, fieldsOptional: false) }
        try collector.define(rule, checking: checker, into: &report)
    }

    /// An item with `override`: all appends first, then all replacements.
    private mutating func readOverridden(
        _ item: YAMLItem, _ name: String, _ overrides: [String: OverrideOperation]
    ) throws(Diagnostic) {
        for (key, operation) in overrides.sorted(by: { $0.key < $1.key }) where !item.has(key) {
            throw item.context.diagnostic(
                .yamlValidate, "An \(operation.rawValue) override for '\(key)' was specified but '\(key)' is not defined")
        }
        for key in Self.replaceable.sorted() where item.has(key) && overrides[key] == nil {
            throw item.context.diagnostic(
                .yamlValidate, "Unexpected key '\(key)': no corresponding entry under 'override' is defined.",
                hint: "add '\(key): replace' under 'override', or leave the key out")
        }
        for operation in [OverrideOperation.append, .replace] {
            let keys = Set(overrides.filter { $0.value == operation }.keys)
            if keys.isEmpty { continue }
            var change = RuleChange(name: name, context: item.context)
            if keys.contains("condition") { try readCondition(item, into: &change) }
            if keys.contains("output") {
                let output = try item.scalar("output")
                change.output = output.traced.trimmed()
                change.outputContext = item.context.item(.ruleOutput, "", output)
            }
            if keys.contains("desc") { change.description = try item.text("desc") }
            if keys.contains("tags") { change.tags = try readTags(item) }
            if keys.contains("exceptions") { change.exceptions = try readExceptions(item, fieldsOptional: operation == .append) }
            if keys.contains("priority") { change.priority = try readPriority(item) }
            if keys.contains("enabled") { change.isEnabled = try item.bool("enabled") }
            if keys.contains("warn_evttypes") { change.warnsOfEventTypes = try item.bool("warn_evttypes") }
            if keys.contains("skip-if-unknown-filter") { change.skipsUnknownFilter = try item.bool("skip-if-unknown-filter") }
            if keys.contains("capture") { change.captures = try item.bool("capture") }
            if keys.contains("capture_duration") {
                change.captureDurationMs = try item.unsigned("capture_duration", max: UInt64(UInt32.max))
            }
            switch operation {
            case .append: try collector.append(change, checking: checker)
            case .replace: try collector.replace(change, checking: checker)
            }
        }
    }

    private func readCondition(_ item: YAMLItem, into change: inout RuleChange) throws(Diagnostic) {
        let condition = try item.scalar("condition")
        change.condition = condition.traced
        change.conditionContext = item.context.item(.ruleCondition, "", condition)
    }

    private func readPriority(_ item: YAMLItem) throws(Diagnostic) -> Priority {
        let node = try item.scalar("priority")
        guard let priority = Priority(word: node.scalar!) else {
            let words = Priority.allCases.map(\.title)
            throw item.context.item(.rulePriority, "", node).diagnostic(
                .yamlValidate, "Invalid priority",
                hint: Suggestion.hint(for: node.scalar!.lowercased(), among: words.map { $0.lowercased() })
                    ?? "one of \(words.joined(separator: ", "))")
        }
        return priority
    }

    private func readTags(_ item: YAMLItem) throws(Diagnostic) -> Set<String> {
        Set(try item.scalars("tags").compactMap(\.scalar))
    }

    // MARK: exceptions

    private mutating func readExceptions(_ item: YAMLItem, fieldsOptional: Bool) throws(Diagnostic) -> [ExceptionInfo] {
        guard let node = item.node["exceptions"], !node.isNull else { return [] }
        let listContext = item.context.item(.exceptions, "", node)
        guard let entries = node.items else { throw listContext.diagnostic(.yamlValidate, "Rule exceptions must be a sequence") }
        var exceptions: [ExceptionInfo] = []
        var names: Set<String> = []
        for entry in entries {
            let unnamed = listContext.item(.exception, "", entry)
            guard entry.isMapping else { throw unnamed.diagnostic(.yamlValidate, "Rule exception must be a mapping") }
            let name = try YAMLItem(node: entry, context: unnamed).text("name")
            let exception = YAMLItem(node: entry, context: listContext.item(.exception, name, entry))
            var info = ExceptionInfo(name: name, context: exception.context)
            info.fields = try readEntry(exception, "fields", isOptional: fieldsOptional)
            info.comparisons = try readEntry(exception, "comps", isOptional: true)
            if let values = entry["values"], !values.isNull {
                let valuesContext = exception.context.item(.exceptionValues, "", values)
                guard let items = values.items else {
                    throw valuesContext.diagnostic(.yamlValidate, "Rule exception values must be a sequence")
                }
                for value in items {
                    info.values.append(try Self.entry(value, valuesContext.item(.exceptionValue, "", value)))
                }
            } else if fieldsOptional {
                report.warn(exception.context.diagnostic(.appendNoValues, "Overriding/appending exception with no values"))
            }
            if !names.insert(name).inserted {
                report.warn(
                    exception.context.diagnostic(
                        .exceptionNameNotUnique, "Multiple definitions of exception '\(name)' in the same rule"))
            }
            exceptions.append(info)
        }
        return exceptions
    }

    private func readEntry(_ item: YAMLItem, _ key: String, isOptional: Bool) throws(Diagnostic) -> ExceptionEntry? {
        guard let node = item.node[key] else {
            if isOptional { return nil }
            throw item.missing(key)
        }
        guard !node.isNull else { throw item.context.diagnostic(.yamlValidate, "Mapping for key '\(key)' is empty") }
        let context = item.context.item(.valueFor, key, node)
        guard !node.isMapping else { throw context.diagnostic(.yamlValidate, "Value is not a scalar value") }
        return try Self.entry(node, context)
    }

    private static func entry(_ node: YAMLNode, _ context: ItemContext) throws(Diagnostic) -> ExceptionEntry {
        switch node.content {
        case .scalar(let scalar):
            guard !scalar.text.isEmpty else { throw context.diagnostic(.yamlValidate, "Value must be non-empty") }
            return .scalar(node.traced)
        case .sequence(let items):
            var entries: [ExceptionEntry] = []
            for item in items { entries.append(try entry(item, context)) }
            return .list(entries)
        case .mapping: throw context.diagnostic(.yamlValidate, "Value is not a scalar value")
        }
    }
}
