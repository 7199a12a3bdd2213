// SPDX-License-Identifier: Apache-2.0
import CLinux
import CProbeABI
import Diagnostics
import EventModel
import Fields
import FilterLanguage
import Glibc

extension ConditionCompiler {
    /// A right side as the left side's type reads it, with the warnings it deserves.
    func constant(
        _ text: String, _ check: Check, _ left: ValueExpression, _ kind: ValueKind, _ warnings: inout [String],
        at position: SourcePosition
    ) throws(CompileProblem) -> Constant {
        warnings.append(contentsOf: suspicions(of: text, check.comparison))
        var bytes = FilterText.bytes(text)
        do throws(FieldError) {
            if check.comparison == .bcontains || check.comparison == .bstartswith {
                guard let decoded = Self.unhex(bytes) else {
                    throw FieldError("filter error: bcontains and bstartswith operator support hex strings only")
                }
                bytes = decoded
            } else if kind != .buffer, bytes.contains(0) {
                throw FieldError("filter error: filter value cannot contain a NUL byte (\\x00)")
            }
            if let name = check.left.bareField?.name, name == "evt.type" || name == "syscall.type",
                [.equal, .notEqual, .in, .intersects].contains(check.comparison), EventTable.codes(named: text) == nil
            {
                throw FieldError("unknown event type \(text)")
            }
            if check.comparison != .equal, left.field?.definition.flags.contains(.distance) == true {
                throw FieldError("evt.around supports only '=' comparison operator")
            }
            return try Self.constant(bytes, text, check.comparison, type: left.type, kind)
        } catch {
            throw CompileProblem(message: error.message, position: position)
        }
    }

    private static func constant(
        _ bytes: [UInt8], _ text: String, _ comparison: Comparison, type: ParameterType, _ kind: ValueKind
    ) throws(FieldError) -> Constant {
        switch kind {
        case .text:
            guard bytes.count < constantBytesMax else { throw FieldError("filter parameter too long:\(text)") }
            if comparison == .regex { return .regex(try regex(bytes)) }
            return .bytes(FieldKey(bytes))
        case .buffer:
            guard bytes.count < constantBytesMax else { throw FieldError("filter parameter too long (byte buf)") }
            return .bytes(FieldKey(bytes))
        case .bool:
            guard text == "true" || text == "false" else {
                throw FieldError("filter error: unrecognized boolean value \(text)")
            }
            return .number(text == "true" ? 1 : 0)
        case .signed: return .number(narrowed(try integer(text, isSigned: true), to: type))
        case .unsigned: return .number(narrowed(type == .port ? try port(text) : try integer(text), to: type))
        case .double: return .double(Double(Int32(truncatingIfNeeded: try integer(text, isSigned: true))))
        case .address: return try address(text)
        case .network: return try network(text)
        case .opaque: throw FieldError("wrong parameter type \(type.name)")
        }
    }

    private static func regex(_ bytes: [UInt8]) throws(FieldError) -> CompiledRegex {
        let pattern = FieldKey(bytes)
        var why = ""
        guard let compiled = CompiledRegex(pattern.bytes, why: &why) else { throw FieldError("invalid regex pattern: \(why)") }
        return compiled
    }

