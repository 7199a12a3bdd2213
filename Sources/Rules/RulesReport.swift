// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import Fields
import FilterLanguage
import RuleEngine

/// The texts of `-V`, `-L` and `-l`. Functions of values to strings: printing is the caller's.
public enum RulesReport {
    // MARK: -V

    /// One line per good file, the full report of a bad one; no final newline.
    public static func validationText(_ results: [FileLoadResult]) -> String {
        results.map { result in
            guard result.successful else { return verboseText(result) }
            return "\(result.name): Ok" + (result.warnings.isEmpty && result.schemaWarnings.isEmpty ? "" : ", with warnings")
        }.joined(separator: "\n")
    }

    /// All errors and warnings of one file in Falco's form, as the log and the failing start show them.
    public static func verboseText(_ result: FileLoadResult) -> String {
        FalcoTextRenderer.verbose(
            name: result.name, successful: result.successful, errors: result.errors, warnings: result.warnings,
            schemaWarnings: result.schemaWarnings)
    }

    /// Errors, warnings and notices of one file as annotated source, all errors and not only the first, and how many there are.
    public static func annotatedText(_ result: FileLoadResult, _ renderer: AnnotatedRenderer = AnnotatedRenderer()) -> String {
        // Whatever uses a macro or a list may be what failed.
        let warnings = (result.warnings + result.notices).filter {
            result.successful || ![.unusedMacro, .unusedList].contains($0.code)
        }
        var text = ""
        for diagnostic in result.errors + result.furtherErrors + warnings {
            text += renderer.render(diagnostic, file: result.name) + "\n"
        }
        let errors = result.errors.count + result.furtherErrors.count
        // Most of what the schema finds is told above, and better.
        if errors + warnings.count == 0 {
            for reason in result.schemaWarnings { text += "\(result.name): schema: \(reason)\n" }
        }
        var counts: [String] = []
        if errors > 0 { counts.append(count(errors, "error")) }
        if !warnings.isEmpty { counts.append(count(warnings.count, "warning")) }
        let verdict = "\(result.name): \(result.successful ? "Ok" : "Invalid")"
        return text + renderer.safe(verdict + (counts.isEmpty ? "" : ", " + counts.joined(separator: " and "))) + "\n"
    }

