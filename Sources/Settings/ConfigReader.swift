// SPDX-License-Identifier: Apache-2.0
import Yams

/// Why a text is not a configuration: `line 3, column 7: did not find expected key`.
struct ConfigSyntaxError: Error, Equatable {
    let message: String
}

/// YAML text → `ConfigValue`, with `${NAME}` in scalar values replaced.
struct ConfigReader {
    /// Aliases can multiply a small file into a huge tree; no sane configuration comes near this.
    static let nodesMax = 100_000

    let environment: EnvironmentExpansion?
    private var nodes = 0

    init(environment: EnvironmentExpansion?) { self.environment = environment }

    /// The first document of the text; `.null` for an empty one.
    static func read(_ text: String, environment: EnvironmentExpansion?) throws(ConfigSyntaxError) -> ConfigValue {
        guard !text.utf8.contains(0) else { throw ConfigSyntaxError(message: "the text holds a NUL byte: is this a YAML file?") }
        let root: Node?
        do {
            root = try Parser(yaml: text).nextRoot()
        } catch let error as YamlError {
            throw ConfigSyntaxError(message: describe(error))
        } catch {
            throw ConfigSyntaxError(message: "\(error)")
        }
        guard let root else { return .null }
        var reader = ConfigReader(environment: environment)
        return try reader.convert(root, depth: 0)
    }

    private mutating func convert(_ node: Node, depth: Int) throws(ConfigSyntaxError) -> ConfigValue {
        nodes += 1
        guard nodes <= Self.nodesMax, depth < 100 else { throw ConfigSyntaxError(message: "too many or too deeply nested nodes") }
        switch node {
        case .scalar(let scalar):
            if scalar.style == .plain, ["", "~", "null", "Null", "NULL"].contains(scalar.string) { return .null }
            return .scalar(environment?.expand(scalar.string) ?? scalar.string)
        case .sequence(let sequence):
            var elements: [ConfigValue] = []
            for element in sequence { elements.append(try convert(element, depth: depth + 1)) }
            return .list(elements)
        case .mapping(let mapping):
            var entries: [ConfigValue.Entry] = []
            for (key, value) in mapping {
                guard let name = key.scalar?.string else { throw ConfigSyntaxError(message: "a map's key must be a plain name") }
                entries.append(.init(name, try convert(value, depth: depth + 1)))
            }
            return .map(entries)
        case .alias:
            throw ConfigSyntaxError(message: "an alias without its anchor")
        }
    }

    private static func describe(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            "line \(mark.line), column \(mark.column): \(problem)"
        case .reader(let problem, let offset, _, _):
            offset.map { "byte \($0): \(problem)" } ?? problem
        case .duplicatedKeysInMapping(let duplicates, let context):
            "line \(context.mark.line): the key '\(duplicates.sorted().joined(separator: "', '"))' is given twice in one map"
        default: "not readable as YAML"
        }
    }
}

/// `${NAME}` in scalar values of configuration files (facts: applied to values, never to keys or rules).
///
/// `$${NAME}` stands for a literal `${NAME}`. A `$` that begins neither form ends the scan of that value: what follows is kept as it is.
public struct EnvironmentExpansion: Sendable {
    /// A variable may hold further references; one that holds itself would never end.
    static let replacementsMax = 1000
    let value: @Sendable (String) -> String?

    public init(_ value: @escaping @Sendable (String) -> String?) { self.value = value }

    public func expand(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var bytes = Array(text.utf8)
        var position = 0
        for _ in 0..<Self.replacementsMax {
            guard let dollar = bytes[position...].firstIndex(of: UInt8(ascii: "$")) else { break }
            let escaped = bytes[dollar...].starts(with: Array("$${".utf8))
            let open = dollar + (escaped ? 2 : 1)
            guard open < bytes.count, bytes[open] == UInt8(ascii: "{"),
                let close = bytes[open...].firstIndex(of: UInt8(ascii: "}"))
            else { break }
            if escaped {
                bytes.remove(at: dollar)
                position = close
            } else {
                let name = String(decoding: bytes[(open + 1)..<close], as: UTF8.self)
                bytes.replaceSubrange(dollar...close, with: Array((value(name) ?? "").utf8))
                position = dollar
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
