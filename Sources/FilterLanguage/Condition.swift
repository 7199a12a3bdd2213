// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// A parsed condition. Strings are the bytes the user meant (escapes resolved), as text; control plane only.
/// `FilterText.bytes` gives the bytes back, those that are not UTF-8 (`"\xff"`) included.
public indirect enum Condition: Sendable, Equatable {
    case and([Condition], SourceRange)
    case or([Condition], SourceRange)
    case not(Condition, SourceRange)
    case check(Check)
    /// A macro reference, until `Rules` resolves it.
    case macro(String, SourceRange)

    public var range: SourceRange {
        switch self {
        case .and(_, let range), .or(_, let range), .not(_, let range), .macro(_, let range): range
        case .check(let check): check.range
        }
    }
}

/// `left operator [modifier] right`
public struct Check: Sendable, Equatable {
    public var left: Operand
    public var comparison: Comparison
    public var modifier: ListModifier?
    public var right: RightSide
    public var range: SourceRange
    /// Where the right side stands; that of the whole check when there is none.
    public var rightRange: SourceRange
    /// `=` was spelled `==`: the same comparison, but `normalised` keeps the author's spelling.
    public var isEqualSpelledTwice: Bool
    public init(
        left: Operand, comparison: Comparison, modifier: ListModifier? = nil, right: RightSide, range: SourceRange,
        rightRange: SourceRange? = nil, isEqualSpelledTwice: Bool = false
    ) {
        self.left = left
        self.comparison = comparison
        self.modifier = modifier
        self.right = right
        self.range = range
        self.rightRange = rightRange ?? range
        self.isEqualSpelledTwice = isEqualSpelledTwice
    }

    /// The operator as written: `==`, `contains`, without a modifier.
    public var operatorText: String { isEqualSpelledTwice ? "==" : comparison.rawValue }
}

public enum Comparison: String, Sendable, CaseIterable {
    case exists
    case lessOrEqual = "<=", less = "<", greaterOrEqual = ">=", greater = ">"
    case equal = "=", notEqual = "!="
    case glob, iglob, contains, icontains, bcontains, startswith, bstartswith, endswith, regex
    case intersects, `in`, pmatch
}

public enum ListModifier: String, Sendable, CaseIterable { case oneof, anyof, allof }

public enum RightSide: Sendable, Equatable {
    case none
    /// Text as written (unquoted). Numbers too: the field's type decides how it is read.
    case value(String, SourceRange)
    case list([ListItem])
    /// `val(field)` or a transformer.
    case operand(Operand)
}

public struct ListItem: Sendable, Equatable {
    public var text: String
    public var range: SourceRange
    public init(_ text: String, _ range: SourceRange) { (self.text, self.range) = (text, range) }
}

public indirect enum Operand: Sendable, Equatable {
    case field(FieldName)
    case transformer(Transformer)
    /// Only as an argument of a transformer.
    case literal(String, SourceRange)
    case list([Operand], SourceRange)

    public var range: SourceRange {
        switch self {
        case .field(let field): field.range
        case .transformer(let transformer): transformer.range
        case .literal(_, let range), .list(_, let range): range
        }
    }
}

/// `proc.aname[2]`: `argument` is nil without brackets, "" for `[""]`.
public struct FieldName: Sendable, Equatable {
    public var name: String
    public var argument: String?
    public var range: SourceRange
    public init(_ name: String, argument: String? = nil, range: SourceRange) {
        (self.name, self.argument, self.range) = (name, argument, range)
    }
}

public struct Transformer: Sendable, Equatable {
    public var name: String
    public var arguments: [Operand]
    /// `getopt(...)[c]`
    public var selector: String?
    public var range: SourceRange
    public init(_ name: String, _ arguments: [Operand], selector: String? = nil, range: SourceRange) {
        (self.name, self.arguments, self.selector, self.range) = (name, arguments, selector, range)
    }
}
