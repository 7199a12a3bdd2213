// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import EventModel
import FilterLanguage
import SystemState
import Testing

@testable import Fields

/// Expressions over constants, which no event is needed for.
@Suite struct TransformerTests {
    /// The value as text; lists in parentheses, `nil` for none.
    static func value(of text: String) throws -> String? {
        let (operand, used) = try ConditionParser.parseOperandPrefix(text[...])
        #expect(used == text.utf8.count)
        let expression = try ValueExpression(operand, catalogue: .builtin)
        var bytes: [UInt8] = []
        EventBuilder.withEvent { context in
            var scratch = ExtractionScratch()
            let value = expression.evaluate(context: context, state: SystemState(), scratch: &scratch)
            guard value.exists else { return bytes = Array("nil".utf8) }
            renderValue(
                value, type: expression.type, isList: expression.isList, format: expression.format, scratch: &scratch,
                into: &bytes)
        }
        return bytes == Array("nil".utf8) ? nil : String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        arguments: [
            ("tolower(\"AbC-é\")", "abc-é"), ("toupper('abcÿ')", "ABCÿ"), ("tolower(toupper(\"x\"))", "x"),
            ("b64(\"aGVsbG8=\")", "hello"), ("b64(\"aGVsbG8\")", "hello"), ("b64(\"\")", ""), ("b64(\"a\")", nil),
            ("b64(\"aGVs!A\")", nil),
            ("b64(\"aGVsbG8==\")", nil),
            ("basename(\"/usr/bin/ls\")", "ls"), ("basename(\"ls\")", "ls"), ("basename(\"/usr/\")", ""),
            ("len(\"hello\")", "5"), ("len((\"a\", \"b\", \"c\"))", "3"), ("len(())", "0"), ("len(toupper(\"ab\"))", "2"),
            ("tolower((\"A\", \"B\"))", "(a,b)"),
            ("join(\"->\", (\"a\", \"b\"))", "a->b"), ("join(\",\", ())", ""), ("join(\",\", tolower((\"A\", \"B\")))", "a,b"),
            ("concat(\"a\", \"b\", \"c\")", "abc"), ("concat(1, 2)", "12"),
            // A missing part takes the whole with it: nothing here happens in a container or to a descriptor.
            ("concat(\"a\", fd.name)", nil), ("join(\",\", (\"a\", fd.name))", nil), ("tolower(fd.name)", nil),
            ("len(fd.types)", nil),
        ] as [(String, String?)])
    func value(_ expression: String, is expected: String?) throws {
        #expect(try Self.value(of: expression) == expected)
    }

    @Test(
        arguments: [
            // list form
            ("getopt((\"-n\", \"-t\", \"val\"), \"nt:\")", "(n,t,val)"), ("getopt((\"-nt\", \"val\"), \"nt:\")", "(n,t,val)"),
            ("getopt((\"-tval\"), \"nt:\")", "(t,val)"), ("getopt((\"-x\"), \"n\")", "(?)"), ("getopt((\"-t\"), \"t:\")", "(t,)"),
            ("getopt((\"-n\", \"--\", \"-t\"), \"nt\")", "(n)"), ("getopt((\"-n\", \"word\", \"-t\"), \"nt\")", "(n)"),
            ("getopt((\"-n\", \"-\", \"-t\"), \"nt\")", "(n)"), ("getopt((\"--long\", \"-n\"), \"n\")", "(n)"),
            ("getopt((\"-n\"), \":n\")", "(n)"), ("getopt((), \"n\")", "()"), ("getopt((\"-:\"), \"n:\")", "(?)"),
            // one option
            ("getopt((\"-n\", \"-t\", \"val\"), \"nt:\")[t]", "val"), ("getopt((\"-n\"), \"nt:\")[n]", "n"),
            ("getopt((\"-t\", \"1\", \"-t\", \"2\"), \"t:\")[t]", "2"), ("getopt((\"-t\"), \"t:\")[t]", ""),
            ("getopt((\"-n\"), \"nt:\")[t]", nil), ("getopt((\"-x\"), \"n\")[x]", nil),
            ("getopt((\"-t\", \"--\"), \"t:\")[t]", "--"),
        ] as [(String, String?)])
    func options(_ expression: String, are expected: String?) throws {
        #expect(try Self.value(of: expression) == expected)
    }

    @Test(arguments: [
        (
            "toupper(evt.num)",
            "can't add field transformer: type 'UINT64' is not supported by 'toupper' transformer applied on field 'evt.num'"
        ),
        (
            "b64(toupper(len(proc.name)))",
            "can't add field transformer: type 'UINT64' is not supported by 'toupper' transformer applied on field 'proc.name'"
        ),
        ("tolower(proc.aname)", "field 'proc.aname' does not support transformers"),
        ("len(fd.ip)", "field 'fd.ip' does not support transformers"),
        ("tolower(proc.nmae)", "filter_check called with nonexistent field proc.nmae"),
        ("tolower(\"a\", \"b\")", "transformer 'tolower' takes one argument, not 2"),
        ("concat(\"a\")", "transformer 'concat' takes two arguments or more, not 1"),
        ("concat(\"a\", (\"b\"))", "transformer 'concat' joins strings, which '(b)' is not"),
        ("join(\",\", proc.name)", "the second argument of 'join' must be a list of strings, which 'proc.name' is not"),
        ("join((\",\"), (\"a\"))", "the separator of 'join' must be a string, which '(\",\")' is not"),
        ("getopt(proc.name, \"n\")", "the first argument of 'getopt' must be a list of strings, which 'proc.name' is not"),
        ("getopt((\"-n\"), \"n\")[no]", "the argument in brackets of 'getopt' must be one option letter, not 'no'"),
        ("tolower(proc.name)[0]", "transformer 'tolower' does not take an argument in brackets"),
    ])
    func refuses(_ expression: String, saying message: String) throws {
        let (operand, _) = try ConditionParser.parseOperandPrefix(expression[...])
        let error = #expect(throws: FieldError.self) { try ValueExpression(operand, catalogue: .builtin) }
        #expect(error?.message == message)
    }

    /// The types that each transformer takes; a list only counts, or is changed entry by entry.
    @Test func types() {
        let text: Set<ParameterType> = [.charbuf, .fspath, .fsrelpath]
        for type in ParameterType.allCases {
            for name in [TransformerName.tolower, .toupper, .basename] {
                #expect(Transformers.accepts(name, type, isList: false) == text.contains(type))
            }
            #expect(Transformers.accepts(.b64, type, isList: false) == [.charbuf, .bytebuf].contains(type))
            #expect(Transformers.accepts(.len, type, isList: false) == text.union([.bytebuf]).contains(type))
            #expect(Transformers.accepts(.len, type, isList: true))
        }
    }
}

extension EventBuilder {
    /// An event without anything, of a thread that nobody knows.
    static func withEvent(_ body: (EventContext) -> Void) {
        var builder = EventBuilder()
        builder.begin(type: 0, tid: 1, timestampNs: 1_000_000_000)
        var bytes: [UInt8] = []
        builder.write(to: &bytes)
        bytes.withUnsafeBytes { raw in
            guard let event = try? EventView(checking: Bytes(raw), cpu: 0) else { return }
            body(EventContext(event: event))
        }
    }
}
