// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState
import Testing

@testable import Fields

/// Each field answers in at least one event; those that never do are listed with the reason.
@Suite struct EveryFieldTests {
    /// Fields that have no value whatever the event, and why.
    static let silent: [String: String] = {
        var reasons: [String: String] = [
            "evt.pluginname": "no plugin makes events yet", "evt.plugininfo": "no plugin makes events yet",
        ]
        for name in ["healthcheck", "liveness_probe", "readiness_probe"] {
            reasons["proc.is_container_" + name] = "nothing marks the processes that a runtime starts to look after a container"
        }
        for kind in ["rc", "svc", "rs", "deployment"] {
            for part in ["name", "id", "label", "labels"] { reasons["k8s.\(kind).\(part)"] = "runtimes do not know it" }
        }
        for part in ["id", "label", "labels"] { reasons["k8s.ns." + part] = "runtimes do not know it" }
        return reasons
    }()

    /// How a field with an argument is written here.
    private static let arguments: [String: String] = [
        "evt.type.is": ".open", "evt.arg": ".res", "evt.rawarg": ".res", "evt.around": "[1600000000000000000]",
        "thread.cgroup": ".memory", "container.mount": "[0]", "container.mount.source": "[0]", "container.mount.dest": "[0]",
        "container.mount.mode": "[0]", "container.mount.rdwr": "[0]", "container.mount.propagation": "[0]",
        "container.label": "[tier]", "k8s.pod.label": "[app]",
    ]

    @Test func everyFieldAnswersSomewhere() throws {
        let definitions = FieldCatalogue.builtin.classes.flatMap(\.definitions)
        let references = try definitions.map { definition in
            let text = definition.name + (Self.arguments[definition.name] ?? "")
            let isBare = definition.flags.contains(.argumentRequired) && Self.arguments[definition.name] == nil
            return try Machine.resolve(isBare && definition.name != "evt.abspath" ? text + "[x]" : text)
        }
        let scene = EverythingScene()
        let answered = try scene.play(references)
        var unexpected: [String] = []
        for (definition, wasAnswered) in zip(definitions, answered) {
            let isSilent = Self.silent[definition.name] != nil
            if wasAnswered == isSilent {
                unexpected.append("\(definition.name) \(wasAnswered ? "answers, though listed as silent" : "never answers")")
            }
        }
        #expect(unexpected == [])
        #expect(Self.silent.keys.allSatisfy { name in definitions.contains { $0.name == name } })
        print(
            "fields: \(answered.filter { $0 }.count) of \(definitions.count) answered, \(Self.silent.count) silent with a reason")
    }
}

/// A process in a container of which everything is known, and events of all kinds.
private final class EverythingScene {
    let state = SystemState(threadsMax: 100)
    private var builder = EventBuilder()
    private var now: UInt64 = 1_600_000_000_000_000_000
    private var answered: [Bool] = []
    private var references: [FieldReference] = []
    private var scratch = ExtractionScratch()
    private var number: UInt64 = 0

    init() {
        for tid: Int64 in [1, 50, 200] {
            var row = ThreadRow()
            (row.tid, row.pid, row.ptid) = (tid, tid, tid == 200 ? 50 : tid == 50 ? 1 : 0)
            (row.vtid, row.vpid) = (tid, tid)
            (row.sid, row.pgid, row.vpgid) = (50, 50, 50)
            row.comm = Array("bash".utf8)
            row.exe = Array("/bin/bash".utf8)
            row.exepath = Array("/usr/bin/bash".utf8)
            row.args = Array("-c\u{0}ls\u{0}".utf8)
            row.env = Array("HOME=/root\u{0}".utf8)
            row.cwd = Array("/root/".utf8)
            row.root = Array("/".utf8)
            row.cgroups = Array("memory=/docker/\(Scene.containerID)\u{0}".utf8)
            row.tty = 5
            (row.uid, row.gid, row.loginuid) = (1000, 1000, 1000)
            row.fdlimit = 1024
            (row.capPermitted, row.capInheritable, row.capEffective) = (7, 1, 3)
            (row.exeIno, row.exeInoCtimeNs, row.exeInoMtimeNs) = (7, now - 9000, now - 8000)
            row.pidnsInitStartNs = now - 50_000
            row.startTimeNs = now - 5000
            state.thread(row)
        }
        var user = UserRow()
        (user.uid, user.gid, user.name, user.home, user.shell) = (
            1000, 1000, Array("ada".utf8), Array("/home/ada".utf8), Array("/bin/zsh".utf8)
        )
        state.user(user)
        var group = GroupRow()
        (group.gid, group.name) = (1000, Array("lab".utf8))
        state.group(group)
        for fd: Int64 in 0...2 {
            var pipe = DescriptorRow()
            (pipe.fd, pipe.kind, pipe.name) = (fd, .fifo, Array("pipe:[7]".utf8))
            state.descriptor(pipe, tid: 200)
        }
        var loopback = InterfaceRow()
        loopback.address = AddressBytes(ipv4NetworkOrder: 0x0100_007f)
        state.interface(loopback)
        var machine = MachineRow()
        machine.hostname = Array("box".utf8)
        state.machine(machine)
        state.finishSnapshot()
        state.hasKernelRecords = true
        state.hostNames = HostNameTable([
            ("near.org", AddressBytes(ipv4NetworkOrder: 0x0100_007f), false),
            ("far.org", AddressBytes(ipv4NetworkOrder: 0x0200_007f), false),
        ])
    }

