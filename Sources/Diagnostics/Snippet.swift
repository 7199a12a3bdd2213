// SPDX-License-Identifier: Apache-2.0

/// Falco's snippet: the line around an offset and a caret under it, at most 80 bytes to each side.
public enum Snippet {
    public static let none = "<No context available>\n"
    private static let reach = 80

    public static func make(_ bytes: [UInt8], at offset: Int) -> String {
        guard !bytes.isEmpty else { return none }
        func isLineEnd(_ index: Int) -> Bool { bytes[index] == UInt8(ascii: "\n") }
        var place = min(max(0, offset), bytes.count - 1)
        // A place on a line's end shows that line, not an empty one.
        let caret = min(max(0, offset), bytes.count)
        if isLineEnd(place), place > 0, !isLineEnd(place - 1) { place -= 1 }
        var from = place
        while from > 0, !isLineEnd(from - 1), place - from < reach { from -= 1 }
        var to = place
        while to + 1 < bytes.count, !isLineEnd(to), !isLineEnd(to + 1), to - place < reach { to += 1 }
        var line = isLineEnd(place) ? [] : Array(bytes[from...to])
        if place - from >= reach, line.count >= 3 { line.replaceSubrange(0..<3, with: "...".utf8) }
        if to - place >= reach, line.count >= 3 { line.replaceSubrange(line.count - 3..<line.count, with: "...".utf8) }
        let text = String(decoding: line.filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        return text + "\n" + String(repeating: " ", count: max(0, caret - from)) + "^\n"
    }
}
