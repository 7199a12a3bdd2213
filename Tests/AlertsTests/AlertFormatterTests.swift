// SPDX-License-Identifier: Apache-2.0
import Fields
import FilterLanguage
import Glibc
import Testing

@testable import Alerts

@Suite struct AlertFormatterTests {
    init() {
        setenv("TZ", "UTC", 1)
        tzset()
    }

    private static let timestampNs: UInt64 = 1_779_796_411_026_060_287

    private func line(
        _ message: [UInt8], fields: [AlertField] = [], tags: [String] = ["t", "a"],
        _ change: (inout AlertOptions) -> Void = { _ in }
    ) -> String {
        var options = AlertOptions()
        options.hostname = "h"
        change(&options)
        let rule = AlertRule(name: "R", source: "syscall", priority: .warning, tags: tags)
        let alert = Alert(rule: rule, timestampNs: Self.timestampNs, message: message, sortedFields: Alert.sorted(fields))
        return String(decoding: AlertFormatter(options).line(alert), as: UTF8.self)
    }
    private func line(
        _ message: String, fields: [AlertField] = [], tags: [String] = ["t", "a"],
        _ change: (inout AlertOptions) -> Void = { _ in }
    ) -> String {
        line(Array(message.utf8), fields: fields, tags: tags, change)
    }

    @Test func text() {
        #expect(line("Shell spawned (user=root)") == "11:53:31.026060287: Warning Shell spawned (user=root)\n")
        #expect(line("x") { $0.usesISO8601 = true } == "2026-05-26T11:53:31.026060287+0000: Warning x\n")
    }

    @Test(
        arguments: [
            ([0x22, 0x5c, 0x2f], #"\"\\/"#), ([8, 9, 10, 12, 13], #"\b\t\n\f\r"#), ([0, 0x1f, 0x7f], "\\u0000\\u001f\u{7f}"),
            ([0xc3, 0xa9, 0xff, 0x78], "é\u{fffd}x"), ([0xe1, 0x80], "\u{fffd}"),
        ] as [([UInt8], String)])
    func textEscapes(_ message: [UInt8], _ expected: String) {
        #expect(line(message) == "11:53:31.026060287: Warning \(expected)\n")
    }

    @Test func json() {
        let fields = [
            AlertField("proc.name", .string("sh\n\"é")), AlertField("evt.time", .int(1_779_796_411_026_060_287)),
            AlertField("fd.cip", .null),
            AlertField("fd.types", .list([.string("file"), .string("pipe")])), AlertField("proc.fdusage", .double(0.5)),
            AlertField("evt.num", .uint(.max)), AlertField("evt.failed", .bool(false)),
        ]
        #expect(
            line("m \"q\"", fields: fields) { $0.isJSON = true }
                == #"{"hostname":"h","output":"11:53:31.026060287: Warning m \"q\"","output_fields":{"evt.failed":false,"evt.num":18446744073709551615,"#
                + #""evt.time":1779796411026060287,"fd.cip":null,"fd.types":["file","pipe"],"proc.fdusage":0.5,"proc.name":"sh\n\"é"},"#
                + #""priority":"Warning","rule":"R","source":"syscall","tags":["a","t"],"time":"2026-05-26T11:53:31.026060287Z"}"#
                + "\n")
    }

    @Test func jsonProperties() {
        #expect(
            line("m", tags: []) {
                $0.isJSON = true
                ($0.includesOutput, $0.includesMessage, $0.includesFields, $0.includesTags) = (false, true, false, false)
            }
                == #"{"hostname":"h","message":"m","priority":"Warning","rule":"R","source":"syscall","time":"2026-05-26T11:53:31.026060287Z"}"#
                + "\n")
        #expect(
            line("m", tags: []) {
                $0.isJSON = true
                $0.usesISO8601 = true
                $0.includesFields = false
            }
                == #"{"hostname":"h","output":"2026-05-26T11:53:31.026060287+0000: Warning m","priority":"Warning","rule":"R","#
                + #""source":"syscall","tags":[],"time":"2026-05-26T11:53:31.026060287Z"}"# + "\n")
    }

    @Test func aboutOurselves() {
        let alert = Alert.ofOurselves(
            rule: "Falco internal: syscall event drop", priority: .debug, timestampNs: Self.timestampNs,
            message: "Falco internal: syscall event drop. 42 system calls dropped in last second.",
            fields: [AlertField("n_drops", .string("42")), AlertField("ebpf_enabled", .string("1"))])
        var options = AlertOptions()
        options.hostname = "h"
        options.usesISO8601 = true
        #expect(
            String(decoding: AlertFormatter(options).line(alert), as: UTF8.self)
                == "11:53:31.026060287: Debug Falco internal: syscall event drop. 42 system calls dropped in last second. "
                + "(ebpf_enabled=\"1\" n_drops=\"42\")\n")
        options.isJSON = true
        options.includesMessage = true
        #expect(
            String(decoding: AlertFormatter(options).line(alert), as: UTF8.self)
                == #"{"hostname":"h","output":"Falco internal: syscall event drop. 42 system calls dropped in last second.","#
                + #""output_fields":{"ebpf_enabled":"1","n_drops":"42"},"priority":"Debug","rule":"Falco internal: syscall event drop","#
                + #""source":"internal","time":"2026-05-26T11:53:31.026060287Z"}"# + "\n")
    }

    @Test func equalKeysKeepTheLast() {
        #expect(
            Alert.sorted([AlertField("b", .int(1)), AlertField("a", .null), AlertField("b", .int(2))]) == [
                AlertField("a", .null), AlertField("b", .int(2)),
            ])
    }
}
