// SPDX-License-Identifier: Apache-2.0
import EventModel

@testable import Fields

/// A value as a plain output writes it; `<NA>` for none. Tests read it; outputs have their own, complete renderer.
func text(_ value: FieldValue, _ definition: FieldDefinition, _ scratch: borrowing ExtractionScratch) -> [UInt8] {
    func number(_ value: Int64, _ unsigned: UInt64) -> [UInt8] {
        switch definition.format {
        case .hex: return Array(String(unsigned, radix: 16, uppercase: true).utf8)
        case .oct: return Array(String(unsigned, radix: 8).utf8)
        case .paddedDec:
            let digits = String(unsigned)
            return Array((String(repeating: "0", count: max(0, 9 - digits.count)) + digits).utf8)
        default: return Array(String(value).utf8)
        }
    }
    switch value {
    case .none: return Array("<NA>".utf8)
    case .int(let value): return number(value, UInt64(bitPattern: value))
    case .uint(let value):
        return definition.format == .dec || definition.format == .id || definition.format == .na
            ? Array(String(value).utf8) : number(Int64(bitPattern: value), value)
    case .bool(let value): return Array((value ? "true" : "false").utf8)
    case .double(let value): return Array("\((value * 10).rounded() / 10)".utf8)
    case .bytes(let bytes):
        if definition.type == .bytebuf { return bytes.array.map { $0 >= 0x20 && $0 < 0x7f ? $0 : UInt8(ascii: ".") } }
        return bytes.array
    case .ipv4(let address):
        return Array((0..<4).map { String(address >> UInt32(8 * $0) & 0xff) }.joined(separator: ".").utf8)
    case .ipv6(let address):
        var scratch = ExtractionScratch()
        scratch.begin()
        scratch.append(ipv6: address)
        return scratch.finish().array
    case .list(let start, let count):
        var result = Array("(".utf8)
        for index in start..<(start + count) {
            if index > start { result.append(UInt8(ascii: ",")) }
            result += text(scratch.list[index], definition, scratch)
        }
        return result + [UInt8(ascii: ")")]
    }
}
