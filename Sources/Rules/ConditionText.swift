// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// Exceptions become part of the condition's text: `and not (…)`.
enum ConditionText {
    /// `(condition) and not E1 and not E2`; exceptions without values are left out.
    static func withExceptions(_ condition: TracedText, _ exceptions: [ExceptionInfo]) throws(Diagnostic) -> TracedText {
        guard !exceptions.isEmpty else { return condition }
        var result = TracedText("(")
        result.append(condition)
        result.append(")")
        for exception in exceptions where !exception.values.isEmpty {
            result.append(" and not ")
            result.append(try text(of: exception))
        }
        return result
    }

    static func text(of exception: ExceptionInfo) throws(Diagnostic) -> TracedText {
        let fields = exception.fields?.scalars ?? []
        let comparisons = exception.comparisons?.scalars ?? []
        var result = TracedText("(")
        guard exception.fields?.isList ?? false else {
            // `(field in (a, b))`
            result.append(fields[0])
            result.append(" ")
            result.append(comparisons[0])
            result.append(" (")
            for (index, value) in exception.values.enumerated() {
                guard case .scalar(let text) = value else {
                    throw exception.context.diagnostic(.validate, "Expected values array to contain a list of strings")
                }
                if index > 0 { result.append(", ") }
                result.append(quoted(text))
            }
            result.append("))")
            return result
        }
        // `((f1 = a and f2 = b) or (f1 = c and f2 = d))`
        for (index, tuple) in exception.values.enumerated() {
            guard case .list(let values) = tuple, values.count == fields.count else {
                throw exception.context.diagnostic(.validate, "Fields and values lists must have equal length")
            }
            result.append(index > 0 ? " or (" : "(")
            for (place, value) in values.enumerated() {
                if place > 0 { result.append(" and ") }
                result.append(fields[place])
                result.append(" ")
                result.append(comparisons[place])
                result.append(" ")
                result.append(operand(value, comparisons[place].text))
            }
            result.append(")")
        }
        result.append(")")
        return result
    }

    private static func operand(_ value: ExceptionEntry, _ comparison: String) -> TracedText {
        switch value {
        case .scalar(let text):
            guard ExceptionChecker.isListComparison(comparison) else { return quoted(text) }
            guard text.bytes.first != UInt8(ascii: "(") else { return text }
            var result = TracedText("(")
            result.append(quoted(text))
            result.append(")")
            return result
        case .list:
            var result = TracedText("(")
            for (index, text) in value.scalars.enumerated() {
                if index > 0 { result.append(", ") }
                result.append(quoted(text))
            }
            result.append(")")
            return result
        }
    }

    /// A value with a blank in it needs quotes to stay one word.
    static func quoted(_ text: TracedText) -> TracedText {
        guard text.bytes.contains(UInt8(ascii: " ")), let first = text.bytes.first, first != UInt8(ascii: "\""),
            first != UInt8(ascii: "'")
        else { return text }
        var result = TracedText("\"")
        result.append(text)
        result.append("\"")
        return result
    }
}
