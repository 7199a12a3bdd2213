// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

/// What the author of a condition that does not parse probably meant.
enum ConditionHints {
    private static let keywords = Set(ConditionParser.operatorTexts.filter { $0.allSatisfy(\.isLetter) }).union([
        "and", "or", "not",
    ])
    private static let otherSpellings = [
        "&&": "and", "||": "or", "&": "and", "!": "not", "=~": "regex", "<>": "!=", "matches": "regex",
    ]

    /// A hint from the word at `offset` and the one before it, where parsing stopped.
    static func hint(_ text: [UInt8], at offset: Int) -> String? {
        let (before, at) = words(text, around: offset)
        for word in [at, before] where !word.isEmpty {
            if let other = otherSpellings[word] { return "write '\(other)' instead of '\(word)'" }
            let lower = word.lowercased()
            if lower != word, keywords.contains(lower) { return "keywords are written in lower case: '\(lower)'" }
        }
        if at.count > 2, let near = Suggestion.nearest(to: at, among: keywords) { return "did you mean '\(near)'?" }
        return nil
    }

    private static func words(_ text: [UInt8], around offset: Int) -> (before: String, at: String) {
        func isBlank(_ index: Int) -> Bool { text[index] <= 32 }
        let offset = min(max(0, offset), text.count)
        var end = offset
        while end < text.count, !isBlank(end) { end += 1 }
        var beforeEnd = offset
        while beforeEnd > 0, isBlank(beforeEnd - 1) { beforeEnd -= 1 }
        var beforeStart = beforeEnd
        while beforeStart > 0, !isBlank(beforeStart - 1) { beforeStart -= 1 }
        return (
            String(decoding: text[beforeStart..<beforeEnd], as: UTF8.self), String(decoding: text[offset..<end], as: UTF8.self)
        )
    }
}
