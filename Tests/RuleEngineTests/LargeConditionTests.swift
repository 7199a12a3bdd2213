// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import FilterLanguage
import SystemState
import Testing

@testable import RuleEngine

/// Conditions that nobody writes by hand: they load in bounded time and memory, or say why not.
@Suite struct LargeConditionTests {
    private func matches(_ rules: [String], at type: ppm_event_code = PPME_SYSCALL_OPEN_X) throws -> [Int] {
        let store = EventStore()
        var context = EventContext(event: try store.event(type.code))
        context.number = 7
        var evaluator = RuleEvaluator(program: RuleProgram(rules: try rules.map { try compiled($0) }))
        var scratch = ExtractionScratch()
        let count = evaluator.evaluate(context: context, state: SystemState(), scratch: &scratch, firstOnly: false)
        return (0..<count).map { evaluator.match($0) }
    }

    /// A megabyte of checks, all different: one beside the other, and one in the other as deep as may be.
    @Test func megabytes() throws {
        let checks = (0..<60_000).map { "evt.num != \($0 + 10)" }
        let all = checks.joined(separator: " and ")
        #expect(all.utf8.count > 1_000_000)
        #expect(try matches([all]) == [0])
        let any = (0..<10_000).map { "evt.num = \($0 + 10)" }.joined(separator: " or ")
        #expect(try matches([any, any + " or evt.num = 7"]) == [1])
        let alternating = (0..<60).reduce("evt.num = 7") { inner, level in
            let others = (0..<100).map { "evt.num = \(level * 1000 + $0 + 10)" }.joined(separator: " or ")
            return "(\(others) or not (\(inner) and evt.num != \(level + 9)))"
        }
        #expect(alternating.utf8.count > 80_000)
        #expect(try matches([alternating]).count <= 1)
    }

    /// Rules that have a great many checks in common, in two orders: grouping them neither recurses without end nor takes for
    /// ever.
    @Test func manyChecksInCommon() throws {
        let checks = (0..<400).map { "evt.num != \($0 + 10)" }
        let rules = (0..<10).map { number in
            (number % 2 == 0 ? checks : checks.reversed()).joined(separator: " and ") + " and evt.cpu = \(number)"
        }
        #expect(try matches(rules) == [0])
    }

    /// No two rules have anything in common but the event type.
    @Test func manyRules() throws {
        let rules = (0..<5_000).map { "evt.type = open and evt.num != \($0 + 10) and proc.name = x\($0)" }
        #expect(try matches(rules + ["evt.num = 7"]) == [5000])
    }

    @Test(arguments: ["in", "pmatch", "= anyof"])
    func hundredThousandItems(_ comparison: String) throws {
        let items = (0..<100_000).map { "a\($0)" }.joined(separator: ", ")
        #expect(try matches(["evt.source \(comparison) (\(items))", "evt.source \(comparison) (\(items), syscall)"]) == [1])
    }

    /// Names of event types are looked up for every type there is.
    @Test func hundredThousandEventTypes() throws {
        let names = (0..<25_000).map { _ in "close, openat, read, write" }.joined(separator: ", ")
        #expect(try matches(["evt.type in (\(names))", "evt.type in (\(names), open)"]) == [1])
    }

    @Test func deepNesting() throws {
        func nested(_ count: Int, _ open: String, _ close: String = ")") -> String {
            String(repeating: open, count: count) + "evt.num = 7" + String(repeating: close, count: count)
        }
        #expect(try matches([nested(150, "(")]) == [0])
        #expect(try matches([nested(150, "not (")]) == [0])
        #expect(try matches([nested(100_000, "not ", "")]) == [0])
        for text in [nested(100_000, "("), nested(100_000, "not("), nested(100_000, "not (")] {
            #expect { try compiled(text) } throws: { ($0 as? ConditionParseError)?.message == "exceeded max depth limit of 1000" }
        }
        let transformers = String(repeating: "tolower(", count: 100_000) + "evt.source"
        #expect(throws: ConditionParseError.self) { try compiled(transformers) }
        let deepest = String(repeating: "tolower(", count: 400) + "evt.source" + String(repeating: ")", count: 400) + " = syscall"
        #expect(try matches([deepest]) == [0])
    }

