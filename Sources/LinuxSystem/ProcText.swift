// SPDX-License-Identifier: Apache-2.0

/// Small scanners for the text of /proc; every one of them takes any bytes.
enum ProcText {
    /// Rest of the line that starts with `key`, leading blanks removed.
    static func value(_ key: StaticString, in text: [UInt8]) -> ArraySlice<UInt8>? {
        let length = key.utf8CodeUnitCount
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != 10 { end += 1 }
            if end - start >= length {
                var matches = true
                for index in 0..<length where text[start + index] != key.utf8Start[index] {
                    matches = false
                    break
                }
                if matches { return text[(start + length)..<end].drop { $0 == 32 || $0 == 9 } }
            }
            start = end + 1
        }
        return nil
    }

    /// Words between blanks.
    static func words(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] { text.split { $0 == 32 || $0 == 9 } }

    static func integer(_ text: ArraySlice<UInt8>?) -> Int64? {
        guard let text, let first = text.first else { return nil }
        let negative = first == UInt8(ascii: "-")
        guard let value = Machine.decimal(negative ? text.dropFirst() : text), value <= UInt64(Int64.max) else { return nil }
        return negative ? -Int64(value) : Int64(value)
    }

    static func hexadecimal(_ text: ArraySlice<UInt8>) -> UInt64? { number(text, base: 16) }
    static func octal(_ text: ArraySlice<UInt8>) -> UInt64? { number(text, base: 8) }

    private static func number(_ text: ArraySlice<UInt8>, base: UInt64) -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        for byte in text {
            let digit: UInt64
            switch byte {
            case 48...57: digit = UInt64(byte - 48)
            case 97...102: digit = UInt64(byte - 87)
            case 65...70: digit = UInt64(byte - 55)
            default: return digits > 0 ? value : nil
            }
            guard digit < base, digits < 22 else { return digits > 0 ? value : nil }
            value = value &* base &+ digit
            digits += 1
        }
        return digits > 0 ? value : nil
    }
}
