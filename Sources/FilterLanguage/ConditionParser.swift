// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// The text is not a condition. `position` is where reading stopped, which the rules loader adds to the place of the text.
public struct ConditionParseError: Error, Equatable, Sendable {
    public let message: String
    public let position: SourcePosition
    public init(message: String, position: SourcePosition) { (self.message, self.position) = (message, position) }
}

/// Text of a condition → `Condition`. Recursive descent, one function per production of the grammar.
///
/// Nesting is bounded by `depthMax` productions (a parenthesis costs five), so a hostile text cannot exhaust the stack:
/// the deepest tree at 1000 needs under 1 MiB.
public struct ConditionParser {
    public enum Dialect: Sendable {
        case today
        /// Also what only the one-line rules format of 2016 accepted. Where both languages read a text, today's meaning holds.
        case founding
    }

    private let lexer: [UInt8]
    let dialect: Dialect
    let depthMax: Int
    var depth = 0
    /// Where reading stands; after `parse`, the end of the text.
    public internal(set) var position = SourcePosition()
    /// Bytes of the last token, which one error text quotes.
    var lastToken: [UInt8] = []

    public init(_ text: String, depthMax: Int = 1000, dialect: Dialect = .today) {
        self.init(bytes: Array(text.utf8), depthMax: depthMax, dialect: dialect)
    }
    public init(bytes: [UInt8], depthMax: Int = 1000, dialect: Dialect = .today) {
        lexer = bytes
        self.depthMax = depthMax
        self.dialect = dialect
    }

    /// The whole text as one condition.
    public mutating func parse() throws(ConditionParseError) -> Condition {
        let condition = try parsePrefix()
        guard position.offset == lexer.count else {
            throw error("unexpected token after '\(FilterText.string(lastToken))', expecting 'or', 'and'")
        }
        return condition
    }

    /// The longest condition at the start of the text; `position` tells where it ended (blanks behind it are read).
    public mutating func parsePrefix() throws(ConditionParseError) -> Condition {
        guard !lexer.isEmpty else { throw error("filter input string is empty") }
        position = SourcePosition()
        lastToken = []
        depth = 0
        return try parseOr()
    }

    /// A field or a transformer at the start of `text`, as after the `%` of an output: the operand and its length in bytes.
    /// Positions in the operand count from the start of `text`.
    public static func parseOperandPrefix(
        _ text: Substring, depthMax: Int = 100
    ) throws(ConditionParseError) -> (operand: Operand, utf8Count: Int) {
        var parser = ConditionParser(bytes: Array(text.utf8), depthMax: depthMax)
        guard let operand = try parser.parseLeftSide() else {
            throw parser.error("expected a field or a transformer")
        }
        return (operand, parser.position.offset)
    }
}

// MARK: productions

extension ConditionParser {
    /// `Or = And { "or" Tail }`
    private mutating func parseOr() throws(ConditionParseError) -> Condition {
        try enter()
        defer { depth -= 1 }
        let start = position
        skipBlanks()
        var children = [try parseAnd()]
        skipBlanks()
        while take("or") {
            if skipBlanks() {
                children.append(try parseAnd())
            } else {
                guard take("(") else { throw error("expected blank or '(' after 'or'") }
                children.append(try parseGroupRest())
            }
            skipBlanks()
        }
        return children.count == 1 ? children[0] : .or(children, SourceRange(start, position))
    }

    /// `And = Not { "and" Tail }`
    private mutating func parseAnd() throws(ConditionParseError) -> Condition {
        try enter()
        defer { depth -= 1 }
        let start = position
        skipBlanks()
        var children = [try parseNot()]
        skipBlanks()
        while take("and") {
            if skipBlanks() {
                children.append(try parseNot())
            } else {
                guard take("(") else { throw error("expected blank or '(' after 'and'") }
                children.append(try parseGroupRest())
            }
            skipBlanks()
        }
        return children.count == 1 ? children[0] : .and(children, SourceRange(start, position))
    }

