// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import FilterLanguage

/// Typed trees → flat program. Control plane; `RuleProgram` copies the result to plain memory.
struct ProgramBuilder {
    private let rules: [CompiledCondition]
    var instructions: [RuleProgram.Instruction] = []
    private(set) var entries: [Int32] = []
    private(set) var groups: [(codes: EventCodeSet, start: Int, rules: [Int])] = []
    private(set) var checks: [FlatCheck] = []
    private(set) var sources: [TypedCheck] = []
    private(set) var expressions: [ValueExpression] = []
    private(set) var operands: [FlatOperand] = []
    private(set) var byteSets: [ByteSet] = []
    private(set) var wordSets: [WordSet] = []
    private(set) var trees: [PathTree] = []
    private(set) var globs: [GlobPattern] = []
    private var checkNumbers: [String: Int32] = [:]
    private var expressionNumbers: [String: Int32] = [:]
    private let seed = UInt64.random(in: 1...UInt64.max)

    init(rules: [CompiledCondition]) { self.rules = rules }

    /// A tree whose checks have numbers; `evt.type` is known and nothing is constant but the root.
    indirect enum Folded: Hashable {
        case constant(Bool)
        case check(Int32)
        case not(Folded)
        case and([Folded])
        case or([Folded])
    }

    mutating func build() {
        let folding = EventTypeFolding(rules.map(\.root))
        // Codes that no check of `evt.type` tells apart get the same code.
        var groupsBySignature: [[UInt64]: Int] = [:]
        var members: [(codes: EventCodeSet, example: UInt16)] = []
        var groupOfCode: [Int] = []
        for code in 0..<UInt16(EventTable.count) {
            let signature = folding.signature(of: code) + Self.packed(rules.map { $0.eventCodes.contains(code) })
            let group =
                groupsBySignature[signature]
                ?? {
                    groupsBySignature[signature] = members.count
                    members.append((.none, code))
                    return members.count - 1
                }()
            members[group].codes.insert(code)
            groupOfCode.append(group)
        }
        for member in members {
            var folded: [(rule: Int, tree: Folded)] = []
            for (number, rule) in rules.enumerated() where rule.eventCodes.contains(member.example) {
                let tree = fold(rule.root, member.example, folding)
                if tree != .constant(false) { folded.append((number, tree)) }
            }
            groups.append((member.codes, instructions.count, folded.map(\.rule)))
            emit(folded)
        }
        entries = groupOfCode.map { Int32(groups[$0].start) }
    }

