// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import FilterLanguage
import RuleEngine
import SystemState

/// SplitMix64: the same conditions and events for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Events of every code with random parameters, each in a state of its own: what conditions are tried on.
final class RandomEvents {
    struct Sample {
        let state: SystemState
        let context: EventContext
    }
    private(set) var samples: [Sample] = []
    private var buffers: [UnsafeMutableRawBufferPointer] = []
    private var scratch = ExtractionScratch()
    deinit { for buffer in buffers { buffer.deallocate() } }

    static let names = ["a", "ab", "abc", "b", "bash", "sh"]
    static let paths = ["/etc", "/etc/pam", "/etc/pam.d/x", "/usr/bin/a", "/a", "a.sh", "/b.sh", "", "/etc/", "~/a", "//etc/x"]
    private static let common: [ppm_event_code] = [
        PPME_SYSCALL_OPEN_X, PPME_SYSCALL_OPENAT_2_X, PPME_SYSCALL_CLOSE_X, PPME_SYSCALL_EXECVE_19_X, PPME_SOCKET_CONNECT_X,
        PPME_SYSCALL_WRITE_X, PPME_SYSCALL_RENAME_X, PPME_SYSCALL_UNLINK_2_X, PPME_GENERIC_X, PPME_ASYNCEVENT_E,
        PPME_PROCEXIT_1_E,
        PPME_SYSCALL_CREAT_X,
    ]

    init(count: Int, _ random: inout SeededGenerator) {
        while samples.count < count {
            let code =
                Bool.random(using: &random)
                ? Self.common.randomElement(using: &random)!.code
                : UInt16.random(in: 0..<UInt16(EventTable.count), using: &random)
            add(code, &random)
        }
    }

    private func add(_ code: UInt16, _ random: inout SeededGenerator) {
        let state = SystemState(threadsMax: 20)
        for tid in [Int64(1), 100] where tid == 1 || Int.random(in: 0..<8, using: &random) > 0 {
            var row = ThreadRow()
            (row.tid, row.pid, row.ptid, row.vtid, row.vpid) = (tid, tid, 1, tid, tid)
            row.comm = Array(Self.names.randomElement(using: &random)!.utf8)
            row.exe = Array(Self.paths.randomElement(using: &random)!.utf8)
            row.exepath = Array(Self.paths.randomElement(using: &random)!.utf8)
            row.cwd = Array("/etc/".utf8)
            row.args = Bool.random(using: &random) ? Array("a\0-x\0".utf8) : []
            row.uid = [0, 1, 2, 1000].randomElement(using: &random)!
            row.exeWritable = Bool.random(using: &random)
            row.tty = [0, 1].randomElement(using: &random)!
            state.thread(row)
        }
        for fd in Int64(0)...3 where Bool.random(using: &random) {
            var row = DescriptorRow()
            row.fd = fd
            if Bool.random(using: &random) {
                row.kind = .file
                row.name = Array(Self.paths.randomElement(using: &random)!.utf8)
            } else {
                row.kind = .ipv4Socket
                row.sourceAddress = AddressBytes(ipv4NetworkOrder: [0x0100_007f, 0x0403_0201].randomElement(using: &random)!)
                row.destinationAddress = AddressBytes(
                    ipv4NetworkOrder: [0x0100_007f, 0x0503_0201].randomElement(using: &random)!)
                (row.sourcePort, row.destinationPort) = (
                    UInt16.random(in: 79...82, using: &random), UInt16.random(in: 79...82, using: &random)
                )
                row.l4Protocol = 2
            }
            state.descriptor(row, tid: 100)
        }
        state.finishSnapshot()
        var builder = EventBuilder()
        builder.begin(type: code, tid: 100, timestampNs: UInt64.random(in: 1...5, using: &random) * 1_000_000_000)
        for parameter in EventTable.events[Int(code)].parameters { builder.append(raw: value(of: parameter, &random)) }
        var bytes: [UInt8] = []
        builder.write(to: &bytes)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
        buffer.copyBytes(from: bytes)
        buffers.append(buffer)
        guard
            let event = try? EventView(
                checking: Bytes(UnsafeRawBufferPointer(buffer)), cpu: UInt16.random(in: 0...2, using: &random))
        else { return }
        var context = EventContext(event: event)
        context.number = UInt64.random(in: 1...4, using: &random)
        state.admit(event, into: &context)
        samples.append(Sample(state: state, context: context))
    }

    private func value(of parameter: ParameterInfo, _ random: inout SeededGenerator) -> [UInt8] {
        if Int.random(in: 0..<12, using: &random) == 0 { return [] }
        switch parameter.type {
        case .charbuf, .fspath, .fsrelpath:
            let text = Bool.random(using: &random) ? Self.names : Self.paths
            return Array(text.randomElement(using: &random)!.utf8) + [0]
        case .bytebuf: return Array(["a", "ab", "abc", "b\0c\0"].randomElement(using: &random)!.utf8)
        case .bool: return [UInt8.random(in: 0...1, using: &random), 0, 0, 0]
        default:
            guard let width = parameter.type.fixedBytes else { return [] }
            let number = Int64([-2, -1, 0, 0, 0, 1, 2, 3, 5, 0x4002].randomElement(using: &random)!)
            return (0..<width).map { UInt8(truncatingIfNeeded: number >> (8 * min($0, 7))) }
        }
    }

    /// What the oracle says of the condition for each event.
    func verdicts(_ condition: CompiledCondition) -> [Bool] {
        samples.map { sample in
            scratch.reset()
            return NaiveEvaluator.holds(condition, context: sample.context, state: sample.state, scratch: &scratch)
        }
    }
}

