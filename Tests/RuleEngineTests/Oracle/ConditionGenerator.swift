// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import Fields
import FilterLanguage

@testable import RuleEngine

/// Conditions from the whole grammar, as text: every field, operators that fit its type, constants that events had or nearly had.
struct ConditionGenerator {
    struct Field {
        /// With its argument.
        let text: String
        let name: FieldName
        let reference: FieldReference
        var type: OracleType { OracleType(reference.definition.type) }
        var isList: Bool { reference.definition.flags.contains(.list) }
        func has(_ flag: FieldFlags) -> Bool { reference.definition.flags.contains(flag) }
    }
    private var random: SeededGenerator
    /// By field: texts of values that events had.
    private var seen: [String: [String]] = [:]
    /// Checks and groups that several rules of one program have.
    private var shared: [String] = []
    /// What is being written stands on a right side, where not all fields may.
    private var isRight = false

    init(seed: UInt64) { random = SeededGenerator(state: seed) }

    // MARK: fields

    static let fields: [Field] = {
        var texts: [String] = []
        let definitions = FieldCatalogue.builtin.classes.flatMap(\.definitions)
        for definition in definitions {
            let flags = definition.flags
            if !flags.contains(.argumentRequired) { texts.append(definition.name) }
            if flags.contains(.argumentAfterDot) { continue }
            if flags.contains(.argumentIndex) {
                texts += ["\(definition.name)[0]", "\(definition.name)[1]", "\(definition.name)[9]"]
            }
            if flags.contains(.argumentKey) { texts += ["\(definition.name)[HOME]", "\(definition.name)['no such']"] }
        }
        texts += [
            "evt.around[1600000010000000000]", "evt.abspath", "evt.abspath.src", "evt.abspath.dst", "evt.arg[0]", "evt.arg[3]",
        ]
        texts += ["open", "close", "execve", "container", "2", "3", "307"].map { "evt.type.is.\($0)" }
        texts += ["thread.cgroup.memory", "thread.cgroup.cpu"]
        var names: Set<String> = []
        for event in EventTable.events {
            for parameter in event.parameters where names.insert(parameter.name).inserted {
                texts += ["evt.arg.\(parameter.name)", "evt.rawarg.\(parameter.name)"]
            }
        }
        // What does not resolve (an argument of another kind) is left to the tests of resolving.
        return texts.compactMap { text in
            guard let (operand, _) = try? ConditionParser.parseOperandPrefix(text[...]), case .field(let name) = operand,
                let reference = try? FieldCatalogue.builtin.resolve(name)
            else { return nil }
            return Field(text: text, name: name, reference: reference)
        }
    }()
    private static let transformable = fields.filter { !$0.has(.noTransformer) }
    private static let texts = transformable.filter { $0.type == .text && !$0.isList }
    private static let charbufs = texts.filter { $0.reference.definition.type == .charbuf }
    private static let textLists = transformable.filter { $0.type == .text && $0.isList }
    /// Those that may stand on a right side, by type and whether they are lists.
    private static let rightSides: [String: [Field]] = Dictionary(
        grouping: fields.filter { !$0.has(.noRightSide) && $0.type != .network && $0.type != .opaque }, by: kind)
    private static func kind(_ field: Field) -> String { "\(field.reference.definition.type) \(field.isList)" }
    static let typeNames: [String] = Array(
        Set(EventTable.events.map(\.name) + EventTable.systemCallCodes.filter { !$0.name.isEmpty && $0.code != 0 }.map(\.name))
    ).filter { EventTable.codes(named: $0) != nil }.sorted()

    mutating func remember(_ field: Field, _ value: OracleValue) {
        if case .many(let values) = value {
            for value in values.prefix(4) { remember(field, value) }
            return
        }
        guard let words = value.words, seen[field.text, default: []].count < 24, !words.utf8.contains(0), words.utf8.count < 200
        else {
            return
        }
        if !seen[field.text, default: []].contains(words) { seen[field.text, default: []].append(words) }
    }

