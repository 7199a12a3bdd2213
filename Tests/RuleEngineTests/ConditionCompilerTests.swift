// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Diagnostics
import EventModel
import FilterLanguage
import Testing

@testable import RuleEngine

@Suite struct ConditionCompilerTests {
    /// `¦` marks where the problem must point.
    @Test(arguments: [
        ("¦proc.nmae = x", "filter_check called with nonexistent field proc.nmae"),
        ("proc.name = x and ¦some_macro", "filter error: unexpected identifier 'some_macro'"),
        ("evt.type = ¦opne", "unknown event type opne"),
        ("evt.type in ¦(open, opne)", "unknown event type opne"),
        ("¦evt.cpu contains 1", "filter error: 'contains' operator not supported for numeric filters"),
        ("¦evt.is_io < 1", "filter error: '<' operator not supported for numeric filters"),
        ("¦evt.buffer glob x", "filter error: 'glob' operator not supported for buffer filters"),
        ("¦proc.name bcontains 00", "filter error: 'bcontains' operator not supported for string filters"),
        ("¦fd.ip startswith 1", "filter error: 'startswith' operator not supported for ip address and network filters"),
        ("¦fd.types = x", "filter error: '=' operator not supported list filters"),
        ("evt.buffer bcontains ¦123", "filter error: bcontains and bstartswith operator support hex strings only"),
        ("evt.is_io = ¦True", "filter error: unrecognized boolean value True"),
        ("fd.sip = ¦1.2.3", "unrecognized IPv4 address 1.2.3"),
        ("fd.sip = ¦::ffff:1.2.3.4", "unrecognized IPv4 address ::ffff:1.2.3.4"),
        ("fd.snet = ¦1.2.3.4", "unrecognized IP network 1.2.3.4"),
        ("fd.snet = ¦1.2.3.4/33", "invalid netmask 33"),
        ("fd.sport = ¦htp", "unrecognized protocol htp"),
        ("proc.pid = ¦x", "x is not a valid number"),
        ("proc.name regex ¦'['", "invalid regex pattern: missing ]: ["),
        ("proc.name = ¦\"\\x00\"", "filter error: filter value cannot contain a NUL byte (\\x00)"),
        (
            "proc.name = ¦val(proc.pid)",
            "field 'proc.name' has type 'CHARBUF' while the right-hand side field 'proc.pid' has incompatible type 'INT64'"
        ),
        ("evt.around[5] >= ¦10", "evt.around supports only '=' comparison operator"),
        ("evt.around[5] in ¦(10)", "evt.around supports only '=' comparison operator"),
        ("proc.name pmatch ¦val(proc.cwd)", "operator 'PMATCH' doesn't support right-hand side fields"),
        ("proc.name regex ¦val(proc.cwd)", "operator 'REGEX' doesn't support right-hand side fields"),
        ("proc.aname = ¦val(proc.name)", "field 'proc.aname' doesn't support right-hand side fields"),
        ("proc.name = ¦val(proc.aname)", "field 'proc.aname' can't be used as a right-hand side field"),
        ("fd.snet = ¦val(fd.sip)", "field type 'IPNET' doesn't support right-hand side fields"),
        (
            "evt.type = ¦val(proc.name)",
            "right-hand field comparisons on `evt.type` checks are not supported by event code search"
        ),
        ("¦tolower(proc.aname) = x", "field 'proc.aname' does not support transformers"),
    ])
    func refuses(_ marked: String, saying message: String) throws {
        let parts = marked.split(separator: "¦", maxSplits: 1, omittingEmptySubsequences: false)
        let error = #expect(throws: CompileProblem.self) { try compiled(parts.joined()) }
        #expect(error?.message == message)
        #expect(error?.position.offset == parts[0].utf8.count)
    }

    @Test func refusesLongConstants() throws {
        let long = String(repeating: "a", count: 256)
        let error = #expect(throws: CompileProblem.self) { try compiled("proc.name = \(long)") }
        #expect(error?.message == "filter parameter too long:\(long)")
        #expect(throws: CompileProblem.self) { try compiled("evt.buffer = \(long)") }
        #expect(throws: Never.self) { try compiled("proc.name = \(long.dropLast())") }
    }