    /// Patterns on which others take exponential time or all memory.
    @Test(arguments: ["(a*)*b", "(a|a)*b", "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)(.*)(.*)x", "(x+x+)+y", "([a-z]+)*[0-9]"])
    func patternsThatBacktrack(_ pattern: String) throws {
        let check = try compiledCheck("evt.source regex '\(pattern)'")
        let value = text(String(repeating: "a", count: 20_000))
        #expect(verdict(check, value) != nil)
    }

    @Test(arguments: [
        "((a{1,100}){1,100}){1,100}", "(((((a{100}){100}){100}){100}){100})", "a{1001}", "(", "a)", "[", "[z-a]", "*", "a**",
        "\\",
        "(?=a)", "\\1(a)", "a{,}{", "\\x",
    ])
    func patternsThatAreRefusedOrHarmless(_ pattern: String) {
        let quoted = FilterText.string(FilterEscapes.escape(Array(pattern.utf8)))
        do { _ = try compiled("evt.source regex \(quoted)") } catch {
            #expect((error as? CompileProblem)?.message.hasPrefix("invalid regex pattern: ") == true, "\(error)")
        }
    }

    /// Bytes that are no text, in every place where a constant may stand.
    @Test func brokenTextInConstants() throws {
        let broken: [[UInt8]] = [
            [0xff], [0xc3], [0xe1, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80, 0x41, 0xfe],
        ]
        for bytes in broken {
            let quoted = "\"" + bytes.map { "\\x" + String(Int($0) + 256, radix: 16).suffix(2) }.joined() + "\""
            for word in ["=", "!=", "contains", "icontains", "startswith", "endswith", "glob", "iglob"] {
                let check = try compiledCheck("evt.source \(word) \(quoted)")
                #expect(verdict(check, RuleEngineTests.bytes(bytes)) == (word != "!="), "\(word) \(bytes)")
                #expect(verdict(check, text("syscall")) == (word == "!="), "\(word) \(bytes)")
            }
            #expect(verdict(try compiledCheck("evt.source in (x, \(quoted))"), RuleEngineTests.bytes(bytes)) == true)
            #expect(
                verdict(try compiledCheck("evt.source pmatch (/x, \(quoted))"), RuleEngineTests.bytes(bytes + [0x2f, 0x61]))
                    == true)
            // RE2 takes patterns in UTF-8 only, but is not strict about it: a pattern or an error, and no crash.
            if let check = try? compiledCheck("evt.source regex \(quoted)") { #expect(verdict(check, text("syscall")) == false) }
            for field in ["proc.env[\(quoted)]", "evt.arg[\(quoted)]", "fd.ip", "evt.num", "fd.net", "fd.port", "evt.is_io"] {
                _ = try? compiled("\(field) = \(quoted)")
            }
        }
    }

    /// The words themselves as bytes that are no text, or hold a NUL: an error at its place.
    @Test(
        arguments: [
            [0xff], Array("proc.name = ".utf8) + [0xff], Array("proc.name".utf8) + [0, 0x3d, 0x61],
            Array("proc.name = \"a".utf8) + [0] + Array("\"".utf8),
            Array("proc.name = a".utf8) + [0], Array("proc.name in (a".utf8) + [0] + Array(")".utf8), [0],
            Array("proc.env[".utf8) + [0xc3] + Array("] = a".utf8),
        ] as [[UInt8]])
    func brokenText(_ bytes: [UInt8]) {
        var parser = ConditionParser(bytes: bytes)
        guard let condition = try? parser.parse() else { return }
        _ = try? ConditionCompiler(catalogue: .builtin).compile(condition)
    }

    /// A constant of a text or of a buffer is shorter than 256 bytes, as in Falco.
    @Test func longConstants() throws {
        let (fits, tooLong) = (String(repeating: "a", count: 255), String(repeating: "a", count: 256))
        #expect(throws: Never.self) { try compiled("proc.name = \(fits)") }
        #expect { try compiled("proc.name = \(tooLong)") } throws: {
            ($0 as? CompileProblem)?.message == "filter parameter too long:\(tooLong)"
        }
        #expect(throws: CompileProblem.self) { try compiled("evt.buffer contains \(tooLong)") }
        #expect(throws: CompileProblem.self) { try compiled("proc.name in (a, \(tooLong))") }
    }
}
