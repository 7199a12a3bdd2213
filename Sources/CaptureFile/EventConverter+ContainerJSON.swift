// SPDX-License-Identifier: Apache-2.0
import EventModel

/// The oldest container event has four values (id, type, name, image); the later one a JSON text.
extension EventConverter {
    /// Writes `{"container":{"id":…,"image":…,"name":…,"type":…}}`, a line feed and the final NUL to `target`,
    /// or only counts where that is nil. The event is known to have four parameters.
    @discardableResult
    static func containerJSON(_ event: RawEvent, offsets: UnsafeMutablePointer<Int>, into target: UnsafeMutableRawPointer?) -> Int
    {
        var writer = JSONBytes(target: target)
        func parameter(_ index: Int) -> Bytes {
            Bytes(base: event.body.base + offsets[index], count: offsets[index + 1] - offsets[index])
        }
        writer.append("{\"container\":{\"id\":")
        writer.append(quoting: parameter(0).untilNul)
        writer.append(",\"image\":")
        writer.append(quoting: parameter(3).untilNul)
        writer.append(",\"name\":")
        writer.append(quoting: parameter(2).untilNul)
        writer.append(",\"type\":")
        writer.append(decimal: UInt64(bitPattern: parameter(1).signedInteger(signed: false) ?? 0))
        writer.append("}}\n")
        writer.append(0 as UInt8)
        return writer.count
    }
}

/// Writes JSON to memory that is known to suffice, or only counts.
private struct JSONBytes {
    let target: UnsafeMutableRawPointer?
    private(set) var count = 0

    init(target: UnsafeMutableRawPointer?) { self.target = target }

    mutating func append(_ byte: UInt8) {
        target?.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }
    mutating func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { append(text.utf8Start[index]) }
    }
    mutating func append(quoting bytes: Bytes) {
        append(UInt8(ascii: "\""))
        for index in 0..<bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0..<0x20:
                append("\\u00")
                append(Self.digit(byte >> 4))
                append(Self.digit(byte & 15))
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }
    mutating func append(decimal value: UInt64) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }
}
