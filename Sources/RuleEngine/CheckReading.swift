// SPDX-License-Identifier: Apache-2.0
import EventModel
import Fields
import FilterLanguage

/// One check as the engine reads it, for whoever reasons about conditions instead of running them. Control plane.
public struct CheckReading: Sendable {
    /// One value that a check may be asked about.
    public enum Value: Hashable, Sendable {
        /// Numbers and bools, as wide as the check compares them.
        case number(UInt64)
        case text([UInt8])
        case ipv4(UInt32)
        case ipv6(high: UInt64, low: UInt64)
    }
    public enum Kind: Sendable, Equatable { case signed, unsigned, bool, text, address, other }

    /// Equal for checks of the same field or transformation.
    public let leftKey: String
    /// Equal for checks that say the same.
    public let key: String
    public let kind: Kind
    /// The left side has one value or none in an event: neither a list nor one of several candidates.
    public let isSingle: Bool
    /// A list field: `in` then asks that all of its values are in the set.
    public let isList: Bool
    public let comparison: Comparison
    public let modifier: ListModifier?
    /// The constants of the right side that are values; nil when one is none (a pattern, a network, a broken number), or when
    /// the right side comes from the event.
    public let constants: [Value]?
    public let hasFieldOnRight: Bool
    /// Fields of the left side.
    public let leftFields: [FieldReference]
    /// Of both sides.
    public let fields: [FieldReference]
    /// `evt.num = 0` and its like: known beforehand.
    public let idiom: Bool?
    private let check: TypedCheck?

    /// Whether the check holds for an event whose left side has this one value. Not for checks with a field on the right.
    public func holds(for value: Value) -> Bool {
        guard let check, check.right == nil else { return false }
        var scratch = ExtractionScratch()
        switch value {
        case .number(let number): return NaiveEvaluator.holds(check, .uint(number), scratch: &scratch)
        case .text(let bytes):
            let key = FieldKey(bytes)
            return withExtendedLifetime(key) { NaiveEvaluator.holds(check, .bytes(key.bytes), scratch: &scratch) }
        case .ipv4(let address): return NaiveEvaluator.holds(check, .ipv4(address), scratch: &scratch)
        case .ipv6(let high, let low):
            return NaiveEvaluator.holds(check, .ipv6(AddressBytes(high: high, low: low)), scratch: &scratch)
        }
    }

    fileprivate init(_ source: Check, _ root: TypedNode, _ left: ValueExpression, _ right: ValueExpression?) {
        if case .check(let check) = root { self.check = check } else { check = nil }
        if case .constant(let value) = root { idiom = value } else { idiom = nil }
        leftKey = check?.leftKey ?? source.left.normalised
        key = check?.key ?? source.normalised
        kind =
            switch ConditionCompiler.kind(of: left.type) {
            case .signed: .signed
            case .unsigned: .unsigned
            case .bool: .bool
            case .text: .text
            case .address: .address
            case .double, .buffer, .network, .opaque: .other
            }
        var fields: [FieldReference] = []
        left.collectFields { fields.append($0) }
        leftFields = fields
        right?.collectFields { fields.append($0) }
        self.fields = fields
        isList = left.isList
        isSingle = !left.isList && !leftFields.contains { $0.definition.flags.contains(.anyOf) }
        comparison = check?.comparison ?? source.comparison
        modifier = source.modifier
        hasFieldOnRight = right != nil
        constants = right == nil ? check?.constants.reduce(into: [Value]?.some([]), Self.add) : nil
    }

    private static func add(_ values: inout [Value]?, _ constant: Constant) {
        switch constant {
        case .number(let number): values?.append(.number(number))
        case .bytes(let key): values?.append(.text(key.bytes.array))
        case .ipv4(let address): values?.append(.ipv4(address))
        case .ipv6(let address): values?.append(.ipv6(high: address.high, low: address.low))
        case .double, .regex, .ipv4Network, .ipv6Network: values = nil
        }
    }
}

extension ConditionCompiler {
    /// The check with its fields looked up and its constants read.
    public func read(_ check: Check) throws(CompileProblem) -> CheckReading {
        let root = try compile(.check(check)).root
        do throws(FieldError) {
            let left = try ValueExpression(check.left, catalogue: catalogue)
            var right: ValueExpression?
            if case .operand(let operand) = check.right { right = try ValueExpression(operand, catalogue: catalogue) }
            return CheckReading(check, root, left, right)
        } catch {
            throw CompileProblem(message: error.message, position: check.range.start)
        }
    }

    /// Whether a warning of the compiler tells already that the pattern is plain text.
    public func warnsOfRegex(_ pattern: String) -> Bool { Self.isPlainRegex(Array(FilterText.bytes(pattern))) }

    /// What a number written for a field of this type really means, when that is not what was written (`fd.sport = 70000`).
    public static func cut(_ text: String, type: ParameterType) -> UInt64? {
        let kind = kind(of: type)
        guard kind == .signed || kind == .unsigned, let written = try? integer(text) else { return nil }
        let meant = narrowed(written, to: type)
        return meant == written ? nil : meant
    }
}
