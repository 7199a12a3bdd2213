// SPDX-License-Identifier: Apache-2.0
import Fields

/// JSON without blanks, non-ASCII text as UTF-8, bytes that are none as U+FFFD.
enum JSONText {
    static func append(_ value: JSONValue, to output: inout [UInt8]) {
        switch value {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let flag): output.append(contentsOf: (flag ? "true" : "false").utf8)
        case .int(let number): output.append(contentsOf: String(number).utf8)
        case .uint(let number): output.append(contentsOf: String(number).utf8)
        case .double(let number): output.append(contentsOf: (number.isFinite ? number.description : "null").utf8)
        case .string(let text): appendQuoted(text, to: &output)
        case .list(let entries):
            output.append(UInt8(ascii: "["))
            for (index, entry) in entries.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                append(entry, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        }
    }

    static func appendQuoted(_ text: String, to output: inout [UInt8]) {
        var text = text
        output.append(UInt8(ascii: "\""))
        // A String is valid UTF-8 by itself.
        text.withUTF8 { for byte in $0 { appendEscaped(byte, to: &output) } }
        output.append(UInt8(ascii: "\""))
    }

    static func appendQuoted(_ bytes: [UInt8], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        appendEscaped(bytes, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    /// What stands between the quotes.
    static func appendEscaped(_ bytes: [UInt8], to output: inout [UInt8]) {
        output.reserveCapacity(output.count + bytes.count + 16)
        bytes.withUnsafeBufferPointer { bytes in
            UTF8Repair.forEachPiece(of: bytes) { piece in
                guard let piece else { return output.append(contentsOf: UTF8Repair.replacement) }
                for byte in piece { appendEscaped(byte, to: &output) }
            }
        }
    }

    @inline(__always)
    private static func appendEscaped(_ byte: UInt8, to output: inout [UInt8]) {
        if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { return output.append(byte) }
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
        case 8: output.append(UInt8(ascii: "b"))
        case 9: output.append(UInt8(ascii: "t"))
        case 10: output.append(UInt8(ascii: "n"))
        case 12: output.append(UInt8(ascii: "f"))
        case 13: output.append(UInt8(ascii: "r"))
        default:
            output.append(contentsOf: "u00".utf8)
            output.append(hexDigit(byte >> 4))
            output.append(hexDigit(byte & 15))
        }
    }

    private static func hexDigit(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
}
