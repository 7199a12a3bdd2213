// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The conformance corpus, where this machine has one: a directory `shared` beside the repository (or beside the directory
/// that holds its worktrees). It is not part of the repository.
enum Corpus {
    static let root: URL? = {
        var directory = URL(filePath: #filePath).deletingLastPathComponent()
        while directory.path != "/" {
            let candidate = directory.appending(path: "shared/conformance/dev")
            if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
            directory.deleteLastPathComponent()
        }
        return nil
    }()

    typealias Case = [String: Any]

    /// The cases of these kinds; says why when there are none to run.
    static func cases(_ file: String, kinds: Set<String>) throws -> [Case] {
        guard let root else {
            print("\(file): skipped, no conformance corpus beside the repository")
            return []
        }
        let data = try Data(contentsOf: root.appending(path: file))
        let document = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        let cases = document?["cases"] as? [Case] ?? []
        return cases.filter { kinds.contains($0["kind"] as? String ?? "") }
    }

    /// A string, or the bytes of `{"hex": "…"}`.
    static func bytes(_ value: Any?) -> [UInt8]? {
        if let text = value as? String { return Array(text.utf8) }
        guard let hex = (value as? [String: Any])?["hex"] as? String else { return nil }
        return stride(from: 0, to: hex.count, by: 2).map {
            UInt8(hex.dropFirst($0).prefix(2), radix: 16)!
        }
    }
}
