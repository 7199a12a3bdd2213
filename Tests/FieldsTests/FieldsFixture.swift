// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Diagnostics
import EventModel
import FilterLanguage
import SystemState

@testable import Fields

/// A machine with a shell that a daemon started, and one event at a time.
final class Machine {
    let state = SystemState()
    private var scratch = ExtractionScratch()
    private var builder = EventBuilder()

    static let now: UInt64 = 1_600_000_000_123_456_789

    init() {
        let rows: [(tid: Int64, pid: Int64, ptid: Int64, comm: String, exe: String, args: [String])] = [
            (1, 1, 0, "init", "/sbin/init", []),
            (10, 10, 1, "sshd", "/usr/sbin/sshd", ["-D"]),
            (20, 20, 10, "bash", "-bash", ["-l", "two words"]),
            (21, 20, 10, "worker", "-bash", []),
            (30, 30, 20, "curl", "curl", ["-s", "http://example.org"]),
        ]
        for row in rows {
            var thread = ThreadRow()
            (thread.tid, thread.pid, thread.ptid) = (row.tid, row.pid, row.ptid)
            (thread.vtid, thread.vpid) = (row.tid + 1000, row.pid + 1000)
            thread.comm = Array(row.comm.utf8)
            thread.exe = Array(row.exe.utf8)
            thread.exepath = Array("/usr/bin/\(row.comm)".utf8)
            thread.args = row.args.flatMap { Array($0.utf8) + [0] }
            thread.env = ["HOME=/home/\(row.comm)", "LEVEL=\(row.tid)"].flatMap { Array($0.utf8) + [0] }
            thread.cwd = Array("/srv/".utf8)
            thread.cgroups = ["cpu=/a", "memory=/b"].flatMap { Array($0.utf8) + [0] }
            (thread.uid, thread.gid) = row.tid == 1 ? (0, 0) : (1000, 1000)
            thread.sid = row.tid < 20 ? row.tid : 20
            thread.pgid = row.pid
            thread.vpgid = row.pid + 1000
            thread.fdlimit = 1024
            thread.capEffective = 0b1010_0000_0001
            thread.startTimeNs = Self.now - 5_000_000_000
            state.thread(thread)
        }
        var user = UserRow()
        (user.uid, user.gid, user.name, user.home, user.shell) = (
            1000, 1000, Array("ada".utf8), Array("/home/ada".utf8), Array("/bin/zsh".utf8)
        )
        state.user(user)
        var group = GroupRow()
        (group.gid, group.name) = (1000, Array("lab".utf8))
        state.group(group)
        var file = DescriptorRow()
        (file.fd, file.kind, file.name) = (3, .directory, Array("/var/log".utf8))
        state.descriptor(file, tid: 20)
        var pipe = DescriptorRow()
        (pipe.fd, pipe.kind, pipe.name) = (0, .fifo, Array("pipe:[7]".utf8))
        state.descriptor(pipe, tid: 20)
        state.finishSnapshot()
    }

    static func resolve(_ text: String) throws(FieldError) -> FieldReference {
        let here = SourceRange(SourcePosition(), SourcePosition())
        guard let bracket = text.firstIndex(of: "[") else {
            return try FieldCatalogue.builtin.resolve(FieldName(text, range: here))
        }
        let argument = text[text.index(after: bracket)...].dropLast()
        return try FieldCatalogue.builtin.resolve(FieldName(String(text[..<bracket]), argument: String(argument), range: here))
    }

    /// What `field` says, as an output writes it, of an event with these parameters.
    func read(
        _ field: String, of type: ppm_event_code = PPME_SOCKET_GETSOCKNAME_X, tid: Int64 = 20, inOutput: Bool = false,
        _ fill: (inout EventBuilder) -> Void = { _ in }
    ) throws -> String {
        let resolved = try Self.resolve(field)
        let reference = inOutput ? resolved.asSingleValue : resolved
        builder.begin(type: type.code, tid: tid, timestampNs: Self.now)
        fill(&builder)
        var bytes: [UInt8] = []
        builder.write(to: &bytes)
        return try bytes.withUnsafeBytes { buffer in
            var context = EventContext(event: try EventView(checking: Bytes(buffer), cpu: 3))
            context.thread = state.slot(tid: tid)
            context.number = 7
            context.firstTimestampNs = Self.now - 2_000_000_005
            context.previousTimestampNs = Self.now - 1_500
            scratch.reset()
            let value = FieldExtractor.extract(reference, context: context, state: state, scratch: &scratch)
            return String(decoding: text(value, reference.definition, scratch), as: UTF8.self)
        }
    }
}
