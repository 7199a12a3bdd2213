// SPDX-License-Identifier: Apache-2.0
import EventModel
import Fields
import FilterLanguage
import SystemState

/// What a condition says of an event, worked out from its tree and nothing that the compiler made of it: constants are read anew
/// for each check, values are plain Swift, each operator is written down as the specification has it. Only the extraction of
/// fields is the program's own.
final class ConditionOracle {
    struct Side {
        var value: OracleValue
        var type: OracleType
        var isList = false
        /// The field, when nothing transforms it.
        var field: FieldReference?
    }
    private let catalogue = FieldCatalogue.builtin
    private var references: [String: FieldReference] = [:]
    /// Of the event at hand.
    private var values: [String: OracleValue] = [:]
    private(set) var context: EventContext
    private(set) var state: SystemState
    private var scratch = ExtractionScratch()

    init(context: EventContext, state: SystemState) { (self.context, self.state) = (context, state) }

    func look(at context: EventContext, in state: SystemState) {
        (self.context, self.state) = (context, state)
        values.removeAll(keepingCapacity: true)
    }

    func holds(_ condition: Condition) -> Bool {
        switch condition {
        case .and(let children, _): children.allSatisfy(holds)
        case .or(let children, _): children.contains(where: holds)
        case .not(let child, _): !holds(child)
        case .check(let check): holds(check)
        case .macro(let name, _): preconditionFailure("macro '\(name)' was not put in")
        }
    }

    // MARK: sides

    func side(_ name: FieldName, isTransformed: Bool = false) -> Side {
        let text = name.name + (name.argument.map { "[\($0)]" } ?? "") + (isTransformed ? " whole" : "")
        let reference: FieldReference
        if let known = references[text] {
            reference = known
        } else {
            do { reference = try catalogue.resolve(name) } catch { preconditionFailure("\(text): \(error)") }
            references[text] = isTransformed ? reference.asSingleValue : reference
            return side(name, isTransformed: isTransformed)
        }
        let type = OracleType(reference.definition.type)
        if values[text] == nil {
            scratch.reset()
            let value = FieldExtractor.extract(reference, context: context, state: state, scratch: &scratch)
            values[text] = OracleValue(value, scratch.list)
        }
        return Side(
            value: values[text]!, type: type, isList: reference.definition.flags.contains(.list),
            field: isTransformed ? nil : reference)
    }

    /// For reports.
    func leftSide(_ check: Check) -> OracleValue { side(check.left).value }

    private func side(_ operand: Operand, isTransformed: Bool = false) -> Side {
        switch operand {
        case .field(let name): return side(name, isTransformed: isTransformed)
        case .literal(let text, _): return Side(value: .text(FilterText.bytes(text)), type: .text)
        case .list(let elements, _):
            let sides = elements.map { side($0, isTransformed: true) }
            return Side(
                value: sides.contains { $0.value == .absent } ? .absent : .many(sides.map(\.value)),
                type: sides.first?.type ?? .text,
                isList: true)
        case .transformer(let transformer): return side(transformer)
        }
    }

    private func side(_ transformer: Transformer) -> Side {
        let name = transformer.name
        if name == "val" { return side(transformer.arguments[0]) }
        let arguments = transformer.arguments.map { side($0, isTransformed: true) }
        func isMissing() -> Bool { arguments.contains { $0.value == .absent } }
        func list(_ side: Side) -> [OracleValue] { if case .many(let values) = side.value { values } else { [] } }
        func text(_ side: Side) -> [UInt8] { if case .text(let text) = side.value { text } else { [] } }
        switch name {
        case "len":
            return Side(
                value: OracleTransformers.length(arguments[0].value, isBuffer: arguments[0].type == .buffer),
                type: .number(bits: 64, isSigned: false))
        case "concat":
            return Side(value: isMissing() ? .absent : OracleTransformers.join([], arguments.map(\.value)), type: .text)
        case "join":
            let value = isMissing() ? .absent : OracleTransformers.join(text(arguments[0]), list(arguments[1]))
            return Side(value: value, type: .text)
        case "getopt":
            let value =
                isMissing()
                ? .absent
                : OracleTransformers.options(list(arguments[0]), text(arguments[1]), selector: transformer.selector?.utf8.first)
            return Side(value: value, type: .text, isList: transformer.selector == nil)
        default:
            return Side(
                value: OracleTransformers.each(name, arguments[0].value), type: arguments[0].type, isList: arguments[0].isList)
        }
    }

    // MARK: checks

    func holds(_ check: Check) -> Bool {
        let left = side(check.left)
        switch left.value {
        case .absent: return false
        // A field that has one value of several possible ones has none when there is no candidate, unless it is a list.
        case .many(let entries) where !left.isList:
            guard check.comparison != .exists else { return !entries.isEmpty }
            return holds(check, left, candidates: entries)
        case .many(let entries):
            guard check.comparison != .exists else { return true }
            return holds(check, left, entries: entries)
        default:
            return check.comparison == .exists || holdsOfOne(check, left.value, left)
        }
    }

    /// `fd.ip` and its like: either end will do, but both have to differ for `!=`. Any ancestor will do, always.
    private func holds(_ check: Check, _ left: Side, candidates: [OracleValue]) -> Bool {
        func any(_ check: Check) -> Bool {
            if check.comparison == .notEqual, left.field?.definition.name.hasPrefix("fd.") == true {
                return candidates.allSatisfy { holdsOfOne(check, $0, left) }
            }
            return candidates.contains { holdsOfOne(check, $0, left) }
        }
        // The constants of a modifier are counted over the field as a whole.
        guard check.modifier != nil else { return any(check) }
        return counted(check) { constant in
            var single = check
            single.modifier = nil
            single.right = .value(constant, check.rightRange)
            return any(single)
        }
    }

