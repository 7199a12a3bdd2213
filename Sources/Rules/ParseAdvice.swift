// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

/// A mistake in a condition explained: what, where in the text, and how to mend it.
struct TextAdvice {
    var headline: String?
    /// Bytes of the text to underline.
    var range: Range<Int>?
    /// Beside the underline.
    var hint: String?
    var help: String?
    /// Other places in the same text.
    var related: [(message: String, range: Range<Int>)] = []
}

/// What the author of a condition that does not parse probably meant. The parser's own sentence tells what it waited for; the
/// words around the place tell what went wrong.
struct ParseAdvice {
    /// Names that the author may have meant.
    struct Names {
        var fields: [String] = []
        var macros: Set<String> = []
        var lists: Set<String> = []
    }

    private let tokens: ConditionTokens
    private let names: Names
    /// Where reading stopped.
    private let offset: Int
    private let place: Int

    private static let bytesMax = 256 << 10
    static let operators = ConditionParser.operatorTexts
    static let wordOperators = operators.filter { $0.allSatisfy(\.isLetter) }
    private static let connectives: Set<String> = ["and", "or", "not"]
    private static let transformers = TransformerName.allCases.filter { $0 != .val }.map(\.rawValue)
    private static let otherSpellings = [
        "&&": "and", "||": "or", "&": "and", "|": "or", "!": "not", "=~": "regex", "~": "regex", "<>": "!=", "===": "=",
        "=<": "<=", "=>": ">=", "!==": "!=", "is": "=", "equals": "=", "eq": "=", "ne": "!=", "matches": "regex",
        "match": "regex",
        "like": "glob", "has": "contains", "includes": "contains", "include": "contains", "startwith": "startswith",
        "endwith": "endswith", "begins": "startswith", "ends": "endswith", "within": "in", "any": "in",
    ]

    static func advice(_ bytes: [UInt8], _ error: ConditionParseError, _ names: Names) -> TextAdvice {
        // A text of megabytes is nobody's typing.
        guard bytes.count <= bytesMax else { return TextAdvice() }
        let advice = ParseAdvice(bytes, error.position.offset, names)
        return advice.advice(error.message)
    }

    private init(_ bytes: [UInt8], _ offset: Int, _ names: Names) {
        tokens = ConditionTokens(bytes)
        self.names = names
        self.offset = min(offset, bytes.count)
        place = tokens.index(at: offset)
    }

    private var at: ConditionTokens.Token? { tokens[place] }
    private var before: ConditionTokens.Token? { tokens[place - 1] }
    /// Behind the last word.
    private var end: Range<Int> {
        let last = tokens.tokens.last?.range.upperBound ?? 0
        return last..<last
    }
    /// In quotes, of whichever kind.
    private func shown(_ token: ConditionTokens.Token) -> String { token.kind == .quoted ? token.text : "'\(token.text)'" }

    private func advice(_ message: String) -> TextAdvice {
        if message.contains("escape") { return badEscape(message) }
        if let quote = at, quote.kind == .unclosedQuote { return unclosedQuote(quote) }
        if message.hasPrefix("unexpected token after") { return afterCondition() }
        if message.hasPrefix("expected a ')' token") || message == "expected ')'" { return missingParenthesis() }
        if message.hasPrefix("expected a valid check operator") { return missingOperator() }
        if message.hasPrefix("expected a '(' token, a field check") { return missingCheck() }
        if message.hasPrefix("expected a list") { return missingList() }
        if message.hasPrefix("expected a string value or") { return missingValue() }
        if message.hasPrefix("expected a string value") { return missingItem() }
        if message.hasPrefix("expected a number value") { return missingNumber() }
        if message.hasPrefix("expected blank or '('") { return missingBlank() }
        if message.hasPrefix("filter input string is empty") {
            return TextAdvice(headline: "the condition is empty", help: "a condition that always holds is: evt.num >= 0")
        }
        if message.hasPrefix("exceeded max depth") {
            return TextAdvice(
                headline: "the condition is nested too deeply",
                help: "put parts of it into macros, or remove needless parentheses")
        }
        if message.contains("field argument") || message.hasPrefix("expected a ']'") { return badArgument() }
        if message.contains("transformer") { return badTransformer() }
        return TextAdvice()
    }

    // MARK: after a complete check

