// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// The lists of all files, ready to be put into conditions.
///
/// Substitution is textual, in the order of the lists: what a list brings in may name a later list, which is replaced too, but
/// not an earlier one.
struct ListTable: Sendable {
    struct Entry: Sendable {
        let order: Int
        let items: [TracedText]
        /// `a, "b c"` with later lists put in; nil when that is more than we accept.
        let text: TracedText?
        /// Later lists that its items name.
        let uses: Set<String>
    }
    struct TooLarge: Error {}

    /// Bytes that one text may grow to by its lists, and all lists together: what stops lists of lists of lists.
    static let expandedBytesMax = 2 << 20
    private static let allBytesMax = 64 << 20

    private var entries: [String: Entry] = [:]

    init() {}

    init(_ lists: some Sequence<(String, [TracedText])>) {
        var bytesLeft = Self.allBytesMax
        // From the last to the first, so that everything a list may bring in is ready before it: no recursion.
        for (order, (name, items)) in Array(lists.enumerated()).reversed() {
            var text = TracedText()
            for (index, item) in items.enumerated() {
                if index > 0 { text.append(", ") }
                text.append(ConditionText.quoted(item))
            }
            var uses: Set<String> = []
            let expanded = bytesLeft > 0 ? try? expand(text, used: &uses) : nil
            bytesLeft -= expanded?.bytes.count ?? 0
            entries[name] = Entry(order: order, items: items, text: expanded, uses: uses)
        }
    }

    subscript(name: String) -> Entry? { entries[name] }

    /// `names` and all lists that they bring in.
    func closure(of names: Set<String>) -> Set<String> {
        var closed = names
        var open = Array(names)
        while let name = open.popLast() {
            for other in entries[name]?.uses ?? [] where closed.insert(other).inserted { open.append(other) }
        }
        return closed
    }

    /// Replaces each word that is the name of a list by the list's items. Purely textual, so also within quotes, as today.
    /// While the table is being made, it holds just the later lists.
    func expand(_ text: TracedText, used: inout Set<String>) throws(TooLarge) -> TracedText {
        guard !entries.isEmpty else { return text }
        let bytes = text.bytes
        var out = TracedText()
        var place = 0
        var copied = 0
        while place < bytes.count {
            guard !Self.isDelimiter(bytes[place]) else {
                place += 1
                continue
            }
            let start = place
            while place < bytes.count, !Self.isDelimiter(bytes[place]) { place += 1 }
            let word = String(decoding: bytes[start..<place], as: UTF8.self)
            guard let list = entries[word] else { continue }
            used.insert(word)
            var from = start
            if list.items.isEmpty { (from, place) = Self.withComma(bytes, start..<place, from: copied) }
            out.append(text, copied..<from)
            copied = place
            guard let expanded = list.text, out.bytes.count + expanded.bytes.count <= Self.expandedBytesMax else {
                throw TooLarge()
            }
            out.append(expanded)
        }
        out.append(text, copied..<bytes.count)
        guard out.bytes.count <= Self.expandedBytesMax else { throw TooLarge() }
        return out
    }

    /// Where nothing is put in, one comma beside it has to go.
    private static func withComma(_ bytes: [UInt8], _ word: Range<Int>, from first: Int) -> (Int, Int) {
        var left = word.lowerBound
        while left > first, isBlank(bytes[left - 1]) { left -= 1 }
        if left > first, bytes[left - 1] == UInt8(ascii: ",") { return (left - 1, word.upperBound) }
        var right = word.upperBound
        while right < bytes.count, isBlank(bytes[right]) { right += 1 }
        if right < bytes.count, bytes[right] == UInt8(ascii: ",") { return (word.lowerBound, right + 1) }
        return (word.lowerBound, word.upperBound)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 10 || byte == 13 }
    private static func isDelimiter(_ byte: UInt8) -> Bool {
        isBlank(byte) || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")") || byte == UInt8(ascii: ",")
            || byte == UInt8(ascii: "=")
    }
}
