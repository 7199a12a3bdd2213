// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// `# falco-lint: allow shadowed-rule, costly-event`: the author knows, and does not want to be told.
///
/// The comment belongs to the item it stands in, or to the one that follows it directly; `allow-file` to the whole file.
struct Allowances {
    struct Comment {
        let name: String
        /// Lines of the item; all of the file's for `allow-file`.
        let lines: ClosedRange<Int>
        let file: SourceFile
        /// Bytes of the name in the comment.
        let range: Range<Int>
        var isUsed = false
    }
    private(set) var comments: [Comment] = []
    private static let marker = Array("# falco-lint:".utf8)

    init(_ files: [SourceFile]) {
        for file in files where TextPattern.contains(file.bytes, Self.marker) { read(file) }
    }

    private mutating func read(_ file: SourceFile) {
        let starts = Self.itemStarts(file)
        for line in 1...max(1, file.lineCount) {
            let range = file.lineRange(line)
            let bytes = Array(file.bytes[range])
            guard let at = bytes.indices.first(where: { bytes[$0...].starts(with: Self.marker) }) else { continue }
            var words: [(text: String, range: Range<Int>)] = []
            var place = at + Self.marker.count
            while place < bytes.count {
                let start = place
                while place < bytes.count, ![32, 9, 44].contains(bytes[place]) { place += 1 }
                if place > start {
                    words.append(
                        (
                            String(decoding: bytes[start..<place], as: UTF8.self),
                            range.lowerBound + start..<range.lowerBound + place
                        ))
                }
                place += 1
            }
            guard let verb = words.first, verb.text == "allow" || verb.text == "allow-file" else { continue }
            let lines: ClosedRange<Int>
            if verb.text == "allow-file" {
                lines = 1...max(1, file.lineCount)
            } else {
                let first = starts.last { $0 <= line } ?? 1
                let next = starts.first { $0 > line } ?? file.lineCount + 1
                lines = first...max(first, next - 1)
            }
            for word in words.dropFirst() {
                comments.append(Comment(name: word.text, lines: lines, file: file, range: word.range))
            }
        }
    }

    /// First lines of the items: of the comments directly above each. In YAML items begin with the first column of dashes;
    /// in the one-line format each line is one.
    private static func itemStarts(_ file: SourceFile) -> [Int] {
        func content(_ line: Int) -> (column: Int, first: UInt8, second: UInt8)? {
            let range = file.lineRange(line)
            guard let at = range.first(where: { file.bytes[$0] != 32 && file.bytes[$0] != 9 }) else { return nil }
            return (at - range.lowerBound, file.bytes[at], at + 1 < range.upperBound ? file.bytes[at + 1] : 32)
        }
        let dash = UInt8(ascii: "-")
        let hash = UInt8(ascii: "#")
        let isYAML = file.name.hasSuffix(".yaml") || file.name.hasSuffix(".yml")
        var column: Int?
        var starts: [Int] = []
        var comment: Int?
        for line in 1...max(1, file.lineCount) {
            guard let found = content(line) else {
                comment = nil
                continue
            }
            if found.first == hash {
                comment = comment ?? line
                continue
            }
            let isStart = isYAML ? found.first == dash && found.second == 32 && found.column <= column ?? found.column : true
            if isStart {
                column = found.column
                starts.append(comment ?? line)
            }
            comment = nil
        }
        return starts
    }

    /// Whether one of the places is in an item that allows the finding.
    mutating func allows(_ name: LintName, at sites: [(file: SourceFile, offset: Int)]) -> Bool {
        guard !comments.isEmpty else { return false }
        var isAllowed = false
        for site in sites {
            let line = site.file.position(at: site.offset).line
            for index in comments.indices
            where comments[index].name == name.rawValue && comments[index].file === site.file
                && comments[index].lines.contains(line)
            {
                comments[index].isUsed = true
                isAllowed = true
            }
        }
        return isAllowed
    }
}
