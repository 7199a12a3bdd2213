// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// Text put together from pieces of the user's files (a folded scalar, an appended condition, a list's items), which still
/// knows for every byte where in which file it came from. This keeps a caret under the user's own text.
struct TracedText: Sendable {
    private(set) var bytes: [UInt8] = []
    private var runs: [Run] = []

    /// A scalar of a file is one piece: what lies between two of its bytes belongs to it too.
    private var piece = -1

    private struct Run {
        var start: Int
        var origin: Origin
        var piece: Int
    }
    private enum Origin {
        /// Ours: a blank or parenthesis put between pieces.
        case none
        /// Byte for byte as in the file, from `offset` on.
        case verbatim(SourceFile, offset: Int)
        /// Stands for this range as a whole (an escape, the name of a list).
        case whole(SourceFile, Range<Int>)
    }

    init() {}
    init(_ text: String) { append(text) }
    /// For a scalar that begins at `piece` in its file.
    init(piece: Int) { self.piece = piece }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var isEmpty: Bool { bytes.isEmpty }

    mutating func append(_ ours: String) {
        open(.none)
        bytes.append(contentsOf: ours.utf8)
    }

    mutating func append(_ byte: UInt8, from file: SourceFile, at offset: Int) {
        if case .verbatim(let last, let start)? = runs.last?.origin, last === file, runs.last!.piece == piece,
            start + bytes.count - runs.last!.start == offset
        {
            bytes.append(byte)
            return
        }
        open(.verbatim(file, offset: offset))
        bytes.append(byte)
    }

    mutating func append(_ piece: some Sequence<UInt8>, from file: SourceFile, standingFor range: Range<Int>) {
        open(.whole(file, range))
        bytes.append(contentsOf: piece)
    }

    mutating func append(_ other: TracedText) { append(other, 0..<other.bytes.count) }

    mutating func append(_ other: TracedText, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        var index = other.runIndex(at: range.lowerBound)
        var from = range.lowerBound
        while from < range.upperBound {
            let runEnd = index + 1 < other.runs.count ? other.runs[index + 1].start : other.bytes.count
            let to = min(runEnd, range.upperBound)
            switch other.runs[index].origin {
            case .verbatim(let file, let offset):
                open(.verbatim(file, offset: offset + from - other.runs[index].start), other.runs[index].piece)
            case let origin: open(origin, other.runs[index].piece)
            }
            bytes.append(contentsOf: other.bytes[from..<to])
            from = to
            index += 1
        }
    }

    /// Without blanks and line ends at both sides.
    func trimmed() -> TracedText {
        func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) }) else {
            return TracedText()
        }
        var result = TracedText()
        result.append(self, first..<last + 1)
        return result
    }

    /// The user's text behind `range`; nil where all of it is ours.
    ///
    /// A range that begins in one piece and ends in another (a condition and the list put into it) is cut where the first ends.
    func origin(of range: Range<Int>) -> (file: SourceFile, range: Range<Int>)? {
        guard !runs.isEmpty, let start = place(at: range.lowerBound) else { return nil }
        var last = max(range.lowerBound, range.upperBound - 1)
        // From the end backwards to the last byte that is of the first one's piece.
        while last > range.lowerBound {
            if let end = place(at: last), end.file === start.file, end.piece == start.piece,
                end.range.lowerBound >= start.range.lowerBound
            {
                return (start.file, start.range.lowerBound..<max(start.range.upperBound, end.range.upperBound))
            }
            last = runs[runIndex(at: min(last, bytes.count - 1))].start - 1
        }
        return (start.file, start.range)
    }

    private func place(at offset: Int) -> (file: SourceFile, range: Range<Int>, piece: Int)? {
        // Past the end: directly behind the last byte of the user's.
        let isPastEnd = offset >= bytes.count
        var offset = isPastEnd ? bytes.count - 1 : offset
        while offset >= 0 {
            let run = runs[runIndex(at: offset)]
            switch run.origin {
            case .verbatim(let file, let start):
                let place = start + offset - run.start + (isPastEnd ? 1 : 0)
                return (file, place..<place + 1, run.piece)
            case .whole(let file, let range):
                return (file, isPastEnd ? range.upperBound..<range.upperBound + 1 : range, run.piece)
            case .none: offset = run.start - 1
            }
        }
        // Only text of ours before it: take what follows.
        for run in runs {
            switch run.origin {
            case .verbatim(let file, let start): return (file, start..<start + 1, run.piece)
            case .whole(let file, let range): return (file, range, run.piece)
            case .none: continue
            }
        }
        return nil
    }

    private func runIndex(at offset: Int) -> Int {
        var low = 0
        var high = runs.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if runs[middle].start <= offset { low = middle } else { high = middle }
        }
        return low
    }

    private mutating func open(_ origin: Origin, _ piece: Int? = nil) {
        if let last = runs.last, last.start == bytes.count { runs.removeLast() }
        runs.append(Run(start: bytes.count, origin: origin, piece: piece ?? self.piece))
    }
}
