// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// The way from a file down to one of its items, from which every diagnostic about that item is made.
struct ItemContext: Sendable {
    let file: SourceFile
    let locations: [ContextLocation]
    let range: Range<Int>

    /// The file as a whole.
    init(_ file: SourceFile) {
        self.file = file
        locations = [ContextLocation(.rulesContent, place: file.name, line: 0, column: 0, offset: 0)]
        range = 0..<file.lineRange(1).upperBound
    }

    private init(file: SourceFile, locations: [ContextLocation], range: Range<Int>) {
        (self.file, self.locations, self.range) = (file, locations, range)
    }

    func item(_ kind: ItemKind, _ name: String = "", _ node: YAMLNode) -> ItemContext {
        item(kind, name, start: node.start, end: node.end)
    }

    func item(_ kind: ItemKind, _ name: String = "", start: SourcePosition, end: Int) -> ItemContext {
        let location = ContextLocation(
            kind, name: name, place: file.name, line: start.line - 1, column: start.column - 1, offset: start.offset)
        return ItemContext(file: file, locations: locations + [location], range: start.offset..<max(start.offset + 1, end))
    }

    func diagnostic(_ code: LoadCode, _ message: String, deprecatedField: String? = nil, hint: String? = nil) -> Diagnostic {
        let place = locations.last.flatMap { KeyPlace.range(message, $0, in: file) } ?? range
        return Diagnostic(
            code, message, deprecatedField: deprecatedField, context: locations,
            snippet: Snippet.make(file.bytes, at: range.lowerBound), excerpt: Excerpt(file, place), chain: chain, hint: hint)
    }

    /// About a place within a condition that was put together from the user's text: Falco's form speaks of the condition as
    /// compiled, ours of the user's own text behind it.
    func diagnostic(
        _ code: LoadCode, _ message: String, in text: TracedText, at place: Range<Int>, line: Int, column: Int,
        deprecatedField: String? = nil, hint: String? = nil
    ) -> Diagnostic {
        let parent = locations.last
        let location = ContextLocation(
            .conditionExpression, place: Self.shortened(text), line: (parent?.line ?? 0) + line,
            column: (parent?.column ?? 0) + column, offset: place.lowerBound)
        var excerpt = Excerpt(file, range)
        if let origin = text.origin(of: place) { excerpt = Excerpt(origin.file, origin.range, linesMax: 3) }
        return Diagnostic(
            code, message, deprecatedField: deprecatedField, context: locations + [location],
            snippet: Snippet.make(text.bytes, at: place.lowerBound), excerpt: excerpt, chain: chain, hint: hint)
    }

    /// The named items around the place, from inside out.
    var chain: [ChainLink] {
        let named = locations.filter { [.rule, .macro, .list, .exception].contains($0.kind) && !$0.name.isEmpty }
        return named.reversed().enumerated().map { index, location in
            ChainLink(
                index == 0 ? .within : .part, "\(location.kind.rawValue) '\(location.name)'", file: location.place,
                line: location.line + 1)
        }
    }

    /// The condition as its own name: whole up to 20 characters, else the first 17 and dots.
    private static func shortened(_ text: TracedText) -> String {
        let words = text.text.map { $0.isNewline ? " " : $0 }
        return "\"" + (words.count <= 20 ? String(words) : String(words.prefix(17)) + "...") + "\""
    }
}