    /// `Not = { "not" blank } ( "not(" Or ")" | Primary )`; an even number of `not` says nothing and is left out.
    private mutating func parseNot() throws(ConditionParseError) -> Condition {
        try enter()
        defer { depth -= 1 }
        let start = position
        skipBlanks()
        var isNegated = false
        while takeNotWithBlank() { isNegated.toggle() }
        let child: Condition
        if take("not(") {
            isNegated.toggle()
            child = try parseGroupRest()
        } else {
            child = try parsePrimary()
        }
        return isNegated ? .not(child, SourceRange(start, position)) : child
    }

    /// What follows an opening parenthesis: `Or ")"`
    private mutating func parseGroupRest() throws(ConditionParseError) -> Condition {
        try enter()
        defer { depth -= 1 }
        skipBlanks()
        let inner = try parseOr()
        skipBlanks()
        guard take(")") else { throw error("expected a ')' token") }
        return inner
    }

    /// `Primary = "(" Or ")" | LeftSide Comparison | Macro`
    private mutating func parsePrimary() throws(ConditionParseError) -> Condition {
        try enter()
        defer { depth -= 1 }
        let start = position
        skipBlanks()
        if take("(") { return try parseGroupRest() }
        if let left = try parseLeftSide() { return .check(try parseComparison(of: left, from: start)) }
        if let name = takeIdentifier() { return .macro(FilterText.string(name), SourceRange(start, position)) }
        throw error("expected a '(' token, a field check, or an identifier")
    }

    /// A field or a transformer; nil (and nothing read) when there is neither.
    private mutating func parseLeftSide() throws(ConditionParseError) -> Operand? {
        let start = position
        if let name = takeFieldName() { return .field(try parseFieldRest(name, from: start)) }
        if let name = takeTransformerName() { return .transformer(try parseTransformerRest(name, from: start)) }
        return nil
    }

    /// `[ "[" ( Quoted | BareArgument ) "]" ]`, directly behind the name.
    private mutating func parseFieldRest(_ name: [UInt8], from start: SourcePosition) throws(ConditionParseError) -> FieldName {
        try enter()
        defer { depth -= 1 }
        let argument = try parseBrackets()
        return FieldName(FilterText.string(name), argument: argument, range: SourceRange(start, position))
    }

    private mutating func parseBrackets() throws(ConditionParseError) -> String? {
        guard take("[") else { return nil }
        guard let argument = try takeArgument() else {
            throw error("expected a valid field argument: a quoted string or a bare string")
        }
        guard take("]") else { throw error("expected a ']' token") }
        return FilterText.string(argument)
    }

    /// What follows `name(`: `Argument { "," Argument } ")" [ "[" … "]" ]`
    private mutating func parseTransformerRest(
        _ name: [UInt8], from start: SourcePosition
    ) throws(ConditionParseError) -> Transformer {
        try enter()
        defer { depth -= 1 }
        var arguments: [Operand] = []
        repeat {
            skipBlanks()
            arguments.append(try parseArgument())
            skipBlanks()
        } while take(",")
        guard take(")") else { throw error("expected a ')' token closing the transformer") }
        let selector = try parseBrackets()
        return Transformer(FilterText.string(name), arguments, selector: selector, range: SourceRange(start, position))
    }

    /// `Argument = Number | Quoted | "(" [ Element { "," Element } ] ")" | Transformer | Field`
    private mutating func parseArgument() throws(ConditionParseError) -> Operand {
        try enter()
        defer { depth -= 1 }
        let start = position
        if let literal = try takeNumberOrQuoted() {
            return .literal(FilterText.string(literal), SourceRange(start, position))
        }
        if take("(") { return try parseArgumentListRest(from: start) }
        if let operand = try parseLeftSide() { return operand }
        throw error("expected field transformer argument: field, transformer, quoted string, number, or transformer list")
    }

