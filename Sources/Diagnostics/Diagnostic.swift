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

/// An item of a rules file on the way from the text at fault to the rule that it harms.
public struct ChainLink: Sendable, Equatable {
    public enum Relation: String, Sendable {
        /// The text stands in this item.
        case within = "in"
        /// The item that the one before it is a part of.
        case part = "of"
        /// The item names the one before it.
        case user = "used by"
        /// The item is what the one before it adds to.
        case base = "which adds to"
    }
    public var relation: Relation
    /// `rule 'X'`
    public var item: String
    public var file: String
    /// From 1.
    public var line: Int

    public init(_ relation: Relation, _ item: String, file: String, line: Int) {
        (self.relation, self.item, self.file, self.line) = (relation, item, file, line)
    }
}

/// Another place that helps to understand: the parenthesis that is not closed, the first of two definitions.
public struct RelatedPlace: Sendable, Equatable {
    public var message: String
    public var excerpt: Excerpt
    public init(_ message: String, _ excerpt: Excerpt) { (self.message, self.excerpt) = (message, excerpt) }
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
    /// The same in our words where Falco's are not the clearest, for people. Without it `Advice` has a say.
    public var headline: String?
    /// The text at fault in the user's own file.
    public var excerpt: Excerpt?
    /// Beside the underline: `did you mean 'proc.name'?`
    public var hint: String?
    public var related: [RelatedPlace] = []
    /// From the text at fault outwards.
    public var chain: [ChainLink]
    /// What to do about it. Without it `Advice` has a say.
    public var help: String?
    /// Set for what only lint finds; it then stands for the code.
    public var finding: LintLabel?

    public init(
        _ code: LoadCode, _ message: String, deprecatedField: String? = nil, context: [ContextLocation] = [],
        snippet: String = "", excerpt: Excerpt? = nil, chain: [ChainLink] = [], hint: String? = nil, headline: String? = nil,
        help: String? = nil
    ) {
        self.code = code
        self.message = message
        self.deprecatedField = deprecatedField
        self.context = context
        self.snippet = snippet
        self.excerpt = excerpt
        self.chain = chain
        self.hint = hint
        self.headline = headline
        self.help = help
    }

    public var isError: Bool { code.isError }
}
