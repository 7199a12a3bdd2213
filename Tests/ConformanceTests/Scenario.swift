// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import FilterLanguage
import Foundation
import SystemState

@testable import Fields
@testable import RuleEngine

/// Plays the events of a `scenario` or `format` case of the corpus in process.
final class Scenario {
    let state = SystemState(threadsMax: 1000)
    private var builder = EventBuilder()
    private var bytes: [UInt8] = []
    private var number: UInt64 = 0
    /// Keeps the last event alive for the checks behind it.
    private var context: EventContext?
    private var storage: UnsafeMutableRawBufferPointer?

    deinit { storage?.deallocate() }

    static let firstThread: [UInt8] = Array("/sbin/init".utf8)

    func add(thread: Corpus.Case) {
        let set = thread["set"] as? Corpus.Case ?? [:]
        var row = ThreadRow()
        if thread["default_init"] as? Bool == true {
            (row.tid, row.pid, row.ptid, row.vtid, row.vpid, row.vpgid) = (1, 1, 0, 1, 1, 1)
            row.comm = Array("init".utf8)
            row.args = ["context", "ls", "--format", "{{json .}}"].flatMap { Array($0.utf8) + [0] }
            row.env = ["TEST_ENV_PARENT_LINEAGE=secret", "HOME=/home/user/parent"].flatMap { Array($0.utf8) + [0] }
        } else {
            func id(_ key: String) -> Int64 { (thread[key] as? NSNumber)?.int64Value ?? 0 }
            (row.tid, row.pid, row.ptid) = (id("tid"), id("pid"), id("ptid"))
            (row.vtid, row.vpid, row.vpgid) = (row.tid, row.pid, row.tid)
            row.comm = Array((thread["comm"] as? String ?? "").utf8)
        }
        row.exe = Self.firstThread
        row.exepath = Self.firstThread
        row.cwd = Array("/root/".utf8)
        row.root = Array("/".utf8)
        func value(_ key: String) -> UInt32? { (set[key] as? NSNumber).map { UInt32(truncatingIfNeeded: $0.int64Value) } }
        row.uid = value("uid") ?? 0
        row.gid = value("gid") ?? 0
        row.loginuid = value("loginuid") ?? 0xffff_ffff
        row.tty = value("tty") ?? 0
        row.fdlimit = 0x100000
        (row.vmsizeKb, row.vmrssKb, row.pfmajor, row.pfminor) = (10000, 100, 222, 22)
        (row.capPermitted, row.capEffective) = (0x1ff_ffff_ffff, 0x1ff_ffff_ffff)
        row.exeWritable = true
        state.thread(row)
        if thread["default_init"] as? Bool == true {
            var descriptor = DescriptorRow()
            descriptor.fd = 0
            descriptor.kind = .fileV2
            descriptor.inode = 5
            descriptor.openFlags = 1
            descriptor.name = Array("/dev/null".utf8)
            state.descriptor(descriptor, tid: row.tid)
        }
    }

    func add(user step: Corpus.Case) {
        var row = UserRow()
        row.uid = (step["uid"] as? NSNumber)?.uint32Value ?? 0
        row.gid = (step["gid"] as? NSNumber)?.uint32Value ?? 0
        row.name = Array((step["name"] as? String ?? "").utf8)
        row.home = Array((step["home"] as? String ?? "").utf8)
        row.shell = Array((step["shell"] as? String ?? "").utf8)
        state.user(row)
    }

    /// An account that goes away half-way, as an event of a capture tells it.
    func removeUser(_ step: Corpus.Case) throws {
        let uid = ((step["args"] as? [Any])?.last as? NSNumber)?.uint32Value ?? 0
        var builder = EventBuilder()
        builder.begin(type: PPME_USER_DELETED_E.code, tid: 1, timestampNs: context?.event.timestampNs ?? 0)
        for number in [uid, uid] { builder.append(number) }
        for _ in 0..<3 { builder.append(text: "") }
        builder.append(text: "")
        var bytes: [UInt8] = []
        builder.write(to: &bytes)
        try bytes.withUnsafeBytes { raw in
            var own = EventContext(event: try EventView(checking: Bytes(raw), cpu: 1))
            state.admit(own.event, into: &own)
        }
    }