    private func afterCondition() -> TextAdvice {
        guard let at else { return TextAdvice() }
        if at.kind == .close {
            return TextAdvice(
                headline: "this ')' closes nothing", range: at.range, hint: "no '(' is open here",
                help: "remove it, or add the '(' that belongs to it")
        }
        return between(at) ?? TextAdvice(headline: "'and' or 'or' is expected here", range: at.range)
    }

    /// A check or macro is complete, and something follows that does not belong there.
    private func between(_ at: ConditionTokens.Token) -> TextAdvice? {
        if let before, before.kind == .word, Self.connectives.contains(before.text) { return misplaced(before) }
        if let before, before.kind == .symbol, let spelling = otherSpelling(before) { return spelling }
        if at.text.hasPrefix("#") {
            return TextAdvice(
                headline: "there are no comments within a condition", range: at.range,
                help: "below 'condition: >' a '#' is part of the text: put the comment in a line of its own above the key")
        }
        if let before, before.text.hasSuffix(";") {
            return TextAdvice(
                headline: "checks are joined by 'and' or 'or'", range: before.range.upperBound - 1..<before.range.upperBound,
                hint: "write 'and' or 'or' instead of ';'")
        }
        if at.text == "and" || at.text == "or" {
            return TextAdvice(
                headline: "'\(at.text)' cannot follow here", range: at.range,
                hint: "what is in the parentheses before ends the condition",
                help: "put a blank between 'and' or 'or' and the '(' behind it")
        }
        if let spelling = otherSpelling(at) { return spelling }
        switch at.kind {
        case .comma:
            return TextAdvice(
                headline: "a ',' can only stand within a list in parentheses", range: at.range,
                help: listHelp() ?? "to compare with several values: field in (a, b)")
        case .symbol: return notAField() ?? secondComparison(at)
        case .open:
            guard let before, before.kind == .word, before.range.upperBound == at.range.lowerBound else {
                return missingConnective(at)
            }
            let near = Suggestion.nearest(to: before.text.lowercased(), among: Self.transformers)
            return TextAdvice(
                headline: "'\(before.text)' is no transformer", range: before.range, hint: near.map { "did you mean '\($0)'?" },
                help: "the transformers are \(Self.transformers.joined(separator: ", "))")
        case .quoted:
            if let before, before.range.upperBound == at.range.lowerBound, before.kind == .word {
                return TextAdvice(
                    headline: "a quote in the middle of a value", range: at.range.lowerBound..<at.range.lowerBound + 1,
                    help: "put the whole value into quotes; in \"…\" a ' needs no backslash, in '…' a \" needs none")
            }
            return missingConnective(at)
        case .word:
            if Self.wordOperators.contains(at.text), let advice = notAField() { return advice }
            return missingConnective(at)
        case .close, .unclosedQuote: return nil
        }
    }

    /// `and or`, or a connective at the beginning.
    private func misplaced(_ word: ConditionTokens.Token) -> TextAdvice {
        if place < 2 {
            return TextAdvice(
                headline: "a condition cannot begin with '\(word.text)'", range: word.range, hint: "nothing stands before it",
                help:
                    "only a condition that is appended to another begins with 'and' or 'or'; then the item needs\n"
                    + "override:\n  condition: append")
        }
        return TextAdvice(
            headline: "'\(word.text)' cannot follow '\(tokens[place - 2]?.text ?? "")'", range: word.range,
            hint: "a check or a macro is missing before it, or it is one word too many")
    }

    /// `name = x`: what stands before the operator has no dot, so it was read as a macro.
    private func notAField() -> TextAdvice? {
        guard let before, before.kind == .word, !isComparison(tokens[place - 2]) else { return nil }
        if before.text.contains(".") { return nil }
        var hint: String?
        if let field = Self.field(likelyMeantBy: before.text, names.fields) { hint = "did you mean '\(field)'?" }
        return TextAdvice(
            headline: "'\(before.text)' is no field, so nothing can be compared with it", range: before.range, hint: hint,
            help: names.macros.contains(before.text)
                ? "it is a macro: combine it with 'and', 'or' and 'not'"
                : "fields have a dot in their name: `falco --list` prints all")
    }

    private func secondComparison(_ at: ConditionTokens.Token) -> TextAdvice {
        TextAdvice(
            headline: "a second operator in one check", range: at.range,
            help: "write two checks with 'and' between them; a value that holds \(at.text) needs quotes")
    }

