// SPDX-License-Identifier: Apache-2.0
import EventModel
import FilterLanguage
import SystemState
import Testing

@testable import Fields

@Suite struct OutputTemplateTests {
    @Test(arguments: [
        ("", "empty formatting token"),
        ("cpu 100%", "invalid formatting syntax: formatting cannot end with a %"),
        ("%20", "invalid formatting syntax: formatting cannot end with a number"),
        ("%proc.nmae x", "unknown filter: filter_check called with nonexistent field proc.nmae"),
        (
            "%toupper(evt.num)",
            "unknown filter: can't add field transformer: type 'UINT64' is not supported by 'toupper' transformer applied on field 'evt.num'"
        ),
    ])
    func refuses(_ format: String, saying message: String) {
        let error = #expect(throws: FieldError.self) { try OutputTemplate(format, catalogue: .builtin) }
        #expect(error?.message == message)
    }

    @Test(arguments: [
        "% x", "%a", "%%", "%val(proc.name)", "%toupper(val(proc.name))", "%toupper (proc.name)", "%toupper(proc.name",
    ])
    func refuses(_ format: String) {
        #expect(throws: FieldError.self) { try OutputTemplate(format, catalogue: .builtin) }
    }

    @Test(arguments: [
        ("*%proc.name, %proc.pid.", "bash, 100."), ("*%evt.typex %fd.namebogus|", "openx /etc/xbogus|"), ("*[%fd.num]", "[3]"),
        ("*%6proc.name|", "bash  |"), ("*%2proc.name|", "ba|"), ("*%03fd.num|", "3  |"), ("*%container.image", "<NA>"),
        ("*%5container.image|", "<NA> |"), ("*%2container.image|", "<N|"), ("*%toupper( proc.name )!", "BASH!"),
        ("*", ""), ("*no fields", "no fields"), ("*%fd.types", "(file)"),
        ("*%join(\"+\", (proc.name, fd.name))", "bash+/etc/x"), ("*%proc.nameé", "bashé"),
    ])
    func renders(_ format: String, _ expected: String) throws {
        // `event` writes `*%` before the name of a field: a format works as well.
        let scene = Scene()
        let template = try OutputTemplate(format, catalogue: .builtin)
        #expect(try scene.render(template).text == expected)
    }

    @Test func aMissingValueSuppresses() throws {
        let scene = Scene()
        let result = try scene.render(try OutputTemplate("a %proc.name %container.image b", catalogue: .builtin))
        #expect(!result.isComplete)
        #expect(result.text == "a bash ")
    }

    @Test func keys() throws {
        let template = try OutputTemplate(
            "%proc.name %proc.aname[2] %proc.name %toupper(join(\"->\", (concat(proc.name, fd.name), evt.type)))",
            catalogue: .builtin)
        #expect(template.fields.map(\.key) == ["proc.name", "proc.aname[2]", "fd.name", "evt.type"])
        #expect(
            template.allFields.map(\.key) == [
                "proc.name", "proc.aname[2]", "fd.name", "concat(proc.name,fd.name)", "evt.type",
                "toupper(join(->,(concat(proc.name,fd.name),evt.type)))",
            ])
    }

    @Test func typedValues() throws {
        let scene = Scene()
        let template = try OutputTemplate(
            "*%proc.pid %proc.name %fd.types %fd.dev %evt.time %evt.is_open_read %fd.cip %proc.fdusage %evt.rawtime.ns",
            catalogue: .builtin)
        #expect(
            try scene.fields(template) == [
                .int(100), .string("bash"), .list([.string("file")]), .string("1F"), .int(1_600_000_000_000_001_000), .bool(true),
                .null,
                .double(0), .uint(1000),
            ])
    }
}

extension Scene {
    func render(_ template: OutputTemplate) throws -> (text: String, isComplete: Bool) {
        var text: [UInt8] = []
        var isComplete = false
        try look { context, scratch in
            isComplete = template.renderText(context: context, state: state, scratch: &scratch, into: &text)
        }
        return (String(decoding: text, as: UTF8.self), isComplete)
    }

    func fields(_ template: OutputTemplate) throws -> [JSONValue] {
        var values: [JSONValue] = []
        try look { context, scratch in
            _ = template.renderFields(context: context, state: state, scratch: &scratch) { values.append($1) }
        }
        return values
    }