    // MARK: conditions

    /// A new program: other shared parts.
    mutating func beginProgram() {
        shared = []
        for _ in 0..<12 { shared.append(check()) }
        for _ in 0..<8 { shared.append(group(depth: 2)) }
    }

    /// As authors write them: event types first, exceptions last; or anything.
    mutating func rule() -> String {
        guard chance(60) else { return group(depth: 4) }
        var parts = [eventType(), group(depth: 2)]
        if chance(50) { parts.append(pick(shared)) }
        if chance(40) {
            let exceptions = (0..<Int.random(in: 1...3, using: &random)).map { _ in "(\(check()) and \(check()))" }
            parts.append("not (\(exceptions.joined(separator: " or ")))")
        }
        return parts.map { "(\($0))" }.joined(separator: " and ")
    }

    private mutating func group(depth: Int) -> String {
        if depth == 0 || chance(15) { return !shared.isEmpty && chance(40) ? pick(shared) : check() }
        let choice = Int.random(in: 0..<10, using: &random)
        if choice < 2 { return "not (\(group(depth: depth - 1)))" }
        let parts = (0..<Int.random(in: 2...3, using: &random)).map { _ in "(\(group(depth: depth - 1)))" }
        return parts.joined(separator: choice < 6 ? " and " : " or ")
    }

    private mutating func eventType() -> String {
        let field = chance(85) ? "evt.type" : "syscall.type"
        let names =
            (0..<Int.random(in: 1...6, using: &random)).map { _ in pick(Self.typeNames) }
            + ["open", "close"].filter { _ in chance(30) }
        switch Int.random(in: 0..<9, using: &random) {
        case 0...2: return "\(field) in (\(names.joined(separator: ", ")))"
        case 3: return "\(field) = \(names[0])"
        case 4: return "\(field) != \(names[0])"
        case 5: return "not \(field) in (\(names.joined(separator: ", ")))"
        case 6: return "\(field) intersects (\(names.joined(separator: ", ")))"
        case 7: return "\(field) exists"
        default: return "\(field) in ()"
        }
    }

    private mutating func check() -> String {
        if chance(12) { return eventType() }
        if chance(4) { return number() }
        if chance(20) { return transformed() }
        let field = pick(Self.fields)
        if field.text == "evt.type" || field.text == "syscall.type" || field.text == "evt.num" { return eventType() }
        return comparison(of: field.text, field.type, isList: field.isList, field)
    }

    /// The idioms of `evt.num`, which compilers may know the answer of, and others.
    private mutating func number() -> String {
        pick([
            "evt.num = 0", "evt.num != 0", "evt.num > 0", "evt.num >= 1", "evt.num < 1", "evt.num <= 0", "evt.num in (0)",
            "evt.num in ()", "evt.num in (0, 3)", "evt.num > 40", "evt.num >= 0", "evt.num = oneof (0)", "evt.num exists",
            "evt.num != 7", "evt.num <= 0x20", "evt.num < -1", "evt.num intersects (0)",
        ])
    }

    private mutating func comparison(of left: String, _ type: OracleType, isList: Bool, _ field: Field?) -> String {
        if field?.has(.distance) == true { return "\(left) = \(Int.random(in: 0...90_000, using: &random))" }
        let known = field.flatMap { seen[$0.text] } ?? []
        let words = ConditionParser.operatorTexts.filter { $0 != "==" && type.allows($0, isList: isList) }
        let word = pick(words)
        if word == "exists" { return "\(left) exists" }
        // A field on the right, where there may be one.
        if chance(10), word != "pmatch", word != "regex", let field, !field.has(.noRightSide),
            let others = Self.rightSides[Self.kind(field)]
        {
            return "\(left) \(word) val(\(pick(others).text))"
        }
        if ["in", "intersects", "pmatch"].contains(word) { return "\(left) \(word) \(list(type, word, known))" }
        if ["<", "<=", ">", ">="].contains(word) {
            guard type == .text else { return "\(left) \(word) \(constant(type, word, known))" }
            // Behind these the grammar has no string, but a transformer.
            if field?.has(.noRightSide) == true || left.contains("fd.types") { return "\(left) \(word) 12" }
            isRight = true
            defer { isRight = false }
            return "\(left) \(word) \(text(depth: 1))"
        }
        if chance(15) { return "\(left) \(word) \(pick(["oneof", "anyof", "allof"])) \(list(type, word, known))" }
        return "\(left) \(word == "=" && chance(20) ? "==" : word) \(constant(type, word, known))"
    }

