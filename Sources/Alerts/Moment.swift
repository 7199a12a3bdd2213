// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Epoch nanoseconds as text.
enum Moment {
    /// `13:53:31.726060287` by the local clock.
    static func appendLocalTime(_ timestampNs: UInt64, to output: inout [UInt8]) {
        var seconds = time_t(timestampNs / 1_000_000_000)
        var fields = tm()
        if localtime_r(&seconds, &fields) == nil { gmtime_r(&seconds, &fields) }
        appendTime(fields, timestampNs, to: &output)
    }

    /// `2026-05-26T11:53:31.726060287` and `zone`.
    static func appendUTC(_ timestampNs: UInt64, zone: StaticString, to output: inout [UInt8]) {
        var seconds = time_t(timestampNs / 1_000_000_000)
        var fields = tm()
        gmtime_r(&seconds, &fields)
        appendDigits(UInt64(fields.tm_year + 1900), 4, to: &output)
        output.append(UInt8(ascii: "-"))
        appendDigits(UInt64(fields.tm_mon + 1), 2, to: &output)
        output.append(UInt8(ascii: "-"))
        appendDigits(UInt64(fields.tm_mday), 2, to: &output)
        output.append(UInt8(ascii: "T"))
        appendTime(fields, timestampNs, to: &output)
        output.append(contentsOf: UnsafeBufferPointer(start: zone.utf8Start, count: zone.utf8CodeUnitCount))
    }

    private static func appendTime(_ fields: tm, _ timestampNs: UInt64, to output: inout [UInt8]) {
        appendDigits(UInt64(fields.tm_hour), 2, to: &output)
        output.append(UInt8(ascii: ":"))
        appendDigits(UInt64(fields.tm_min), 2, to: &output)
        output.append(UInt8(ascii: ":"))
        appendDigits(UInt64(fields.tm_sec), 2, to: &output)
        output.append(UInt8(ascii: "."))
        appendDigits(timestampNs % 1_000_000_000, 9, to: &output)
    }

    /// Zeros before a shorter number.
    private static func appendDigits(_ value: UInt64, _ count: Int, to output: inout [UInt8]) {
        let start = output.count
        output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: count))
        var rest = value
        for index in stride(from: start + count - 1, through: start, by: -1) {
            output[index] += UInt8(rest % 10)
            rest /= 10
        }
    }
}
