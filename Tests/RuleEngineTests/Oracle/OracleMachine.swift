// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState

@testable import RuleEngine

/// A machine of a few processes and random events that happen on it: of every type, plausible and broken, whole and cut short, by
/// threads that are known and by others.
final class OracleMachine {
    private(set) var state = SystemState(threadsMax: 64)
    private var random: SeededGenerator
    private var builder = EventBuilder()
    private var now: UInt64 = 1_600_000_000_000_000_000
    private var previous: UInt64 = 0
    private var first: UInt64 = 0
    private var number: UInt64 = 0
    private var remaining = 0

    init(seed: UInt64) {
        random = SeededGenerator(state: seed)
        boot()
    }

    static let texts = [
        "", "cat", "bash", "/etc/passwd", "/etc//shadow", "../x", "/usr/bin/cat", "/tmp/[a]*", "<NA>", "caf\u{e9}", "-c", "/",
        "a b",
        "HOME=/root", "aGVsbG8=", "aGVsbG8", "/var/log/x.log", String(repeating: "long/", count: 60), "docker", "new\nline",
    ]
    private static let containerID = String(repeating: "ab12", count: 16)
    private static let names = ["init", "sshd", "bash", "cat", "worker"]

    /// A fresh machine, so that what random events did to the old one does not stay for ever.
    private func boot() {
        remaining = 60
        state = SystemState(threadsMax: 64)
        for (index, name) in Self.names.enumerated() {
            var row = ThreadRow()
            let tid = Int64([1, 10, 20, 21, 30][index])
            (row.tid, row.pid, row.ptid) = (tid, tid == 21 ? 20 : tid, [0, 1, 10, 10, 20][index])
            (row.vtid, row.vpid, row.sid, row.pgid, row.vpgid) = (tid + 100, tid + 100, 10, tid, tid + 100)
            row.comm = Array(name.utf8)
            row.exe = Array((index % 2 == 0 ? name : "/bin/\(name)").utf8)
            row.exepath = Array("/usr/bin/\(name)".utf8)
            row.args = [["-D"], ["-c", "two words"], ["-s", "-ofile", "x"], []][index % 4].flatMap { Array($0.utf8) + [0] }
            row.env = ["HOME=/home/\(name)", "LEVEL=\(tid)", "HOME=again"].flatMap { Array($0.utf8) + [0] }
            row.cwd = Array((index == 3 ? "/tmp/" : "/root/").utf8)
            row.root = Array("/".utf8)
            if index > 2 { row.cgroups = Array("memory=/docker/\(Self.containerID)\0cpu=/a\0".utf8) }
            (row.uid, row.gid, row.loginuid) = index < 2 ? (0, 0, 0xffff_ffff) : (1000, 1000, 1000)
            (row.tty, row.fdlimit, row.capEffective, row.capPermitted) = (UInt32(index), 1024, 0xa01, 0x1ff_ffff_ffff)
            row.startTimeNs = now - UInt64(index) * 1_000_000_000
            state.thread(row)
            for fd in 0..<Int64(index) {
                var descriptor = DescriptorRow()
                descriptor.fd = fd
                descriptor.kind = [.fileV2, .directory, .fifo, .fileV2][Int(fd) % 4]
                descriptor.name = Array(["/dev/null", "/var/log", "pipe:[7]", "/etc/passwd"][Int(fd) % 4].utf8)
                descriptor.inode = UInt64(fd) + 5
                state.descriptor(descriptor, tid: tid)
            }
        }
        for (uid, name) in [(0, "root"), (1000, "ada")] as [(UInt32, String)] {
            var user = UserRow()
            (user.uid, user.gid) = (uid, uid)
            (user.name, user.home, user.shell) = (Array(name.utf8), Array("/home/\(name)".utf8), Array("/bin/bash".utf8))
            state.user(user)
            var group = GroupRow()
            (group.gid, group.name) = (uid, Array(name.utf8))
            state.group(group)
        }
        var interface = InterfaceRow()
        interface.address = AddressBytes(ipv4NetworkOrder: 0x0100_007f)
        state.interface(interface)
        state.finishSnapshot()
    }

    /// The next event, between admit and retire; false for one that no source would hand on.
    func next(_ look: (borrowing EventContext, SystemState) throws -> Void) throws -> Bool {
        if remaining == 0 { boot() }
        remaining -= 1
        let bytes = event()
        return try bytes.withUnsafeBytes { raw in
            guard let event = try? EventView(checking: Bytes(raw), cpu: UInt16.random(in: 0...3, using: &random)) else {
                return false
            }
            var context = EventContext(event: event)
            state.admit(event, into: &context)
            number += 1
            context.number = number
            if first == 0 { first = now }
            (context.firstTimestampNs, context.previousTimestampNs) = (first, previous)
            previous = now
            defer { state.retire(context) }
            try look(context, state)
            return true
        }
    }

    private func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    private func pick<T>(_ items: [T]) -> T { items.randomElement(using: &random)! }

