// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// The textual steps between what the user wrote and what the parser reads: exceptions become `and not (…)`, names of lists
/// become their items.
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

    private static func text(of exception: ExceptionInfo) throws(Diagnostic) -> TracedText {
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
    private static func quoted(_ text: TracedText) -> TracedText {
        guard text.bytes.contains(UInt8(ascii: " ")), let first = text.bytes.first, first != UInt8(ascii: "\""), first != UInt8(ascii: "'")
        else { return text }
        var result = TracedText("\"")
        result.append(text)
        result.append("\"")
        return result
    }

    // MARK: lists

    /// A list ready to be put into conditions.
    struct CompiledList {
        var name: String
        var order: Int
        var items: [TracedText]
        /// `a, b c` with quotes where needed.
        var text: TracedText
    }

    /// Bytes that a text may grow to by its lists; what stops lists of lists of lists.
    static let expandedBytesMax = 16 << 20

    struct TooLarge: Error {}

    static func compile(_ name: String, order: Int, items: [TracedText]) -> CompiledList {
        var text = TracedText()
        for (index, item) in items.enumerated() {
            if index > 0 { text.append(", ") }
            text.append(quoted(item))
        }
        return CompiledList(name: name, order: order, items: items, text: text)
    }

    /// Replaces each word that is the name of a list by the list's items, in the order of the lists: what a list brings in may
    /// name a later list, not an earlier one. Purely textual, so also within quotes, as today.
    static func expand(
        _ condition: TracedText, _ lists: [String: CompiledList], used: inout Set<String>
    ) throws(TooLarge) -> TracedText {
        guard !lists.isEmpty else { return condition }
        var out = TracedText()
        try expand(condition, after: -1, lists, into: &out, used: &used)
        return out
    }

    private static func expand(
        _ text: TracedText, after order: Int, _ lists: [String: CompiledList], into out: inout TracedText, used: inout Set<String>
    ) throws(TooLarge) {
        let bytes = text.bytes
        var place = 0
        var copied = 0
        while place < bytes.count {
            guard !isDelimiter(bytes[place]) else {
                place += 1
                continue
            }
            let start = place
            while place < bytes.count, !isDelimiter(bytes[place]) { place += 1 }
            let word = String(decoding: bytes[start..<place], as: UTF8.self)
            guard let list = lists[word], list.order > order else { continue }
            used.insert(word)
            var from = start
            if list.items.isEmpty {
                var left = start
                while left > copied, isBlank(bytes[left - 1]) { left -= 1 }
                var right = place
                while right < bytes.count, isBlank(bytes[right]) { right += 1 }
                if left > copied, bytes[left - 1] == UInt8(ascii: ",") {
                    from = left - 1
                } else if right < bytes.count, bytes[right] == UInt8(ascii: ",") {
                    place = right + 1
                }
            }
            out.append(text, copied..<from)
            copied = place
            try expand(list.text, after: list.order, lists, into: &out, used: &used)
            guard out.bytes.count <= expandedBytesMax else { throw TooLarge() }
        }
        out.append(text, copied..<bytes.count)
        guard out.bytes.count <= expandedBytesMax else { throw TooLarge() }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 10 || byte == 13 }
    private static func isDelimiter(_ byte: UInt8) -> Bool {
        isBlank(byte) || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "=")
    }
}
