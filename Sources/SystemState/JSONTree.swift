// SPDX-License-Identifier: Apache-2.0
import EventModel

/// JSON in events: what a container runtime told, kept by whoever recorded the capture. Rare, so it may allocate; untrusted, so it
/// is bounded: nesting ends at 16 levels, a text has at most 65 536 values, and what is not JSON is nil as a whole.
indirect enum JSONTree {
    case null
    case bool(Bool)
    /// Whole part of a number; what does not fit is 0.
    case number(Int64)
    case text(String)
    case list([JSONTree])
    case object([(key: String, value: JSONTree)])

    init?(_ bytes: Bytes) {
        var reader = JSONTreeReader(bytes: bytes)
        guard let tree = reader.value(depth: 0), reader.isAtEnd else { return nil }
        self = tree
    }

    /// A member of an object; the last of a name counts.
    subscript(key: String) -> JSONTree? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var number: Int64? { if case .number(let value) = self { value } else { nil } }
    var list: [JSONTree] { if case .list(let items) = self { items } else { [] } }
    var members: [(key: String, value: JSONTree)] { if case .object(let members) = self { members } else { [] } }
}

private struct JSONTreeReader {
    let bytes: Bytes
    var at = 0
    static let depthMax = 16
    /// A value of two bytes takes fifty in memory.
    private var valuesLeft = 65_536

    init(bytes: Bytes) { self.bytes = bytes }

    private mutating func skipBlanks() {
        while at < bytes.count, bytes[at] == 32 || (bytes[at] >= 9 && bytes[at] <= 13) { at += 1 }
    }
    private mutating func take(_ byte: UInt8) -> Bool {
        skipBlanks()
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }
    private mutating func take(word: StaticString) -> Bool {
        guard bytes.from(at).hasPrefix(word) else { return false }
        at += word.utf8CodeUnitCount
        return true
    }
    var isAtEnd: Bool {
        mutating get {
            skipBlanks()
            return at == bytes.count
        }
    }

    mutating func value(depth: Int) -> JSONTree? {
        skipBlanks()
        guard depth < Self.depthMax, at < bytes.count, valuesLeft > 0 else { return nil }
        valuesLeft -= 1
        switch bytes[at] {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return list(depth: depth)
        case UInt8(ascii: "\""): return text().map { .text($0) }
        case UInt8(ascii: "t"): return take(word: "true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return take(word: "false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return take(word: "null") ? .null : nil
        default: return number()
        }
    }

    private mutating func object(depth: Int) -> JSONTree? {
        at += 1
        var members: [(key: String, value: JSONTree)] = []
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipBlanks()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\""), let key = text(), take(UInt8(ascii: ":")),
                let value = value(depth: depth + 1)
            else { return nil }
            members.append((key, value))
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}")) ? .object(members) : nil
    }

    private mutating func list(depth: Int) -> JSONTree? {
        at += 1
        var items: [JSONTree] = []
        if take(UInt8(ascii: "]")) { return .list(items) }
        repeat {
            guard let item = value(depth: depth + 1) else { return nil }
            items.append(item)
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]")) ? .list(items) : nil
    }

    private mutating func number() -> JSONTree? {
        let start = at
        while at < bytes.count, isNumberByte(bytes[at]) { at += 1 }
        guard at > start else { return nil }
        let whole = bytes[start..<at].string.prefix { $0 != "." && $0 != "e" && $0 != "E" }
        return .number(Int64(whole) ?? 0)
    }
    private func isNumberByte(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
            || byte | 0x20 == UInt8(ascii: "e")
    }

    private mutating func text() -> String? {
        at += 1
        var decoded: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: decoded, as: UTF8.self)
            case UInt8(ascii: "\\"): guard escape(into: &decoded) else { return nil }
            default: decoded.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(into decoded: inout [UInt8]) -> Bool {
        guard at < bytes.count else { return false }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "n"): decoded.append(10)
        case UInt8(ascii: "t"): decoded.append(9)
        case UInt8(ascii: "r"): decoded.append(13)
        case UInt8(ascii: "b"): decoded.append(8)
        case UInt8(ascii: "f"): decoded.append(12)
        case UInt8(ascii: "u"):
            guard let unit = hexUnit() else { return false }
            var scalar = UInt32(unit)
            if unit & 0xfc00 == 0xd800, bytes.from(at).hasPrefix("\\u") {
                at += 2
                guard let low = hexUnit() else { return false }
                scalar = 0x10000 + (UInt32(unit & 0x3ff) << 10) + UInt32(low & 0x3ff)
            }
            decoded.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{fffd}").utf8)
        default: decoded.append(byte)
        }
        return true
    }

    private mutating func hexUnit() -> UInt16? {
        guard bytes.count - at >= 4, let unit = UInt16(bytes[at..<(at + 4)].string, radix: 16) else { return nil }
        at += 4
        return unit
    }
}