    /// Retires the event before, admits this one and keeps it for the checks.
    func play(_ step: Corpus.Case) throws {
        finish()
        let code = (step["code"] as! NSNumber).uint16Value
        builder.begin(
            type: code, tid: (step["tid"] as! NSNumber).int64Value, timestampNs: (step["ts"] as! NSNumber).uint64Value)
        for parameter in step["params"] as? [Corpus.Case] ?? [] { append(parameter) }
        bytes.removeAll()
        builder.write(to: &bytes)
        storage?.deallocate()
        storage = .allocate(byteCount: bytes.count, alignment: 8)
        storage!.copyBytes(from: bytes)
        var context = EventContext(event: try EventView(checking: Bytes(UnsafeRawBufferPointer(storage!)), cpu: 1))
        number += 1
        context.number = number
        state.admit(context.event, into: &context)
        self.context = context
    }

    /// An event for checks that look at none.
    func playAnything(tid: Int = 1) throws {
        let getcwd = EventTable.events.first { $0.identifier == "PPME_SYSCALL_GETCWD_X" }!
        try play([
            "code": NSNumber(value: getcwd.code), "tid": NSNumber(value: tid), "ts": NSNumber(value: 1_566_230_400_010_000_000),
            "params": [["type": "PT_ERRNO", "value": NSNumber(value: -1)], ["type": "PT_CHARBUF", "value": "/test/dir"]]
                as [Corpus.Case],
        ])
    }

    func finish() {
        if let context { state.retire(context) }
        context = nil
    }

    private func append(_ parameter: Corpus.Case) {
        let type = ParameterType.allCases.first { "PT_" + $0.name == parameter["type"] as? String }!
        guard parameter["empty"] == nil, let value = parameter["value"], !(value is NSNull) else { return builder.appendEmpty() }
        if let number = value as? NSNumber, let width = type.fixedBytes {
            let bits = type.isSigned ? UInt64(bitPattern: number.int64Value) : number.uint64Value
            builder.append(raw: (0..<width).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * $0)) })
            return
        }
        var raw = Corpus.bytes(value) ?? []
        if type == .charbuf || type == .fspath || type == .fsrelpath { raw.append(0) }
        builder.append(raw: raw)
    }

    /// What an output shows at the event played last; `isComplete` is false when a missing value suppressed it.
    func render(_ template: OutputTemplate) -> (text: [UInt8], isComplete: Bool) {
        var text: [UInt8] = []
        var scratch = ExtractionScratch()
        let isComplete = template.renderText(context: context!, state: state, scratch: &scratch, into: &text)
        return (text, isComplete)
    }

    /// Whether a condition holds at the event played last, whatever events it would be asked for.
    func holds(_ text: String) throws -> Bool {
        var parser = ConditionParser(text)
        let compiled = try ConditionCompiler(catalogue: .builtin).compile(parser.parse())
        let always = CompiledCondition(root: compiled.root, eventCodes: .all, warnings: [], systemCallCodes: [])
        var evaluator = RuleEvaluator(program: RuleProgram(rules: [always]))
        var scratch = ExtractionScratch()
        return evaluator.evaluate(context: context!, state: state, scratch: &scratch, firstOnly: false) == 1
    }

    func fields(_ template: OutputTemplate, withTransformed: Bool) -> (fields: [String: JSONValue], isComplete: Bool) {
        var fields: [String: JSONValue] = [:]
        var scratch = ExtractionScratch()
        let isComplete = template.renderFields(
            context: context!, state: state, scratch: &scratch, withTransformed: withTransformed
        ) {
            fields[$0] = $1
        }
        return (fields, isComplete)
    }
}
