// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// A YAML value with its place in the file. Aliases are resolved; the shared parts stay shared in memory.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        /// In file order; keys may repeat, the first one counts.
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }
    let content: Content
    /// Where the value begins (the first key of a block mapping, the indicator of a block scalar).
    let start: SourcePosition
    let end: Int
    let file: SourceFile
    /// Nodes in this tree with aliases counted as often as they are used.
    let weight: Int

    var isScalar: Bool { if case .scalar = content { true } else { false } }
    var isSequence: Bool { if case .sequence = content { true } else { false } }
    var isMapping: Bool { if case .mapping = content { true } else { false } }
    var isNull: Bool { if case .scalar(let scalar) = content { scalar.isNull } else { false } }

    var scalar: String? { if case .scalar(let scalar) = content { scalar.text } else { nil } }
    var items: [YAMLNode]? { if case .sequence(let items) = content { items } else { nil } }
    var pairs: [(key: YAMLNode, value: YAMLNode)]? { if case .mapping(let pairs) = content { pairs } else { nil } }

    /// The first value under `key`; nil also when this is no mapping.
    subscript(key: String) -> YAMLNode? {
        guard case .mapping(let pairs) = content else { return nil }
        for pair in pairs where pair.key.scalar == key { return pair.value }
        return nil
    }

    /// The scalar's text with its trace into the file.
    var traced: TracedText {
        guard case .scalar(let scalar) = content else { return TracedText() }
        return scalar.traced(in: file, from: start.offset, to: end)
    }
}

struct YAMLScalar: Sendable {
    enum Style: Sendable { case plain, singleQuoted, doubleQuoted, literal, folded }
    let text: String
    let style: Style
    /// With an explicit tag (`!!str`), so that even a plain word is text.
    let isTagged: Bool

    var isNull: Bool { style == .plain && !isTagged && ["", "~", "null", "Null", "NULL"].contains(text) }

    /// The words that YAML 1.1 readers take for a truth value.
    var bool: Bool? {
        let lower = text.lowercased()
        // `yEs` is none: either all lower, all upper or capitalised.
        guard text == lower || text == text.uppercased() || text == lower.prefix(1).uppercased() + lower.dropFirst() else {
            return nil
        }
        return switch lower {
        case "y", "yes", "true", "on": true
        case "n", "no", "false", "off": false
        default: nil
        }
    }

    var unsigned: UInt64? {
        let digits = text.drop { $0 == " " }
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") { return UInt64(digits.dropFirst(2), radix: 16) }
        if digits.count > 1, digits.hasPrefix("0") { return UInt64(digits, radix: 8) }
        return UInt64(digits)
    }
}
