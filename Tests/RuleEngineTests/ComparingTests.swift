// SPDX-License-Identifier: Apache-2.0
import EventModel
import Fields
import Glibc
import Testing

@testable import RuleEngine

/// Each operator on each kind of value; both evaluators say the same, or the verdict is nil.
@Suite struct ComparingTests {
    @Test(arguments: [
        ("=", "open", true), ("=", "opens", false), ("=", "", false), ("==", "open", true), ("!=", "open", false),
        ("!=", "x", true),
        ("contains", "pe", true), ("contains", "PE", false), ("contains", "\"\"", true), ("icontains", "PE", true),
        ("icontains", "px", false), ("icontains", "\"\"", true), ("startswith", "op", true), ("startswith", "Op", false),
        ("startswith", "opens", false), ("endswith", "en", true), ("endswith", "ope", false), ("endswith", "xopen", false),
        ("glob", "o*n", true), ("glob", "o?n", false), ("glob", "o??n", true), ("glob", "[a-o]pen", true),
        ("glob", "[!o]pen", false),
        ("glob", "O*", false), ("iglob", "O*", true), ("iglob", "[A-P]PEN", true), ("regex", "o.*", true), ("regex", "pe", false),
        ("regex", "^open$", true), ("regex", "'o(p|x)en'", true), ("in", "(close, open)", true), ("in", "()", false),
        ("in", "(close)", false), ("intersects", "(close, open)", true), ("<", "1", false), (">", "1", true),
        ("pmatch", "(open)", true), ("pmatch", "(/open)", true), ("pmatch", "(ope)", false),
        ("= anyof", "(x, open)", true), ("= oneof", "(open, open)", false), ("= allof", "(open, open)", true),
        ("!= anyof", "(x, open)", true), ("!= allof", "(x, open)", false), ("contains allof", "(o, pe)", true),
        ("contains oneof", "(o, pe)", false), ("regex anyof", "(x, 'o.*')", true), ("glob oneof", "(o*, x*)", true),
        ("= anyof", "()", false), ("!= allof", "()", false),
    ])
    func strings(_ comparison: String, _ right: String, _ expected: Bool) throws {
        let check = try compiledCheck("evt.source \(comparison) \(right.isEmpty ? "''" : right)")
        #expect(verdict(check, text("open")) == expected)
        #expect(verdict(check, .none) == false)
    }

    @Test(arguments: [
        ("/a/b", "/a/b", true), ("/a/b", "/a/b/c", true), ("/a/b", "/a/bc", false), ("/a/b", "/a", false),
        ("/a//b/", "/a/b", true),
        ("/a", "//a///b", true), ("/", "/", true), ("/", "/x", true), ("/", "", true), ("/a/*", "/a/x", true),
        ("/a/*", "/a", false),
        ("/a/*/c", "/a/b/c/d", true), ("/a/*/c", "/a/b/x/c", false), ("/a/[!b]", "/a/b", false), ("/a/?", "/a/bc", false),
        ("/a/*x", "/a/bx", true), ("/a/b, /a/*/d", "/a/b/d", true), ("/a/*/d, /a/b/c", "/a/b/d", true),
        ("/a/b/c, /a/*/d", "/a/b/d", true), ("/a/b/c/d, /a", "/a/x", true),
    ])
    func paths(_ constants: String, _ path: String, _ expected: Bool) throws {
        #expect(verdict(try compiledCheck("evt.source pmatch (\(constants))"), text(path)) == expected)
    }

    @Test(arguments: [
        ("evt.cpu", "> 300", 1, false), ("evt.cpu", "> -500", 1, true), ("evt.cpu", "<= 1025", 1, true),
        ("evt.cpu", "= 65537", 1, true),
        ("evt.cpu", "= 0x01", 1, true), ("evt.cpu", "in (3, 1)", 1, true), ("evt.cpu", "in ()", 1, false),
        ("evt.cpu", "= oneof (1, 1)", 1, false),
        ("evt.cpu", "< 0", -1, true), ("evt.cpu", "= -1", -1, true), ("evt.cpu", "in (-1)", -1, true),
        ("evt.cpu", "!= -1", -1, false),
        ("evt.cpu", "intersects (0, 1)", 0, true), ("evt.cpu", "= 5x", 5, true),
    ])
    func signed(_ field: String, _ right: String, _ value: Int64, _ expected: Bool) throws {
        #expect(verdict(try compiledCheck("\(field) \(right)"), .int(value)) == expected)
    }

