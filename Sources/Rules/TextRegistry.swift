// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

/// All condition texts of one compilation, one behind the other in a common space of offsets.
struct TextRegistry {
    struct Entry {
        let base: Int
        let text: TracedText
        /// The item the text belongs to.
        let context: ItemContext
    }
    private var entries: [Entry] = []
    private var next = 0

    mutating func add(_ text: TracedText, _ context: ItemContext) -> Entry {
        let entry = Entry(base: next, text: text, context: context)
        entries.append(entry)
        // One offset more, so that the end of a text is not the start of the next.
        next += text.bytes.count + 1
        return entry
    }

    func entry(at offset: Int) -> Entry? {
        var low = 0
        var high = entries.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if entries[middle].base <= offset { low = middle } else { high = middle }
        }
        return entries.isEmpty ? nil : entries[low]
    }
}

extension TextRegistry.Entry {
    /// A diagnostic about the place `position` (offset in the common space) to `end` of this text. Without an end, the word
    /// there.
    func diagnostic(
        _ code: LoadCode, _ message: String, at position: SourcePosition, to end: SourcePosition? = nil,
        within user: ItemContext? = nil, deprecatedField: String? = nil, hint: String? = nil
    ) -> Diagnostic {
        let start = min(max(0, position.offset - base), text.bytes.count)
        let stop = end.map { min(max(start, $0.offset - base), text.bytes.count) } ?? wordEnd(start)
        var diagnostic = context.diagnostic(
            code, message, in: text, at: start..<stop, line: position.line, column: position.column,
            deprecatedField: deprecatedField, hint: hint)
        // Within a macro that a rule uses: Falco's context is the rule, the place is the macro's.
        if let user, user.locations != context.locations, let expression = diagnostic.context.last {
            diagnostic.context = user.locations + [expression]
        }
        return diagnostic
    }

    /// The user's own text behind a range of the common space.
    func origin(_ range: SourceRange) -> (file: SourceFile, range: Range<Int>)? {
        let start = min(max(0, range.start.offset - base), text.bytes.count)
        return text.origin(of: start..<min(max(start, range.end.offset - base), text.bytes.count))
    }

    /// The text at `range` as the condition has it.
    func words(_ range: SourceRange) -> String {
        let start = min(max(0, range.start.offset - base), text.bytes.count)
        let end = min(max(start, range.end.offset - base), text.bytes.count)
        return String(decoding: text.bytes[start..<end], as: UTF8.self)
    }

    private func wordEnd(_ start: Int) -> Int {
        func isWord(_ byte: UInt8) -> Bool { byte > 32 && !"()=,!<>\"'".utf8.contains(byte) }
        var end = start
        while end < text.bytes.count, isWord(text.bytes[end]) { end += 1 }
        return max(end, min(start + 1, text.bytes.count))
    }
}