    /// Two checks side by side, or a value of several words.
    private func missingConnective(_ at: ConditionTokens.Token) -> TextAdvice {
        if at.kind == .word, let near = Suggestion.nearest(to: at.text.lowercased(), among: ["and", "or"]), near != at.text,
            at.text.count > 1, !isName(at.text)
        {
            return TextAdvice(
                headline: "'\(at.text)' is neither 'and' nor 'or'", range: at.range, hint: "did you mean '\(near)'?")
        }
        let isValue = at.kind == .word && !isName(at.text) && isComparison(tokens[place - 2])
        if isValue, let before {
            var end = at.range.upperBound
            var next = place + 1
            while let token = tokens[next], token.kind == .word, !Self.connectives.contains(token.text), !isName(token.text) {
                end = token.range.upperBound
                next += 1
            }
            let value = String(decoding: tokens.bytes[before.range.lowerBound..<end], as: UTF8.self)
            return TextAdvice(
                headline: "a value with blanks needs quotes", range: before.range.lowerBound..<end, hint: "write \"\(value)\"")
        }
        return TextAdvice(
            headline: "'and' or 'or' is missing before \(shown(at))", range: at.range,
            hint: before.map { "write 'and' or 'or' between \(shown($0)) and \(shown(at))" })
    }

    // MARK: parentheses and lists

    private func missingParenthesis() -> TextAdvice {
        let open = tokens.openParenthesis(before: place)
        var related: [(message: String, range: Range<Int>)] = []
        if let open, let token = tokens[open] { related.append(("this '(' is not closed", token.range)) }
        guard let at else {
            return TextAdvice(
                headline: "a ')' is missing at the end of the condition", range: end, hint: "')' is missing here",
                related: related)
        }
        if let open, isListStart(open) {
            if at.kind == .word || at.kind == .quoted {
                return TextAdvice(
                    headline: "a ',' is missing between two items of the list", range: at.range,
                    hint: "write ',' before \(at.text)", help: "an item with a blank in it needs quotes")
            }
            return TextAdvice(
                headline: "this cannot stand in a list", range: at.range, help: "put an item with such characters into quotes",
                related: related)
        }
        guard var advice = between(at) else {
            return TextAdvice(headline: "'and', 'or' or ')' is expected here", range: at.range, related: related)
        }
        if at.kind == .comma { advice.related = related }
        return advice
    }

    /// The parenthesis opens the list of `in` and its kin.
    private func isListStart(_ open: Int) -> Bool {
        guard let word = tokens[open - 1]?.text else { return false }
        return ConditionParser.listOperatorTexts.contains(word) || ListModifier(rawValue: word) != nil
    }

    private func missingList() -> TextAdvice {
        let word = before?.text ?? "in"
        guard let at else {
            return TextAdvice(
                headline: "a list is missing behind '\(word)'", range: end, hint: "write '\(word) (a, b)'")
        }
        if at.text.hasPrefix("[") {
            return TextAdvice(
                headline: "lists stand in parentheses, not in brackets", range: at.range, hint: "write '\(word) (a, b)'")
        }
        if at.kind == .quoted || at.kind == .word {
            return TextAdvice(
                headline: "'\(word)' needs a list in parentheses", range: at.range, hint: "write '\(word) (\(at.text))'")
        }
        return TextAdvice(headline: "a list is missing behind '\(word)'", range: at.range, hint: "write '\(word) (a, b)'")
    }

    private func missingItem() -> TextAdvice {
        TextAdvice(
            headline: "an item of the list is missing", range: at?.range ?? end,
            hint: before?.kind == .comma ? "something must stand behind the ',' before it" : nil,
            help: "remove the ',' that is too many")
    }

    // MARK: operators and values