    private mutating func parseArgumentListRest(from start: SourcePosition) throws(ConditionParseError) -> Operand {
        skipBlanks()
        if take(")") { return .list([], SourceRange(start, position)) }
        var elements: [Operand] = []
        repeat {
            skipBlanks()
            let elementStart = position
            if let operand = try parseLeftSide() {
                elements.append(operand)
            } else if let literal = try takeNumberOrQuoted() {
                elements.append(.literal(FilterText.string(literal), SourceRange(elementStart, position)))
            } else {
                throw error("expected transformer list argument: field, transformer, quoted string, or number")
            }
            skipBlanks()
        } while take(",")
        guard take(")") else { throw error("expected ')'") }
        return .list(elements, SourceRange(start, position))
    }

    /// `Comparison = "exists" | NumberOperator … | TextOperator [Modifier] … | ListOperator …`
    private mutating func parseComparison(of left: Operand, from start: SourcePosition) throws(ConditionParseError) -> Check {
        try enter()
        defer { depth -= 1 }
        skipBlanks()
        if take("exists") {
            return Check(left: left, comparison: .exists, right: .none, range: SourceRange(start, position))
        }
        guard let found = takeOperator() else {
            throw error("expected a valid check operator: one of \(Self.quotedList(Self.operatorTexts))")
        }
        let right: (side: RightSide, range: SourceRange)
        var modifier: ListModifier?
        switch found.kind {
        case .number: right = try parseNumberSide()
        case .list: right = try parseListSide()
        case .text:
            modifier = found.hasBlank ? takeModifier() : nil
            right = modifier == nil ? try parseTextSide() : try parseListSide()
        }
        return Check(
            left: left, comparison: found.comparison, modifier: modifier, right: right.side, range: SourceRange(start, position),
            rightRange: right.range, isEqualSpelledTwice: found.isEqualSpelledTwice)
    }

    private mutating func parseNumberSide() throws(ConditionParseError) -> (RightSide, SourceRange) {
        try enter()
        defer { depth -= 1 }
        skipBlanks()
        let start = position
        if let operand = try parseRightOperand() { return (.operand(operand), operand.range) }
        var value = takeNumber()
        if value == nil, dialect == .founding { value = try takeText() }
        guard let value else {
            throw error("expected a number value or a field with a valid transformer: \(Self.quotedList(Self.rightTransformers))")
        }
        let range = SourceRange(start, position)
        return (.value(FilterText.string(value), range), range)
    }

    private mutating func parseTextSide() throws(ConditionParseError) -> (RightSide, SourceRange) {
        try enter()
        defer { depth -= 1 }
        skipBlanks()
        let start = position
        if let operand = try parseRightOperand() { return (.operand(operand), operand.range) }
        guard let value = try takeText() else {
            throw error("expected a string value or a field with a valid transformer: \(Self.quotedList(Self.rightTransformers))")
        }
        let range = SourceRange(start, position)
        return (.value(FilterText.string(value), range), range)
    }

    /// `"(" [ Text { "," Text } ] ")" | val(…) | Transformer | Identifier`
    private mutating func parseListSide() throws(ConditionParseError) -> (RightSide, SourceRange) {
        try enter()
        defer { depth -= 1 }
        skipBlanks()
        let start = position
        if take("(") {
            let items = try parseListItems()
            guard take(")") else { throw error("expected a ')' token") }
            return (.list(items), SourceRange(start, position))
        }
        if let operand = try parseRightOperand() { return (.operand(operand), operand.range) }
        if let name = takeIdentifier() {
            let range = SourceRange(start, position)
            return (.value(FilterText.string(name), range), range)
        }
        throw error(
            "expected a list, an identifier, or a field with a valid transformer: \(Self.quotedList(Self.rightTransformers))")
    }

