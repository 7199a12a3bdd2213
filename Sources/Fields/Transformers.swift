// SPDX-License-Identifier: Apache-2.0
import EventModel
import FilterLanguage

/// What the transformers do to values. Runs per check: results go to the scratch.
enum Transformers {
    static func isText(_ type: ParameterType) -> Bool { type == .charbuf || type == .fspath || type == .fsrelpath }

    /// May a transformer of one argument be applied to values of this type?
    static func accepts(_ name: TransformerName, _ type: ParameterType, isList: Bool) -> Bool {
        switch name {
        case .tolower, .toupper, .basename: isText(type)
        case .b64: type == .charbuf || type == .bytebuf
        case .len: isList || isText(type) || type == .bytebuf
        case .join, .concat, .getopt, .val: false
        }
    }

    /// A transformer of one argument; over a list, each entry for itself (`len` counts them). No value in, none out.
    static func apply(
        _ name: TransformerName, _ value: FieldValue, type: ParameterType, isList: Bool, scratch: inout ExtractionScratch
    ) -> FieldValue {
        switch value {
        case .list(let start, let count):
            if name == .len { return .uint(UInt64(count)) }
            let first = scratch.listCount
            for offset in 0..<count {
                let changed = apply(name, scratch.list[start + offset], type: type, isList: false, scratch: &scratch)
                guard changed.exists, scratch.push(changed) else { return .none }
            }
            return .list(start: first, count: count)
        case .bytes(let bytes):
            switch name {
            case .tolower: return .bytes(mapped(withoutFinalNuls(bytes), &scratch, lowered))
            case .toupper: return .bytes(mapped(withoutFinalNuls(bytes), &scratch, raised))
            case .basename:
                let text = withoutFinalNuls(bytes)
                return .bytes(text.lastIndex(of: UInt8(ascii: "/")).map { text.from($0 + 1) } ?? text)
            case .b64: return decodedBase64(withoutFinalNuls(bytes), &scratch).map { .bytes($0) } ?? .none
            case .len: return .uint(UInt64(isText(type) ? bytes.untilNul.count : bytes.count))
            case .join, .concat, .getopt, .val: return .none
            }
        default: return .none
        }
    }

    /// The entries with `separator` between them; no value when one has none.
    static func join(separator: Bytes, _ list: FieldValue, scratch: inout ExtractionScratch) -> FieldValue {
        guard case .list(let start, let count) = list else { return .none }
        for offset in 0..<count { guard case .bytes = scratch.list[start + offset] else { return .none } }
        scratch.begin()
        for offset in 0..<count {
            if offset > 0 { scratch.append(withoutFinalNuls(separator)) }
            if case .bytes(let bytes) = scratch.list[start + offset] { scratch.append(withoutFinalNuls(bytes)) }
        }
        return .bytes(scratch.finish())
    }

    static func withoutFinalNuls(_ bytes: Bytes) -> Bytes {
        var count = bytes.count
        while count > 0, bytes[count - 1] == 0 { count -= 1 }
        return bytes.prefix(count)
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }
    private static func raised(_ byte: UInt8) -> UInt8 { byte >= 0x61 && byte <= 0x7a ? byte & 0xdf : byte }

    @inline(__always)
    private static func mapped(_ bytes: Bytes, _ scratch: inout ExtractionScratch, _ change: (UInt8) -> UInt8) -> Bytes {
        scratch.begin()
        for index in 0..<bytes.count { scratch.append(change(bytes[index])) }
        return scratch.finish()
    }

    /// The standard alphabet; final `=` may be there or not. Nil for any other byte and for a length that no text encodes to.
    private static func decodedBase64(_ bytes: Bytes, _ scratch: inout ExtractionScratch) -> Bytes? {
        var count = bytes.count
        var padding = 0
        while count > 0, padding < 2, bytes[count - 1] == UInt8(ascii: "=") {
            count -= 1
            padding += 1
        }
        if padding > 0, (count + padding) % 4 != 0 { return nil }
        guard count % 4 != 1 else { return nil }
        scratch.begin()
        var bits: UInt32 = 0
        var bitCount = 0
        for index in 0..<count {
            guard let digit = base64Digit(bytes[index]) else {
                scratch.truncateOpen(to: 0)
                _ = scratch.finish()
                return nil
            }
            bits = bits << 6 | digit
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                scratch.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        return scratch.finish()
    }

    private static func base64Digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5a: UInt32(byte) - 0x41
        case 0x61...0x7a: UInt32(byte) - 0x61 + 26
        case 0x30...0x39: UInt32(byte) - 0x30 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

/// `getopt(words, "nt:")`: short options, as a shell's `getopts` reads them.
enum OptionParser {
    /// Without `selector` the list of option letters, each followed by its value where it takes one; with it the last value of
    /// that option, the letter itself for an option without one, or none when it does not occur.
    ///
    /// Reading stops at `--`, at a lone `-` and at the first word that is no option; words that begin with `--` are passed over.
    /// A letter that `options` does not name is `?`; a value that is missing is the empty string.
    static func parse(_ words: FieldValue, options: Bytes, selector: UInt8?, scratch: inout ExtractionScratch) -> FieldValue {
        guard case .list(let start, let count) = words else { return .none }
        let first = scratch.listCount
        var selected = FieldValue.none
        var at = 0

        words: while at < count {
            guard case .bytes(let raw) = scratch.list[start + at] else { return .none }
            let word = Transformers.withoutFinalNuls(raw)
            at += 1
            guard word.count > 1, word[0] == UInt8(ascii: "-") else { break }
            if word[1] == UInt8(ascii: "-") {
                if word.count == 2 { break }
                continue
            }
            var position = 1
            while position < word.count {
                let letter = word[position..<position + 1]
                position += 1
                switch argument(of: letter[0], in: options) {
                case .unknown:
                    if selector == nil { guard scratch.push(.bytes(Bytes("?"))) else { break words } }
                case .none:
                    if selector == letter[0] { selected = .bytes(letter) }
                    if selector == nil { guard scratch.push(.bytes(letter)) else { break words } }
                case .required, .optional:
                    var value = Bytes.empty
                    if position < word.count {
                        value = word.from(position)
                    } else if argument(of: letter[0], in: options) == .required, at < count {
                        guard case .bytes(let next) = scratch.list[start + at] else { return .none }
                        value = Transformers.withoutFinalNuls(next)
                        at += 1
                    }
                    if selector == letter[0] { selected = .bytes(value) }
                    if selector == nil {
                        guard scratch.push(.bytes(letter)), scratch.push(.bytes(value)) else { break words }
                    }
                    continue words
                }
            }
        }
        return selector == nil ? .list(start: first, count: scratch.listCount - first) : selected
    }

    private enum Argument { case unknown, none, required, optional }

    /// `a:` takes a value, `a::` only one that is written behind the letter.
    private static func argument(of letter: UInt8, in options: Bytes) -> Argument {
        guard letter != UInt8(ascii: ":"), let index = options.firstIndex(of: letter) else { return .unknown }
        func isColon(_ at: Int) -> Bool { at < options.count && options[at] == UInt8(ascii: ":") }
        if !isColon(index + 1) { return .none }
        return isColon(index + 2) ? .optional : .required
    }
}