    private func missingOperator() -> TextAdvice {
        let field = before?.text ?? "the field"
        guard let at else {
            return TextAdvice(
                headline: "'\(field)' alone is no condition", range: before?.range,
                hint: "an operator and a value are missing behind it", help: "to ask whether it has a value: \(field) exists")
        }
        if let spelling = otherSpelling(at) { return spelling }
        if at.kind == .word {
            if at.text.hasPrefix("[") {
                return TextAdvice(
                    headline: "no blank may stand before '['", range: at.range, hint: "write '\(field)\(at.text)'")
            }
            if at.text == "not" || at.text == "notin" || at.text == "not_in" {
                let next = tokens[place + 1]?.text ?? "in"
                return TextAdvice(
                    headline: "'not' stands before the whole check, not before the operator", range: at.range,
                    hint: "write 'not \(field) \(at.text == "not" ? next : "in") …'")
            }
            if Self.connectives.contains(at.text) {
                return TextAdvice(
                    headline: "'\(field)' alone is no condition", range: before?.range,
                    hint: "an operator and a value are missing behind it", help: "to ask whether it has a value: \(field) exists")
            }
            if Self.wordOperators.contains(at.text) {
                return TextAdvice(
                    headline: "a blank is missing behind '\(at.text)'", range: at.range,
                    hint: "write '\(at.text) ' and then the value")
            }
            let plain = at.text.lowercased().filter { $0 != "_" && $0 != "-" }
            if let meant = Self.wordOperators.contains(plain) ? plain : Suggestion.nearest(to: plain, among: Self.wordOperators) {
                return TextAdvice(
                    headline: "'\(at.text)' is no operator", range: at.range, hint: "did you mean '\(meant)'?")
            }
            if let glued = Self.wordOperators.filter({ at.text.hasPrefix($0) && $0.count > 2 }).max(by: { $0.count < $1.count }) {
                return TextAdvice(
                    headline: "a blank is missing behind '\(glued)'", range: at.range,
                    hint: "write '\(glued) \(at.text.dropFirst(glued.count))'")
            }
        }
        if at.kind == .close {
            return TextAdvice(
                headline: "'\(field)' alone is no condition", range: before?.range,
                hint: "an operator and a value are missing behind it", help: "to ask whether it has a value: \(field) exists")
        }
        return TextAdvice(
            headline: "'\(at.text)' is no operator", range: at.range,
            help: "the operators are \(Self.operators.joined(separator: " "))")
    }

    private func missingCheck() -> TextAdvice {
        guard let at else {
            return TextAdvice(
                headline: before.map { "the condition ends behind '\($0.text)'" } ?? "the condition is empty",
                range: before?.range,
                hint: "a check or a macro is missing behind it")
        }
        if at.kind == .close {
            let isEmpty = before?.kind == .open
            return TextAdvice(
                headline: isEmpty
                    ? "there is nothing between these parentheses" : "a check is missing before this ')'",
                range: isEmpty ? before!.range.lowerBound..<at.range.upperBound : at.range)
        }
        if let spelling = otherSpelling(at) { return spelling }
        if at.text.hasPrefix("%") {
            return TextAdvice(
                headline: "fields are written without '%' in a condition", range: at.range,
                hint: "write '\(at.text.dropFirst())'", help: "'%' belongs to the fields of an output only")
        }
        if at.text.hasPrefix("!") {
            return TextAdvice(headline: "'!' is no operator", range: at.range, hint: "write 'not'")
        }
        return TextAdvice(
            headline: "a check begins with a field, not with \(shown(at))", range: at.range,
            help: "write 'field operator value', as in proc.name = bash, or the name of a macro")
    }

    private func missingValue() -> TextAdvice {
        let word = before?.text ?? "="
        guard let at else {
            return TextAdvice(
                headline: "a value is missing behind '\(word)'", range: before?.range ?? end,
                hint: "the condition ends here", help: "to ask for an empty text write \(word) \"\"")
        }
        if at.kind == .open {
            let field = tokens[place - 2]?.text ?? "field"
            let list = listText(from: place)
            let isUnequal = word == "!="
            let isEquality = ["=", "==", "!="].contains(word)
            return TextAdvice(
                headline: "'\(word)' compares with one value, not with a list", range: before?.range,
                hint: isEquality
                    ? "write '\(isUnequal ? "not " : "")\(field) in \(list)'" : "write '\(field) \(word) oneof \(list)'")
        }
        if at.kind == .symbol, at.range.lowerBound < offset {
            return TextAdvice(
                headline: "'\(at.text)' is no operator", range: at.range, hint: "write '\(Self.otherSpellings[at.text] ?? "=")'")
        }
        if at.kind == .symbol, let other = Self.otherSpellings[word + at.text] {
            return TextAdvice(
                headline: "'\(word)\(at.text)' is no operator",
                range: (before?.range.lowerBound ?? at.range.lowerBound)..<at.range.upperBound,
                hint: "write '\(other)'")
        }
        return TextAdvice(
            headline: "a value is missing behind '\(word)'", range: before?.range ?? at.range,
            hint: "instead of a value there is '\(at.text)'", help: "put a value with such characters into quotes")
    }