/// Conditions over few fields with few constants, so that contradictions and implications are frequent.
struct RandomConditions {
    private static let checks: [String] = [
        "evt.type = open", "evt.type = close", "evt.type in (open, openat, creat)", "evt.type != open",
        "evt.type startswith open",
        "evt.type in (execve, connect)", "syscall.type = rename", "evt.type.is.open = 1", "evt.dir = <", "evt.dir = >",
        "evt.type exists", "evt.type = oneof (open, close)", "evt.is_open_write = true", "evt.is_open_write = false",
        "evt.is_open_read != true",
        "evt.is_io = true", "evt.is_async = false", "evt.failed = true", "evt.failed = false", "evt.failed exists",
        "evt.rawres < 0",
        "evt.rawres >= 0", "evt.rawres > 1", "evt.rawres in (0, 1)", "evt.rawres != 0", "evt.rawres = -2", "evt.res = SUCCESS",
        "evt.num > 2", "evt.num <= 2", "evt.num in (1, 3)", "evt.num < 4", "evt.num = 0", "evt.num > 0", "evt.num exists",
        "evt.cpu = 1", "evt.cpu != 1", "evt.cpu < 1", "evt.cpu >= 1", "evt.cpu = anyof (0, 2)", "evt.cpu = allof (0, 2)",
        "evt.arg.name startswith /etc", "evt.arg.name exists", "evt.arg.flags contains O_", "evt.arg.fd exists",
        "evt.arg[1] exists",
        "evt.arg[4] exists", "evt.rawarg.res > 0", "evt.rawarg.fd exists", "evt.rawarg.fd < 2", "evt.buffer exists",
        "evt.buffer contains a", "evt.buffer contains ab", "evt.buffer startswith ab", "evt.buffer bcontains 61",
        "evt.buffer in (a, ab)",
        "evt.buffer != abc", "evt.buflen > 0", "evt.io_dir = write", "evt.abspath startswith /etc", "evt.asynctype exists",
        "proc.name = a", "proc.name != a", "proc.name in (a, b)", "proc.name in (a, ab, bash)", "proc.name exists",
        "proc.name startswith a", "proc.name startswith ab", "proc.name startswith b", "proc.name endswith h",
        "proc.name endswith sh",
        "proc.name contains b", "proc.name icontains B", "proc.name glob a*", "proc.name regex 'ab.*'",
        "proc.name startswith oneof (a, ab)",
        "proc.name startswith anyof (a, b)", "proc.name contains allof (a, b)", "proc.name = val(proc.pname)",
        "proc.name intersects (a, sh)",
        "proc.pname = a", "proc.pname in (a, b)", "proc.aname = a", "proc.aname in (a, b)", "proc.aname != a",
        "proc.aname[0] = a",
        "proc.exe startswith /etc", "proc.exe startswith /etc/", "proc.exe pmatch (/etc)", "proc.exe pmatch (/etc/pam)",
        "proc.exe pmatch (/etc, /usr)", "proc.exe pmatch (/u*)", "proc.exe endswith .sh", "tolower(proc.name) = a",
        "len(proc.name) > 2",
        "len(proc.name) < 3", "user.uid = 0", "user.uid < 2", "user.uid > 1", "user.uid in (0, 1)", "proc.is_exe_writable = true",
        "proc.is_exe_writable = false", "proc.is_exe_writable != true", "proc.args contains x", "proc.args = ''",
        "proc.cwd = /etc/",
        "fd.name = /etc", "fd.name startswith /etc", "fd.name startswith /usr", "fd.name in (/etc, /a)", "fd.name exists",
        "fd.num > 1",
        "fd.num in (0, 1, 2)", "fd.typechar = f", "fd.ip = 127.0.0.1", "fd.ip != 127.0.0.1", "fd.ip in (127.0.0.1, 1.2.3.4)",
        "fd.sip = 127.0.0.1",
        "fd.sip != 127.0.0.1", "fd.sip = 1.2.3.5", "fd.sport = 80", "fd.sport < 81", "fd.sport > 79", "fd.port = 80",
        "fd.port != 80",
        "fd.port in (80, 81)", "fd.port > 80", "fd.snet = 127.0.0.0/8", "fd.net = 127.0.0.0/8", "fd.net != 127.0.0.0/8",
        "fd.types in (file, ipv4)",
        "fd.types in (file)", "fd.types intersects (file)", "fd.types intersects (file, ipv4)", "fd.filename = etc",
        "fs.path.name startswith /etc",
        "fs.path.target exists", "fs.path.source exists", "fd.name = val(fs.path.name)",
    ]

    static func condition(depth: Int, _ random: inout SeededGenerator, pool: [String]? = nil) -> String {
        // A few checks, used again and again: those of one condition then speak of each other.
        let pool = pool ?? (0..<5).map { _ in checks.randomElement(using: &random)! } + family(&random)
        if depth == 0 || Int.random(in: 0..<5, using: &random) == 0 {
            let check = pool.randomElement(using: &random)!
            return Int.random(in: 0..<4, using: &random) == 0 ? "not \(check)" : check
        }
        let choice = Int.random(in: 0..<7, using: &random)
        if choice == 0 { return "not (\(condition(depth: depth - 1, &random, pool: pool)))" }
        let parts = (0..<Int.random(in: 2...4, using: &random)).map { _ in "(\(condition(depth: depth - 1, &random, pool: pool)))"
        }
        return parts.joined(separator: choice < 5 ? " and " : " or ")
    }

    /// Checks of one field.
    private static func family(_ random: inout SeededGenerator) -> [String] {
        let field = checks.randomElement(using: &random)!.split(separator: " ")[0]
        return checks.filter { $0.hasPrefix(field + " ") }
    }
}
