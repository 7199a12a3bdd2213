// SPDX-License-Identifier: Apache-2.0

/// One step of the way from the file to the text at fault.
public struct ContextLocation: Sendable, Equatable {
    public var kind: ItemKind
    /// Name of the item, empty when it has none.
    public var name: String
    /// File name, or for an expression its shortened text.
    public var place: String
    /// As Falco prints them: from 0 in YAML; within an expression the parser's values added to those of the parent.
    public var line: Int
    public var column: Int
    public var offset: Int

    public init(_ kind: ItemKind, name: String = "", place: String, line: Int, column: Int, offset: Int) {
        (self.kind, self.name, self.place) = (kind, name, place)
        (self.line, self.column, self.offset) = (line, column, offset)
    }
}

/// A piece of the user's own text, for underlining. Copied out of the file, so a diagnostic outlives it.
public struct Excerpt: Sendable, Equatable {
    public var file: String
    /// From 1.
    public var line: Int
    /// From 1, in bytes.
    public var column: Int
    public var text: String
    /// Bytes of `text` to underline, from `column` on; at least 1.
    public var length: Int

    public init(file: String, line: Int, column: Int, text: String, length: Int) {
        (self.file, self.line, self.column, self.text, self.length) = (file, line, column, text, max(1, length))
    }

    /// The line of `file` that holds `range`, cut to what is near when the line is very long.
    public init(_ file: SourceFile, _ range: Range<Int>, widthMax: Int = 160) {
        let start = file.position(at: range.lowerBound)
        var line = file.lineRange(start.line)
        if line.count > widthMax {
            let from = max(line.lowerBound, range.lowerBound - widthMax / 2)
            line = from..<min(line.upperBound, from + widthMax)
        }
        let end = max(range.lowerBound, min(range.upperBound, line.upperBound))
        self.init(
            file: file.name, line: start.line, column: start.column, text: file.text(line), length: end - range.lowerBound)
        textColumn = line.lowerBound - (start.offset - (start.column - 1)) + 1
    }

    /// Column of the first byte of `text`; more than 1 when the line was cut.
    public private(set) var textColumn = 1
}

/// Something to tell the author of a text. Self-contained: rendering needs no other data.
public struct Diagnostic: Error, Sendable, Equatable {
    public var code: LoadCode
    /// Falco's sentence, which scripts match.
    public var message: String
    /// `evt.dir`, for `LOAD_DEPRECATED_ITEM` about a field.
    public var deprecatedField: String?
    /// Outermost first.
    public var context: [ContextLocation]
    /// Falco's snippet: the line and a second line with `^`.
    public var snippet: String
    /// The text at fault in the user's own file.
    public var excerpt: Excerpt?
    /// Where the text at fault is used: `rule 'X'`, `macro 'Y'`, from outside in.
    public var chain: [String]
    /// What to do about it.
    public var hint: String?
    /// Set for what only lint finds; it then stands for the code.
    public var finding: LintLabel?

    public init(
        _ code: LoadCode, _ message: String, deprecatedField: String? = nil, context: [ContextLocation] = [],
        snippet: String = "", excerpt: Excerpt? = nil, chain: [String] = [], hint: String? = nil
    ) {
        self.code = code
        self.message = message
        self.deprecatedField = deprecatedField
        self.context = context
        self.snippet = snippet
        self.excerpt = excerpt
        self.chain = chain
        self.hint = hint
    }

    public var isError: Bool { code.isError }
}
