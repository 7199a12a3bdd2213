// SPDX-License-Identifier: Apache-2.0
import EventModel
import Fields
import Foundation

/// A value as plain Swift has it. Nothing here knows how the program keeps or compares values.
indirect enum OracleValue: Equatable {
    case absent
    case number(Int128)
    case real(Double)
    case truth(Bool)
    case text([UInt8])
    /// Four bytes or sixteen.
    case address([UInt8])
    /// The entries of a list field, or the candidates of a field that has several.
    case many([OracleValue])

    init(_ value: FieldValue, _ list: UnsafeMutablePointer<FieldValue>) {
        switch value {
        case .none: self = .absent
        case .int(let number): self = .number(Int128(number))
        case .uint(let number): self = .number(Int128(number))
        case .bool(let flag): self = .truth(flag)
        case .double(let number): self = .real(number)
        case .bytes(let bytes): self = .text(bytes.array)
        case .ipv4(let address): self = .address(withUnsafeBytes(of: address) { Array($0) })
        case .ipv6(let address):
            self = .address(withUnsafeBytes(of: address.high) { Array($0) } + withUnsafeBytes(of: address.low) { Array($0) })
        case .list(let start, let count): self = .many((start..<start + count).map { OracleValue(list[$0], list) })
        }
    }

    /// As a condition may name it; nil for a list.
    var words: String? {
        switch self {
        case .absent, .many: nil
        case .number(let number): String(number)
        case .real(let number): String(Int(number))
        case .truth(let flag): String(flag)
        case .text(let bytes): String(decoding: bytes, as: UTF8.self)
        case .address(let bytes):
            bytes.count == 4
                ? bytes.map { String($0) }.joined(separator: ".")
                : stride(from: 0, to: 16, by: 2).map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }
                    .joined(separator: ":")
        }
    }
}

/// What the types of the language are, in the words of the specification.
enum OracleType: Equatable {
    case number(bits: Int, isSigned: Bool)
    case port, real, truth, text, buffer, address, network, opaque

    init(_ type: ParameterType) {
        switch type {
        case .int8: self = .number(bits: 8, isSigned: true)
        case .int16: self = .number(bits: 16, isSigned: true)
        case .int32, .fd32, .pid32: self = .number(bits: 32, isSigned: true)
        case .int64, .errno, .fd, .pid: self = .number(bits: 64, isSigned: true)
        case .uint8, .sigtype, .flags8, .enumflags8: self = .number(bits: 8, isSigned: false)
        case .uint16, .syscallid, .flags16, .enumflags16: self = .number(bits: 16, isSigned: false)
        case .uint32, .flags32, .enumflags32, .mode, .uid, .gid: self = .number(bits: 32, isSigned: false)
        case .uint64, .reltime, .abstime: self = .number(bits: 64, isSigned: false)
        case .port: self = .port
        case .double: self = .real
        case .bool: self = .truth
        case .charbuf, .fspath, .fsrelpath: self = .text
        case .bytebuf: self = .buffer
        case .ipv4addr, .ipv6addr, .ipaddr: self = .address
        case .ipv4net, .ipv6net, .ipnet: self = .network
        case .none, .sockaddr, .socktuple, .fdlist, .l4proto, .sockfamily, .dyn, .sigset, .charbufarray, .charbufPairArray:
            self = .opaque
        }
    }

    /// The operators of the specification's table; a list takes only three.
    func allows(_ word: String, isList: Bool) -> Bool {
        if word == "exists" { return true }
        if isList { return word == "in" || word == "intersects" }
        let equalities: Set = ["=", "!=", "in", "intersects"]
        return switch self {
        case .number, .port, .real: equalities.contains(word) || ["<", "<=", ">", ">="].contains(word)
        case .truth, .address, .network: equalities.contains(word)
        case .text: word != "bcontains" && word != "bstartswith"
        case .buffer:
            equalities.contains(word) || ["contains", "startswith", "endswith", "bcontains", "bstartswith"].contains(word)
        case .opaque: false
        }
    }
}

/// Constants of a condition, read as the type of the left side asks.
enum OracleReading {
    /// Decimal or hexadecimal as C's scanf reads them, cut to the width.
    static func number(_ text: String, bits: Int, isSigned: Bool) -> Int128 {
        var digits = Substring(text)
        let isNegative = digits.hasPrefix("-")
        if isNegative || digits.hasPrefix("+") { digits = digits.dropFirst() }
        var value: Int128 = 0
        let isHexadecimal = digits.lowercased().hasPrefix("0x")
        if isHexadecimal { digits = digits.dropFirst(2) }
        for digit in digits {
            guard let number = digit.hexDigitValue, isHexadecimal || number < 10 else { break }
            value = min(value * (isHexadecimal ? 16 : 10) + Int128(number), 1 << 100)
        }
        if isSigned, !isHexadecimal {
            value = isNegative ? -value : value
            value = max(Int128(Int64.min), min(Int128(Int64.max), value))
        } else {
            let isTooLarge = value > Int128(UInt64.max)
            value = isTooLarge ? Int128(UInt64.max) : isNegative ? -value : value
        }
        return wrapped(value, bits: bits, isSigned: isSigned)
    }

    static func wrapped(_ value: Int128, bits: Int, isSigned: Bool) -> Int128 {
        let modulus: Int128 = 1 << Int128(bits)
        let rest = (value % modulus + modulus) % modulus
        return isSigned && rest >= modulus / 2 ? rest - modulus : rest
    }

    static func port(_ text: String) -> Int128 {
        switch text {
        case "": 0
        case "http": 80
        case "https": 443
        case "ssh": 22
        case "domain": 53
        default: number(text, bits: 16, isSigned: false)
        }
    }

    /// Nil when the text is no address: the compiler is expected to have refused it.
    static func address(_ text: String) -> [UInt8]? {
        if text.contains(".") {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
            return parts.count == 4 && !parts.contains(nil) ? parts.map { $0! } : nil
        }
        func groups(_ text: Substring) -> [UInt8]? {
            if text.isEmpty { return [] }
            var bytes: [UInt8] = []
            for part in text.split(separator: ":", omittingEmptySubsequences: false) {
                guard let group = UInt16(part, radix: 16) else { return nil }
                bytes += [UInt8(group >> 8), UInt8(group & 255)]
            }
            return bytes
        }
        guard let gap = text.range(of: "::") else {
            let bytes = groups(Substring(text))
            return bytes?.count == 16 ? bytes : nil
        }
        guard let front = groups(text[..<gap.lowerBound]), let back = groups(text[gap.upperBound...]),
            front.count + back.count < 16
        else { return nil }
        return front + [UInt8](repeating: 0, count: 16 - front.count - back.count) + back
    }

    static func contains(network text: String, _ address: [UInt8]) -> Bool {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let bits = Int(parts[1]), let base = Self.address(String(parts[0])), base.count == address.count
        else { return false }
        return (0..<bits).allSatisfy { bit in
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            return base[bit / 8] & mask == address[bit / 8] & mask
        }
    }

    static func hexadecimal(_ text: [UInt8]) -> [UInt8] {
        stride(from: 0, to: text.count, by: 2).map { UInt8(String(decoding: text[$0..<$0 + 2], as: UTF8.self), radix: 16)! }
    }
}