    private func missingNumber() -> TextAdvice {
        let word = before?.text ?? "<"
        guard let at else { return TextAdvice(headline: "a number is missing behind '\(word)'", range: before?.range) }
        return TextAdvice(
            headline: "'\(word)' compares numbers, and '\(at.text)' is none", range: at.range,
            help:
                "write a plain number such as 1024, 0x400 or 1e+6; for another field: \(word) val(\(at.text.contains(".") ? at.text : "field"))"
        )
    }

    private func missingBlank() -> TextAdvice {
        // Reading stopped behind the connective: it is the beginning of the word here, or a word of its own.
        guard let at else { return missingCheck() }
        let connective = ["and", "or"].first { word in
            let from = offset - word.utf8.count
            return from >= 0 && tokens.bytes[from..<offset].elementsEqual(word.utf8)
        }
        let word = connective ?? "and"
        if let near = Suggestion.nearest(to: at.text, among: ["and", "or"]), near != at.text, !isName(at.text) {
            return TextAdvice(
                headline: "'\(at.text)' is neither 'and' nor 'or'", range: at.range, hint: "did you mean '\(near)'?")
        }
        let rest = at.text.dropFirst(at.range.lowerBound < offset ? offset - at.range.lowerBound : 0)
        return TextAdvice(
            headline: "a blank is missing behind '\(word)'", range: at.range, hint: "write '\(word) \(rest)'")
    }

    // MARK: quotes, brackets, transformers

    private func unclosedQuote(_ quote: ConditionTokens.Token) -> TextAdvice {
        let isEscaped = tokens.bytes.last == quote.text.utf8.first
        return TextAdvice(
            headline: "this quote is not closed", range: quote.range.lowerBound..<quote.range.lowerBound + 1,
            hint: isEscaped
                ? "the last one is taken for text, as a backslash stands before it"
                : "the closing \(quote.text.prefix(1)) is missing",
            help: isEscaped
                ? "write a backslash at the end of a value as \\x5c"
                : "a value that holds a \(quote.text.prefix(1)) goes into quotes of the other kind")
    }

    private func badEscape(_ message: String) -> TextAdvice {
        // Reading stopped behind the quoted text.
        guard let quoted = tokens.tokens.last(where: { $0.range.upperBound <= offset && $0.kind == .quoted }) ?? at else {
            return TextAdvice()
        }
        var range = quoted.range
        if let letter = message.split(separator: "\\").last?.first,
            message.contains("sequence: \\") || message.contains("invalid \\")
        {
            let wanted = [UInt8(ascii: "\\")] + Array(String(letter).utf8)
            for start in quoted.range.dropLast(wanted.count - 1)
            where tokens.bytes[start..<min(start + wanted.count, quoted.range.upperBound)].elementsEqual(wanted) {
                range = start..<start + wanted.count
                break
            }
        }
        return TextAdvice(
            headline: message.hasPrefix("unsupported")
                ? "'\(String(decoding: tokens.bytes[range], as: UTF8.self))' is no escape sequence" : nil,
            range: range,
            help:
                "in a quoted value \\\\ is a backslash, and \\b \\f \\n \\r \\t \\xHH \\\" \\' are escapes; a value without quotes\n"
                + "keeps its backslashes (within a \"…\" of YAML each backslash has to be doubled once more)")
    }

    private func badArgument() -> TextAdvice {
        let bracket = tokens.bytes[..<offset].lastIndex(of: UInt8(ascii: "[")) ?? offset
        return TextAdvice(
            headline: "the argument in brackets is not complete", range: bracket..<max(bracket + 1, offset),
            help: "write field[argument] without blanks; an argument with blanks or brackets in it needs quotes: field[\"a b\"]")
    }

