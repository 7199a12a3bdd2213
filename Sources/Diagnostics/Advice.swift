// SPDX-License-Identifier: Apache-2.0

/// Falco's sentences in plainer words, and what to do about each. Scripts match the sentences, so they stay as they are in every
/// other form; who raises a diagnostic can say more about it with `headline` and `help`, and has the last word.
public enum Advice {
    /// One sentence of Falco's; `*` stands for any text, which `{1}`, `{2}` … put into ours. `{item}` is the item at fault,
    /// `{text}` the underlined text.
    struct Row: Sendable {
        let sentence: String
        let headline: String?
        let help: String?
        init(_ sentence: String, _ headline: String?, _ help: String? = nil) {
            (self.sentence, self.headline, self.help) = (sentence, headline, help)
        }
    }

    public static func on(_ diagnostic: Diagnostic) -> (headline: String?, help: String?) {
        guard diagnostic.headline == nil || diagnostic.help == nil else { return (diagnostic.headline, diagnostic.help) }
        for row in rows {
            guard let parts = match(diagnostic.message, row.sentence) else { continue }
            let headline = row.headline.map { fill($0, parts, diagnostic) }
            let help = row.help.map { fill($0, parts, diagnostic) }
            return (diagnostic.headline ?? headline, diagnostic.help ?? help)
        }
        return (diagnostic.headline, diagnostic.help)
    }

    /// What the `*` of `pattern` stand for; nil when the text is another one.
    public static func match(_ text: String, _ pattern: String) -> [String]? {
        let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard text.hasPrefix(pieces[0]) else { return nil }
        var rest = text.dropFirst(pieces[0].count)
        var parts: [String] = []
        for (index, piece) in pieces.dropFirst().enumerated() {
            let isLast = index == pieces.count - 2
            if isLast {
                guard rest.hasSuffix(piece) else { return nil }
                parts.append(String(rest.dropLast(piece.count)))
                return parts
            }
            guard let found = rest.firstRange(of: piece) else { return nil }
            parts.append(String(rest[..<found.lowerBound]))
            rest = rest[found.upperBound...]
        }
        return rest.isEmpty ? parts : nil
    }

    private static func fill(_ template: String, _ parts: [String], _ diagnostic: Diagnostic) -> String {
        var text = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            text += rest[..<open]
            let key = rest[rest.index(after: open)..<close]
            if let number = Int(key), parts.indices.contains(number - 1) {
                text += parts[number - 1]
            } else {
                switch key {
                case "item": text += item(diagnostic)
                case "text": text += marked(diagnostic)
                default: text += rest[open...close]
                }
            }
            rest = rest[rest.index(after: close)...]
        }
        return text + rest
    }

    /// `rule 'X'`, or what kind of thing the place is.
    private static func item(_ diagnostic: Diagnostic) -> String {
        if let last = diagnostic.context.last, last.kind == .exception, last.name.isEmpty { return "the exception" }
        if let named = diagnostic.context.last(where: {
            !$0.name.isEmpty && [.rule, .macro, .list, .exception].contains($0.kind)
        }) {
            return "\(named.kind.rawValue) '\(named.name)'"
        }
        return diagnostic.context.last.map { "the \($0.kind.rawValue)" } ?? "the item"
    }

    private static func marked(_ diagnostic: Diagnostic) -> String {
        guard let line = diagnostic.excerpt?.lines.first else { return "" }
        let text = String(decoding: line.bytes[line.marked], as: UTF8.self)
        return text.count <= 40 ? text : String(text.prefix(37)) + "..."
    }
}
