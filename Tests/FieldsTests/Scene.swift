// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState
import Testing

@testable import Fields

/// A machine with a shell (thread 100, in /root) and a process in a container (thread 200); each call is one event, looked at
/// between admit and retire.
final class Scene {
    let state = SystemState(threadsMax: 100)
    private var builder = EventBuilder()
    private var now: UInt64 = 1_600_000_000_000_000_000
    private var bytes: [UInt8] = []
    static let containerID = String(repeating: "ab12", count: 16)

    init() {
        for (tid, cgroup) in [(100, ""), (200, "memory=/docker/\(Self.containerID)")] as [(Int64, String)] {
            var row = ThreadRow()
            (row.tid, row.pid, row.ptid, row.vtid, row.vpid) = (tid, tid, 1, tid, tid)
            row.comm = Array("bash".utf8)
            row.exe = Array("/bin/bash".utf8)
            row.cwd = Array("/root/".utf8)
            row.cgroups = cgroup.isEmpty ? [] : Array(cgroup.utf8) + [0]
            state.thread(row)
        }
        var loopback = InterfaceRow()
        loopback.address = AddressBytes(ipv4NetworkOrder: 0x0100_007f)
        state.interface(loopback)
        state.finishSnapshot()
    }

    /// Each of `fields` after the event, as a plain output shows it.
    @discardableResult
    func event(_ type: ppm_event_code, tid: Int64 = 100, _ fields: [String] = [], _ fill: (inout EventBuilder) -> Void) throws
        -> [String]
    {
        now += 1000
        builder.begin(type: type.code, tid: tid, timestampNs: now)
        fill(&builder)
        bytes.removeAll()
        builder.write(to: &bytes)
        let templates = try fields.map { try OutputTemplate("*%" + $0, catalogue: .builtin) }
        return try bytes.withUnsafeBytes { raw in
            let event = try EventView(checking: Bytes(raw), cpu: 0)
            var context = EventContext(event: event)
            state.admit(event, into: &context)
            defer { state.retire(context) }
            var scratch = ExtractionScratch()
            return templates.map { template in
                var text: [UInt8] = []
                _ = template.renderText(context: context, state: state, scratch: &scratch, into: &text)
                return String(decoding: text, as: UTF8.self)
            }
        }
    }

    @discardableResult
    func open(
        _ path: String, fd: Int64, flags: UInt32 = 1, dev: UInt32 = 0, ino: UInt64 = 0, tid: Int64 = 100, _ fields: [String] = []
    ) throws -> [String] {
        try event(PPME_SYSCALL_OPEN_X, tid: tid, fields) { e in
            e.append(fd)
            e.append(text: path)
            e.append(flags)
            e.append(UInt32(0))
            e.append(dev)
            e.append(ino)
        }
    }

    func openat(_ path: String, dirfd: Int64, fd: Int64, _ fields: [String]) throws -> [String] {
        try event(PPME_SYSCALL_OPENAT_2_X, fields) { e in
            e.append(fd)
            e.append(dirfd)
            e.append(text: path)
            e.append(UInt32(1))
            for value: UInt32 in [0, 0] { e.append(value) }
            e.append(UInt64(0))
        }
    }

    /// Address family, address and port of both ends, as the wire has them.
    static func tuple(_ source: [UInt8], _ sourcePort: UInt16, _ destination: [UInt8], _ destinationPort: UInt16) -> [UInt8] {
        func port(_ value: UInt16) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8)] }
        return [source.count == 4 ? 2 : 10] + source + port(sourcePort) + destination + port(destinationPort)
    }

    func socket(fd: Int64, domain: UInt32 = 2, type: UInt32 = 1) throws {
        try event(PPME_SOCKET_SOCKET_X) { e in
            e.append(fd)
            e.append(domain)
            e.append(type)
            e.append(UInt32(0))
        }
    }

    @discardableResult
    func connect(fd: Int64, result: Int64 = 0, tuple: [UInt8], _ fields: [String]) throws -> [String] {
        try event(PPME_SOCKET_CONNECT_X, fields) { e in
            e.append(result)
            e.append(raw: tuple)
            e.append(fd)
            e.append(raw: [])
        }
    }
}