    private mutating func parseListItems() throws(ConditionParseError) -> [ListItem] {
        var items: [ListItem] = []
        var isFirst = true
        repeat {
            skipBlanks()
            let start = position
            if let text = try takeText() {
                items.append(ListItem(FilterText.string(text), SourceRange(start, position)))
                skipBlanks()
            } else if dialect == .today {
                if isFirst { return [] }
                throw error("expected a string value")
            }
            isFirst = false
        } while take(",")
        return items
    }

    /// `val(field)` or a transformer, right side only; nil (and nothing read) when there is neither.
    private mutating func parseRightOperand() throws(ConditionParseError) -> Operand? {
        try enter()
        defer { depth -= 1 }
        let start = position
        if take("val(") {
            skipBlanks()
            let fieldStart = position
            guard let name = takeFieldName() else { throw error("expected a field within 'val' transformer") }
            let field = try parseFieldRest(name, from: fieldStart)
            skipBlanks()
            guard take(")") else { throw error("expected a ')' token closing the transformer") }
            return .transformer(Transformer("val", [.field(field)], range: SourceRange(start, position)))
        }
        if let name = takeTransformerName() { return .transformer(try parseTransformerRest(name, from: start)) }
        return nil
    }

    private mutating func enter() throws(ConditionParseError) {
        depth += 1
        guard depth < depthMax else { throw error("exceeded max depth limit of \(depthMax)") }
    }

    func error(_ message: String) -> ConditionParseError { ConditionParseError(message: message, position: position) }

    private static func quotedList(_ words: [String]) -> String { words.map { "'\($0)'" }.joined(separator: ", ") }
}

// MARK: words of the language

/// Functions over a field's value. `val` is the identity and stands only on a right side.
public enum TransformerName: String, CaseIterable, Sendable {
    case tolower, toupper, b64, basename, len, join, concat, getopt, val
}

extension ConditionParser {
    enum OperatorKind { case number, text, list }
    struct OperatorToken {
        let text: String
        let kind: OperatorKind
        let comparison: Comparison
        /// A word before a value: a blank has to follow.
        var needsBlank = false
    }

    /// In the order of look-up, which decides between `<=` and `<`.
    static let operators: [OperatorToken] = [
        .init(text: "<=", kind: .number, comparison: .lessOrEqual),
        .init(text: "<", kind: .number, comparison: .less),
        .init(text: ">=", kind: .number, comparison: .greaterOrEqual),
        .init(text: ">", kind: .number, comparison: .greater),
        .init(text: "==", kind: .text, comparison: .equal),
        .init(text: "=", kind: .text, comparison: .equal),
        .init(text: "!=", kind: .text, comparison: .notEqual),
        .init(text: "glob", kind: .text, comparison: .glob, needsBlank: true),
        .init(text: "iglob", kind: .text, comparison: .iglob, needsBlank: true),
        .init(text: "contains", kind: .text, comparison: .contains, needsBlank: true),
        .init(text: "icontains", kind: .text, comparison: .icontains, needsBlank: true),
        .init(text: "bcontains", kind: .text, comparison: .bcontains, needsBlank: true),
        .init(text: "startswith", kind: .text, comparison: .startswith, needsBlank: true),
        .init(text: "bstartswith", kind: .text, comparison: .bstartswith, needsBlank: true),
        .init(text: "endswith", kind: .text, comparison: .endswith, needsBlank: true),
        .init(text: "regex", kind: .text, comparison: .regex, needsBlank: true),
        .init(text: "intersects", kind: .list, comparison: .intersects),
        .init(text: "in", kind: .list, comparison: .in),
        .init(text: "pmatch", kind: .list, comparison: .pmatch),
    ]
    public static let operatorTexts: [String] = ["exists"] + operators.map(\.text)
    /// Operators that take a list, and text operators that take one behind `oneof`, `anyof`, `allof`.
    public static let listOperatorTexts: [String] = operators.filter { $0.kind == .list }.map(\.text)
    public static let textOperatorTexts: [String] = operators.filter { $0.kind == .text }.map(\.text)

