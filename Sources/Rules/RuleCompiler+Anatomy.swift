// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

extension RuleCompiler {
    /// Values of one exception that are looked at one by one.
    static let anatomyValuesMax = 2000

    /// Reads the parts once more, each for itself. After compiling, of what compiled.
    mutating func makeAnatomy() -> RulesAnatomy {
        let compiled = Set(ruleSet.rules.map(\.name))
        let rules = collector.rules.items.filter { compiled.contains($0.name) }.compactMap { part($0) }
        let macros = collector.macros.items.compactMap { part($0) }
        var anatomy = RulesAnatomy(registry: registry)
        anatomy.rules = rules
        anatomy.macros = macros
        anatomy.isComplete = rules.count == collector.rules.items.count
        anatomy.lists = collector.lists.items.map { list in
            RulesAnatomy.ListPart(
                name: list.name, place: RulesPlace(list.context),
                items: list.items.map { ($0.text, RulesPlace(list.context, $0)) })
        }
        anatomy.redefinitions = collector.redefinitions.map {
            RulesAnatomy.RedefinitionPart(
                kind: $0.kind, name: $0.name, earlier: RulesPlace($0.earlier), later: RulesPlace($0.later))
        }
        return anatomy
    }

    private mutating func part(_ rule: RuleInfo) -> RulesAnatomy.RulePart? {
        guard let unresolved = read(rule.condition, rule.conditionContext, rule.dialect),
            let base = resolved(unresolved, rule)
        else { return nil }
        return RulesAnatomy.RulePart(
            name: rule.name, source: rule.source, priority: rule.priority, tags: rule.tags.sorted(),
            isFounding: rule.dialect == .founding, output: rule.output.text, place: RulesPlace(rule.context),
            conditionPlace: RulesPlace(rule.conditionContext), outputPlace: RulesPlace(rule.outputContext, rule.output),
            written: written(rule.condition, rule.conditionContext, rule.dialect), unresolved: unresolved, base: base,
            exceptions: rule.exceptions.map { part($0, of: rule) })
    }

    private mutating func part(_ exception: ExceptionInfo, of rule: RuleInfo) -> RulesAnatomy.ExceptionPart {
        var values: [RulesAnatomy.ValuePart] = []
        for value in exception.values.prefix(Self.anatomyValuesMax) {
            var single = exception
            single.values = [value]
            var condition: Condition?
            if let text = try? ConditionText.text(of: single), let parsed = read(text, exception.context, rule.dialect) {
                condition = resolved(parsed, rule)
            }
            let texts = value.scalars
            var whole = TracedText()
            for text in texts { whole.append(text) }
            values.append(
                RulesAnatomy.ValuePart(
                    texts: texts.map(\.text), place: RulesPlace(exception.context, whole), condition: condition))
        }
        return RulesAnatomy.ExceptionPart(
            name: exception.name, place: RulesPlace(exception.context), fields: exception.fields?.scalars.map(\.text) ?? [],
            values: values)
    }

    private mutating func part(_ macro: MacroInfo) -> RulesAnatomy.MacroPart? {
        guard let entry = macros[macro.name], let condition = entry.condition else { return nil }
        var resolver = makeResolver(macro.dialect, index: macro.index, visibility: macro.visibility)
        return RulesAnatomy.MacroPart(
            name: macro.name, place: RulesPlace(macro.context), conditionPlace: RulesPlace(macro.conditionContext),
            isFounding: macro.dialect == .founding, written: written(macro.condition, macro.conditionContext, macro.dialect),
            unresolved: condition, resolved: try? resolver.resolve(condition), lists: entry.lists)
    }

    private mutating func read(_ text: TracedText, _ context: ItemContext, _ dialect: ConditionDialect) -> Condition? {
        var used: Set<String> = []
        guard let entry = try? expand(text, context, dialect, &used) else { return nil }
        return try? parse(entry, dialect)
    }

    private mutating func written(_ text: TracedText, _ context: ItemContext, _ dialect: ConditionDialect) -> Condition? {
        guard dialect == .today else { return nil }
        return try? parse(add(text, context), dialect)
    }

    private func resolved(_ condition: Condition, _ rule: RuleInfo) -> Condition? {
        var resolver = makeResolver(rule.dialect, index: rule.index, visibility: Int.max)
        return try? resolver.resolve(condition)
    }
}
