// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Numbers and addresses, appended to the open text.
extension ExtractionScratch {
    private static let digits: StaticString = "0123456789ABCDEF"
    private static let smallDigits: StaticString = "0123456789abcdef"

    /// `minimumDigits`: zeros are put before a shorter number. At most 22 digits are written (64 bits in octal).
    mutating func append(unsigned value: UInt64, radix: UInt64 = 10, minimumDigits: Int = 1, lowerCase: Bool = false) {
        guard let output = room(max(24, minimumDigits)) else { return }
        let table = lowerCase ? Self.smallDigits.utf8Start : Self.digits.utf8Start
        var rest = value
        var count = 0
        repeat {
            output[count] = table[Int(rest % radix)]
            rest /= radix
            count += 1
        } while rest != 0 || count < minimumDigits
        var low = 0
        var high = count - 1
        while low < high {
            let byte = output[low]
            output[low] = output[high]
            output[high] = byte
            low += 1
            high -= 1
        }
        advance(by: count)
    }

    /// `minimumWidth` counts the sign, as in `%09d`.
    mutating func append(signed value: Int64, minimumWidth: Int = 1) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(unsigned: value.magnitude, minimumDigits: value < 0 ? max(1, minimumWidth - 1) : minimumWidth)
    }

    /// `1.2.3.4`, from network order as it lies in memory.
    mutating func append(ipv4 address: UInt32) {
        var rest = address
        for position in 0..<4 {
            if position > 0 { append(UInt8(ascii: ".")) }
            append(unsigned: UInt64(rest & 0xff))
            rest >>= 8
        }
    }

    /// As `inet_ntop` writes it: the first longest run of two or more zero groups as `::`, embedded IPv4 addresses in dots.
    mutating func append(ipv6 address: AddressBytes) {
        @inline(__always) func group(_ index: Int) -> UInt16 {
            let half = index < 4 ? address.high : address.low
            return UInt16(truncatingIfNeeded: half >> UInt64(16 * (index & 3))).byteSwapped
        }
        var bestStart = -1
        var bestCount = 1
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, group(end) == 0 { end += 1 }
            if end - index > bestCount { (bestStart, bestCount) = (index, end - index) }
            index = max(end, index + 1)
        }
        let embedsIPv4 =
            bestStart == 0 && (bestCount == 6 || (bestCount == 7 && group(7) != 1) || (bestCount == 5 && group(5) == 0xffff))
        index = 0
        while index < 8 {
            if index == bestStart {
                append(UInt8(ascii: ":"))
                index += bestCount
                if index >= 8 { append(UInt8(ascii: ":")) }
                continue
            }
            if index > 0 { append(UInt8(ascii: ":")) }
            if index == 6, embedsIPv4 {
                append(ipv4: UInt32(truncatingIfNeeded: address.low >> 32))
                return
            }
            append(unsigned: UInt64(group(index)), radix: 16, lowerCase: true)
            index += 1
        }
    }

    /// Nanoseconds as seconds with six significant digits, as C's `%lg` writes them: `1`, `0.25`, `1e-09`, `1.5e+06`.
    mutating func append(secondsOf nanoseconds: UInt64) {
        guard nanoseconds != 0 else { return append(UInt8(ascii: "0")) }
        // value = digits * 10^(exponent - 5), digits of exactly six figures, rounded half to even on the exact integer
        var length = 0
        var rest = nanoseconds
        while rest != 0 {
            rest /= 10
            length += 1
        }
        var figures = nanoseconds
        var exponent = length - 1 - 9
        if length > 6 {
            var divisor: UInt64 = 1
            for _ in 0..<(length - 6) { divisor *= 10 }
            let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: divisor)
            let half = divisor / 2
            figures = quotient + (remainder > half || (remainder == half && quotient & 1 == 1) ? 1 : 0)
            if figures == 1_000_000 {
                figures = 100_000
                exponent += 1
            }
        } else {
            for _ in length..<6 { figures *= 10 }
        }
        var figureCount = 6
        while figureCount > 1, figures % 10 == 0 {
            figures /= 10
            figureCount -= 1
        }
        if exponent < -4 || exponent >= 6 {
            appendFigures(figures, figureCount, pointAfter: 1)
            append(exponent < 0 ? "e-" : "e+")
            append(unsigned: UInt64(exponent.magnitude), minimumDigits: 2)
        } else if exponent < 0 {
            append("0.")
            for _ in 0..<(-exponent - 1) { append(UInt8(ascii: "0")) }
            append(unsigned: figures)
        } else {
            appendFigures(figures, figureCount, pointAfter: exponent + 1)
        }
    }

    private mutating func appendFigures(_ figures: UInt64, _ count: Int, pointAfter: Int) {
        if pointAfter >= count {
            append(unsigned: figures)
            for _ in count..<pointAfter { append(UInt8(ascii: "0")) }
            return
        }
        var divisor: UInt64 = 1
        for _ in 0..<(count - pointAfter) { divisor *= 10 }
        append(unsigned: figures / divisor)
        append(UInt8(ascii: "."))
        append(unsigned: figures % divisor, minimumDigits: count - pointAfter)
    }

    /// Printable ASCII as it is, a dot for every other byte.
    mutating func append(dotted value: Bytes) {
        guard let output = room(value.count) else { return }
        for index in 0..<value.count {
            let byte = value[index]
            output[index] = byte >= 0x20 && byte < 0x7f ? byte : UInt8(ascii: ".")
        }
        advance(by: value.count)
    }

    /// NUL-terminated words with `separator` between them.
    mutating func append(words: Bytes, separator: UInt8) {
        var rest = words
        var isFirst = true
        while !rest.isEmpty {
            let word = rest.untilNul
            if !isFirst { append(separator) }
            append(word)
            isFirst = false
            rest = rest.from(min(rest.count, word.count + 1))
        }
    }
}

extension Bytes {
    /// Word `index` of NUL-terminated words.
    func word(_ index: Int) -> Bytes? {
        guard index >= 0 else { return nil }
        var rest = self
        var left = index
        while !rest.isEmpty {
            let word = rest.untilNul
            if left == 0 { return word }
            left -= 1
            rest = rest.from(min(rest.count, word.count + 1))
        }
        return nil
    }

    /// In NUL-terminated `name=value` words, the value of `name`.
    func value(of name: Bytes) -> Bytes? {
        var rest = self
        while !rest.isEmpty {
            let word = rest.untilNul
            if word.count > name.count, word[name.count] == UInt8(ascii: "="), word.hasPrefix(name) {
                return word.from(name.count + 1)
            }
            rest = rest.from(min(rest.count, word.count + 1))
        }
        return nil
    }
}

extension ExtractionScratch {
    /// Raw bytes as outputs show them: text with dots for what is not printable, or base64.
    mutating func append(buffer bytes: Bytes) {
        if showsBuffersAsBase64 { append(base64: bytes) } else { append(dotted: bytes) }
    }

    private mutating func append(base64 bytes: Bytes) {
        let alphabet = Bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var index = 0
        while index < bytes.count {
            let left = min(3, bytes.count - index)
            var group = UInt32(bytes[index]) << 16
            if left > 1 { group |= UInt32(bytes[index + 1]) << 8 }
            if left > 2 { group |= UInt32(bytes[index + 2]) }
            append(alphabet[Int(group >> 18)])
            append(alphabet[Int(group >> 12 & 63)])
            append(left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
            append(left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
            index += 3
        }
    }
}