    private static func packed(_ bits: [Bool]) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: (bits.count + 63) / 64)
        for (index, bit) in bits.enumerated() where bit { words[index / 64] |= 1 << UInt64(index % 64) }
        return words
    }

    // MARK: folding

    private mutating func fold(_ node: TypedNode, _ code: UInt16, _ folding: EventTypeFolding) -> Folded {
        switch node {
        case .constant(let value): return .constant(value)
        case .not(let child):
            switch fold(child, code, folding) {
            case .constant(let value): return .constant(!value)
            case .not(let inner): return inner
            case let inner: return .not(inner)
            }
        case .and(let children): return combine(children, code, folding, neutral: true)
        case .or(let children): return combine(children, code, folding, neutral: false)
        case .check(let check):
            if check.isEventType, let known = folding.verdict(of: check, code) { return .constant(known) }
            return .check(number(of: check))
        }
    }

    /// `neutral` is true for `and`: such children say nothing, the others decide. Nested nodes of a kind become one.
    private mutating func combine(_ children: [TypedNode], _ code: UInt16, _ folding: EventTypeFolding, neutral: Bool) -> Folded {
        var parts: [Folded] = []
        for child in children {
            let folded = fold(child, code, folding)
            switch folded {
            case .constant(neutral): continue
            case .constant: return .constant(!neutral)
            case .and(let inner) where neutral: parts.append(contentsOf: inner)
            case .or(let inner) where !neutral: parts.append(contentsOf: inner)
            default: parts.append(folded)
            }
        }
        var seen: Set<Folded> = []
        parts = parts.filter { seen.insert($0).inserted }
        if parts.isEmpty { return .constant(neutral) }
        return parts.count == 1 ? parts[0] : neutral ? .and(parts) : .or(parts)
    }

    // MARK: jump code

    /// A jump target that is not known yet; its users are patched when it is.
    struct Label {
        var users: [(instruction: Int, isTrue: Bool)] = []
    }

    mutating func emit(_ tree: Folded, _ onTrue: inout Label, _ onFalse: inout Label) {
        switch tree {
        case .constant: preconditionFailure("constants are folded away below the root")
        case .check(let check):
            onTrue.users.append((instructions.count, true))
            onFalse.users.append((instructions.count, false))
            instructions.append(.init(opcode: .check, index: check, onTrue: -1, onFalse: -1))
        case .not(let child): emit(child, &onFalse, &onTrue)
        case .and(let children):
            for child in children.dropLast() {
                var next = Label()
                emit(child, &next, &onFalse)
                bind(next)
            }
            emit(children[children.count - 1], &onTrue, &onFalse)
        case .or(let children):
            for child in children.dropLast() {
                var next = Label()
                emit(child, &onTrue, &next)
                bind(next)
            }
            emit(children[children.count - 1], &onTrue, &onFalse)
        }
    }

    mutating func bind(_ label: Label) {
        let here = Int32(instructions.count)
        for (instruction, isTrue) in label.users {
            if isTrue { instructions[instruction].onTrue = here } else { instructions[instruction].onFalse = here }
        }
    }

    // MARK: checks

    private mutating func number(of check: TypedCheck) -> Int32 {
        if let known = checkNumbers[check.key] { return known }
        var flat = FlatCheck(
            opcode: .exists, shape: .single, comparison: check.comparison, kind: check.kind, isList: check.isList,
            isNotEqualForEach: check.isNotEqualForEach, left: expression(check.left, check.leftKey), right: -1,
            operand: Int32(operands.count), operandCount: 0)
        if let right = check.right {
            flat.opcode = .fields
            flat.right = expression(right, check.rightKey)
        } else if check.comparison != .exists {
            flat.opcode = Self.opcode(check)
            if let modifier = check.modifier, !Self.isSet(check) {
                flat.shape =
                    switch modifier {
                    case .oneof: .oneof
                    case .anyof: .anyof
                    case .allof: .allof
                    }
                for constant in check.constants { add(flat.opcode, [constant]) }
                flat.operandCount = Int32(check.constants.count)
            } else {
                add(flat.opcode, check.constants)
                flat.operandCount = 1
            }
        } else {
            operands.append(FlatOperand())
            flat.operandCount = 1
        }
        let number = Int32(checks.count)
        checks.append(flat)
        sources.append(check)
        checkNumbers[check.key] = number
        return number
    }

    private mutating func expression(_ expression: ValueExpression, _ key: String) -> Int32 {
        if let known = expressionNumbers[key] { return known }
        let number = Int32(expressions.count)
        expressions.append(expression)
        expressionNumbers[key] = number
        return number
    }

    /// Constants of which one has to be equal: looked up together. `= anyof` says what `in` does.
    private static func isSet(_ check: TypedCheck) -> Bool {
        switch check.comparison {
        case .in, .intersects: check.modifier == nil
        case .equal: check.modifier == .anyof
        default: false
        }
    }

    private static func opcode(_ check: TypedCheck) -> CheckOpcode {
        let isSet = Self.isSet(check)
        switch check.kind {
        case .signed, .unsigned, .bool:
            switch check.comparison {
            case .notEqual: return .numberNotEqual
            case .equal: return isSet ? .numberIn : .numberEqual
            case .in, .intersects: return isSet ? .numberIn : .numberEqual
            default: return check.kind == .signed ? .signedOrder : .unsignedOrder
            }
        case .double: return .doubleOrder
        case .text, .buffer:
            switch check.comparison {
            case .equal: return isSet ? .bytesIn : .bytesEqual
            case .notEqual: return .bytesNotEqual
            case .in, .intersects: return isSet ? .bytesIn : .bytesEqual
            case .less, .lessOrEqual, .greater, .greaterOrEqual: return .bytesOrder
            case .contains, .bcontains: return .contains
            case .icontains: return .icontains
            case .startswith, .bstartswith: return .startswith
            case .endswith: return .endswith
            case .glob: return .glob
            case .iglob: return .iglob
            case .regex: return .regex
            case .pmatch: return .pmatch
            case .exists: return .exists
            }
        case .address:
            switch check.comparison {
            case .notEqual: return .addressNotEqual
            default: return isSet ? .addressIn : .addressEqual
            }
        case .network:
            switch check.comparison {
            case .notEqual: return .networkNotEqual
            default: return isSet ? .networkIn : .networkEqual
            }
        case .opaque: preconditionFailure("the compiler lets only 'exists' through for such types")
        }
    }

    /// Appends the operand of one right side: a constant, or a whole set.
    private mutating func add(_ opcode: CheckOpcode, _ constants: [Constant]) {
        var operand = FlatOperand()
        func bytes(_ constant: Constant) -> Bytes { if case .bytes(let key) = constant { key.bytes } else { .empty } }
        switch opcode {
        case .bytesIn:
            operand.table = byteSets.count
            byteSets.append(ByteSet(constants.map(bytes), seed: seed))
        case .pmatch:
            operand.table = trees.count
            trees.append(PathTree(constants.map(bytes), seed: seed))
        case .numberIn:
            operand.table = wordSets.count
            wordSets.append(WordSet(constants.map { if case .number(let number) = $0 { (number, 0) } else { (0, 0) } }))
        case .addressIn:
            operand.table = wordSets.count
            wordSets.append(
                WordSet(
                    constants.compactMap {
                        if case .ipv4(let address) = $0 { (UInt64(address), CheckTables.ipv4Tag) } else { nil }
                    }))
            wordSets.append(
                WordSet(constants.compactMap { if case .ipv6(let address) = $0 { (address.high, address.low) } else { nil } }))
        case .networkIn, .doubleOrder:
            let start = operands.count
            for constant in constants { operands.append(Self.operand(constant)) }
            if constants.isEmpty { operands.append(operand) }
            operands[start].count = constants.count
            return
        case .glob, .iglob:
            operand.table = globs.count
            globs.append(GlobPattern(bytes(constants[0]), ignoringCase: opcode == .iglob))
        case .icontains:
            let lowered = FieldKey(bytes(constants[0]).array.map(Comparing.lowered))
            loweredConstants.append(lowered)
            operand.bytes = lowered.bytes
        default: operand = Self.operand(constants[0])
        }
        operands.append(operand)
    }
    /// Needles of `icontains`; the program keeps them.
    private(set) var loweredConstants: [FieldKey] = []

    private static func operand(_ constant: Constant) -> FlatOperand {
        var operand = FlatOperand()
        switch constant {
        case .number(let number): operand.first = number
        case .double(let number): operand.first = number.bitPattern
        case .bytes(let key): operand.bytes = key.bytes
        case .regex(let regex): operand.regex = regex.pattern
        case .ipv4(let address):
            operand.first = UInt64(address)
            operand.maskFirst = UInt64(UInt32.max)
        case .ipv6(let address):
            (operand.first, operand.second) = (address.high, address.low)
            (operand.maskFirst, operand.maskSecond) = (.max, .max)
            operand.isIPv6 = true
        case .ipv4Network(let address, let mask):
            operand.first = UInt64(address)
            operand.maskFirst = UInt64(mask)
        case .ipv6Network(let address, let mask):
            (operand.first, operand.second) = (address.high, address.low)
            (operand.maskFirst, operand.maskSecond) = (mask.high, mask.low)
            operand.isIPv6 = true
        }
        return operand
    }
}