    static let leftTransformers: [String] = TransformerName.allCases.filter { $0 != .val }.map(\.rawValue)
    static let rightTransformers: [String] = ["val"] + leftTransformers

    private mutating func takeOperator() -> (
        comparison: Comparison, kind: OperatorKind, isEqualSpelledTwice: Bool, hasBlank: Bool
    )? {
        for candidate in Self.operators {
            let start = position
            guard take(candidate.text) else { continue }
            let hasBlank = skipBlanks()
            let foundingWord = dialect == .founding && (candidate.comparison == .contains || candidate.comparison == .icontains)
            if candidate.needsBlank, !hasBlank, !foundingWord {
                position = start
                continue
            }
            return (candidate.comparison, candidate.kind, candidate.text == "==", hasBlank)
        }
        return nil
    }

    /// `oneof`, `anyof`, `allof`, but only before a list or an identifier that can be one; else the word is an ordinary value.
    private mutating func takeModifier() -> ListModifier? {
        let (start, token) = (position, lastToken)
        for modifier in ListModifier.allCases where take(modifier.rawValue) {
            if skipBlanks() {
                if peek == UInt8(ascii: "(") { return modifier }
                let here = position
                if let name = takeIdentifier(), name != Array("and".utf8), name != Array("or".utf8) {
                    position = here
                    return modifier
                }
            }
            break
        }
        (position, lastToken) = (start, token)
        return nil
    }
}

// MARK: tokens

extension ConditionParser {
    private var peek: UInt8? { position.offset < lexer.count ? lexer[position.offset] : nil }
    private func byte(at offset: Int) -> UInt8? { offset < lexer.count ? lexer[offset] : nil }

    private mutating func advance(to end: Int) {
        while position.offset < end {
            let byte = lexer[position.offset]
            position.offset += 1
            if byte == 10 || byte == 13 {
                position.line += 1
                position.column = 1
            } else {
                position.column += 1
            }
        }
    }

    @discardableResult
    private mutating func skipBlanks() -> Bool {
        var end = position.offset
        while let byte = byte(at: end), Self.isBlank(byte) { end += 1 }
        defer { advance(to: end) }
        return end > position.offset
    }

    private mutating func take(_ word: String) -> Bool {
        let start = position.offset
        guard lexer[start...].starts(with: word.utf8) else { return false }
        lastToken = Array(word.utf8)
        advance(to: start + lastToken.count)
        return true
    }

    /// Takes the bytes up to `end` as a token; nil when that is nothing.
    private mutating func takeToken(to end: Int) -> [UInt8]? {
        guard end > position.offset else { return nil }
        lastToken = Array(lexer[position.offset..<end])
        advance(to: end)
        return lastToken
    }

    /// End of the identifier at `start`, or `start`.
    private func identifierEnd(_ start: Int) -> Int {
        guard let first = byte(at: start), Self.isLetter(first) || (dialect == .founding && first == UInt8(ascii: "_")) else {
            return start
        }
        var end = start + 1
        while let next = byte(at: end), Self.isWord(next) { end += 1 }
        return end
    }

    private mutating func takeIdentifier() -> [UInt8]? { takeToken(to: identifierEnd(position.offset)) }

    /// `identifier ("." identifier)+`
    private mutating func takeFieldName() -> [UInt8]? {
        var end = identifierEnd(position.offset)
        guard end > position.offset else { return nil }
        var parts = 1
        while byte(at: end) == UInt8(ascii: ".") {
            let next = identifierEnd(end + 1)
            guard next > end + 1 else { break }
            end = next
            parts += 1
        }
        return parts > 1 ? takeToken(to: end) : nil
    }

