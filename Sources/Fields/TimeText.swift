// SPDX-License-Identifier: Apache-2.0
import EventModel
import Glibc

/// Offset of local time, remembered for the quarter of an hour it was asked for: zones change at those only.
struct LocalTimeCache {
    private var quarter = Int64.min
    private var offsetSeconds: Int64 = 0

    mutating func offset(at epochSeconds: Int64) -> Int64 {
        let asked = epochSeconds / 900
        if asked != quarter {
            var moment = time_t(epochSeconds)
            var fields = tm()
            offsetSeconds = localtime_r(&moment, &fields) == nil ? 0 : Int64(fields.tm_gmtoff)
            quarter = asked
        }
        return offsetSeconds
    }
}

/// How a moment is written.
enum TimeStyle {
    case timeOfDay, dateAndTime, iso8601
}

extension ExtractionScratch {
    /// Appends epoch nanoseconds: local `HH:MM:SS`, local `YYYY-MM-DD HH:MM:SS`, or UTC `YYYY-MM-DDTHH:MM:SS…+0000`.
    mutating func append(time nanoseconds: UInt64, _ style: TimeStyle, withNanoseconds: Bool) {
        let epoch = Int64(nanoseconds / 1_000_000_000)
        let seconds = style == .iso8601 ? epoch : epoch + localTime.offset(at: epoch)
        let secondOfDay = ((seconds % 86400) + 86400) % 86400
        if style != .timeOfDay {
            append(date: (seconds - secondOfDay) / 86400)
            append(style == .iso8601 ? UInt8(ascii: "T") : UInt8(ascii: " "))
        }
        append(unsigned: UInt64(secondOfDay / 3600), minimumDigits: 2)
        append(UInt8(ascii: ":"))
        append(unsigned: UInt64(secondOfDay / 60 % 60), minimumDigits: 2)
        append(UInt8(ascii: ":"))
        append(unsigned: UInt64(secondOfDay % 60), minimumDigits: 2)
        if withNanoseconds {
            append(UInt8(ascii: "."))
            append(unsigned: nanoseconds % 1_000_000_000, minimumDigits: 9)
        }
        if style == .iso8601 { append("+0000") }
    }

    /// `YYYY-MM-DD` of a day counted from 1970-01-01, in the Gregorian calendar.
    private mutating func append(date day: Int64) {
        // Years are taken to begin in March, so the leap day is the last of its year; an era is 400 years, 146097 days.
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        append(signed: year, minimumWidth: 4)
        append(UInt8(ascii: "-"))
        append(unsigned: UInt64(month), minimumDigits: 2)
        append(UInt8(ascii: "-"))
        append(unsigned: UInt64(dayOfYear - (153 * marchMonth + 2) / 5 + 1), minimumDigits: 2)
    }
}
