// SPDX-License-Identifier: Apache-2.0
import EventModel

/// A value as JSON keeps it.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case list([JSONValue])
}

/// Most bytes that a list or a buffer takes in a line; the rest is cut.
private let composedBytesMax = 1023

/// Appends the text of a value; nothing for no value. A list's entries are read from `scratch`, which is left as it was.
public func renderValue(
    _ value: FieldValue, type: ParameterType, isList: Bool = false, format: PrintFormat, scratch: inout ExtractionScratch,
    into output: inout [UInt8]
) {
    let mark = scratch.mark
    scratch.begin()
    if case .list(let start, let count) = value {
        // Several candidates of a field that is no list (all ancestors) stand side by side.
        if isList { scratch.append(UInt8(ascii: "(")) }
        for offset in 0..<count {
            if scratch.openCount > (isList ? 1 : 0) { scratch.append(isList ? UInt8(ascii: ",") : UInt8(ascii: " ")) }
            appendScalar(scratch.list[start + offset], type, format, &scratch)
        }
        if isList {
            scratch.append(UInt8(ascii: ")"))
            if scratch.openCount > composedBytesMax { scratch.truncateOpen(to: composedBytesMax) }
        }
    } else {
        appendScalar(value, type, format, &scratch)
    }
    let text = scratch.finish()
    output.append(contentsOf: UnsafeBufferPointer(start: text.base, count: text.count))
    scratch.rewind(to: mark)
}

private func appendScalar(_ value: FieldValue, _ type: ParameterType, _ format: PrintFormat, _ scratch: inout ExtractionScratch) {
    switch value {
    case .none, .list: break
    case .bool(let flag): scratch.append(flag ? "true" : "false")
    case .int(let number): appendNumber(UInt64(bitPattern: number), isSigned: true, type, format, &scratch)
    case .uint(let number): appendNumber(number, isSigned: false, type, format, &scratch)
    case .double(let number): appendTenths(number, &scratch)
    case .bytes(let bytes):
        switch type {
        case .bytebuf where scratch.showsBuffersAsBase64: scratch.append(buffer: bytes)
        case .bytebuf: scratch.append(buffer: bytes.prefix(composedBytesMax))
        default: scratch.append(bytes.untilNul)
        }
    case .ipv4(let address): scratch.append(ipv4: address)
    case .ipv6(let address): scratch.append(ipv6: address)
    }
}

private func appendNumber(
    _ bits: UInt64, isSigned: Bool, _ type: ParameterType, _ format: PrintFormat, _ scratch: inout ExtractionScratch
) {
    switch format {
    case .hex, .oct:
        // A negative number shows the bits of its own width.
        let width = (type.fixedBytes ?? 8) * 8
        let own = width < 64 ? bits & (1 << UInt64(width) - 1) : bits
        scratch.append(unsigned: own, radix: format == .hex ? 16 : 8)
    case .paddedDec:
        if isSigned {
            scratch.append(signed: Int64(bitPattern: bits), minimumWidth: 9)
        } else {
            scratch.append(unsigned: bits, minimumDigits: 9)
        }
    case .na, .dec, .id, .dir:
        if isSigned { scratch.append(signed: Int64(bitPattern: bits)) } else { scratch.append(unsigned: bits) }
    }
}

/// One digit behind the point, as C's `%.1f` rounds it (halves to even on the exact binary value).
private func appendTenths(_ value: Double, _ scratch: inout ExtractionScratch) {
    guard value.isFinite else {
        return scratch.append(value.isNaN ? "nan" : value < 0 ? "-inf" : "inf")
    }
    if value.sign == .minus { scratch.append(UInt8(ascii: "-")) }
    let magnitude = value.magnitude
    guard magnitude < 1e15 else {
        // No field reaches this; whole numbers from here on.
        scratch.append(unsigned: magnitude < 1.8e19 ? UInt64(magnitude) : UInt64.max)
        return scratch.append(".0")
    }
    let whole = UInt64(magnitude)
    let rest = magnitude - Double(whole)
    // `rest * 10` and what rounding that product lost decide on which side of the half the exact value lies.
    let product = rest * 10
    let lost = (-product).addingProduct(rest, 10)
    var tenths = UInt64(product)
    let over = product - Double(tenths)
    if over > 0.5 || (over == 0.5 && (lost > 0 || (lost == 0 && tenths & 1 == 1))) { tenths += 1 }
    scratch.append(unsigned: tenths == 10 ? whole + 1 : whole)
    scratch.append(UInt8(ascii: "."))
    scratch.append(unsigned: tenths == 10 ? 0 : tenths)
}

/// A value with its type kept: numbers and truth values as such, all that is shown in another way as text.
public func jsonValue(
    _ value: FieldValue, type: ParameterType, isList: Bool = false, format: PrintFormat, scratch: inout ExtractionScratch
) -> JSONValue {
    switch value {
    case .none: return .null
    case .bool(let flag): return .bool(flag)
    case .double(let number):
        return format == .dec ? .int(Int64(exactly: number.rounded(.towardZero)) ?? 0) : .double(number)
    case .int(let number) where format != .hex && format != .oct: return .int(number)
    case .uint(let number) where format != .hex && format != .oct: return .uint(number)
    case .list(let start, let count) where isList:
        var entries: [JSONValue] = []
        entries.reserveCapacity(count)
        for offset in 0..<count {
            entries.append(jsonValue(scratch.list[start + offset], type: type, format: format, scratch: &scratch))
        }
        return .list(entries)
    default:
        var text: [UInt8] = []
        renderValue(value, type: type, isList: isList, format: format, scratch: &scratch, into: &text)
        return .string(String(decoding: text, as: UTF8.self))
    }
}
