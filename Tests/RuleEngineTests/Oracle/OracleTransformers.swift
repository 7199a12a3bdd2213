// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The transformers on plain values.
enum OracleTransformers {
    private static func trimmed(_ text: [UInt8]) -> [UInt8] {
        var text = text
        while text.last == 0 { text.removeLast() }
        return text
    }

    /// `tolower` and its like, on a text or on each entry of a list.
    static func each(_ name: String, _ value: OracleValue) -> OracleValue {
        switch value {
        case .text(let text):
            let text = trimmed(text)
            switch name {
            case "tolower": return .text(OracleText.lowered(text))
            case "toupper": return .text(OracleText.raised(text))
            case "basename": return .text(text.lastIndex(of: UInt8(ascii: "/")).map { Array(text[($0 + 1)...]) } ?? text)
            case "b64": return decoded(text)
            default: preconditionFailure("no transformer of one text: \(name)")
            }
        case .many(let values):
            let changed = values.map { each(name, $0) }
            return changed.contains(.absent) ? .absent : .many(changed)
        default: return .absent
        }
    }

    /// Foundation wants the padding; the language does not.
    private static func decoded(_ text: [UInt8]) -> OracleValue {
        let padding = text.contains(UInt8(ascii: "=")) ? 0 : (4 - text.count % 4) % 4
        let padded = text + [UInt8](repeating: UInt8(ascii: "="), count: padding)
        guard padding < 3, let data = Data(base64Encoded: Data(padded)) else { return .absent }
        return .text(Array(data))
    }

    static func length(_ value: OracleValue, isBuffer: Bool) -> OracleValue {
        switch value {
        case .many(let values): .number(Int128(values.count))
        case .text(let text): .number(Int128(isBuffer ? text.count : text.prefix { $0 != 0 }.count))
        default: .absent
        }
    }

    static func join(_ separator: [UInt8], _ values: [OracleValue]) -> OracleValue {
        var parts: [[UInt8]] = []
        for value in values {
            guard case .text(let text) = value else { return .absent }
            parts.append(trimmed(text))
        }
        return .text(Array(parts.joined(separator: trimmed(separator))))
    }

    /// Short options, as a shell's `getopts` reads them.
    static func options(_ words: [OracleValue], _ letters: [UInt8], selector: UInt8?) -> OracleValue {
        var found: [(letter: UInt8, value: [UInt8]?)] = []
        var words = words.map { if case .text(let text) = $0 { trimmed(text) } else { [UInt8]() } }
        let (dash, colon) = (UInt8(ascii: "-"), UInt8(ascii: ":"))
        reading: while !words.isEmpty {
            var word = words.removeFirst()
            guard word.first == dash, word != [dash], word != [dash, dash] else { break }
            if word[1] == dash { continue }
            word.removeFirst()
            while !word.isEmpty {
                let letter = word.removeFirst()
                guard letter != colon, let place = letters.firstIndex(of: letter) else {
                    found.append((UInt8(ascii: "?"), nil))
                    continue
                }
                guard place + 1 < letters.count, letters[place + 1] == colon else {
                    found.append((letter, nil))
                    continue
                }
                let isOptional = place + 2 < letters.count && letters[place + 2] == colon
                if !word.isEmpty {
                    found.append((letter, word))
                } else if !isOptional, !words.isEmpty {
                    found.append((letter, words.removeFirst()))
                } else {
                    found.append((letter, []))
                }
                continue reading
            }
        }
        guard let selector else {
            return .many(found.flatMap { option in [.text([option.letter])] + (option.value.map { [.text($0)] } ?? []) })
        }
        guard let last = found.last(where: { $0.letter == selector && selector != UInt8(ascii: "?") }) else { return .absent }
        return .text(last.value ?? [selector])
    }
}
