// SPDX-License-Identifier: Apache-2.0

/// Bytes as text and back, without loss.
///
/// A value in a condition may hold any byte (`"\xff"`), while the tree keeps `String`s. A byte that is not part of valid
/// UTF-8 becomes the private-use scalar U+10FE00 + byte; so do the bytes of a literal scalar out of that range.
public enum FilterText {
    private static let firstEscape: UInt32 = 0x10_fe80
    private static let lastEscape: UInt32 = 0x10_feff
    private static let escapeBase: UInt32 = 0x10_fe00

    public static func string(_ bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains(where: isEscape) { return text }
        let array = Array(bytes)
        var result = String.UnicodeScalarView()
        var index = 0
        while index < array.count {
            let length = sequenceLength(array[index])
            if index + length <= array.count,
                let scalar = String(validating: array[index..<index + length], as: UTF8.self)?.unicodeScalars.first,
                !isEscape(scalar)
            {
                result.append(scalar)
                index += length
            } else {
                result.append(Unicode.Scalar(escapeBase + UInt32(array[index]))!)
                index += 1
            }
        }
        return String(result)
    }

    public static func bytes(_ text: String) -> [UInt8] {
        guard text.unicodeScalars.contains(where: isEscape) else { return Array(text.utf8) }
        var result: [UInt8] = []
        for scalar in text.unicodeScalars {
            if isEscape(scalar) {
                result.append(UInt8(truncatingIfNeeded: scalar.value))
            } else {
                result.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
        return result
    }

    private static func isEscape(_ scalar: Unicode.Scalar) -> Bool { (firstEscape...lastEscape).contains(scalar.value) }

    private static func sequenceLength(_ lead: UInt8) -> Int {
        switch lead {
        case 0xf0...: 4
        case 0xe0...: 3
        case 0xc0...: 2
        default: 1
        }
    }
}

/// Quoted text: what a `"…"` or `'…'` token means, and how to write a value so that it reads back the same.
public enum FilterEscapes {
    public struct EscapeError: Error, Equatable, Sendable { public let message: String }

    /// The bytes between the quotes of `token` (quotes included), escapes resolved.
    /// `foundingEscapes` adds `\a`, `\v` and backslash-newline of the one-line rules format.
    public static func unescape(_ token: [UInt8], foundingEscapes: Bool = false) throws(EscapeError) -> [UInt8] {
        precondition(token.count >= 2, "a quoted token has two quotes")
        let quote = token[0]
        let end = token.count - 1
        var result: [UInt8] = []
        var index = 1
        while index < end {
            let byte = token[index]
            index += 1
            guard byte == UInt8(ascii: "\\"), index < end else {
                result.append(byte)
                continue
            }
            let escape = token[index]
            index += 1
            switch escape {
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "\\"), UInt8(ascii: " "): result.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "/"): result.append(UInt8(ascii: "/"))
            case UInt8(ascii: "a") where foundingEscapes: result.append(7)
            case UInt8(ascii: "v") where foundingEscapes: result.append(11)
            case UInt8(ascii: "\n") where foundingEscapes: result.append(10)
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                guard escape == quote || foundingEscapes else {
                    throw EscapeError(
                        message: escape == UInt8(ascii: "'")
                            ? "invalid \\' escape in \"-quoted string" : "invalid \\\" escape in '-quoted string")
                }
                result.append(escape)
            case UInt8(ascii: "x"):
                guard index + 2 <= end else { throw EscapeError(message: "truncated hex char escape sequence") }
                guard let high = hexDigit(token[index]), let low = hexDigit(token[index + 1]) else {
                    let digits = FilterText.string(token[index..<index + 2])
                    throw EscapeError(message: "invalid hex char escape sequence: \(digits)")
                }
                result.append(high << 4 | low)
                index += 2
            default:
                throw EscapeError(message: "unsupported string escape sequence: \\\(FilterText.string([escape]))")
            }
        }
        return result
    }

    /// As it is when it reads back as a bare word, else in double quotes.
    public static func escape(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [UInt8(ascii: "\"")]
        var needsQuotes = bytes.isEmpty
        func hex(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
        for byte in bytes {
            switch byte {
            case 8: result.append(contentsOf: [92, UInt8(ascii: "b")])
            case 12: result.append(contentsOf: [92, UInt8(ascii: "f")])
            case 10: result.append(contentsOf: [92, UInt8(ascii: "n")])
            case 13: result.append(contentsOf: [92, UInt8(ascii: "r")])
            case 9: result.append(contentsOf: [92, UInt8(ascii: "t")])
            case 92: result.append(contentsOf: [92, 92])
            case UInt8(ascii: "\""): result.append(contentsOf: [92, byte])
            case UInt8(ascii: " "), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "="),
                UInt8(ascii: ","):
                result.append(byte)
            case 0..<32, 127: result.append(contentsOf: [92, UInt8(ascii: "x"), hex(byte >> 4), hex(byte & 15)])
            default:
                result.append(byte)
                continue
            }
            needsQuotes = true
        }
        if !needsQuotes { return bytes }
        // A closing quote behind a backslash would not close, however that one is escaped.
        if bytes.last == 92 { result.replaceSubrange(result.count - 2..<result.count, with: Array("\\x5c".utf8)) }
        result.append(UInt8(ascii: "\""))
        return result
    }

    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
        default: nil
        }
    }
}