    @Test(arguments: [
        ("proc.name = proc.pname", ["'proc.pname' may be a valid field misused as a const string value"]),
        ("proc.name = ' proc.pname'", ["' proc.pname' may be a valid field misused as a const string value"]),
        ("proc.name = %proc.pname", ["'%proc.pname' may be a valid field misused as a const string value"]),
        (
            "proc.name = 'tolower( proc.name)'",
            ["'tolower( proc.name)' may be a valid field transformer misused as a const string value"]
        ),
        (
            "proc.name regex '^a.*'",
            ["regex check with '^a.*' may be optimized with simpler operators such as '=', 'contains', 'startswith', 'endswith'"]
        ),
        ("proc.name regex 'a.b'", []), ("proc.name regex '^.*a'", []), ("proc.name regex 'a[b]'", []),
        ("proc.name = tolower", []),
        (
            "proc.name in (proc.pname, x, proc.cwd)",
            ["proc.pname", "proc.cwd"].map { "'\($0)' may be a valid field misused as a const string value" }
        ),
    ])
    func warns(_ text: String, _ warnings: [String]) throws {
        #expect(try compiled(text).warnings == warnings)
    }

    private func codes(_ names: [String]) -> EventCodeSet { EventCodeSet(names.flatMap { EventTable.codes(named: $0)! } + [402]) }

    @Test(arguments: [
        ("evt.type = open", ["open"]), ("evt.type in (open, close)", ["open", "close"]),
        ("evt.type = open or evt.type = close", ["open", "close"]),
        ("evt.type = open and evt.type = close", []), ("evt.type = open and proc.name = x", ["open"]),
        ("evt.type in (open, close) and not evt.type = close", ["open"]),
        ("not (not evt.type = open or proc.name = x)", ["open"]),
        ("evt.type = open and not proc.name = x", ["open"]), ("not evt.type != open", ["open"]), ("evt.num = 0", []),
        ("evt.num in (0, 0)", []), ("evt.num < 1 or evt.type = open", ["open"]), ("not evt.num > 0", []),
        ("syscall.type = open", ["open"]), ("evt.type = getpid", ["getpid"]),
    ])
    func eventCodes(_ text: String, _ names: [String]) throws {
        #expect(try compiled(text).eventCodes == codes(names))
    }

    @Test(arguments: [
        "proc.name = x", "not proc.name = x", "evt.type exists", "not evt.type exists", "evt.type contains open", "evt.num > 0",
        "evt.num = 1",
        "not evt.num = 0", "tolower(evt.type) = open", "not (evt.type = open and proc.name = x)",
    ])
    func neutralConditionsAskForEveryEvent(_ text: String) throws {
        #expect(try compiled(text).eventCodes == .all)
        #expect(try compiled(text).systemCallCodes == CodeDerivation.allSystemCalls)
    }

    @Test(arguments: [
        ("evt.type = open", ["open"]), ("evt.type = procexit", ["sched_process_exit"]),
        ("evt.type = getpid and proc.name = x", ["getpid"]),
        ("evt.type in (open, openat)", ["open", "openat"]),
    ])
    func systemCalls(_ text: String, _ names: [String]) throws {
        let found = try compiled(text).systemCallCodes.map { EventTable.systemCallCodes[Int($0)].name }
        #expect(Set(found) == Set(names))
    }

    @Test func otherSourcesSeePluginEventsOnly() throws {
        let condition = try compiled("evt.num > 5", source: "k8s_audit")
        #expect(condition.eventCodes.codes == [322, 402])
        #expect(condition.systemCallCodes.isEmpty)
    }

    @Test func fieldsAreCollected() throws {
        var names: [String] = []
        try compiled("proc.name = x and not concat(fd.name, proc.cwd) = val(proc.exe)").collectFields { names.append($0.text) }
        #expect(names == ["proc.name", "fd.name", "proc.cwd", "proc.exe"])
    }
}
