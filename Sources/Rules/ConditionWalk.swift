// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

extension SourcePosition {
    func shifted(_ base: Int) -> SourcePosition { SourcePosition(offset: offset + base, line: line, column: column) }
}
extension SourceRange {
    func shifted(_ base: Int) -> SourceRange { SourceRange(start.shifted(base), end.shifted(base)) }
}

extension Condition {
    /// The same tree with `base` added to every offset. Conditions of many texts end up in one tree; with a stretch of offsets
    /// of its own for every text, an offset alone tells the text.
    func shifted(_ base: Int) -> Condition {
        switch self {
        case .and(let children, let range): .and(children.map { $0.shifted(base) }, range.shifted(base))
        case .or(let children, let range): .or(children.map { $0.shifted(base) }, range.shifted(base))
        case .not(let child, let range): .not(child.shifted(base), range.shifted(base))
        case .macro(let name, let range): .macro(name, range.shifted(base))
        case .check(var check):
            {
                check.left = check.left.shifted(base)
                check.range = check.range.shifted(base)
                check.rightRange = check.rightRange.shifted(base)
                switch check.right {
                case .none: break
                case .value(let text, let range): check.right = .value(text, range.shifted(base))
                case .list(let items): check.right = .list(items.map { ListItem($0.text, $0.range.shifted(base)) })
                case .operand(let operand): check.right = .operand(operand.shifted(base))
                }
                return .check(check)
            }()
        }
    }

    /// Every check of the tree, from left to right, and whether an odd number of `not` stands above it.
    func forEachCheck(isNegated: Bool = false, _ body: (Check, _ isNegated: Bool) -> Void) {
        switch self {
        case .and(let children, _), .or(let children, _): for child in children { child.forEachCheck(isNegated: isNegated, body) }
        case .not(let child, _): child.forEachCheck(isNegated: !isNegated, body)
        case .check(let check): body(check, isNegated)
        case .macro: break
        }
    }

    func forEachMacro(_ body: (String, SourceRange) -> Void) {
        switch self {
        case .and(let children, _), .or(let children, _): for child in children { child.forEachMacro(body) }
        case .not(let child, _): child.forEachMacro(body)
        case .macro(let name, let range): body(name, range)
        case .check: break
        }
    }

    /// Number of checks and connectives.
    var size: Int {
        switch self {
        case .and(let children, _), .or(let children, _): children.reduce(1) { $0 + $1.size }
        case .not(let child, _): 1 + child.size
        case .check, .macro: 1
        }
    }
}

extension Operand {
    func shifted(_ base: Int) -> Operand {
        switch self {
        case .field(var field):
            field.range = field.range.shifted(base)
            return .field(field)
        case .transformer(var transformer):
            transformer.arguments = transformer.arguments.map { $0.shifted(base) }
            transformer.range = transformer.range.shifted(base)
            return .transformer(transformer)
        case .literal(let text, let range): return .literal(text, range.shifted(base))
        case .list(let operands, let range): return .list(operands.map { $0.shifted(base) }, range.shifted(base))
        }
    }

    func forEachField(_ body: (FieldName) -> Void) {
        switch self {
        case .field(let field): body(field)
        case .transformer(let transformer): for argument in transformer.arguments { argument.forEachField(body) }
        case .list(let operands, _): for operand in operands { operand.forEachField(body) }
        case .literal: break
        }
    }

    func forEachTransformer(_ body: (String) -> Void) {
        switch self {
        case .transformer(let transformer):
            body(transformer.name)
            for argument in transformer.arguments { argument.forEachTransformer(body) }
        case .list(let operands, _): for operand in operands { operand.forEachTransformer(body) }
        case .field, .literal: break
        }
    }
}

extension Check {
    /// Texts on the right side that are constants.
    var rightTexts: [(text: String, range: SourceRange)] {
        switch right {
        case .value(let text, let range): [(text, range)]
        case .list(let items): items.map { ($0.text, $0.range) }
        case .none, .operand: []
        }
    }

    func forEachField(_ body: (FieldName) -> Void) {
        left.forEachField(body)
        if case .operand(let operand) = right { operand.forEachField(body) }
    }

    /// The check names event types: `evt.type = x`, `syscall.type in (…)`.
    var isEventTypeCheck: Bool {
        guard case .field(let field) = left, field.argument == nil else { return false }
        return field.name == "evt.type" || field.name == "syscall.type"
    }
}

/// What a condition is made of, for `-L` and for questions to a rule set.
public struct ConditionDetails: Sendable, Equatable {
    public var fields: Set<String> = []
    public var operators: Set<String> = []
    public var transformers: Set<String> = []
    public var macros: Set<String> = []
    public var lists: Set<String> = []

    public init(_ condition: Condition, knownLists: Set<String> = []) {
        condition.forEachMacro { name, _ in macros.insert(name) }
        condition.forEachCheck { check, _ in
            operators.insert(check.operatorText)
            check.forEachField {
                fields.insert($0.argument.map { [name = $0.name] argument in "\(name)[\(argument)]" } ?? $0.name)
            }
            check.left.forEachTransformer { transformers.insert($0) }
            if case .operand(let operand) = check.right { operand.forEachTransformer { transformers.insert($0) } }
            for (text, _) in check.rightTexts where knownLists.contains(text) { lists.insert(text) }
        }
    }
}