    static func unhex(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        func digit(_ byte: UInt8) -> UInt8? { Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init) }
        var result: [UInt8] = []
        for index in stride(from: 0, to: text.count, by: 2) {
            guard text[index] < 128, text[index + 1] < 128, let high = digit(text[index]), let low = digit(text[index + 1]) else {
                return nil
            }
            result.append(high << 4 | low)
        }
        return result
    }

    /// Decimal or `0x` hexadecimal, what follows the digits is not looked at. Beyond 64 bits the nearest number that there is;
    /// what is negative and read as unsigned counts down from 2^64.
    static func integer(_ text: String, isSigned: Bool = false) throws(FieldError) -> UInt64 {
        var rest = text.drop { $0.isWhitespace }[...]
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest = rest.dropFirst() }
        var radix: UInt64 = 10
        if rest.hasPrefix("0x") || rest.hasPrefix("0X"), rest.dropFirst(2).first?.isHexDigit == true {
            radix = 16
            rest = rest.dropFirst(2)
        }
        var value: UInt64 = 0
        var isTooLarge = false
        var digits = 0
        for character in rest {
            guard character.isASCII, let digit = character.hexDigitValue, UInt64(digit) < radix else { break }
            let (product, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            digits += 1
            isTooLarge = overflow || carry
            if isTooLarge { break }
            value = sum
        }
        guard digits > 0 else { throw FieldError("\(text) is not a valid number") }
        if isSigned, radix == 10 {
            if isNegative { return isTooLarge || value > 1 << 63 ? 1 << 63 : 0 &- value }
            return isTooLarge || value > UInt64(Int64.max) ? UInt64(Int64.max) : value
        }
        if isTooLarge { return .max }
        return isNegative ? 0 &- value : value
    }

    /// Cut to the width of the type, then sign- or zero-extended, as the field's values are.
    static func narrowed(_ value: UInt64, to type: ParameterType) -> UInt64 {
        let isSigned = type.isSigned
        switch type.fixedBytes ?? 8 {
        case 1: return isSigned ? UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: value))) : value & 0xff
        case 2: return isSigned ? UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: value))) : value & 0xffff
        case 4: return isSigned ? UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value))) : value & 0xffff_ffff
        default: return value
        }
    }

    /// A number, or the name of a service in any protocol.
    private static func port(_ text: String) throws(FieldError) -> UInt64 {
        if text.isEmpty { return 0 }
        if text.utf8.allSatisfy({ $0 &- 48 < 10 }) { return try integer(text) }
        guard let entry = getservbyname(text, nil) else { throw FieldError("unrecognized protocol \(text)") }
        return UInt64(UInt16(bigEndian: UInt16(truncatingIfNeeded: entry.pointee.s_port)))
    }

    /// With a dot IPv4, else IPv6.
    private static func address(_ text: String) throws(FieldError) -> Constant {
        if text.contains(".") {
            guard let address = ipv4(text) else { throw FieldError("unrecognized IPv4 address \(text)") }
            return .ipv4(address)
        }
        guard let address = ipv6(text) else { throw FieldError("unrecognized IPv6 address \(text)") }
        return .ipv6(address)
    }

    private static func network(_ text: String) throws(FieldError) -> Constant {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { throw FieldError("unrecognized IP network \(text)") }
        let isIPv4 = text.contains(".")
        guard parts[1].utf8.first.map({ $0 &- 48 < 10 }) == true else { throw FieldError("invalid netmask \(parts[1])") }
        let bits = Int(min(try integer(parts[1]), 255))
        if isIPv4 {
            guard let address = ipv4(parts[0]) else { throw FieldError("unrecognized IP address \(text)") }
            guard bits <= 32 else { throw FieldError("invalid netmask \(parts[1])") }
            let mask = (bits == 0 ? 0 : UInt32.max << UInt32(32 - bits)).bigEndian
            return .ipv4Network(address: address & mask, mask: mask)
        }
        guard let address = ipv6(parts[0]) else { throw FieldError("unrecognized IP address \(text)") }
        guard bits <= 128 else { throw FieldError("invalid netmask \(parts[1])") }
        func word(_ bits: Int) -> UInt64 { (bits <= 0 ? 0 : UInt64.max << UInt64(64 - min(bits, 64))).bigEndian }
        let mask = AddressBytes(high: word(bits), low: word(bits - 64))
        return .ipv6Network(address: AddressBytes(high: address.high & mask.high, low: address.low & mask.low), mask: mask)
    }

    static func ipv4(_ text: String) -> UInt32? {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1 ? address.s_addr : nil
    }
    static func ipv6(_ text: String) -> AddressBytes? {
        var bytes: (UInt64, UInt64) = (0, 0)
        return inet_pton(AF_INET6, text, &bytes) == 1 ? AddressBytes(high: bytes.0, low: bytes.1) : nil
    }
}

// MARK: warnings

extension ConditionCompiler {
    /// What the author may have meant instead of this constant.
    func suspicions(of text: String, _ comparison: Comparison) -> [String] {
        var result: [String] = []
        if comparison == .regex, Self.isPlainRegex(Array(FilterText.bytes(text))) {
            result.append(
                "regex check with '\(text)' may be optimized with simpler operators such as "
                    + "'=', 'contains', 'startswith', 'endswith'"
            )
        }
        // Fields have a dot and transformers a parenthesis; most constants, of which lists hold thousands, have neither.
        guard text.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "(") }) else { return result }
        let packed = String(text.filter { !$0.isWhitespace })
        if namesField(packed) || (packed.hasPrefix("%") && namesField(String(packed.dropFirst()))) {
            result.append("'\(text)' may be a valid field misused as a const string value")
        }
        if packed.hasSuffix(")"), TransformerName.allCases.contains(where: { packed.hasPrefix($0.rawValue + "(") }) {
            result.append("'\(text)' may be a valid field transformer misused as a const string value")
        }
        return result
    }

    private func namesField(_ text: String) -> Bool {
        guard text.contains("."), let found = try? ConditionParser.parseOperandPrefix(text[...]),
            found.utf8Count == text.utf8.count, case .field(let name) = found.operand
        else { return false }
        return (try? catalogue.resolve(name)) != nil
    }

    /// Anchors at the ends, `.` with a quantifier at the ends, and nothing special between.
    static func isPlainRegex(_ pattern: [UInt8]) -> Bool {
        var index = 0
        while index < pattern.count {
            let byte = pattern[index]
            let isAnchor =
                (index == 0 && byte == UInt8(ascii: "^")) || (index == pattern.count - 1 && byte == UInt8(ascii: "$"))
            let isAtEnd = (index == 0 && pattern.count > 1) || index == pattern.count - 2
            if isAtEnd, byte == UInt8(ascii: "."), "+*?".utf8.contains(pattern[index + 1]) {
                index += 1
            } else if !isAnchor, ".+*?^$()[]{}|\\".utf8.contains(byte) {
                return false
            }
            index += 1
        }
        return true
    }
}
