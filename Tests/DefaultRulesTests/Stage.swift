// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import Foundation
import RuleEngine
import Rules
import SystemState
import Testing

/// The default rules, loaded, with what a user's local file says.
struct DefaultRuleSet {
    static let file = URL(filePath: #filePath).appending(path: "../../../rules/falco_rules.yaml").standardized
    static let text: [UInt8] = (try? Data(contentsOf: file)).map { Array($0) } ?? []

    let results: [FileLoadResult]
    let ruleSet: RuleSet
    let program: RuleProgram
    let names: [String]

    init(local: String? = nil) {
        let loader = RuleLoader()
        var files = [(name: "falco_rules.yaml", content: Self.text)]
        if let local { files.append((name: "falco_rules.local.yaml", content: Array(local.utf8))) }
        results = loader.load(files: files)
        ruleSet = loader.ruleSet
        let enabled = loader.ruleSet.rules.filter(\.isEnabled)
        program = RuleProgram(rules: enabled.map(\.condition))
        names = enabled.map(\.name)
    }

    /// Complaints of the load, empty when there is none.
    var complaints: [String] {
        results.flatMap { result in (result.errors + result.warnings).map { "\(result.name): \($0)" } }
    }

    static let unchanged = DefaultRuleSet()
}

/// A host with one container on which processes do things; each call is one event, and says which rules it fired.
final class Stage {
    static let containerID = String(repeating: "c0de", count: 16)
    static let image = "example.org/shop"
    static let serviceAddress: [UInt8] = [10, 96, 0, 1]
    /// The file behind a name, and a process that was there before anybody looked. In a container, when `inContainer`.
    struct Process {
        var name: String
        var path: String?
        var arguments: [String] = []
        var parent: Int64 = 1
        var uid: UInt32 = 0
        var tty: UInt32 = 0
        var inContainer = false
        var cwd = "/srv/"
        var ageS: UInt64 = 3600
        /// EXE_… of the event: 1 writable, 2 upper layer, 4 memfd.
        var exeFlags: UInt32 = 0
        var capabilities: UInt64 = 0
        /// argv[0], when it is not the path.
        var exe: String?
        var effectivePath: String { path ?? "/usr/bin/\(name)" }
    }

    let state = SystemState(threadsMax: 1000)
    private let rules: DefaultRuleSet
    private var evaluator: RuleEvaluator
    private var builder = EventBuilder()
    private var bytes: [UInt8] = []
    private var now: UInt64 = 1_700_000_000_000_000_000
    private var number: UInt64 = 0
    private var lastTid: Int64 = 100

    init(_ rules: DefaultRuleSet = .unchanged) throws {
        self.rules = rules
        evaluator = RuleEvaluator(program: rules.program)
        _ = process(Process(name: "systemd", path: "/usr/lib/systemd/systemd", parent: 0), tid: 1)
        for (uid, name) in [(0, "root"), (33, "www-data"), (992, "foreman"), (1000, "ada")] as [(UInt32, String)] {
            var row = UserRow()
            (row.uid, row.gid, row.name) = (uid, uid, Array(name.utf8))
            state.user(row)
        }
        state.hostNames = HostNameTable([
            (
                "kubernetes.default.svc.cluster.local",
                AddressBytes(ipv4NetworkOrder: Self.serviceAddress.reversed().reduce(0) { $0 << 8 | UInt32($1) }), false
            )
        ])
        state.finishSnapshot()
        let metadata = """
            {"container":{"id":"\(Self.containerID.prefix(12))","full_id":"\(Self.containerID)","image":"\(Self.image):1",
            "imagerepo":"\(Self.image)","imagetag":"1","imageid":"22","name":"shop","privileged":false,"type":0,
            "created_time":1699990000,"Mounts":[],"labels":{}}}
            """
        try event(PPME_CONTAINER_JSON_2_E, tid: 1) { $0.append(text: metadata) }
    }

    private func strings(_ values: [String]) -> [UInt8] { values.flatMap { Array($0.utf8) + [0] } }