    /// The name of a transformer that stands directly before `(`; both are read.
    private mutating func takeTransformerName() -> [UInt8]? {
        let end = identifierEnd(position.offset)
        guard byte(at: end) == UInt8(ascii: "(") else { return nil }
        let name = Array(lexer[position.offset..<end])
        guard Self.leftTransformers.contains(where: { name == Array($0.utf8) }) else { return nil }
        _ = takeToken(to: end + 1)
        return name
    }

    private mutating func takeNotWithBlank() -> Bool {
        let start = position.offset
        guard lexer[start...].starts(with: "not".utf8), let next = byte(at: start + 3), Self.isSpace(next) else { return false }
        var end = start + 4
        while let next = byte(at: end), Self.isSpace(next) { end += 1 }
        return takeToken(to: end) != nil
    }

    /// `0x` hex digits, or `[+-] digits [.] digits [e (+|-) digits]`
    private mutating func takeNumber() -> [UInt8]? {
        let start = position.offset
        func digits(from index: Int) -> Int {
            var end = index
            while let next = byte(at: end), Self.isDigit(next) { end += 1 }
            return end
        }
        if byte(at: start) == UInt8(ascii: "0"), let x = byte(at: start + 1), x | 0x20 == UInt8(ascii: "x") {
            var end = start + 2
            while let next = byte(at: end), FilterEscapes.hexDigit(next) != nil { end += 1 }
            if end > start + 2 { return takeToken(to: end) }
        }
        var end = start
        if let sign = byte(at: end), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { end += 1 }
        let whole = digits(from: end)
        guard whole > end else { return nil }
        end = whole
        if byte(at: end) == UInt8(ascii: ".") { end = digits(from: end + 1) }
        if let e = byte(at: end), e | 0x20 == UInt8(ascii: "e"), let sign = byte(at: end + 1),
            sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-")
        {
            let exponent = digits(from: end + 2)
            if exponent > end + 2 { end = exponent }
        }
        return takeToken(to: end)
    }

    /// A quoted string, its escapes resolved; nil (and nothing read) when there is none or it does not end.
    /// A quote behind a backslash does not end it, whatever stands before that backslash.
    private mutating func takeQuoted() throws(ConditionParseError) -> [UInt8]? {
        guard let quote = peek, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return nil }
        let start = position.offset
        var end = start + 1
        while let next = byte(at: end), next != 0, next != quote || lexer[end - 1] == UInt8(ascii: "\\") { end += 1 }
        guard byte(at: end) == quote else { return nil }
        let token = Array(lexer[start...end])
        advance(to: end + 1)
        do {
            lastToken = try FilterEscapes.unescape(token, foundingEscapes: dialect == .founding)
        } catch {
            throw self.error(error.message)
        }
        return lastToken
    }

    private mutating func takeText() throws(ConditionParseError) -> [UInt8]? {
        if let quoted = try takeQuoted() { return quoted }
        return takeBare()
    }
    private mutating func takeNumberOrQuoted() throws(ConditionParseError) -> [UInt8]? {
        if let number = takeNumber() { return number }
        return try takeQuoted()
    }
    private mutating func takeArgument() throws(ConditionParseError) -> [UInt8]? {
        if let quoted = try takeQuoted() { return quoted }
        return takeBareArgument()
    }

    private mutating func takeBare() -> [UInt8]? {
        var end = position.offset
        while let next = byte(at: end), isBare(next) { end += 1 }
        return takeToken(to: end)
    }

    private func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "="), UInt8(ascii: ","): false
        case UInt8(ascii: "\""), UInt8(ascii: "'"): dialect == .founding
        default: !Self.isSpace(byte)
        }
    }

    private mutating func takeBareArgument() -> [UInt8]? {
        var end = position.offset
        while let next = byte(at: end), !Self.isSpace(next), !"[]\"'".utf8.contains(next) { end += 1 }
        return takeToken(to: end)
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 8 || byte == 13 || byte == 10 }
    static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 0x20) }
    static func isWord(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_") }
}