    public static func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }

    /// The JSON schema of a rules file, from the table that also tells the reader which keys there are.
    public static var schemaJSON: JSONNode { RuleSchema.json }

    /// `falco_load_results`, and `falco_describe_results` when all files are good and a description is asked for.
    public static func validationJSON(_ results: [FileLoadResult], describing ruleSet: RuleSet? = nil, rule: String? = nil)
        -> JSONNode
    {
        var members: [String: JSONNode] = ["falco_load_results": .array(results.map(json))]
        if let ruleSet, results.allSatisfy(\.successful) {
            members["falco_describe_results"] = describeJSON(ruleSet, rule: rule) ?? .null
        }
        return .object(members)
    }

    static func json(_ result: FileLoadResult) -> JSONNode {
        .object([
            "name": .string(result.name), "successful": .bool(result.successful),
            "schema_valid": .bool(result.schemaWarnings.isEmpty),
            "schema_warnings": .strings(result.schemaWarnings), "errors": .array(result.errors.map(\.json)),
            "warnings": .array(result.warnings.map(\.json)),
        ])
    }

    /// Two lines for stderr when rules name system calls that are not delivered; empty when they name none.
    public static func ignoredSyscallsText(_ ruleSet: RuleSet) -> String {
        guard !ruleSet.ignoredSyscallsNamed.isEmpty else { return "" }
        let names = ruleSet.ignoredSyscallsNamed.sorted().joined(separator: ", ")
        return """
            Loaded rules match syscalls that are not activated (see base_syscalls.all): warning (unsupported-evttype): \(names)
            If syscalls in rules include high volume syscalls, activate them with the `-A` flag; else no such event is seen live.

            """
    }

    // MARK: -L and -l

    /// Name and description of every rule, or of one; nil when there is no such rule.
    public static func describeText(_ ruleSet: RuleSet, rule: String? = nil) -> String? {
        guard let rules = selected(ruleSet, rule) else { return nil }
        var text = row("Rule", "Description") + row("----", "-----------")
        for rule in rules { text += row(rule.name, wrapped(rule.description)) + "\n" }
        return text
    }

    /// What `-l` says of a rule that is not there.
    public static func notLoaded(_ rule: String) -> String { "Rule \"\(rule)\" is not loaded" }

    private static func selected(_ ruleSet: RuleSet, _ name: String?) -> [Rule]? {
        guard let name else { return ruleSet.rules }
        let found = ruleSet.rules.filter { $0.name == name }
        return found.isEmpty ? nil : found
    }

    private static func row(_ left: String, _ right: String) -> String {
        left + String(repeating: " ", count: max(0, 50 - left.utf8.count)) + " " + right + "\n"
    }

    /// At 110 columns, following lines under the second column, a blank behind every word.
    private static func wrapped(_ text: String) -> String {
        var out = ""
        var column = 51
        for word in text.split(whereSeparator: \.isWhitespace) {
            if column + word.utf8.count > 110, column > 51 {
                out += "\n" + String(repeating: " ", count: 51)
                column = 51
            }
            out += word + " "
            column += word.utf8.count + 1
        }
        return out
    }

    public static func describeJSON(_ ruleSet: RuleSet, rule: String? = nil) -> JSONNode? {
        guard let rules = selected(ruleSet, rule) else { return nil }
        if rule != nil { return .object(["rules": .array(rules.map(describe))]) }
        return .object([
            "required_engine_version": .string((ruleSet.requiredEngineVersion ?? Version(0, 0, 0)).description),
            "required_plugin_versions": .array(
                ruleSet.requiredPlugins.map { alternatives in
                    .object([
                        "name": .string(alternatives[0].name), "version": .string(alternatives[0].version),
                        "alternatives": .array(
                            alternatives.dropFirst().map { .object(["name": .string($0.name), "version": .string($0.version)]) }),
                    ])
                }),
            "rules": .array(rules.map(describe)), "macros": .array(ruleSet.macros.map(describe)),
            "lists": .array(ruleSet.lists.map(describe)),
        ])
    }

    private static func describe(_ rule: Rule) -> JSONNode {
        let details = ConditionDetails(rule.expandedCondition)
        let extraFields = Dictionary(rule.extraFields.map { ($0.key, JSONNode.string($0.format)) }) { first, _ in first }
        return .object([
            "info": .object([
                "name": .string(rule.name), "condition": .string(rule.conditionText), "priority": .string(rule.priority.title),
                "output": .string(rule.outputText), "description": .string(rule.description), "enabled": .bool(rule.isEnabled),
                "source": .string(rule.source), "capture": .bool(rule.captures),
                "capture_duration": .int(Int64(clamping: rule.captureDurationMs)), "tags": .strings(rule.tags),
            ]),
            "details": .object([
                "macros": .strings(rule.details.macros.sorted()), "lists": .strings(rule.details.lists.sorted()),
                "condition_operators": .strings(details.operators.sorted()),
                "condition_fields": .strings(details.fields.sorted()),
                "output_fields": .strings(outputFields(rule.output)), "extra_output_formatted_fields": .object(extraFields),
                "exception_names": .strings(rule.details.exceptionNames.sorted()),
                "exception_fields": .strings(rule.details.exceptionFields.sorted()),
                "exception_operators": .strings(rule.details.exceptionOperators.sorted()),
                "events": .strings(eventNames(rule.condition.eventCodes)),
                "condition_compiled": .string(rule.expandedCondition.normalised), "output_compiled": .string(rule.output),
                "plugins": .array([]),
            ]),
        ])
    }

    private static func describe(_ macro: MacroSummary) -> JSONNode {
        let expanded = macro.expandedCondition
        let details = expanded.map { ConditionDetails($0) }
        let compiled = expanded.flatMap { try? ConditionCompiler(catalogue: .builtin).compile($0) }
        return .object([
            "info": .object(["name": .string(macro.name), "condition": .string(macro.conditionText)]),
            "details": .object([
                "used": .bool(macro.isUsed), "macros": .strings(macro.macros.sorted()), "lists": .strings(macro.lists.sorted()),
                "condition_operators": .strings((details?.operators ?? []).sorted()),
                "condition_fields": .strings((details?.fields ?? []).sorted()),
                "events": .strings(compiled.map { eventNames($0.eventCodes) } ?? []),
                "condition_compiled": .string(expanded?.normalised ?? ""), "plugins": .array([]),
            ]),
        ])
    }

    private static func describe(_ list: ListSummary) -> JSONNode {
        .object([
            "info": .object(["name": .string(list.name), "items": .strings(list.items)]),
            "details": .object([
                "used": .bool(list.isUsed), "lists": .strings(list.lists.sorted()),
                "items_compiled": .strings(list.expandedItems),
                "plugins": .array([]),
            ]),
        ])
    }

    private static func outputFields(_ format: String) -> [String] {
        guard let template = try? OutputTemplate(format, catalogue: .builtin) else { return [] }
        return Set(template.fields.map(\.key)).sorted()
    }

    private static func eventNames(_ codes: EventCodeSet) -> [String] {
        Set(codes.codes.map { EventTable.events[Int($0)].name }).sorted()
    }
}
