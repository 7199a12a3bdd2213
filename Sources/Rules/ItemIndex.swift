// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// Which rule, macro, list or exception a place of a file belongs to.
struct ItemIndex: Sendable {
    struct Item: Sendable {
        let kind: ItemKind
        let name: String
        let range: Range<Int>
        let file: SourceFile
        var title: String { "\(kind.rawValue) '\(name)'" }
        /// From 1.
        var line: Int { file.position(at: range.lowerBound).line }
        func link(_ relation: ChainLink.Relation) -> ChainLink { ChainLink(relation, title, file: file.name, line: line) }
    }
    /// By file; in order of their beginning, an exception behind its rule.
    private var items: [ObjectIdentifier: [Item]] = [:]

    mutating func add(_ documents: [YAMLNode], of file: SourceFile) {
        var found: [Item] = []
        let kinds: [(String, ItemKind)] = [("list", .list), ("macro", .macro), ("rule", .rule)]
        for node in documents.flatMap({ $0.items ?? [] }) {
            guard let (kind, name) = kinds.lazy.compactMap({ kind in node[kind.0]?.scalar.map { (kind.1, $0) } }).first else {
                continue
            }
            found.append(Item(kind: kind, name: name, range: node.start.offset..<max(node.start.offset, node.end), file: file))
            guard kind == .rule else { continue }
            for exception in node["exceptions"]?.items ?? [] where exception.isMapping {
                found.append(
                    Item(
                        kind: .exception, name: exception["name"]?.scalar ?? "",
                        range: exception.start.offset..<max(exception.start.offset, exception.end), file: file))
            }
        }
        items[ObjectIdentifier(file)] = found
    }

    /// The innermost item that holds `offset`, and the one around it.
    func items(at offset: Int, in file: SourceFile) -> [Item] {
        guard let all = items[ObjectIdentifier(file)] else { return [] }
        var (low, high) = (0, all.count)
        while low < high {
            let middle = (low + high) / 2
            if all[middle].range.lowerBound <= offset { low = middle + 1 } else { high = middle }
        }
        var found: [Item] = []
        for index in stride(from: low - 1, through: 0, by: -1) {
            if all[index].range.contains(offset) { found.append(all[index]) }
            if all[index].kind != .exception { break }
        }
        return found
    }
}