    private func holds(_ check: Check, _ left: Side, entries: [OracleValue]) -> Bool {
        let isIn: (OracleValue) -> Bool
        if case .operand(let operand) = check.right {
            guard case .many(let others) = side(operand).value else { return false }
            isIn = others.contains
        } else {
            isIn = { entry in self.texts(check).contains { self.satisfies(.equal, entry, $0, left) } }
        }
        return check.comparison == .in ? entries.allSatisfy(isIn) : entries.contains(where: isIn)
    }

    private func texts(_ check: Check) -> [String] {
        switch check.right {
        case .value(let text, _): [text]
        case .list(let items): items.map(\.text)
        case .none, .operand: []
        }
    }

    private func counted(_ check: Check, _ holds: (String) -> Bool) -> Bool {
        let constants = texts(check)
        let holding = constants.filter(holds).count
        switch check.modifier! {
        case .oneof: return holding == 1
        case .anyof: return holding > 0
        case .allof: return holding == constants.count && !constants.isEmpty
        }
    }

    private func holdsOfOne(_ check: Check, _ value: OracleValue, _ left: Side) -> Bool {
        if case .operand(let operand) = check.right {
            let right = side(operand)
            return right.value != .absent && compares(check.comparison, value, right.value, left.type)
        }
        if check.modifier != nil { return counted(check) { satisfies(check.comparison, value, $0, left) } }
        return texts(check).contains { satisfies(check.comparison, value, $0, left) }
    }

    /// A value and a constant.
    private func satisfies(_ comparison: Comparison, _ value: OracleValue, _ constant: String, _ left: Side) -> Bool {
        switch (left.type, value) {
        case (.number(let bits, let isSigned), .number(let number)):
            let wanted = OracleReading.number(constant, bits: bits, isSigned: isSigned)
            // Whatever sign it is at most that far away: `evt.around`.
            if left.field?.definition.flags.contains(.distance) == true { return number <= wanted }
            return ordered(comparison, OracleReading.wrapped(number, bits: bits, isSigned: isSigned), wanted)
        case (.port, .number(let number)): return ordered(comparison, number, OracleReading.port(constant))
        case (.real, .real(let number)):
            return ordered(comparison, number, Double(OracleReading.number(constant, bits: 32, isSigned: true)))
        case (.truth, .truth(let flag)): return (String(flag) == constant) == (comparison != .notEqual)
        case (.address, .address(let address)):
            return (OracleReading.address(constant) == address) == (comparison != .notEqual)
        case (.network, .address(let address)):
            return OracleReading.contains(network: constant, address) == (comparison != .notEqual)
        case (.text, .text(let text)), (.buffer, .text(let text)):
            var wanted = FilterText.bytes(constant)
            if comparison == .bcontains || comparison == .bstartswith { wanted = OracleReading.hexadecimal(wanted) }
            return compares(comparison, text, wanted)
        default:
            // Events may give one name to parameters of different kinds; a value of another kind compares with nothing.
            let name = left.field?.definition.name ?? ""
            precondition(name == "evt.rawarg", "field '\(name)' of type \(left.type) has the value \(value)")
            return false
        }
    }

    /// Two values of one type.
    private func compares(_ comparison: Comparison, _ left: OracleValue, _ right: OracleValue, _ type: OracleType) -> Bool {
        switch (left, right) {
        case (.number(let left), .number(let right)): return ordered(comparison, left, right)
        case (.real(let left), .real(let right)): return ordered(comparison, left, right)
        case (.truth(let left), .truth(let right)): return (left == right) == (comparison != .notEqual)
        case (.address(let left), .address(let right)): return (left == right) == (comparison != .notEqual)
        case (.text(let left), .text(let right)): return compares(comparison, left, right)
        default: preconditionFailure("values of one type \(type) differ in kind: \(left) \(right)")
        }
    }

    private func ordered<T: Comparable>(_ comparison: Comparison, _ left: T, _ right: T) -> Bool {
        switch comparison {
        case .equal, .in, .intersects: left == right
        case .notEqual: left != right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        default: preconditionFailure("'\(comparison.rawValue)' does not compare numbers")
        }
    }

    private func compares(_ comparison: Comparison, _ text: [UInt8], _ wanted: [UInt8]) -> Bool {
        switch comparison {
        case .exists: true
        case .equal, .in, .intersects: text == wanted
        case .notEqual: text != wanted
        case .less: text.lexicographicallyPrecedes(wanted)
        case .greater: wanted.lexicographicallyPrecedes(text)
        case .lessOrEqual: text == wanted || text.lexicographicallyPrecedes(wanted)
        case .greaterOrEqual: text == wanted || wanted.lexicographicallyPrecedes(text)
        case .contains, .bcontains: OracleText.contains(text, wanted)
        case .icontains: OracleText.contains(OracleText.lowered(text), OracleText.lowered(wanted))
        case .startswith, .bstartswith: Array(text.prefix(wanted.count)) == wanted
        case .endswith: Array(text.suffix(wanted.count)) == wanted
        case .glob: OracleText.glob(text, wanted, ignoringCase: false)
        case .iglob: OracleText.glob(text, wanted, ignoringCase: true)
        case .regex: OracleText.fits(text, pattern: wanted)
        case .pmatch: OracleText.isUnder(text, wanted)
        }
    }
}