    /// Which of the fields had a value in some event.
    func play(_ references: [FieldReference]) throws -> [Bool] {
        self.references = references
        answered = Array(repeating: false, count: references.count)
        try event(PPME_CONTAINER_JSON_2_E) { $0.append(text: ContainerEventTests.json) }
        try event(PPME_ASYNCEVENT_E) { e in
            e.append(UInt32(0))
            e.append(text: "notice")
            e.append(raw: [1])
        }
        try event(PPME_INFRASTRUCTURE_EVENT_E) { e in
            for text in ["docker", "n", "Event:start;ID:01;name:web;Image:nginx", "s"] { e.append(text: text) }
        }
        try event(PPME_PROCINFO_E) { e in for value: UInt64 in [1, 2] { e.append(value) } }
        try event(PPME_SCHEDSWITCH_6_E) { e in e.append(Int64(0)) }
        try exec()
        try open("/root/file", result: 3)
        try open("/dev/log", result: 5)
        try open("/nowhere", result: -2)
        try event(PPME_SYSCALL_WRITE_X) { e in
            e.append(Int64(4))
            e.append(raw: [1, 2, 3, 4])
            e.append(Int64(3))
            e.append(UInt32(4))
        }
        try event(PPME_SYSCALL_READ_X) { e in
            e.append(Int64(4))
            e.append(raw: [1, 2, 3, 4])
            e.append(Int64(3))
            e.append(UInt32(4))
        }
        try event(PPME_SYSCALL_RENAMEAT_X) { e in
            e.append(Int64(0))
            e.append(Int64(-100))
            e.append(text: "old")
            e.append(Int64(-100))
            e.append(text: "new")
        }
        try event(PPME_SYSCALL_UNLINK_2_X) { e in
            e.append(Int64(0))
            e.append(text: "/root/file")
        }
        try sockets()
        try event(PPME_SYSCALL_MMAP_X) { e in
            e.append(Int64(-12))
            for value: UInt32 in [1, 2, 3] { e.append(value) }
        }
        try event(PPME_SYSCALL_CLOSE_X) { e in
            e.append(Int64(0))
            e.append(Int64(3))
        }
        return answered
    }

    private func exec() throws {
        try event(PPME_SYSCALL_EXECVE_19_X) { e in
            e.append(Int64(0))
            e.append(text: "/bin/bash")
            e.append(raw: Array("-c\u{0}ls\u{0}".utf8))
            for id: Int64 in [200, 200, 50] { e.append(id) }
            e.append(text: "")
            for value: UInt64 in [1024, 1, 2] { e.append(value) }
            for value: UInt32 in [10, 20, 30] { e.append(value) }
            e.append(text: "bash")
            e.append(raw: Array("memory=/docker/\(Scene.containerID)\u{0}".utf8))
            e.append(raw: Array("HOME=/root\u{0}".utf8))
            e.append(UInt32(5))
            e.append(Int64(50))
            e.append(UInt32(1000))
            e.append(UInt32(0))
            for value: UInt64 in [1, 7, 3, 7, now - 9000, now - 8000] { e.append(value) }
            e.append(UInt32(1000))
            e.append(text: "/usr/bin/bash")
            e.append(Int64(50))
            e.append(UInt32(1000))
            e.append(text: "/bin/bash")
        }
    }

    private func sockets() throws {
        try event(PPME_SOCKET_SOCKET_X) { e in
            e.append(Int64(4))
            for value: UInt32 in [2, 1, 6] { e.append(value) }
        }
        let tuple = Scene.tuple([127, 0, 0, 1], 40000, [127, 0, 0, 2], 80)
        try event(PPME_SOCKET_CONNECT_X) { e in
            e.append(Int64(0))
            e.append(raw: tuple)
            e.append(Int64(4))
            e.append(raw: [])
        }
        for type in [PPME_SOCKET_SEND_X, PPME_SOCKET_RECV_X] {
            try event(type) { e in
                e.append(Int64(2))
                e.append(raw: [1, 2])
                e.append(Int64(4))
                e.append(UInt32(2))
                e.append(raw: tuple)
            }
        }
        try event(PPME_SYSCALL_POLL_X) { e in
            e.append(Int64(1))
            e.append(raw: [1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0])
            e.append(Int64(0))
        }
    }

    private func open(_ path: String, result: Int64) throws {
        try event(PPME_SYSCALL_OPEN_X) { e in
            e.append(result)
            e.append(text: path)
            for value: UInt32 in [3, 0o644, 0x801] { e.append(value) }
            e.append(UInt64(9))
        }
    }

    private func event(_ type: ppm_event_code, _ fill: (inout EventBuilder) -> Void) throws {
        now += 1000
        number += 1
        builder.begin(type: type.code, tid: 200, timestampNs: now)
        fill(&builder)
        var bytes: [UInt8] = []
        builder.write(to: &bytes)
        try KernelRecord.admit(
            KernelRecord.bytes(tid: 200, path: "/etc/shadow", fspath: "/shadow", argumentsBytes: 9000, tail: [65, 0]), to: state)
        try bytes.withUnsafeBytes { raw in
            var context = EventContext(event: try EventView(checking: Bytes(raw), cpu: 0))
            state.admit(context.event, into: &context)
            context.number = number
            defer { state.retire(context) }
            for (index, reference) in references.enumerated() {
                scratch.reset()
                switch FieldExtractor.extract(reference, context: context, state: state, scratch: &scratch) {
                case .none: break
                case .list(_, let count): answered[index] = answered[index] || count > 0
                // An empty text or the text <NA> says nothing.
                case .bytes(let text): answered[index] = answered[index] || !text.isEmpty && text.string != "<NA>"
                default: answered[index] = true
                }
            }
        }
    }
}
