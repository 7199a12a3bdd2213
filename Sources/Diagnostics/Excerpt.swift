// SPDX-License-Identifier: Apache-2.0

/// A piece of the user's own text, for underlining. Copied out of the file, so a diagnostic outlives it.
public struct Excerpt: Sendable, Equatable {
    public struct Line: Sendable, Equatable {
        /// From 1.
        public let number: Int
        /// The line, or of a very long one what is near.
        public let bytes: [UInt8]
        /// What of `bytes` to underline. Empty at the end of a line: there something is missing.
        public let marked: Range<Int>
        public let isCutBefore: Bool
        public let isCutAfter: Bool
    }

    public let file: String
    /// From 1.
    public let line: Int
    /// From 1, in bytes.
    public let column: Int
    /// The lines that hold the text, in order; at least one.
    public let lines: [Line]
    /// The text goes on behind the last of `lines`.
    public let hasMoreLines: Bool

    /// Bytes kept to each side of the text at fault.
    private static let reach = 400

    /// The lines of `file` that hold `range`, at most `linesMax` of them.
    public init(_ file: SourceFile, _ range: Range<Int>, linesMax: Int = 1) {
        let start = file.position(at: range.lowerBound)
        let end = file.position(at: max(range.lowerBound, range.upperBound - 1))
        let last = min(end.line, start.line + max(1, linesMax) - 1)
        self.file = file.name
        (line, column) = (start.line, start.column)
        hasMoreLines = linesMax > 1 && end.line > last
        lines = (start.line...last).map { number in
            let whole = file.lineRange(number)
            var marked = range.clamped(to: whole)
            if number > start.line {
                // Indentation is not the text.
                var from = marked.lowerBound
                while from < marked.upperBound, [32, 9].contains(file.bytes[from]) { from += 1 }
                marked = from..<marked.upperBound
            }
            if range.lowerBound > whole.upperBound, number == start.line { marked = whole.upperBound..<whole.upperBound }
            let from = max(whole.lowerBound, Self.boundary(file.bytes, marked.lowerBound - Self.reach))
            let to = min(
                whole.upperBound, Self.boundary(file.bytes, min(marked.upperBound, marked.lowerBound + Self.reach) + Self.reach))
            let kept = from..<max(from, to)
            marked = marked.clamped(to: kept)
            return Line(
                number: number, bytes: Array(file.bytes[kept]),
                marked: marked.lowerBound - from..<marked.upperBound - from, isCutBefore: from > whole.lowerBound,
                isCutAfter: kept.upperBound < whole.upperBound)
        }
    }

    /// The start of the character that holds `offset`.
    private static func boundary(_ bytes: [UInt8], _ offset: Int) -> Int {
        var offset = max(0, min(offset, bytes.count))
        var steps = 0
        while offset > 0, offset < bytes.count, bytes[offset] & 0xc0 == 0x80, steps < 3 {
            (offset, steps) = (offset - 1, steps + 1)
        }
        return offset
    }
}