    /// A process that runs already; its thread id.
    @discardableResult
    func process(_ process: Process, tid: Int64? = nil) -> Int64 {
        let tid =
            tid
            ?? {
                lastTid += 1; return lastTid
            }()
        var row = ThreadRow()
        (row.tid, row.pid, row.ptid, row.vtid, row.vpid) = (tid, tid, process.parent, tid, tid)
        (row.sid, row.pgid, row.vpgid) = (tid, tid, tid)
        row.comm = Array(process.name.utf8.prefix(15))
        row.exe = Array((process.exe ?? process.effectivePath).utf8)
        row.exepath = Array(process.effectivePath.utf8)
        row.args = strings(process.arguments)
        row.cwd = Array(process.cwd.utf8)
        row.root = Array("/".utf8)
        (row.uid, row.gid, row.tty) = (process.uid, process.uid, process.tty)
        row.cgroups = process.inContainer ? strings(["memory=/docker/\(Self.containerID)"]) : strings(["memory=/"])
        row.capEffective = process.capabilities
        row.exeUpperLayer = process.exeFlags & 2 != 0
        row.exeFromMemfd = process.exeFlags & 4 != 0
        row.startTimeNs = now - process.ageS * 1_000_000_000
        state.thread(row)
        return tid
    }

    /// Lets `tid` do one thing; the names of the rules that it fired.
    @discardableResult
    func event(_ type: ppm_event_code, tid: Int64, _ fill: (inout EventBuilder) -> Void) throws -> [String] {
        now += 1000
        number += 1
        builder.begin(type: type.code, tid: tid, timestampNs: now)
        fill(&builder)
        #expect(builder.parameterCount == EventTable.events[Int(type.code)].parameters.count)
        bytes.removeAll()
        builder.write(to: &bytes)
        return try bytes.withUnsafeBytes { raw in
            var context = EventContext(event: try EventView(checking: Bytes(raw), cpu: 0))
            context.number = number
            state.admit(context.event, into: &context)
            defer { state.retire(context) }
            var scratch = ExtractionScratch()
            let count = evaluator.evaluate(context: context, state: state, scratch: &scratch, firstOnly: false)
            return (0..<count).map { rules.names[evaluator.match($0)] }
        }
    }

    /// A child of `process.parent` becomes `process`.
    func start(_ process: Process, stdin: [UInt8]? = nil) throws -> [String] {
        var before = process
        (before.name, before.path) = ("fork", "/usr/bin/fork")
        before.exeFlags = 0
        let tid = self.process(before)
        if let stdin { try connectedSocket(0, stdin, tid: tid) }
        return try event(PPME_SYSCALL_EXECVE_19_X, tid: tid) { e in
            e.append(Int64(0))
            e.append(text: process.exe ?? process.effectivePath)
            e.append(raw: strings(process.arguments))
            for id in [tid, tid, process.parent] { e.append(id) }
            e.append(text: process.cwd)
            for value: UInt64 in [1024, 0, 0] { e.append(value) }
            for value: UInt32 in [1, 2, 3] { e.append(value) }
            e.append(text: String(process.name.prefix(15)))
            e.append(raw: strings(process.inContainer ? ["memory=/docker/\(Self.containerID)"] : ["memory=/"]))
            e.append(raw: strings(["HOME=/root"]))
            e.append(process.tty)
            e.append(tid)
            e.append(UInt32.max)
            e.append(process.exeFlags)
            for value: UInt64 in [0, process.capabilities, process.capabilities, 7, 0, 0] { e.append(value) }
            e.append(process.uid)
            e.append(text: process.effectivePath)
            e.append(tid)
            e.append(process.uid)
            e.append(text: process.effectivePath)
        }
    }

    enum Opening: CaseIterable { case open, openat, openat2, byHandle }