/// `evt.type` is the name of the event code, but for the codes whose events carry their name.
struct EventTypeFolding {
    private var checks: [TypedCheck] = []
    private var verdicts: [String: [Bool?]] = [:]

    /// Generic system calls are told by a parameter, plugin and async events bring their own names.
    static let dynamicCodes: Set<UInt16> = [
        PPME_GENERIC_E.code, PPME_GENERIC_X.code, PPME_PLUGINEVENT_E.code, PPME_ASYNCEVENT_E.code,
    ]

    init(_ roots: [TypedNode]) {
        for root in roots { collect(root) }
    }

    private mutating func collect(_ node: TypedNode) {
        switch node {
        case .constant: break
        case .and(let children), .or(let children): for child in children { collect(child) }
        case .not(let child): collect(child)
        case .check(let check):
            guard check.isEventType, check.right == nil, verdicts[check.key] == nil else { return }
            checks.append(check)
            // A list of names can be long.
            var wanted: Set<[UInt8]>?
            if check.modifier == nil, check.comparison == .in || check.comparison == .intersects {
                wanted = Set(check.constants.map { if case .bytes(let key) = $0 { key.bytes.array } else { [] } })
            }
            var scratch = ExtractionScratch()
            var known: [Bool?] = []
            for code in 0..<EventTable.count {
                let name = Self.names[code].bytes
                if Self.dynamicCodes.contains(UInt16(code)) {
                    known.append(nil)
                } else {
                    known.append(wanted?.contains(name.array) ?? NaiveEvaluator.holds(check, .bytes(name), scratch: &scratch))
                }
            }
            verdicts[check.key] = known
        }
    }
    private static let names: [FieldKey] = EventTable.events.map { FieldKey($0.name) }

    /// Nil when the event has to be asked.
    func verdict(of check: TypedCheck, _ code: UInt16) -> Bool? { verdicts[check.key]?[Int(code)] }

    /// Equal for codes that fold alike.
    func signature(of code: UInt16) -> [UInt64] {
        checks.map { check in
            switch verdict(of: check, code) {
            case .some(true): 1
            case .some(false): 0
            case .none: 2 + UInt64(code)
            }
        }
    }
}
