// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import Fields
import FilterLanguage

/// The condition names something that is not there, or compares what cannot be compared. The message is Falco's.
public struct CompileProblem: Error, Sendable, Equatable {
    public let message: String
    public let position: SourcePosition
    public init(message: String, position: SourcePosition) { (self.message, self.position) = (message, position) }
}

/// `Condition` → `CompiledCondition`: fields looked up, types checked, constants read, event codes derived. Control plane.
public struct ConditionCompiler {
    let catalogue: FieldCatalogue
    /// Rules of this source see system calls; those of any other only plugin events.
    let source: String
    /// A text constant is shorter than this, as in Falco.
    static let constantBytesMax = 256

    public init(catalogue: FieldCatalogue, source: String = "syscall") {
        self.catalogue = catalogue
        self.source = source
    }

    /// The condition holds no macro any more.
    public func compile(_ condition: Condition) throws(CompileProblem) -> CompiledCondition {
        var warnings: [String] = []
        let root = try node(condition, &warnings)
        let interest = try CodeDerivation(isSystemCallSource: source == "syscall").derive(condition)
        return CompiledCondition(
            root: root, eventCodes: interest.events, warnings: warnings, systemCallCodes: interest.systemCalls)
    }

    private func node(_ condition: Condition, _ warnings: inout [String]) throws(CompileProblem) -> TypedNode {
        switch condition {
        case .and(let children, _): return .and(try nodes(children, &warnings))
        case .or(let children, _): return .or(try nodes(children, &warnings))
        case .not(let child, _): return .not(try node(child, &warnings))
        case .macro(let name, let range):
            throw CompileProblem(message: "filter error: unexpected identifier '\(name)'", position: range.start)
        case .check(let check):
            let typed = try typedCheck(check, &warnings)
            if let idiom = EventNumberIdiom(check) { return .constant(idiom == .always) }
            return .check(typed)
        }
    }

    private func nodes(_ conditions: [Condition], _ warnings: inout [String]) throws(CompileProblem) -> [TypedNode] {
        var result: [TypedNode] = []
        for condition in conditions { result.append(try node(condition, &warnings)) }
        return result
    }

    private func expression(_ operand: Operand) throws(CompileProblem) -> ValueExpression {
        do {
            return try ValueExpression(operand, catalogue: catalogue)
        } catch {
            throw CompileProblem(message: error.message, position: operand.range.start)
        }
    }

    private func typedCheck(_ check: Check, _ warnings: inout [String]) throws(CompileProblem) -> TypedCheck {
        let left = try expression(check.left)
        let kind = Self.kind(of: left.type)
        if check.comparison != .exists, let refusal = Self.refusal(of: check.comparison, type: left.type, isList: left.isList) {
            throw CompileProblem(message: "filter error: " + refusal, position: check.left.range.start)
        }
        let rightPosition = check.rightRange.start
        var constants: [Constant] = []
        var right: ValueExpression?
        switch check.right {
        case .none: break
        case .value(let text, _):
            constants = [try constant(text, check, left, kind, &warnings, at: rightPosition)]
        case .list(let items):
            for item in items { constants.append(try constant(item.text, check, left, kind, &warnings, at: rightPosition)) }
        case .operand(let operand):
            let expression = try expression(operand)
            try checkFields(check.comparison, left, expression, at: operand.range.start)
            right = expression
        }
        let field = check.left.bareField
        let isDistance = left.field?.definition.flags.contains(.distance) == true && check.comparison != .exists
        return TypedCheck(
            left: left, kind: kind, comparison: isDistance ? .lessOrEqual : check.comparison, modifier: check.modifier,
            constants: constants, right: right,
            isList: left.isList, isNotEqualForEach: field?.name.hasPrefix("fd.") == true,
            isEventType: field?.name == "evt.type" && field?.argument == nil, source: check)
    }
}

extension Operand {
    /// The field, when no transformer is around it.
    var bareField: FieldName? { if case .field(let name) = self { name } else { nil } }
}

// MARK: types