    @Test(
        arguments: [
            ("> 9223372036854775807", UInt64.max, true), ("= 18446744073709551615", .max, true), ("= -1", .max, true),
            ("= 99999999999999999999999", .max, true), ("< 1", 0, true), (">= 1", 0, false), ("in (1, 2)", 2, true),
        ] as [(String, UInt64, Bool)])
    func unsigned(_ right: String, _ value: UInt64, _ expected: Bool) throws {
        #expect(verdict(try compiledCheck("evt.rawtime \(right)"), .uint(value)) == expected)
    }

    @Test(arguments: [
        ("= true", true, true), ("= false", true, false), ("!= true", false, true), ("in (true, false)", false, true),
    ])
    func bools(_ right: String, _ value: Bool, _ expected: Bool) throws {
        #expect(verdict(try compiledCheck("evt.is_io \(right)"), .bool(value)) == expected)
    }

    @Test(arguments: [
        ("< 1", 0.5, true), ("= 1", 1.0, true), ("in (1, 2)", 2.0, true), ("in (1, 2)", 1.5, false), ("in ()", 0, false),
    ])
    func doubles(_ right: String, _ value: Double, _ expected: Bool) throws {
        #expect(verdict(try compiledCheck("thread.cpu \(right)"), .double(value)) == expected)
    }

    @Test(arguments: [
        ("bcontains 656c6C", true), ("bcontains 20", false), ("bstartswith 68", true), ("bstartswith 656c", false),
        ("= 'h\\x00ello'", false), ("contains ell", true), ("startswith he", true), ("endswith lo", true),
        ("in (x, hello)", true),
    ])
    func buffers(_ right: String, _ expected: Bool) throws {
        #expect(verdict(try compiledCheck("evt.buffer \(right)"), text("hello")) == expected)
    }

    private func address(_ text: String) -> FieldValue {
        ConditionCompiler.ipv4(text).map { .ipv4($0) } ?? .ipv6(ConditionCompiler.ipv6(text)!)
    }

    @Test(arguments: [
        ("fd.sip = 1.2.3.4", "1.2.3.4", true), ("fd.sip != 1.2.3.4", "1.2.3.4", false), ("fd.sip = ::1", "1.2.3.4", false),
        ("fd.sip != ::1", "1.2.3.4", true), ("fd.sip in (::1, 1.2.3.4)", "1.2.3.4", true),
        ("fd.sip in (::2, 1.2.3.4)", "::1", false),
        ("fd.sip in (::2, 1.2.3.4)", "::2", true), ("fd.sip = oneof (1.2.3.4, 4.3.2.1)", "1.2.3.4", true),
        ("fd.snet = 142.251.0.0/8", "142.9.9.9", true), ("fd.snet = 142.251.111.0/16", "142.251.111.147", true),
        ("fd.snet != 10.0.0.0/8", "142.9.9.9", true), ("fd.snet = 0.0.0.0/0", "1.2.3.4", true),
        ("fd.snet = 0.0.0.0/0", "::1", false),
        ("fd.snet = 2001:4860:4860::8888/48", "2001:4860:4860:1::", true), ("fd.snet = 2001::/16", "2002::", false),
        ("fd.snet = ::/0", "::1", true), ("fd.snet = ::1/128", "::2", false), ("fd.snet = ::1/127", "::", true),
        ("fd.snet in (10.0.0.0/8, ::/0)", "::1", true), ("fd.snet in ()", "::1", false),
        ("fd.snet in (10.0.0.0/8)", "11.0.0.0", false),
    ])
    func addresses(_ text: String, _ value: String, _ expected: Bool) throws {
        #expect(verdict(try compiledCheck(text), address(value)) == expected)
    }

    /// `evt.rawarg.x` may be an address in one event and something else in another.
    @Test(arguments: ["fd.sip = 1.2.3.4", "fd.sip != 1.2.3.4", "fd.sip in (::1)", "fd.snet = ::/0", "fd.snet != 10.0.0.0/8"])
    func whatIsNoAddressComparesWithNone(_ words: String) throws {
        for value in [FieldValue.uint(7), .int(-1), .bool(true), text("1.2.3.4")] {
            #expect(verdict(try compiledCheck(words), value) == false)
        }
    }

