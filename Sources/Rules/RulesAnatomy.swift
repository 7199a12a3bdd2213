// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

/// What a rule set is made of, part by part, with the places of the parts in the user's files: for whoever examines rules
/// instead of running them. Kept only on request.
public struct RulesAnatomy: Sendable {
    public struct RulePart: Sendable {
        public let name: String
        public let source: String
        public let priority: Priority
        public let tags: [String]
        public let isFounding: Bool
        public let output: String
        public let place: RulesPlace
        public let conditionPlace: RulesPlace
        public let outputPlace: RulesPlace
        /// As the author wrote it: names of macros and lists; nil where that does not parse.
        public let written: Condition?
        /// With lists, without macros and exceptions.
        public let unresolved: Condition
        /// With lists and macros, without exceptions.
        public let base: Condition
        public let exceptions: [ExceptionPart]
    }
    public struct ExceptionPart: Sendable {
        public let name: String
        public let place: RulesPlace
        public let fields: [String]
        public let values: [ValuePart]
    }
    /// One tuple of an exception, or one value of an exception with a single field.
    public struct ValuePart: Sendable {
        /// The texts of its elements, those of a list in order.
        public let texts: [String]
        public let place: RulesPlace
        /// What it excepts, without the `not`; nil where it does not compile.
        public let condition: Condition?
    }
    public struct MacroPart: Sendable {
        public let name: String
        public let place: RulesPlace
        public let conditionPlace: RulesPlace
        public let isFounding: Bool
        public let written: Condition?
        public let unresolved: Condition
        /// With other macros; nil where one is not defined.
        public let resolved: Condition?
        /// Lists that its text names.
        public let lists: Set<String>
    }
    public struct ListPart: Sendable {
        public let name: String
        public let place: RulesPlace
        public let items: [(text: String, place: RulesPlace)]
    }
    public struct RedefinitionPart: Sendable {
        public let kind: ItemKind
        public let name: String
        public let earlier: RulesPlace
        public let later: RulesPlace
    }

    public internal(set) var rules: [RulePart] = []
    public internal(set) var macros: [MacroPart] = []
    public internal(set) var lists: [ListPart] = []
    public internal(set) var redefinitions: [RedefinitionPart] = []
    /// Every rule of the files is here: none was left out for an error or an unknown source.
    public internal(set) var isComplete = true
    /// In the order of loading.
    public internal(set) var files: [SourceFile] = []
    let registry: TextRegistry

    public static let empty = RulesAnatomy(registry: TextRegistry())
    init(registry: TextRegistry) { self.registry = registry }

    /// The place of a part of any condition here; `user` is the item that uses the macro it may stand in.
    public func place(of range: SourceRange, within user: RulesPlace) -> RulesPlace {
        guard let entry = registry.entry(at: range.start.offset) else { return user }
        return RulesPlace(
            context: entry.context, piece: RulesPlace.Piece(entry: entry, range: range), user: user.context)
    }

    /// Whether two places of conditions belong to one text: the condition of one rule or macro.
    public func isSameText(_ left: SourceRange, _ right: SourceRange) -> Bool {
        registry.entry(at: left.start.offset)?.base == registry.entry(at: right.start.offset)?.base
    }
}

/// A place in the user's files that a diagnostic can be about.
public struct RulesPlace: Sendable {
    struct Piece: Sendable {
        let entry: TextRegistry.Entry
        let range: SourceRange
    }
    let context: ItemContext
    var piece: Piece?
    var text: TracedText?
    /// The item that leads here, when that is another one.
    var user: ItemContext?

    init(_ context: ItemContext) { self.context = context }
    /// The whole of a text, or a part of it.
    init(_ context: ItemContext, _ text: TracedText) { (self.context, self.text) = (context, text) }
    /// Bytes of a file, in no item.
    public init(_ file: SourceFile, _ range: Range<Int>) {
        self.init(
            ItemContext(file).item(.rulesContentItem, "", start: file.position(at: range.lowerBound), end: range.upperBound))
    }
    init(context: ItemContext, piece: Piece, user: ItemContext) {
        (self.context, self.piece, self.user) = (context, piece, user)
    }

    /// The word `range` (bytes) of the text that is this place.
    public func part(_ range: Range<Int>) -> RulesPlace {
        guard let text, !range.isEmpty else { return self }
        var word = TracedText()
        word.append(text, range.clamped(to: 0..<text.bytes.count))
        return RulesPlace(context, word)
    }

    public func diagnostic(_ message: String, finding: LintLabel, hint: String?) -> Diagnostic {
        var diagnostic: Diagnostic
        if let piece {
            diagnostic = piece.entry.diagnostic(
                .conditionWarning, message, at: piece.range.start, to: piece.range.end, within: user, hint: hint)
        } else {
            diagnostic = context.diagnostic(.conditionWarning, message, hint: hint)
            if let text, let origin = text.origin(of: 0..<text.bytes.count) {
                diagnostic.excerpt = Excerpt(origin.file, origin.range)
            }
        }
        diagnostic.finding = finding
        return diagnostic
    }

    /// Where in which file: of the text itself, of the item it stands in, and of the item that leads there.
    public var sites: [(file: SourceFile, offset: Int)] {
        var sites: [(file: SourceFile, offset: Int)] = []
        if let piece {
            let start = max(0, piece.range.start.offset - piece.entry.base)
            let end = max(start + 1, piece.range.end.offset - piece.entry.base)
            if let origin = piece.entry.text.origin(of: start..<end) { sites.append((origin.file, origin.range.lowerBound)) }
        }
        if let text, let origin = text.origin(of: 0..<text.bytes.count) { sites.append((origin.file, origin.range.lowerBound)) }
        for context in [context, user].compactMap({ $0 }) { sites.append((context.file, context.range.lowerBound)) }
        return sites
    }

    /// The words at this place, as the condition has them after lists are put in.
    public var words: String { piece.map { $0.entry.words($0.range) } ?? text?.text ?? "" }
    /// The list's name where the text at this place comes from a list, else the text in the user's file.
    public var isFromList: Bool {
        guard let piece else { return false }
        let start = max(0, piece.range.start.offset - piece.entry.base)
        let end = max(start + 1, piece.range.end.offset - piece.entry.base)
        return !piece.entry.text.isVerbatim(start..<end, within: piece.entry.context.range, of: piece.entry.context.file)
    }
    public var file: SourceFile { sites.first?.file ?? context.file }
    /// From 1.
    public var line: Int { sites.first.map { $0.file.position(at: $0.offset).line } ?? context.line }
    /// `rule 'X'`
    public var item: String {
        context.locations.last { [.rule, .macro, .list].contains($0.kind) }.map { "\($0.kind.rawValue) '\($0.name)'" } ?? ""
    }
}

extension TracedText {
    /// Whether the text at `range` stands within `part` of `file`, and not elsewhere.
    fileprivate func isVerbatim(_ range: Range<Int>, within part: Range<Int>, of file: SourceFile) -> Bool {
        guard let origin = origin(of: range) else { return true }
        return origin.file === file && part.contains(origin.range.lowerBound)
    }
}
