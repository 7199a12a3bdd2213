// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import FilterLanguage
import SystemState
import Testing

@testable import Alerts

@Suite struct RuleOutputTests {
    private static let timestampNs: UInt64 = 1_600_000_000_000_000_001

    /// The alert of a rule with this output, at an open of /etc/shadow that `cat` did.
    private func alert(
        _ output: String, extra: [ExtraOutputField] = [], _ change: (inout AlertOptions) -> Void = { $0.isJSON = true }
    ) throws -> Alert {
        var options = AlertOptions()
        change(&options)
        let rule = AlertRule(name: "R", source: "syscall", priority: .notice, tags: [])
        let plan = OutputPlan(
            [try RuleOutput(rule: rule, output: output, extraFields: extra, options: options)], options: options)
        let state = SystemState(threadsMax: 10)
        var row = ThreadRow()
        (row.tid, row.pid, row.ptid) = (7, 7, 1)
        row.comm = Array("cat".utf8)
        state.thread(row)
        state.finishSnapshot()
        var builder = EventBuilder()
        builder.begin(type: PPME_SYSCALL_OPEN_X.code, tid: 7, timestampNs: Self.timestampNs)
        builder.append(Int64(3))
        builder.append(text: "/etc/shadow")
        for value: UInt32 in [1, 0, 0] { builder.append(value) }
        builder.append(UInt64(0))
        var bytes: [UInt8] = []
        builder.write(to: &bytes)
        return try bytes.withUnsafeBytes { raw in
            var context = EventContext(event: try EventView(checking: Bytes(raw), cpu: 0))
            state.admit(context.event, into: &context)
            defer { state.retire(context) }
            var scratch = ExtractionScratch()
            return plan[0].alert(context: context, state: state, scratch: &scratch)
        }
    }

    @Test func message() throws {
        let alert = try alert("Read %fd.name by %proc.name in %container.image")
        #expect(String(decoding: alert.message, as: UTF8.self) == "Read /etc/shadow by cat in <NA>")
        #expect(alert.timestampNs == Self.timestampNs)
        #expect(
            alert.fields == [
                AlertField("container.image", .null), AlertField("evt.time", .int(Int64(Self.timestampNs))),
                AlertField("fd.name", .string("/etc/shadow")), AlertField("proc.name", .string("cat")),
            ])
    }

    @Test func aLeadingStarIsNoPartOfTheMessage() throws {
        #expect(String(decoding: try alert("*%container.image").message, as: UTF8.self) == "<NA>")
    }

    @Test func timeKeyFollowsTheFormat() throws {
        let alert = try alert("x") {
            $0.isJSON = true
            $0.usesISO8601 = true
        }
        #expect(alert.fields == [AlertField("evt.time.iso8601", .int(Int64(Self.timestampNs)))])
    }

    @Test func nobodyAsksForFields() throws {
        #expect(try alert("%fd.name") { _ in }.fields.isEmpty)
        #expect(
            try alert("%fd.name") {
                $0.isJSON = true
                $0.includesFields = false
            }.fields.isEmpty)
    }

    @Test func extraFields() throws {
        let alert = try alert(
            "x", extra: [.raw("proc.pid"), .formatted(name: "who", format: "%proc.name/%proc.pid"), .raw("fd.cip")])
        #expect(String(decoding: alert.message, as: UTF8.self) == "x")
        #expect(
            alert.fields == [
                AlertField("evt.time", .int(Int64(Self.timestampNs))), AlertField("fd.cip", .null),
                AlertField("proc.pid", .int(7)),
                AlertField("who", .string("cat/7")),
            ])
    }

    @Test func transformationsAreShownButAreNoFields() throws {
        let alert = try alert("%toupper(proc.name)")
        #expect(String(decoding: alert.message, as: UTF8.self) == "CAT")
        #expect(alert.fields.map(\.key) == ["evt.time", "proc.name"])
    }

    @Test func wrongOutputs() {
        let rule = AlertRule(name: "R", source: "syscall", priority: .notice, tags: [])
        #expect(throws: FieldError("unknown filter: filter_check called with nonexistent field a.b")) {
            try RuleOutput(rule: rule, output: "%a.b", options: AlertOptions())
        }
    }

    @Test func collectsWhatItReads() throws {
        let rule = AlertRule(name: "R", source: "syscall", priority: .notice, tags: [])
        var options = AlertOptions()
        options.isJSON = true
        let output = try RuleOutput(
            rule: rule, output: "%concat(proc.name, fd.name)", extraFields: [.formatted(name: "e", format: "%user.name")],
            options: options)
        var names: Set<String> = []
        output.collectFields { names.insert($0.text) }
        #expect(names == ["proc.name", "fd.name", "evt.time", "user.name"])
    }
}
