// SPDX-License-Identifier: Apache-2.0
import Alerts
import CProbeABI
import EventModel
import Fields
import Foundation
import RuleEngine
import Rules
import SystemState
import Testing

/// Names that a process may give itself, its files and its arguments: an alert stays one line, JSON stays JSON, and a terminal is told
/// nothing.
@Suite struct HostileNameTests {
    struct Name: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        init(_ description: String, _ bytes: [UInt8]) { (testDescription, self.bytes) = (description, bytes) }
    }
    static let names: [Name] = [
        Name("a line feed", Array("a\nCritical fake alert".utf8)), Name("carriage return", Array("good\rbad".utf8)),
        Name("terminal escape", Array("\u{1b}[2J\u{1b}]0;title\u{7}\u{1b}[31mred".utf8)),
        Name("every control byte", Array(1..<32) + [127]), Name("quotes and backslashes", Array(#"","rule":"x\\" "#.utf8)),
        Name("bytes that are no text", [0xff, 0xfe, 0x80, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf5]),
        Name("a character cut off", Array("a".utf8) + [0xe2, 0x82]), Name("4096 bytes", [UInt8](repeating: 0x61, count: 4096)),
        Name("4096 bytes that are no text", [UInt8](repeating: 0xff, count: 4096)),
        Name("placeholders of outputs", Array("%proc.name %% *%evt.num $(reboot)".utf8)), Name("nothing", []),
        Name("separators of JSON in the web", Array("\u{2028}\u{2029}</script>".utf8)),
    ]
    static let output =
        "%proc.name %proc.cmdline %proc.args %proc.exe %proc.cwd %fd.name %fd.nameraw %evt.args %proc.env[A] %evt.arg.name"

    private static func line(_ name: [UInt8], json: Bool) throws -> [UInt8] {
        let loader = RuleLoader()
        let result = loader.load(files: [("names.conf", Array("evt.type = openat | WARNING \(output)\n".utf8))])[0]
        try #require(result.errors.isEmpty)
        var options = AlertOptions()
        options.isJSON = json
        options.includesMessage = true
        let rule = loader.ruleSet.rules[0]
        let about = AlertRule(name: rule.name, source: rule.source, priority: rule.priority, tags: rule.tags)
        let made = try RuleOutput(rule: about, output: rule.output, extraFields: [], options: options)
        let state = SystemState(threadsMax: 8)
        var thread = ThreadRow()
        (thread.tid, thread.pid) = (10, 10)
        (thread.comm, thread.exe, thread.exepath, thread.cwd) = (name, name, name, Array("/".utf8) + name)
        (thread.args, thread.env) = (name + [0] + name + [0], Array("A=".utf8) + name + [0])
        state.thread(thread)
        state.finishSnapshot()
        var builder = EventBuilder()
        builder.begin(type: PPME_SYSCALL_OPENAT_2_X.code, tid: 10, timestampNs: 1_700_000_000_000_000_000)
        builder.append(Int64(3))
        builder.append(Int64(-100))
        builder.append(raw: Array("/tmp/".utf8) + name + [0])
        for _ in 0..<4 { builder.append(UInt32(1)) }
        builder.append(UInt64(7))
        var bytes: [UInt8] = []
        builder.write(to: &bytes)
        return try bytes.withUnsafeBytes { raw in
            let event = try EventView(checking: Bytes(raw), cpu: 0)
            var context = EventContext(event: event)
            state.admit(event, into: &context)
            var scratch = ExtractionScratch()
            return AlertFormatter(options).line(made.alert(context: context, state: state, scratch: &scratch))
        }
    }

    @Test(arguments: names)
    func textIsOneLineOfText(_ name: Name) throws {
        let line = try Self.line(name.bytes, json: false)
        #expect(line.firstIndex(of: 10) == line.count - 1)
        #expect(!line.dropLast().contains { $0 < 0x20 })
        #expect(String(validating: line, as: UTF8.self) != nil)
    }

    @Test(arguments: names)
    func jsonIsOneObject(_ name: Name) throws {
        let line = try Self.line(name.bytes, json: true)
        #expect(line.firstIndex(of: 10) == line.count - 1)
        #expect(!line.dropLast().contains { $0 < 0x20 })
        #expect(String(validating: line, as: UTF8.self) != nil)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        #expect(
            Set(object.keys) == ["hostname", "message", "output", "output_fields", "priority", "rule", "source", "tags", "time"])
        let fields = try #require(object["output_fields"] as? [String: Any])
        #expect(fields["proc.name"] != nil)
        // What is text arrives as it was, up to its first NUL.
        if let text = String(validating: name.bytes, as: UTF8.self), !text.isEmpty {
            #expect(fields["proc.name"] as? String == text)
        }
    }

    /// A NUL ends a name, as it does for the kernel: what follows is nobody's.
    @Test func aNulEndsAName() throws {
        let line = try Self.line(Array("ab".utf8) + [0] + Array("HIDDEN".utf8), json: true)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        let fields = try #require(object["output_fields"] as? [String: Any])
        #expect(fields["proc.name"] as? String == "ab")
        #expect(fields["evt.arg.name"] as? String == "/tmp/ab")
        #expect(fields["fd.nameraw"] as? String == "/tmp/ab")
    }
}