    private mutating func list(_ type: OracleType, _ word: String, _ known: [String]) -> String {
        let count = chance(8) ? 0 : Int.random(in: 1...5, using: &random)
        return "(" + (0..<count).map { _ in constant(type, word, known) }.joined(separator: ", ") + ")"
    }

    // MARK: constants

    private mutating func constant(_ type: OracleType, _ word: String, _ known: [String]) -> String {
        let base = known.isEmpty || chance(20) ? nil : pick(known)
        switch type {
        case .number, .real:
            guard let base, let value = Int128(base) else {
                return pick([
                    "0", "1", "-1", "0x10", "+3", "18446744073709551616", "-99999999999999999999", "4294967296", "255", "65537",
                ])
            }
            return chance(50) ? base : String(value + Int128(Int.random(in: -2...2, using: &random)))
        case .port: return base != nil && chance(70) ? base! : pick(["80", "443", "22", "0", "65536"])
        case .truth: return pick(["true", "false"])
        case .address: return base ?? pick(["127.0.0.1", "10.0.0.7", "::1", "2001:db8::7", "::"])
        case .network:
            let address = base ?? pick(["127.0.0.0", "10.0.0.0", "::1", "2001:db8::"])
            return "\(address)/\(Int.random(in: 0...(address.contains(".") ? 32 : 128), using: &random))"
        case .buffer where word == "bcontains" || word == "bstartswith":
            return pick(["2f", "68", "00", "0001", "2D63", "\"\"", "ff2f"])
        case .text, .buffer, .opaque: return quoted(textConstant(word, Array((base ?? pick(OracleMachine.texts)).utf8)))
        }
    }