extension ConditionCompiler {
    static func kind(of type: ParameterType) -> ValueKind {
        switch type {
        case .int8, .int16, .int32, .int64, .errno, .fd, .pid, .fd32, .pid32: .signed
        case .uint8, .uint16, .uint32, .uint64, .syscallid, .sigtype, .reltime, .abstime, .port, .flags8, .flags16, .flags32,
            .enumflags8, .enumflags16, .enumflags32, .mode, .uid, .gid:
            .unsigned
        case .double: .double
        case .bool: .bool
        case .charbuf, .fspath, .fsrelpath: .text
        case .bytebuf: .buffer
        case .ipv4addr, .ipv6addr, .ipaddr: .address
        case .ipv4net, .ipv6net, .ipnet: .network
        case .none, .sockaddr, .socktuple, .fdlist, .l4proto, .sockfamily, .dyn, .sigset, .charbufarray, .charbufPairArray:
            .opaque
        }
    }

    private static let orderings: Set<Comparison> = [.less, .lessOrEqual, .greater, .greaterOrEqual]
    private static let equalities: Set<Comparison> = [.equal, .notEqual, .in, .intersects]
    private static let ordinaryText: Set<Comparison> = [
        .contains, .icontains, .startswith, .endswith, .glob, .iglob, .regex, .pmatch,
    ]
    private static let bufferText: Set<Comparison> = [.contains, .startswith, .endswith, .bcontains, .bstartswith]

    /// Why this operator cannot stand before a value of this type; nil when it can.
    static func refusal(of comparison: Comparison, type: ParameterType, isList: Bool) -> String? {
        let word = comparison.rawValue
        if isList {
            switch type {
            case .charbuf, .uint64, .reltime, .abstime, .bool, .ipaddr, .ipnet:
                return comparison == .in || comparison == .intersects ? nil : "'\(word)' operator not supported list filters"
            default: return "list filters are not supported for type '\(type.name)'"
            }
        }
        if equalities.contains(comparison), kind(of: type) != .opaque { return nil }
        switch kind(of: type) {
        case .signed, .unsigned, .double:
            return orderings.contains(comparison) ? nil : "'\(word)' operator not supported for numeric filters"
        case .bool: return "'\(word)' operator not supported for numeric filters"
        case .text:
            return orderings.contains(comparison) || ordinaryText.contains(comparison)
                ? nil : "'\(word)' operator not supported for string filters"
        case .buffer: return bufferText.contains(comparison) ? nil : "'\(word)' operator not supported for buffer filters"
        case .address, .network: return "'\(word)' operator not supported for ip address and network filters"
        case .opaque: return "'\(word)' operator not supported for type '\(type.name)'"
        }
    }

    /// A field or transformer on the right: which pairs there are.
    private func checkFields(
        _ comparison: Comparison, _ left: ValueExpression, _ right: ValueExpression, at position: SourcePosition
    ) throws(CompileProblem) {
        func problem(_ message: String) -> CompileProblem { CompileProblem(message: message, position: position) }
        if comparison == .pmatch || comparison == .regex {
            throw problem("operator '\(comparison.rawValue.uppercased())' doesn't support right-hand side fields")
        }
        if Self.kind(of: left.type) == .network { throw problem("field type 'IPNET' doesn't support right-hand side fields") }
        if let name = Self.fieldRefusing(left) { throw problem("field '\(name)' doesn't support right-hand side fields") }
        if let name = Self.fieldRefusing(right) { throw problem("field '\(name)' can't be used as a right-hand side field") }
        guard left.type == right.type, left.isList == right.isList else {
            func described(_ expression: ValueExpression) -> String {
                expression.type.name + (expression.isList ? " (list)" : "")
            }
            throw problem(
                "field '\(Self.firstName(left))' has type '\(described(left))' while the right-hand side field "
                    + "'\(Self.firstName(right))' has incompatible type '\(described(right))'")
        }
    }

    private static func fieldRefusing(_ expression: ValueExpression) -> String? {
        var name: String?
        expression.collectFields { if $0.definition.flags.contains(.noRightSide) { name = name ?? $0.definition.name } }
        return name
    }

    private static func firstName(_ expression: ValueExpression) -> String {
        var name: String?
        expression.collectFields { name = name ?? $0.definition.name }
        return name ?? expression.text
    }
}
