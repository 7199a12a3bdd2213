// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Fields
import FilterLanguage

/// Fills in an exception's default operators and checks that its fields and operators exist.
struct ExceptionChecker {
    let sources: Set<String>
    let catalogue: FieldCatalogue

    private static let listComparisons: Set<String> = ["in", "pmatch", "intersects"]
    private static let symbols: Set<String> = ["=", "==", "!=", "<", "<=", ">", ">="]

    func complete(_ exception: inout ExceptionInfo, isSourceKnown: Bool) throws(Diagnostic) {
        guard let fields = exception.fields else {
            throw exception.context.diagnostic(.yamlValidate, "Item has no mapping for key 'fields'")
        }
        switch fields {
        case .list(let entries):
            if exception.comparisons == nil { exception.comparisons = .list(entries.map { _ in .scalar(TracedText("=")) }) }
            guard case .list(let comparisons)? = exception.comparisons, comparisons.count == entries.count else {
                throw exception.context.diagnostic(.validate, "Fields and comps lists must have equal length")
            }
            exception.comparisons = .list(comparisons.map { .scalar(($0.scalars.first ?? TracedText()).trimmed()) })
            for comparison in comparisons.flatMap(\.scalars) where !Self.isSupported(comparison.trimmed().text) {
                throw unsupported(comparison, exception.context)
            }
        case .scalar:
            guard exception.comparisons.map({ !$0.isList }) ?? true else {
                throw exception.context.diagnostic(.validate, "Fields and comps must both be strings")
            }
            let comparison = (exception.comparisons?.scalars.first ?? TracedText("in")).trimmed()
            exception.comparisons = .scalar(comparison)
            guard Self.isListComparison(comparison.text) else {
                throw exception.context.diagnostic(
                    .validate,
                    "When fields is a single value, comps must be one of (in, pmatch, intersects) or an operator with a modifier")
            }
        }
        guard isSourceKnown else { return }
        for field in fields.scalars where !isField(field.text) {
            let message = "'\(field.text)' is not a supported filter field"
            let hint = Suggestion.hint(for: field.trimmed().text, among: catalogue.fieldNames)
            var diagnostic = exception.context.diagnostic(.validate, message, hint: hint)
            if let origin = field.origin(of: 0..<field.bytes.count) { diagnostic.excerpt = Excerpt(origin.file, origin.range) }
            throw diagnostic
        }
    }

    private func unsupported(_ comparison: TracedText, _ context: ItemContext) -> Diagnostic {
        let word = comparison.trimmed().text
        var diagnostic = context.diagnostic(
            .validate, "'\(word)' is not a supported comparison operator",
            hint: Suggestion.hint(for: word, among: Comparison.allCases.map(\.rawValue)))
        if let origin = comparison.origin(of: 0..<comparison.bytes.count) {
            diagnostic.excerpt = Excerpt(origin.file, origin.range)
        }
        return diagnostic
    }

    /// The right side of this operator is a list.
    static func isListComparison(_ text: String) -> Bool { listComparisons.contains(text) || isWithModifier(text) }

    private static func isSupported(_ text: String) -> Bool {
        if text == "exists" { return false }
        return symbols.contains(text) || Comparison(rawValue: text) != nil || isWithModifier(text)
    }

    /// `startswith oneof`: an operator on strings and a modifier.
    private static func isWithModifier(_ text: String) -> Bool {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 2, ListModifier(rawValue: words[1]) != nil else { return false }
        if words[0] == "==" { return true }
        guard let comparison = Comparison(rawValue: words[0]) else { return false }
        return switch comparison {
        case .exists, .less, .lessOrEqual, .greater, .greaterOrEqual, .in, .pmatch, .intersects: false
        default: true
        }
    }

    private func isField(_ text: String) -> Bool {
        // The whole text must be one left side: a field or a transformer.
        var parser = ConditionParser(text + " exists")
        guard case .check(let check)? = try? parser.parse() else { return false }
        return isKnown(check.left)
    }

    private func isKnown(_ operand: Operand) -> Bool {
        switch operand {
        case .field(let name): (try? catalogue.resolve(name)) != nil
        case .transformer(let transformer): transformer.arguments.allSatisfy(isKnown)
        case .literal: true
        case .list(let operands, _): operands.allSatisfy(isKnown)
        }
    }
}