    /// `fd.ip` and its kin hold when either end does, `!=` when neither is equal; an ancestor is enough even for `!=`.
    @Test(arguments: [
        ("fd.ip = 1.1.1.1", true), ("fd.ip = 3.3.3.3", false), ("fd.ip != 1.1.1.1", false), ("fd.ip != 3.3.3.3", true),
        ("fd.ip in (2.2.2.2)", true), ("fd.ip = allof (1.1.1.1, 2.2.2.2)", true), ("fd.ip != anyof (1.1.1.1, 3.3.3.3)", true),
        ("fd.ip exists", true),
    ])
    func candidates(_ text: String, _ expected: Bool) throws {
        #expect(verdict(try compiledCheck(text), .none, list: [address("1.1.1.1"), address("2.2.2.2")]) == expected)
    }
    @Test(arguments: [
        ("proc.aname = init", true), ("proc.aname = cat", false), ("proc.aname != init", true), ("proc.aname in (cat, sh)", true),
        ("proc.aname startswith in", true),
    ])
    func ancestors(_ words: String, _ expected: Bool) throws {
        #expect(verdict(try compiledCheck(words), .none, list: [text("sh"), text("init")]) == expected)
        #expect(verdict(try compiledCheck(words), .none, list: []) == false)
    }

    @Test(
        arguments: [
            ("in (a, b, c)", ["a", "b"], true), ("in (a)", ["a", "b"], false), ("in (a)", [], true), ("in ()", [], true),
            ("in ()", ["a"], false), ("intersects (a)", ["a", "b"], true), ("intersects (c)", ["a", "b"], false),
            ("intersects (a)", [], false), ("exists", [], true),
        ] as [(String, [String], Bool)])
    func lists(_ right: String, _ values: [String], _ expected: Bool) throws {
        #expect(verdict(try compiledCheck("fd.types \(right)"), .none, list: values.map(text)) == expected)
    }

    /// Bytes that are not UTF-8 are one U+FFFD per broken sequence before RE2 sees them.
    @Test(
        arguments: [
            ([0x70, 0xff], "p.", true), ([0x70, 0xff], "p", false), ([0xe1, 0x80, 0x78], ".x", true),
            ([0xe0, 0x9f, 0xbf], "...", true),
            ([0xc3, 0xa9], ".", true), ([0xf0, 0x9f, 0x98, 0x80], ".", true), ([0xed, 0xa0, 0x80], "...", true),
            ([0x68, 0xe1, 0x80], "h.", true),
        ] as [([UInt8], String, Bool)])
    func regexOverBrokenText(_ value: [UInt8], _ pattern: String, _ expected: Bool) throws {
        #expect(verdict(try compiledCheck("evt.source regex '\(pattern)'"), bytes(value)) == expected)
    }

    @Test func globAgreesWithFnmatch() {
        var random = SeededGenerator(state: 11)
        let pieces = [
            "*", "?", "[", "]", "[ab]", "[!a]", "[^b-c]", "[a-", "-", "\\", "\\*", "a", "b", "A", "/", ".", "[]a]", "[a\\]b]",
            "[[:upper:]]", "[B-C]",
        ]
        let letters = ["a", "b", "c", "A", "B", "/", ".", "*", "[", "]", "\\", "-"]
        for _ in 0..<4000 {
            let pattern = (0..<Int.random(in: 0...5, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
            let value = (0..<Int.random(in: 0...5, using: &random)).map { _ in letters.randomElement(using: &random)! }.joined()
            for ignoringCase in [false, true] {
                let expected = fnmatch(pattern, value, ignoringCase ? 1 << 4 : 0) == 0
                let (patternKey, valueKey) = (FieldKey(pattern), FieldKey(value))
                let compiled = GlobPattern(patternKey.bytes, ignoringCase: ignoringCase)
                #expect(
                    compiled.matches(valueKey.bytes) == expected,
                    "'\(pattern)' on '\(value)' ignoringCase \(ignoringCase): \(expected)")
                #expect(GlobText.matches(patternKey.bytes, valueKey.bytes, ignoringCase: ignoringCase) == expected)
                compiled.deallocate()
            }
        }
    }
}
