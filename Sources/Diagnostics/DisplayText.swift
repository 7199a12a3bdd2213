// SPDX-License-Identifier: Apache-2.0

/// A user's bytes as a terminal may show them, cell by cell, so that what stands under a cell can be aligned with it.
///
/// Nothing of the text reaches the terminal raw that could move the cursor or hide something: control characters become their
/// pictures (`␛`), invisible and bidirectional ones their number (`<U+200B>`), bytes that are no UTF-8 become `�`, and a tab
/// becomes blanks.
struct DisplayText {
    struct Cell {
        let text: String
        /// On a terminal: 0 for a combining mark, 2 for a wide character, more for a number in brackets.
        let columns: Int
        /// Offset of its first byte.
        let offset: Int
    }
    static let tabColumns = 4

    let cells: [Cell]
    let byteCount: Int

    init(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        var cells: [Cell] = []
        cells.reserveCapacity(bytes.count)
        var place = 0
        while place < bytes.count {
            let (scalar, length) = Self.scalar(bytes, at: place)
            let text = Self.text(of: scalar)
            cells.append(Cell(text: text.text, columns: text.columns, offset: place))
            place += length
        }
        self.cells = cells
        byteCount = bytes.count
    }

    /// The cells that stand for the bytes in `range`; at least the next one, or none behind the last.
    func cells(of range: Range<Int>) -> Range<Int> {
        func index(at offset: Int, _ isEnd: Bool) -> Int {
            var (low, high) = (0, cells.count)
            while low < high {
                let middle = (low + high) / 2
                if cells[middle].offset < offset { low = middle + 1 } else { high = middle }
            }
            // Within a character: that one is in.
            let isWithin = low > 0 && !(low < cells.count && cells[low].offset == offset) && offset < byteCount
            return isWithin && !isEnd ? low - 1 : low
        }
        let start = index(at: range.lowerBound, false)
        return start..<max(start, index(at: range.upperBound, true))
    }

    func columns(_ range: Range<Int>) -> Int { cells[range].reduce(0) { $0 + $1.columns } }
    func text(_ range: Range<Int>) -> String { cells[range].map(\.text).joined() }

    /// A message that quotes the user's text, made fit for a terminal. Line ends stay.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 32 || $0.value >= 127 }) else { return text }
        return text.unicodeScalars.map { $0 == "\n" ? "\n" : $0 == "\t" ? "    " : Self.text(of: $0).text }.joined()
    }

    // MARK: one character

    /// The character at `place` and its length; what is no UTF-8 is U+FFFD, byte by byte.
    private static func scalar(_ bytes: [UInt8], at place: Int) -> (Unicode.Scalar, Int) {
        let first = bytes[place]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
        let end = min(bytes.count, place + length)
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes[place..<end].makeIterator()
        if case .valid(let encoded) = parser.parseScalar(from: &iterator) {
            return (Unicode.UTF8.decode(encoded), encoded.count)
        }
        return ("\u{fffd}", 1)
    }

    private static func text(of scalar: Unicode.Scalar) -> (text: String, columns: Int) {
        switch scalar.value {
        case 9: return (String(repeating: " ", count: tabColumns), tabColumns)
        case 0..<32: return (String(Unicode.Scalar(0x2400 + scalar.value)!), 1)
        case 32..<127: return (String(scalar), 1)
        case 127: return ("\u{2421}", 1)
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse, .unassigned:
            let number = String(scalar.value, radix: 16, uppercase: true)
            let text = "<U+" + String(repeating: "0", count: max(0, 4 - number.count)) + number + ">"
            return (text, text.count)
        case .nonspacingMark, .enclosingMark: return (String(scalar), 0)
        default: return (String(scalar), isWide(scalar) ? 2 : 1)
        }
    }

    /// Emoji, and the scripts of East Asia.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x1100 else { return false }
        if scalar.properties.isEmojiPresentation { return true }
        return wideRanges.contains { $0.contains(scalar.value) }
    }

    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xa000...0xa4cf, 0xa960...0xa97f,
        0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18cff,
        0x1aff0...0x1b2ff, 0x1f200...0x1f2ff, 0x20000...0x3fffd,
    ]
}