    /// O_RDONLY 1, O_WRONLY 2, O_CREAT 4, O_TRUNC 256, created by this call 16384. `fd` negative: failed.
    func open(_ path: String, flags: UInt32 = 1, fd: Int64 = 5, by tid: Int64, with call: Opening = .openat) throws -> [String] {
        switch call {
        case .open:
            try event(PPME_SYSCALL_OPEN_X, tid: tid) { e in
                e.append(fd)
                e.append(text: path)
                for value in [flags, 0, 0] { e.append(value) }
                e.append(UInt64(9))
            }
        case .openat:
            try event(PPME_SYSCALL_OPENAT_2_X, tid: tid) { e in
                e.append(fd)
                e.append(Int64(-100))
                e.append(text: path)
                for value in [flags, 0, 0] { e.append(value) }
                e.append(UInt64(9))
            }
        case .openat2:
            try event(PPME_SYSCALL_OPENAT2_X, tid: tid) { e in
                e.append(fd)
                e.append(Int64(-100))
                e.append(text: path)
                for value in [flags, 0, 0, 0] { e.append(value) }
                e.append(UInt64(9))
            }
        case .byHandle:
            try event(PPME_SYSCALL_OPEN_BY_HANDLE_AT_X, tid: tid) { e in
                e.append(fd)
                e.append(Int64(3))
                e.append(flags)
                e.append(text: path)
                e.append(UInt32(0))
                e.append(UInt64(9))
            }
        }
    }

    func creat(_ path: String, by tid: Int64) throws -> [String] {
        try event(PPME_SYSCALL_CREAT_X, tid: tid) { e in
            e.append(Int64(5))
            e.append(text: path)
            for value: UInt32 in [0o644, 0] { e.append(value) }
            e.append(UInt64(9))
            e.append(UInt16(0))
        }
    }

    func symlink(_ target: String, at path: String, by tid: Int64) throws -> [String] {
        try event(PPME_SYSCALL_SYMLINKAT_X, tid: tid) { e in
            e.append(Int64(0))
            e.append(text: target)
            e.append(Int64(-100))
            e.append(text: path)
        }
    }

    func link(_ old: String, to new: String, by tid: Int64) throws -> [String] {
        try event(PPME_SYSCALL_LINKAT_2_X, tid: tid) { e in
            e.append(Int64(0))
            e.append(Int64(-100))
            e.append(text: old)
            e.append(Int64(-100))
            e.append(text: new)
            e.append(UInt32(0))
        }
    }

    func socket(_ family: UInt32, fd: Int64 = 4, by tid: Int64) throws -> [String] {
        try event(PPME_SOCKET_SOCKET_X, tid: tid) { e in
            e.append(fd)
            for value: UInt32 in [family, 1, 0, 0] { e.append(value) }
        }
    }

    /// Address family, address and port of both ends, as the wire has them.
    private func tuple(to address: [UInt8], _ port: UInt16) -> [UInt8] {
        [2, 10, 0, 0, 5, 0x40, 0x9c] + address + [UInt8(port & 255), UInt8(port >> 8)]
    }

    func connect(to address: [UInt8], _ port: UInt16, fd: Int64 = 4, result: Int64 = 0, by tid: Int64) throws -> [String] {
        _ = try socket(2, fd: fd, by: tid)
        return try event(PPME_SOCKET_CONNECT_X, tid: tid) { e in
            e.append(result)
            e.append(raw: tuple(to: address, port))
            e.append(fd)
            e.append(raw: [2] + address + [UInt8(port & 255), UInt8(port >> 8)])
        }
    }

    private func connectedSocket(_ fd: Int64, _ address: [UInt8], tid: Int64) throws {
        _ = try connect(to: address, 4444, fd: fd, by: tid)
    }

    func dup2(_ old: Int64, _ new: Int64, by tid: Int64) throws -> [String] {
        try event(PPME_SYSCALL_DUP2_X, tid: tid) { e in for value in [new, old, new] { e.append(value) } }
    }

    func ptrace(_ request: UInt16, of pid: Int64, by tid: Int64) throws -> [String] {
        try event(PPME_SYSCALL_PTRACE_X, tid: tid) { e in
            e.append(Int64(0))
            for _ in 0..<2 { e.append(raw: [0] + [UInt8](repeating: 0, count: 8)) }
            e.append(request)
            e.append(pid)
        }
    }

    func loadModule(_ path: String, by tid: Int64) throws -> [String] {
        _ = try open(path, fd: 6, by: tid)
        return try event(PPME_SYSCALL_FINIT_MODULE_X, tid: tid) { e in
            e.append(Int64(0))
            e.append(Int64(6))
            e.append(text: "")
            e.append(UInt32(0))
        }
    }
}
