// SPDX-License-Identifier: Apache-2.0

/// The one text of a tree: `condition_compiled` in rule descriptions. Reading it gives the same tree.
extension Condition {
    public var normalised: String {
        switch self {
        case .and(let children, _): "(" + children.map(\.normalised).joined(separator: " and ") + ")"
        case .or(let children, _): "(" + children.map(\.normalised).joined(separator: " or ") + ")"
        case .not(let child, _): "not " + child.normalised
        case .check(let check): check.normalised
        case .macro(let name, _): name
        }
    }
}

extension Check {
    public var normalised: String {
        if comparison == .exists { return left.normalised + " exists" }
        let words = operatorText + (modifier.map { " " + $0.rawValue } ?? "")
        return "\(left.normalised) \(words) \(right.normalised)"
    }
}

extension RightSide {
    var normalised: String {
        switch self {
        case .none: ""
        case .value(let text, _): escaped(text)
        case .list(let items): "(" + items.map { escaped($0.text) }.joined(separator: ", ") + ")"
        case .operand(let operand): operand.normalised
        }
    }
}

extension Operand {
    /// `getopt(proc.args,nt:)[t]`
    public var normalised: String {
        switch self {
        case .field(let field): field.name + brackets(field.argument)
        case .transformer(let transformer):
            "\(transformer.name)(\(transformer.arguments.map(\.normalised).joined(separator: ",")))"
                + brackets(transformer.selector)
        case .literal(let text, _): escaped(text)
        case .list(let elements, _): "(" + elements.map(\.normalised).joined(separator: ", ") + ")"
        }
    }
}

private func brackets(_ argument: String?) -> String { argument.map { "[\(escaped($0))]" } ?? "" }
private func escaped(_ text: String) -> String { FilterText.string(FilterEscapes.escape(FilterText.bytes(text))) }