    /// At an open of /etc/x.
    private func look(_ body: (EventContext, inout ExtractionScratch) -> Void) throws {
        var builder = EventBuilder()
        builder.begin(type: 3, tid: 100, timestampNs: 1_600_000_000_000_001_000)
        builder.append(Int64(3))
        builder.append(text: "/etc/x")
        for value: UInt32 in [1, 0, 0x1f] { builder.append(value) }
        builder.append(UInt64(0))
        var bytes: [UInt8] = []
        builder.write(to: &bytes)
        try bytes.withUnsafeBytes { raw in
            let event = try EventView(checking: Bytes(raw), cpu: 0)
            var context = EventContext(event: event)
            state.admit(event, into: &context)
            var scratch = ExtractionScratch()
            body(context, &scratch)
            state.retire(context)
        }
    }
}

@Suite struct ValueTextTests {
    private func text(_ value: FieldValue, _ type: ParameterType, _ format: PrintFormat) -> String {
        var scratch = ExtractionScratch()
        var bytes: [UInt8] = []
        renderValue(value, type: type, format: format, scratch: &scratch, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func numbers() {
        #expect(text(.int(-5), .int64, .dec) == "-5")
        #expect(text(.int(-1), .int32, .hex) == "FFFFFFFF")
        #expect(text(.uint(0o644), .uint32, .oct) == "644")
        #expect(text(.uint(42), .reltime, .paddedDec) == "000000042")
        #expect(text(.uint(.max), .uint64, .id) == "18446744073709551615")
        #expect(text(.bool(true), .bool, .na) == "true")
        #expect(text(.ipv4(0x0404_0808), .ipaddr, .na) == "8.8.4.4")
    }

    @Test(arguments: [
        (0.0, "0.0"), (0.25, "0.2"), (0.35, "0.3"), (0.75, "0.8"), (0.05, "0.1"), (0.95, "0.9"), (0.96, "1.0"), (12.34, "12.3"),
        (99.95, "100.0"), (-1.26, "-1.3"), (1e15, "1000000000000000.0"),
    ])
    func tenths(_ value: Double, _ expected: String) {
        #expect(text(.double(value), .double, .na) == expected)
    }

    @Test func bytes() {
        let key = FieldKey([0x61, 0x00, 0x0a, 0x62, 0xff])
        #expect(text(.bytes(key.bytes), .bytebuf, .na) == "a..b.")
        #expect(text(.bytes(key.bytes), .charbuf, .na) == "a")
    }

    @Test func longListsAreCut() {
        var scratch = ExtractionScratch()
        let word = FieldKey(String(repeating: "x", count: 600))
        for _ in 0..<3 { scratch.push(.bytes(word.bytes)) }
        var bytes: [UInt8] = []
        renderValue(.list(start: 0, count: 3), type: .charbuf, isList: true, format: .na, scratch: &scratch, into: &bytes)
        #expect(bytes.count == 1023 && bytes.last == UInt8(ascii: "x"))
    }
}

@Suite struct UTF8RepairTests {
    @Test(arguments: [
        ("68656c6c6f", "hello"), ("c3a9", "é"), ("ff", "\u{fffd}"), ("80", "\u{fffd}"), ("c3", "\u{fffd}"), ("c328", "\u{fffd}("),
        ("e18078", "\u{fffd}x"), ("e09fbf", "\u{fffd}\u{fffd}\u{fffd}"), ("eda080", "\u{fffd}\u{fffd}\u{fffd}"),
        ("f09f98", "\u{fffd}"), ("f09f9880", "😀"), ("f4908080", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"), ("c080", "\u{fffd}\u{fffd}"),
    ])
    func repairs(_ hex: String, _ expected: String) {
        let key = FieldKey(stride(from: 0, to: hex.count, by: 2).map { UInt8(hex.dropFirst($0).prefix(2), radix: 16)! })
        var scratch = ExtractionScratch()
        scratch.begin()
        UTF8Repair.append(key.bytes, to: &scratch)
        #expect(scratch.finish().string == expected)
        #expect(
            UTF8Repair.isValid(key.bytes) == (key.bytes.string.utf8.count == key.bytes.count && !expected.contains("\u{fffd}")))
        // The standard library's repair is the same rule.
        #expect(key.bytes.string == expected)
    }
}