    private func badTransformer() -> TextAdvice {
        TextAdvice(
            headline: "a transformer takes a field, another transformer, a number or a quoted text",
            range: at?.range ?? end,
            hint: at.flatMap { token in
                Self.field(likelyMeantBy: token.text, names.fields).map { "did you mean '\($0)'?" }
            },
            help: "as in tolower(proc.name) or concat(proc.name, \":\")")
    }

    // MARK: words

    private func otherSpelling(_ token: ConditionTokens.Token) -> TextAdvice? {
        guard token.kind == .word || token.kind == .symbol, !isName(token.text) else { return nil }
        if let other = Self.otherSpellings[token.text.lowercased()] {
            return TextAdvice(headline: "'\(token.text)' is no operator", range: token.range, hint: "write '\(other)'")
        }
        let lower = token.text.lowercased()
        if lower != token.text, Self.connectives.contains(lower) || Self.operators.contains(lower) {
            return TextAdvice(
                headline: "operators are written in lower case", range: token.range, hint: "write '\(lower)'")
        }
        return nil
    }

    private func isName(_ word: String) -> Bool {
        word == "not" || names.macros.contains(word) || word.contains(".") && word.first?.isLetter == true
    }

    private func isComparison(_ token: ConditionTokens.Token?) -> Bool {
        guard let token else { return false }
        return token.kind == .symbol || Self.wordOperators.contains(token.text)
    }

    /// `a, b and …` behind `field =`: how to write it as a list.
    private func listHelp() -> String? {
        var first = place - 1
        while let comma = tokens[first - 1], comma.kind == .comma { first -= 2 }
        guard let operation = tokens[first - 1], isComparison(operation), let field = tokens[first - 2] else { return nil }
        var values: [String] = []
        var next = first
        while let value = tokens[next], value.kind == .word || value.kind == .quoted {
            values.append(value.text)
            guard tokens[next + 1]?.kind == .comma else { break }
            next += 2
        }
        let not = operation.text == "!=" ? "not " : ""
        return "to compare with several values: \(not)\(field.text) in (\(values.joined(separator: ", ")))"
    }

    private func listText(from open: Int) -> String {
        var depth = 0
        for index in open..<tokens.tokens.count {
            if tokens.tokens[index].kind == .open { depth += 1 }
            if tokens.tokens[index].kind == .close { depth -= 1 }
            guard depth == 0 else { continue }
            let range = tokens.tokens[open].range.lowerBound..<tokens.tokens[index].range.upperBound
            return range.count <= 60 ? String(decoding: tokens.bytes[range], as: UTF8.self) : "(…)"
        }
        return "(…)"
    }

    /// A field by a slip of the keyboard, by its last part alone, with `_` for the dot, or with the long name of its class.
    static func field(likelyMeantBy word: String, _ fields: [String]) -> String? {
        let bare = String(word.prefix { $0 != "[" })
        guard !bare.isEmpty, bare.utf8.count < 100 else { return nil }
        if let near = Suggestion.nearest(to: bare, among: fields) { return near }
        if let separator = bare.firstIndex(where: { $0 == "_" || $0 == "-" }), !bare.contains(".") {
            let dotted = bare[..<separator] + "." + bare[bare.index(after: separator)...]
            if let near = Suggestion.nearest(to: String(dotted), among: fields) { return near }
        }
        if bare.hasPrefix("proc.parent."), let near = Suggestion.nearest(to: "proc.p" + bare.dropFirst(12), among: fields) {
            return near
        }
        let longNames = [
            "process": "proc", "file": "fd", "event": "evt", "net": "fd", "socket": "fd", "usr": "user", "k8s": "k8smeta",
        ]
        let parts = bare.split(separator: ".", maxSplits: 1).map(String.init)
        if parts.count == 2 {
            if let short = longNames[parts[0]], let near = Suggestion.nearest(to: "\(short).\(parts[1])", among: fields) {
                return near
            }
            // A beginning of a field's name, or more than it.
            let sameClass = fields.filter { $0.hasPrefix(parts[0] + ".") }
            return sameClass.filter { parts[1].count > 2 && ($0.hasPrefix(bare) || bare.hasPrefix($0)) }.min {
                $0.count < $1.count
            }
        }
        for heading in ["proc", "fd", "evt", "user", "container"] where fields.contains("\(heading).\(bare)") {
            return "\(heading).\(bare)"
        }
        return fields.first { $0.hasSuffix("." + bare) }
    }
}