    /// A value, or a part of it, or something close.
    private mutating func textConstant(_ word: String, _ value: [UInt8]) -> [UInt8] {
        var text = value
        if text.count > 1, chance(60) {
            let start = word.hasSuffix("startswith") || chance(40) ? 0 : Int.random(in: 0..<text.count, using: &random)
            let end = word == "endswith" || chance(40) ? text.count : Int.random(in: start...text.count, using: &random)
            if !["=", "!=", "in", "intersects", "pmatch"].contains(word) || chance(10) { text = Array(text[start..<end]) }
        }
        switch word {
        case "icontains", "iglob": text = text.map { chance(50) ? Comparing.lowered($0) : OracleText.raised([$0])[0] }
        default: break
        }
        switch word {
        case "glob", "iglob":
            for _ in 0..<2 where chance(70) && !text.isEmpty {
                let at = Int.random(in: 0..<text.count, using: &random)
                let end = chance(60) ? text.count : at + 1
                text.replaceSubrange(
                    at..<end, with: Array(pick(["*", "?", "[a-z]", "[!a]", "\\", "*x", "[[:alpha:]]", "["]).utf8))
            }
        case "regex": text = regex(text)
        case "pmatch":
            var parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Array.init)
            if parts.count > 1, chance(50) { parts.removeLast(Int.random(in: 0..<parts.count, using: &random)) }
            if chance(30), !parts.isEmpty { parts[parts.count - 1] = Array(pick(["*", "?*", "[a-e]*", "x", ""]).utf8) }
            text = Array(parts.joined(separator: [UInt8(ascii: "/")]))
        default: break
        }
        return Array(text.prefix(250))
    }

    private mutating func regex(_ text: [UInt8]) -> [UInt8] {
        var pattern: [UInt8] = []
        for byte in text.prefix(30) where byte < 128 {
            if chance(10) {
                pattern += Array(pick([".", ".*", "[a-z]", "[^b]", "(x|.)", "a{0,2}", ".+", "(ab?)*"]).utf8)
            } else if (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 32
                || byte == 47
            {
                pattern.append(byte)
            } else {
                pattern += byte < 32 ? [UInt8(ascii: ".")] : [UInt8(ascii: "\\"), byte]
            }
        }
        if chance(50) { pattern += Array(".*".utf8) }
        if chance(20) { pattern = [UInt8(ascii: "^")] + pattern + [UInt8(ascii: "$")] }
        return pattern
    }

    private func quoted(_ text: [UInt8]) -> String { FilterText.string(FilterEscapes.escape(text)) }

    // MARK: transformers

    private mutating func transformed() -> String {
        switch Int.random(in: 0..<8, using: &random) {
        case 0...3: return comparison(of: text(depth: 2), .text, isList: false, nil)
        case 4, 5:
            let word = pick(["=", "!=", "<", "<=", ">", ">=", "in", "intersects"])
            if word == "in" || word == "intersects" { return "\(length()) \(word) (0, 3, 4, 7)" }
            let right = pick(["0", "3", "4", "0x7", "12", "len(proc.name)", "val(evt.num)", "len(evt.buffer)"])
            isRight = right.contains("(")
            defer { isRight = false }
            return "\(length()) \(word) \(right)"
        case 6:
            let options = "getopt(\(wordList()), \"\(pick(["c:", "cs:o:D", ":s:o:", "o::D", ""]))\")"
            return chance(50)
                ? "\(options) \(pick(["in", "intersects"])) (c, s, o, D, \"\", file, x, \"?\")" : "\(options) exists"
        default:
            return
                "\(pick(["tolower", "toupper"]))(\(listField())) \(pick(["in", "intersects"])) \(list(.text, "in", []))"
        }
    }

    private mutating func length() -> String {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: "len(\(listField()))"
        case 1: "len(evt.buffer)"
        case 2: "len(\(wordList()))"
        default: "len(\(text(depth: 1)))"
        }
    }

    /// All lists of texts are refused on a right side.
    private mutating func listField() -> String { isRight ? "(\"a\", proc.name, \"-c\")" : pick(Self.textLists).text }

    private mutating func wordList() -> String {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: listField()
        case 1: "(\"-c\", proc.name, \"-Dofile\", \"-s\")"
        case 2: "()"
        default: "(\(text(depth: 1)), \(quotedLiteral()))"
        }
    }
    private mutating func quotedLiteral() -> String { pick(["\"-c\"", "\"--\"", "\"-s\"", "\"x\"", "\"\"", "\"-D\""]) }

    private mutating func text(depth: Int) -> String {
        let leaf = depth == 0 || chance(40)
        func name() -> String { pick(["tolower", "toupper", "basename"]) }
        if leaf { return "\(name())(\(pick(Self.texts).text))" }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return "concat(\(text(depth: depth - 1)), \(pick(["\"-\"", "\"\"", "\"x\""])), \(pick(Self.texts).text))"
        case 1: return "join(\(pick(["\":\"", "\"\"", "\", \""])), (\(pick(Self.texts).text), \"a\", \(text(depth: depth - 1))))"
        case 2: return "join(\"/\", \(listField()))"
        case 3: return "b64(\(pick(Self.charbufs).text))"
        case 4: return "getopt(\(wordList()), \"c:s:Do\")[\(pick(["c", "s", "D", "o", "x"]))]"
        default: return "\(name())(\(text(depth: depth - 1)))"
        }
    }

    // MARK: chance

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    private mutating func pick<T>(_ items: [T]) -> T { items.randomElement(using: &random)! }
}
