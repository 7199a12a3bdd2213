// SPDX-License-Identifier: Apache-2.0

/// Falco's `*` matcher, for rule names and for the names of rules files.
///
/// Each literal piece is taken at its first occurrence and never elsewhere, so `*b` does not match `abcb`. Files that rely on
/// it exist, so it stays.
public enum WildcardMatcher {
    public static func matches(_ pattern: String, _ text: String) -> Bool {
        let text = Array(text.utf8)
        let pieces = Array(pattern.utf8).split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        guard pieces.count > 1 else { return Array(pattern.utf8) == text }
        guard text.starts(with: pieces[0]) else { return false }
        var place = pieces[0].count
        for piece in pieces.dropFirst() where !piece.isEmpty {
            guard let found = firstIndex(of: piece, in: text, from: place) else { return false }
            place = found + piece.count
        }
        return pieces.last!.isEmpty || place == text.count
    }

    private static func firstIndex(of piece: ArraySlice<UInt8>, in text: [UInt8], from start: Int) -> Int? {
        guard text.count - start >= piece.count else { return nil }
        return (start...text.count - piece.count).first { text[$0..<$0 + piece.count].elementsEqual(piece) }
    }
}

/// A rule's name as part of a metric's name: runs of other characters become one `_`.
public func metricName(ofRule name: String) -> String {
    var out = ""
    for scalar in name.unicodeScalars {
        let isWord = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == ":")
        if isWord {
            out.unicodeScalars.append(scalar)
        } else if !out.hasSuffix("_") {
            out += "_"
        }
    }
    while out.hasSuffix("_") { out.removeLast() }
    return out
}