    private static let common = [
        PPME_SYSCALL_OPEN_X, PPME_SYSCALL_OPENAT_2_X, PPME_SYSCALL_CLOSE_X, PPME_SYSCALL_READ_X, PPME_SYSCALL_WRITE_X,
        PPME_SOCKET_SOCKET_X, PPME_SOCKET_CONNECT_X, PPME_SOCKET_ACCEPT4_6_X, PPME_SYSCALL_EXECVE_19_X, PPME_SYSCALL_CLONE_20_X,
        PPME_SOCKET_SENDTO_X, PPME_SYSCALL_RENAMEAT2_X, PPME_SYSCALL_UNLINKAT_2_X, PPME_GENERIC_X, PPME_PROCEXIT_1_E,
        PPME_ASYNCEVENT_E, PPME_SYSCALL_DUP3_X, PPME_SYSCALL_CHDIR_X, PPME_SYSCALL_SETUID_X, PPME_SOCKET_BIND_X,
    ].map(\.code)
    private static let genericCalls = EventTable.systemCallCodes.filter { $0.isGeneric && !$0.name.isEmpty && $0.code != 0 }.map(
        \.code)

    private func event() -> [UInt8] {
        now += UInt64.random(in: 1...2_000_000_000, using: &random)
        let code = chance(50) ? pick(Self.common) : UInt16.random(in: 0..<UInt16(EventTable.count), using: &random)
        let tid: Int64 = chance(10) ? 777 : pick([1, 10, 20, 21, 30])
        builder.begin(type: code, tid: tid, timestampNs: now)
        let parameters = EventTable.events[Int(code)].parameters
        let count = chance(8) ? Int.random(in: 0...parameters.count, using: &random) : parameters.count
        for (index, parameter) in parameters.prefix(count).enumerated() {
            if code <= 1, index == 0 {
                builder.append(pick(Self.genericCalls))
            } else if chance(6) {
                builder.appendEmpty()
            } else {
                let bytes = self.bytes(parameter)
                // What has a width of its own is at times narrower than it says.
                builder.append(raw: chance(2) ? Array(bytes.dropLast()) : bytes)
            }
        }
        var output: [UInt8] = []
        builder.write(to: &output)
        return output
    }

    private func bytes(_ parameter: ParameterInfo) -> [UInt8] {
        func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        func text() -> [UInt8] { chance(4) ? [0x2f, 0xff, 0x61, 0xe1, 0x80] : Array(pick(Self.texts).utf8) }
        let (v4, v6): ([[UInt8]], [[UInt8]]) = (
            [[127, 0, 0, 1], [10, 0, 0, 7], [192, 168, 1, 2], [8, 8, 8, 8]],
            [[UInt8](repeating: 0, count: 15) + [1], [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 7, count: 12)]
        )
        func end(_ addresses: [[UInt8]]) -> [UInt8] { pick(addresses) + little(UInt16(pick([22, 53, 80, 443, 40000]))) }
        switch parameter.type {
        case .charbuf, .fspath, .fsrelpath: return text() + [0]
        case .charbufarray: return (0..<Int.random(in: 0...3, using: &random)).flatMap { _ in text() + [0] }
        case .charbufPairArray: return Array("k\0v\0".utf8)
        case .bytebuf:
            // Arguments, environment and cgroups of processes, and data.
            return chance(50) ? text() : chance(50) ? Array("-c\0ls -l\0HOME=/x\0".utf8) : [0, 1, 0x68, 0, 0xff, 0x2f]
        case .sockaddr:
            return chance(40) ? [2] + end(v4) : chance(50) ? [10] + end(v6) : [1] + Array("/run/x.sock\0".utf8)
        case .socktuple:
            if chance(50) { return [2] + end(v4) + end(v4) }
            return chance(50)
                ? [10] + end(v6) + end(v6) : [1] + little(UInt64(1)) + little(UInt64(2)) + Array("/run/x.sock\0".utf8)
        case .fdlist: return little(UInt16(2)) + little(Int64(3)) + little(UInt16(1)) + little(Int64(1)) + little(UInt16(5))
        case .dyn: return [UInt8.random(in: 0...6, using: &random)] + little(UInt64(3))
        case .errno: return little(pick([0, 0, 3, 1, -2, -13, -115, -4095] as [Int64]))
        case .fd: return little(pick([0, 1, 2, 3, 4, -1, -100, -2] as [Int64]))
        case .pid: return little(pick([0, 1, 10, 20, 21, 30, 31, 999] as [Int64]))
        case .ipaddr, .ipv6addr: return chance(50) ? pick(v4) : pick(v6)
        case .ipv4net, .ipv6net, .ipnet: return pick(v4) + [255, 255, 0, 0]
        case .none: return []
        default:
            let value: UInt64 = chance(50) ? UInt64.random(in: 0...8, using: &random) : random.next()
            return Array(little(value).prefix(parameter.type.fixedBytes ?? 8))
        }
    }
}
