// SPDX-License-Identifier: Apache-2.0
import EventModel
import Fields
import FilterLanguage
import Testing

@testable import RuleEngine

/// Which operator may stand behind which field, and what on its right: the compiler takes what the specification's tables allow
/// and nothing else.
@Suite struct OperatorTableTests {
    private static let operators = ConditionParser.operatorTexts.filter { $0 != "==" }

    private func compiles(_ text: String) -> Bool { (try? compiled(text)) != nil }

    private func right(_ word: String, _ field: ConditionGenerator.Field) -> String {
        let constant =
            switch field.type {
            case .number, .real, .port, .opaque: "1"
            case .truth: "true"
            case .address: "1.2.3.4"
            case .network: "1.2.3.0/24"
            // Numbers are all that may stand behind `<` and its kin; names of event types have to be some elsewhere.
            case .text:
                ["evt.type", "syscall.type"].contains(field.text) && !word.hasPrefix("<") && !word.hasPrefix(">") ? "open" : "1"
            case .buffer: "61"
            }
        switch word {
        case "exists": return ""
        case "in", "intersects", "pmatch": return "(\(constant))"
        default: return constant
        }
    }

    @Test func everyFieldWithEveryOperator() {
        var count = 0
        for field in ConditionGenerator.fields where !field.has(.distance) {
            for word in Self.operators {
                let text = "\(field.text) \(word) \(right(word, field))"
                #expect(compiles(text) == field.type.allows(word, isList: field.isList), "\(text)")
                count += 1
            }
        }
        #expect(count > 5000)
    }

    /// `oneof` and its kin stand behind the operators that take one string; where the operator fits the field, they do too.
    @Test func everyTypeWithEveryModifier() {
        var seen: Set<String> = []
        for field in ConditionGenerator.fields where !field.has(.distance) {
            guard seen.insert("\(field.reference.definition.type) \(field.isList)").inserted else { continue }
            for word in Self.operators where !["exists", "in", "intersects", "pmatch", "<", "<=", ">", ">="].contains(word) {
                for modifier in ["oneof", "anyof", "allof"] {
                    let text = "\(field.text) \(word) \(modifier) (\(right(word, field)))"
                    #expect(compiles(text) == field.type.allows(word, isList: field.isList), "\(text)")
                }
            }
        }
        #expect(seen.count > 8)
    }

    /// One field of each type, as list or not, and with the right to stand in a comparison of fields or without.
    @Test func everyTypeWithEveryTypeOnTheRight() {
        var kinds: [String: ConditionGenerator.Field] = [:]
        for field in ConditionGenerator.fields where !field.has(.distance) && !["evt.type", "syscall.type"].contains(field.text) {
            let kind = "\(field.reference.definition.type) \(field.isList) \(field.has(.noRightSide))"
            if kinds[kind] == nil { kinds[kind] = field }
        }
        for left in kinds.values {
            for right in kinds.values {
                for word in Self.operators where word != "exists" {
                    let isSameType =
                        left.reference.definition.type == right.reference.definition.type && left.isList == right.isList
                    let mayCompare = !left.has(.noRightSide) && !right.has(.noRightSide) && left.type != .network
                    let expected =
                        left.type.allows(word, isList: left.isList) && word != "pmatch" && word != "regex" && isSameType
                        && mayCompare
                    let text = "\(left.text) \(word) val(\(right.text))"
                    #expect(compiles(text) == expected, "\(text)")
                }
            }
        }
        #expect(kinds.count > 12)
    }

    /// Numbers are cut to the field's width; what no number holds becomes the nearest.
    @Test(arguments: [
        ("evt.cpu", "65537", 1), ("evt.cpu", "32768", -32768), ("evt.cpu", "-32769", 32767), ("evt.cpu", "0xffff", -1),
        ("evt.cpu", "+7", 7), ("evt.cpu", "99999999999999999999", -1), ("evt.cpu", "-99999999999999999999", 0),
        ("evt.rawres", "9223372036854775808", Int64.max), ("evt.rawres", "-9223372036854775809", Int64.min),
        ("evt.rawres", "99999999999999999999", Int64.max), ("evt.rawres", "-99999999999999999999", Int64.min),
        ("evt.rawres", "0xffffffffffffffff", -1), ("evt.rawres", "0XA", 10), ("evt.rawres", "1.9", 1), ("evt.rawres", "1e+3", 1),
        ("evt.rawtime", "18446744073709551615", -1), ("evt.rawtime", "18446744073709551616", -1), ("evt.rawtime", "-1", -1),
        ("evt.rawtime", "-99999999999999999999", -1), ("fd.dev", "4294967297", 1), ("fd.dev", "2147483648", Int64(Int32.min)),
        ("evt.count", "4294967296", 0), ("evt.count", "-1", 4_294_967_295), ("fd.port", "65536", 0), ("fd.port", "http", 80),
        ("fd.port", "''", 0),
    ])
    func numbers(_ field: String, _ constant: String, _ expected: Int64) throws {
        let check = try compiledCheck("\(field) = \(constant)")
        guard case .number(let number)? = check.constants.first else {
            Issue.record("no number")
            return
        }
        #expect(Int64(bitPattern: number) == expected)
    }

    @Test(arguments: [
        ("evt.cpu = abc", "abc is not a valid number"), ("evt.cpu = ''", " is not a valid number"),
        ("evt.cpu = -", "- is not a valid number"), ("fd.port = nosuchservice", "unrecognized protocol nosuchservice"),
        ("fd.ip = 1.2.3", "unrecognized IPv4 address 1.2.3"), ("fd.ip = 1.2.3.256", "unrecognized IPv4 address 1.2.3.256"),
        ("fd.ip = ::ffff:1.2.3.4", "unrecognized IPv4 address ::ffff:1.2.3.4"), ("fd.ip = g::", "unrecognized IPv6 address g::"),
        ("fd.ip = ''", "unrecognized IPv6 address "), ("fd.net = 1.2.3.4", "unrecognized IP network 1.2.3.4"),
        ("fd.net = 1.2.3.4/33", "invalid netmask 33"), ("fd.net = 1.2.3.4/", "invalid netmask "),
        ("fd.net = 1.2.3.4/-1", "invalid netmask -1"), ("fd.net = ::/129", "invalid netmask 129"),
        ("fd.net = 1.2.3/8", "unrecognized IP address 1.2.3/8"),
        ("evt.is_io = True", "filter error: unrecognized boolean value True"),
        ("evt.is_io = 1", "filter error: unrecognized boolean value 1"), ("evt.type = nosuch", "unknown event type nosuch"),
        ("evt.type in (open, nosuch)", "unknown event type nosuch"),
        ("evt.buffer bcontains 6", "filter error: bcontains and bstartswith operator support hex strings only"),
        ("proc.name = '\\x00'", "filter error: filter value cannot contain a NUL byte (\\x00)"),
        ("proc.name in (a, 'b\\x00')", "filter error: filter value cannot contain a NUL byte (\\x00)"),
    ])
    func constantsThatAreNone(_ text: String, _ message: String) {
        #expect { try compiled(text) } throws: { ($0 as? CompileProblem)?.message == message }
    }
}
