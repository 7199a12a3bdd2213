// SPDX-License-Identifier: Apache-2.0
import CRE2
import EventModel
import Fields
import FilterLanguage

/// A condition with its fields looked up, its constants read and its operators checked against the types.
public struct CompiledCondition: Sendable {
    let root: TypedNode
    /// Event codes for which it can be true.
    public let eventCodes: EventCodeSet
    /// Texts of the `LOAD_COMPILE_CONDITION` warnings.
    public let warnings: [String]
    /// Portable system call codes (`ppm_sc`) it asks a live source for.
    public var systemCallCodes: Set<UInt16>

    /// Every field that evaluating may read, a field once per place it stands.
    public func collectFields(_ body: (FieldReference) -> Void) { root.collectFields(body) }

    /// The constants that fields of a kind are compared with as whole texts (`=`, `!=`, `in`, `intersects`).
    public func collectTexts(where isWanted: (FieldReference) -> Bool, _ body: (String) -> Void) {
        root.collectTexts(where: isWanted, body)
    }
}

indirect enum TypedNode: Sendable {
    case constant(Bool)
    case and([TypedNode])
    case or([TypedNode])
    case not(TypedNode)
    case check(TypedCheck)

    func collectTexts(where isWanted: (FieldReference) -> Bool, _ body: (String) -> Void) {
        switch self {
        case .constant: break
        case .and(let children), .or(let children): for child in children { child.collectTexts(where: isWanted, body) }
        case .not(let child): child.collectTexts(where: isWanted, body)
        case .check(let check):
            guard [.equal, .notEqual, .in, .intersects].contains(check.comparison), let field = check.left.field, isWanted(field)
            else { return }
            for case .bytes(let key) in check.constants { body(key.bytes.string) }
        }
    }

    func collectFields(_ body: (FieldReference) -> Void) {
        switch self {
        case .constant: break
        case .and(let children), .or(let children): for child in children { child.collectFields(body) }
        case .not(let child): child.collectFields(body)
        case .check(let check):
            check.left.collectFields(body)
            check.right?.collectFields(body)
        }
    }
}

/// How the values of a type are compared.
enum ValueKind: Sendable, Equatable {
    case signed, unsigned, double, bool, text, buffer, address, network
    /// Only `exists` is possible.
    case opaque
}

/// One check, shared by every rule that holds the same.
final class TypedCheck: Sendable {
    let left: ValueExpression
    let kind: ValueKind
    let comparison: Comparison
    let modifier: ListModifier?
    let constants: [Constant]
    let right: ValueExpression?
    /// A list field: `in` asks that all values are in the set, `intersects` that one is.
    let isList: Bool
    /// Of several candidates, `!=` has to hold for each (`fd.ip`); else one that holds is enough, as for every other operator.
    let isNotEqualForEach: Bool
    /// `evt.type`, without transformer: known from the event code alone but for a few codes.
    let isEventType: Bool
    /// Equal keys, equal expressions and checks: the unambiguous forms of the sides and of the whole.
    let leftKey: String
    let rightKey: String
    let key: String
    /// As the author may have written it, for listings.
    let text: String

    init(
        left: ValueExpression, kind: ValueKind, comparison: Comparison, modifier: ListModifier?, constants: [Constant],
        right: ValueExpression?, isList: Bool, isNotEqualForEach: Bool, isEventType: Bool, source: Check
    ) {
        leftKey = source.left.key
        rightKey = source.right.key
        key = "\(leftKey) \(comparison.rawValue) \(modifier?.rawValue ?? "") \(rightKey)"
        text = source.normalised
        self.left = left
        self.kind = kind
        self.comparison = comparison
        self.modifier = modifier
        self.constants = constants
        self.right = right
        self.isList = isList
        self.isNotEqualForEach = isNotEqualForEach
        self.isEventType = isEventType
    }
}

// The normal form leaves quotes of arguments out, so `concat(a.b,"c.d")` and `concat(a.b,c.d)` look alike there; not here.
extension Operand {
    fileprivate var key: String {
        switch self {
        case .field: normalised
        case .literal(let text, _): quoted(text)
        case .list(let elements, _): "(" + elements.map(\.key).joined(separator: ",") + ")"
        case .transformer(let transformer) where transformer.name == "val": transformer.arguments[0].key
        case .transformer(let transformer):
            transformer.name + "(" + transformer.arguments.map(\.key).joined(separator: ",") + ")"
                + (transformer.selector.map { "[" + quoted($0) + "]" } ?? "")
        }
    }
}
extension RightSide {
    fileprivate var key: String {
        switch self {
        case .none: ""
        case .value(let text, _): quoted(text)
        case .list(let items): "{" + items.map { quoted($0.text) }.joined(separator: ",") + "}"
        case .operand(let operand): operand.key
        }
    }
}
private func quoted(_ text: String) -> String { "\(text.utf8.count):\"\(text)\"" }

/// A right side as its type reads it.
enum Constant: Sendable {
    /// Narrowed to the type's width, sign-extended when the type is signed.
    case number(UInt64)
    case double(Double)
    case bytes(FieldKey)
    case regex(CompiledRegex)
    case ipv4(UInt32)
    case ipv6(AddressBytes)
    /// `address` is already masked.
    case ipv4Network(address: UInt32, mask: UInt32)
    case ipv6Network(address: AddressBytes, mask: AddressBytes)
}

/// An RE2 pattern that has to match a whole value.
final class CompiledRegex: @unchecked Sendable {  // RE2 locks its own caches
    let pattern: OpaquePointer

    /// Nil with RE2's reason when the text is no pattern.
    init?(_ text: Bytes, why: inout String) {
        var buffer = [CChar](repeating: 0, count: 512)
        let compiled = text.base.withMemoryRebound(to: CChar.self, capacity: text.count) {
            cre2_compile($0, text.count, &buffer, buffer.count)
        }
        guard let compiled else {
            why = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return nil
        }
        pattern = compiled
    }
    deinit { cre2_free(pattern) }
}
