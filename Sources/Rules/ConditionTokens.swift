// SPDX-License-Identifier: Apache-2.0
import FilterLanguage

/// A condition that does not parse, cut into words all the same: what advice looks at.
struct ConditionTokens {
    enum Kind { case word, quoted, unclosedQuote, open, close, comma, symbol }
    struct Token {
        let kind: Kind
        let range: Range<Int>
        let text: String
    }

    let tokens: [Token]
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var tokens: [Token] = []
        var place = 0
        func isSymbol(_ byte: UInt8) -> Bool { "=!<>".utf8.contains(byte) }
        func isEnd(_ byte: UInt8) -> Bool { byte <= 32 || isSymbol(byte) || "(),\"'".utf8.contains(byte) }
        while place < bytes.count {
            let start = place
            let byte = bytes[place]
            place += 1
            let kind: Kind
            switch byte {
            case 0...32: continue
            case UInt8(ascii: "("): kind = .open
            case UInt8(ascii: ")"): kind = .close
            case UInt8(ascii: ","): kind = .comma
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                while place < bytes.count, bytes[place] != byte || bytes[place - 1] == UInt8(ascii: "\\") { place += 1 }
                kind = place < bytes.count ? .quoted : .unclosedQuote
                place = min(place + 1, bytes.count)
            case _ where isSymbol(byte):
                while place < bytes.count, isSymbol(bytes[place]) || bytes[place] == UInt8(ascii: "~") { place += 1 }
                kind = .symbol
            default:
                while place < bytes.count, !isEnd(bytes[place]) { place += 1 }
                kind = .word
            }
            tokens.append(Token(kind: kind, range: start..<place, text: String(decoding: bytes[start..<place], as: UTF8.self)))
        }
        self.tokens = tokens
    }

    /// Place in `tokens` of the one that holds `offset` or follows it; `tokens.count` at the end.
    func index(at offset: Int) -> Int {
        var (low, high) = (0, tokens.count)
        while low < high {
            let middle = (low + high) / 2
            if tokens[middle].range.upperBound <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    subscript(index: Int) -> Token? { tokens.indices.contains(index) ? tokens[index] : nil }

    /// The innermost parenthesis that is open before token `index`.
    func openParenthesis(before index: Int) -> Int? {
        var open: [Int] = []
        for place in 0..<min(index, tokens.count) {
            switch tokens[place].kind {
            case .open: open.append(place)
            case .close: _ = open.popLast()
            default: break
            }
        }
        return open.last
    }

    /// The first `word` that is no item of a list and no value.
    func standingAlone(_ word: String) -> Token? {
        var isAfterOperator = false
        var isInList = false
        for (index, token) in tokens.enumerated() {
            defer { isAfterOperator = token.kind == .symbol || ParseAdvice.wordOperators.contains(token.text) }
            switch token.kind {
            case .open:
                isInList = isInList || isAfterOperator || self[index - 1].map { ListModifier(rawValue: $0.text) != nil } == true
            case .close: isInList = false
            default: if token.text == word, !isInList, !isAfterOperator { return token }
            }
        }
        return nil
    }
}
