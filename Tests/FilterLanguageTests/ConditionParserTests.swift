// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage
import Testing

/// A source with `¦` where a diagnostic must point.
struct MarkedSource {
    let text: String
    let mark: Int
    init(_ marked: String) {
        let parts = marked.split(separator: "¦", maxSplits: 1, omittingEmptySubsequences: false)
        text = parts.joined()
        mark = parts[0].utf8.count
    }
}

@Suite struct ConditionParserTests {
    private static let transformers = "'val', 'tolower', 'toupper', 'b64', 'basename', 'len', 'join', 'concat', 'getopt'"

    @Test(arguments: [
        ("¦", "filter input string is empty"),
        ("evt.type = open and ¦", "expected a '(' token, a field check, or an identifier"),
        ("(a or b¦", "expected a ')' token"),
        ("a or¦b", "expected blank or '(' after 'or'"),
        ("a and¦b", "expected blank or '(' after 'and'"),
        ("spawned ¦proc.name = x", "unexpected token after 'spawned', expecting 'or', 'and'"),
        ("a.b = c ¦d.e = f", "unexpected token after 'c', expecting 'or', 'and'"),
        ("a.b = 'c d' ¦e", "unexpected token after 'c d', expecting 'or', 'and'"),
        (
            "a.b ¦like x",
            "expected a valid check operator: one of 'exists', '<=', '<', '>=', '>', '==', '=', '!=', 'glob', 'iglob', "
                + "'contains', 'icontains', "
                + "'bcontains', 'startswith', 'bstartswith', 'endswith', 'regex', 'intersects', 'in', 'pmatch'"
        ),
        ("a.b < ¦x", "expected a number value or a field with a valid transformer: \(transformers)"),
        ("a.b = ¦'x", "expected a string value or a field with a valid transformer: \(transformers)"),
        ("a.b in ¦'x'", "expected a list, an identifier, or a field with a valid transformer: \(transformers)"),
        ("a.b in (x, ¦)", "expected a string value"),
        ("a.b in (x ¦y)", "expected a ')' token"),
        ("a.b[¦] = x", "expected a valid field argument: a quoted string or a bare string"),
        ("a.b['x'¦ = x", "expected a ']' token"),
        ("a.b = val(¦x)", "expected a field within 'val' transformer"),
        ("tolower(a.b ¦= x", "expected a ')' token closing the transformer"),
        (
            "tolower(¦x) = x",
            "expected field transformer argument: field, transformer, quoted string, number, or transformer list"
        ),
        ("join('-', (¦x)) = x", "expected transformer list argument: field, transformer, quoted string, or number"),
        ("a.b = \"\\q\"¦", "unsupported string escape sequence: \\q"),
        ("a.b = \"\\x4\"¦", "truncated hex char escape sequence"),
        ("a.b = \"\\xzz\"¦", "invalid hex char escape sequence: zz"),
        ("a.b = \"\\'\"¦", "invalid \\' escape in \"-quoted string"),
        ("a.b = '\\\"'¦", "invalid \\\" escape in '-quoted string"),
    ])
    func points(at marked: String, saying message: String) {
        let source = MarkedSource(marked)
        let error = #expect(throws: ConditionParseError.self) {
            var parser = ConditionParser(source.text)
            _ = try parser.parse()
        }
        #expect(error?.message == message)
        #expect(error?.position.offset == source.mark)
    }

    @Test func positionCountsLinesAndColumnsFromOne() {
        let error = #expect(throws: ConditionParseError.self) {
            var parser = ConditionParser("a.b = c\r and\n  é")
            _ = try parser.parse()
        }
        #expect(error?.position == SourcePosition(offset: 15, line: 3, column: 3))
    }

    @Test(arguments: [
        // precedence, and an even number of nots
        ("a or b and not c", "(a or (b and not c))"),
        ("not not a", "a"),
        ("not not not(a and b)", "not (a and b)"),
        // one tree, one spelling of blanks
        ("a.b  =c", "a.b = c"),
        ("a.b==c", "a.b == c"),
        ("a.b in(c,'d e' , f)", "a.b in (c, \"d e\", f)"),
        ("a.b in c", "a.b in c"),
        ("a.b startswith\tc", "a.b startswith c"),
        ("a.b = 'x=y'", "a.b = \"x=y\""),
        ("a.b = ''", "a.b = \"\""),
        ("a.b = 'x\\\\y'", "a.b = \"x\\\\y\""),
        ("a.b = \\", "a.b = \"\\x5c\""),
        ("a.b = anyof (c)", "a.b = anyof (c)"),
        ("a.b = anyof and c", "(a.b = anyof and c)"),
        ("a.b = anyof", "a.b = anyof"),
        ("a.b=val( c.d )", "a.b = val(c.d)"),
        ("len(concat( a.b[1] ,c.d)) > 0x1F", "len(concat(a.b[1],c.d)) > 0x1F"),
        ("a.b = \"\\x01\\xff\"", "a.b = \"\\x01\u{10feff}\""),
    ])
    func reads(_ text: String, as normalised: String) throws {
        var parser = ConditionParser(text)
        let condition = try parser.parse()
        #expect(condition.normalised == normalised)
        var again = ConditionParser(bytes: FilterText.bytes(condition.normalised))
        #expect(try again.parse().normalised == normalised)
    }

    /// Falco leaves the quotes of a transformer's argument out, so this form alone does not read back.
    @Test func argumentsOfTransformersAreWrittenBare() throws {
        var parser = ConditionParser("getopt(proc.args, \"nt:\")['t'] = x and join('', ('-', c.d)) = y")
        #expect(try parser.parse().normalised == "(getopt(proc.args,nt:)[t] = x and join(\"\",(-, c.d)) = y)")
    }

    /// What only the one-line format of 2016 read; `nil` where even that did not.
    @Test(
        arguments: [
            ("a.b in (x,, y,)", "a.b in (x, y)"),
            ("a.b in (,)", "a.b in ()"),
            ("a.b containsx", "a.b contains x"),
            ("_m and _a._b = c", "(_m and _a._b = c)"),
            ("a.b = 'x", "a.b = \"'x\""),
            ("a.b = x|y", "a.b = x|y"),
            ("a.b < x", "a.b < x"),
            ("a.b = \"\\a\\v\"", "a.b = \"\\x07\\x0b\""),
            ("a.b[0] = c", "a.b[0] = c"),
            ("orx and nota", "(orx and nota)"),
            ("a.b startswithx", nil),
            ("a and", nil),
        ] as [(String, String?)])
    func founding(_ text: String, _ normalised: String?) {
        var parser = ConditionParser(text, dialect: .founding)
        #expect((try? parser.parse())?.normalised == normalised)
    }

    @Test(arguments: ["a.b in (x,, y)", "a.b containsx", "_m", "a.b = 'x", "a.b < x"])
    func todayRefusesWhatOnlyTheFoundingFormatRead(_ text: String) {
        var parser = ConditionParser(text)
        #expect(throws: ConditionParseError.self) { try parser.parse() }
    }

    @Test(arguments: [100, 1000])
    func nestingIsBounded(depthMax: Int) {
        for open in ["(", "not(", "a and(", "tolower(", "join('', ("] {
            var parser = ConditionParser(String(repeating: open, count: 100_000), depthMax: depthMax)
            let error = #expect(throws: ConditionParseError.self) { try parser.parse() }
            let isListInList = open.hasPrefix("join")
            #expect(isListInList || error?.message == "exceeded max depth limit of \(depthMax)")
        }
        let fits = (depthMax - 5) / 5
        for (count, isFine) in [(fits, true), (fits + 1, false)] {
            var parser = ConditionParser(
                String(repeating: "(", count: count) + "a" + String(repeating: ")", count: count), depthMax: depthMax)
            #expect(((try? parser.parse()) != nil) == isFine)
        }
    }

    @Test func everyTruncationOfAConditionReadsOrFails() {
        let text =
            "not (a.b[\"x\"] in (c, 'd') or tolower(join('-', (e.f, \"g\")))[h] != oneof (i)) "
            + "and j.k >= -1.5e+3 or l.m regex \"\\x41\""
        for length in 0...text.utf8.count {
            var parser = ConditionParser(bytes: Array(text.utf8.prefix(length)))
            _ = try? parser.parse()
            #expect(parser.position.offset <= length)
        }
    }

    @Test func prefixStopsBeforeWhatIsNoCondition() throws {
        var parser = ConditionParser("a.b = c | WARNING text", dialect: .founding)
        #expect(try parser.parsePrefix().normalised == "a.b = c")
        #expect(parser.position.offset == 8)
    }

    @Test(arguments: [
        ("proc.name)", "proc.name", 9),
        ("evt.arg[0] x", "evt.arg[0]", 10),
        ("tolower(proc.name) and", "tolower(proc.name)", 18),
        ("fd.name.", "fd.name", 7),
    ])
    func operandPrefix(_ text: String, _ normalised: String, _ count: Int) throws {
        let found = try ConditionParser.parseOperandPrefix(text[...])
        #expect(found.operand.normalised == normalised)
        #expect(found.utf8Count == count)
    }
}

@Suite struct FilterTextTests {
    @Test(
        arguments: [
            [], [0x61], [0xff], [0xc3, 0xa9], [0xc3], [0xc3, 0x28], [0xf4, 0x8f, 0xba, 0x80], [0xed, 0xa0, 0x80],
            [0x61, 0xe2, 0x82],
        ] as [[UInt8]])
    func bytesComeBack(_ bytes: [UInt8]) {
        #expect(FilterText.bytes(FilterText.string(bytes)) == bytes)
    }
}

@Suite struct PriorityTests {
    @Test(
        arguments: [
            ("EMERGENCY", .emergency), ("info", .informational), ("Informational", .informational), ("warning", .warning),
            ("warn", nil), ("", nil), ("inf", nil),
        ] as [(String, Priority?)])
    func word(_ word: String, _ priority: Priority?) { #expect(Priority(word: word) == priority) }

    @Test(
        arguments: [
            ("e", .emergency), ("err", .error), ("WARN", .warning), ("info", .informational), ("d", .debug), ("x", nil),
            ("", nil),
        ] as [(String, Priority?)])
    func foundingPrefix(_ word: String, _ priority: Priority?) { #expect(Priority(foundingPrefix: word) == priority) }
}
