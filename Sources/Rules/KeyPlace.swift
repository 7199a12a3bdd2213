// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// Falco's place for a mistake in an item is the item's beginning. Where its sentence is about one key, the underline belongs there.
enum KeyPlace {
    /// Sentence, and the key it is about: a name, or which `*` of the sentence holds it.
    private static let rows: [(sentence: String, key: String)] = [
        ("Unexpected key '*': no corresponding entry under 'override' is defined.", "1"),
        ("An * override for '*' was specified but '*' is not defined", "2"), ("Mapping for key '*' is empty", "1"),
        ("Keys 'override' and 'append: true' cannot be used together*", "append"), ("'append' key is deprecated*", "append"),
        ("The standalone 'enabled' key usage is deprecated*", "enabled"), ("Unknown source *, skipping", "source"),
        ("Rule has been re-defined with a different source", "source"),
        ("Fields and comps lists must have equal length", "comps"),
        ("Fields and comps must both be strings", "comps"), ("When fields is a single value, comps must be one of*", "comps"),
        ("Fields and values lists must have equal length", "values"),
    ]

    /// The line `key: value` of the item at `location`, without what follows it; nil when the sentence is about the item as a whole,
    /// or the item is not written one key a line.
    static func range(_ message: String, _ location: ContextLocation, in file: SourceFile) -> Range<Int>? {
        for row in rows {
            guard let parts = Advice.match(message, row.sentence) else { continue }
            return line(of: Int(row.key).map { parts[$0 - 1] } ?? row.key, location, in: file)
        }
        return nil
    }

    private static func line(of key: String, _ location: ContextLocation, in file: SourceFile) -> Range<Int>? {
        let wanted = Array(key.utf8) + [UInt8(ascii: ":")]
        // From the item's first key on, as long as lines are indented as far.
        var number = location.line + 1
        while number <= file.lineCount {
            let line = file.lineRange(number)
            let isFirst = number == location.line + 1
            number += 1
            var start = isFirst ? line.lowerBound + location.column : line.lowerBound
            while start < line.upperBound, file.bytes[start] == 32 { start += 1 }
            if start >= line.upperBound || file.bytes[start] == UInt8(ascii: "#") { continue }
            if start - line.lowerBound < location.column { return nil }
            guard file.bytes[start..<line.upperBound].starts(with: wanted) else { continue }
            var end = line.upperBound
            while end > start, file.bytes[end - 1] == 32 || file.bytes[end - 1] == 9 { end -= 1 }
            return start..<end
        }
        return nil
    }
}
