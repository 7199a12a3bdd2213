// SPDX-License-Identifier: Apache-2.0

/// "Did you mean" by edit distance.
public enum Suggestion {
    /// The known word nearest to `word`, if it is near enough to be a slip of the keyboard.
    public static func nearest(to word: String, among known: some Sequence<String>) -> String? {
        if let whole = beginning(word, among: known) { return whole }
        let target = Array(word.utf8)
        guard !target.isEmpty, target.count <= 128 else { return nil }
        let allowed = target.count <= 3 ? 1 : target.count <= 8 ? 2 : 3
        var best: (word: String, distance: Int)?
        for candidate in known {
            let letters = Array(candidate.utf8)
            guard abs(letters.count - target.count) <= allowed else { continue }
            let distance = Self.distance(target, letters)
            // Of equals the one that sorts first, so that the answer does not depend on a set's order.
            if distance <= allowed, best.map({ (distance, candidate) < ($0.distance, $0.word) }) ?? true {
                best = (candidate, distance)
            }
        }
        return best?.word
    }

    /// `warn` is the beginning of `warning`: the shortest word that goes on where this one ends.
    private static func beginning(_ word: String, among known: some Sequence<String>) -> String? {
        guard word.utf8.count >= 4, !word.hasSuffix(".") else { return nil }
        return known.lazy.filter { $0.hasPrefix(word) && $0 != word }
            .min { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
    }

    public static func hint(for word: String, among known: some Sequence<String>) -> String? {
        nearest(to: word, among: known).map { "did you mean '\($0)'?" }
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                var cost = min(
                    last[column + 1] + 1, current[column] + 1, last[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
