// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState
import Testing

@testable import Fields

/// Processor time and memory, as switches, statistics and memory calls tell them.
@Suite struct ProcessorTimeTests {
    private static let times = ["thread.exectime", "thread.totexectime"]

    /// Events of `Scene` are a microsecond apart, all on processor 0.
    @Test func switches() throws {
        let scene = Scene()
        func leave(_ tid: Int64) throws -> [String] {
            try scene.event(PPME_SCHEDSWITCH_6_E, tid: tid, Self.times + ["thread.pfmajor", "proc.vmrss"]) { builder in
                builder.append(Int64(0))
                for value: UInt64 in [3, 4] { builder.append(value) }
                for value: UInt32 in [10, 20, 30] { builder.append(value) }
            }
        }
        #expect(try leave(100) == ["0", "0", "3", "20"])
        #expect(try leave(200) == ["1000", "1000", "3", "20"])
        #expect(try leave(100) == ["1000", "1000", "3", "20"])
        #expect(try leave(100) == ["1000", "2000", "3", "20"])
        #expect(try scene.event(PPME_SOCKET_GETSOCKNAME_X, Self.times) { _ in } == ["0", "2000"])
        #expect(try leave(999) == ["2000", "<NA>", "<NA>", "<NA>"])
    }

    @Test func statistics() throws {
        let scene = Scene()
        let fields = ["thread.cpu", "thread.cpu.user", "thread.cpu.system"]
        func statistics(_ user: UInt64, _ system: UInt64) throws -> [String] {
            try scene.event(PPME_PROCINFO_E, fields) { builder in
                builder.append(user)
                builder.append(system)
            }
        }
        #expect(try statistics(500, 100) == ["0.0", "0.0", "0.0"])
        #expect(try statistics(530, 110) == ["40.0", "30.0", "10.0"])
        #expect(try statistics(630, 150) == ["100.0", "100.0", "40.0"])
        #expect(try scene.event(PPME_SOCKET_GETSOCKNAME_X, fields) { _ in } == ["<NA>", "<NA>", "<NA>"])
    }

    @Test func memoryCalls() throws {
        let got = try Scene().event(PPME_SYSCALL_BRK_4_X, ["proc.vmsize", "proc.vmrss", "proc.vmswap"]) { builder in
            builder.append(UInt64(0x5000))
            for value: UInt32 in [7, 8, 9] { builder.append(value) }
            builder.append(UInt64(0))
        }
        #expect(got == ["7", "8", "9"])
    }

    @Test(arguments: [(0, ""), (1, "AA=="), (2, "AAE="), (3, "AAEC"), (4, "AAECAw=="), (300, nil)] as [(Int, String?)])
    func buffersAsBase64(count: Int, text: String?) {
        var scratch = ExtractionScratch()
        scratch.showsBuffersAsBase64 = true
        let data = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        data.withUnsafeBytes { raw in
            var shown: [UInt8] = []
            renderValue(.bytes(Bytes(raw)), type: .bytebuf, format: .na, scratch: &scratch, into: &shown)
            if let text { #expect(String(decoding: shown, as: UTF8.self) == text) } else { #expect(shown.count == 400) }
            scratch.showsBuffersAsBase64 = false
            shown = []
            renderValue(.bytes(Bytes(raw)), type: .bytebuf, format: .na, scratch: &scratch, into: &shown)
            #expect(shown.count == count)
        }
    }

    /// new limit, old limit → what is known then; -1 is no limit.
    @Test(
        arguments: [
            ([64, 128], [1024, 1024], "64"), ([0, 0], [1024, 4096], "1024"), ([0, 0], [0, 0], "0"), ([-1, -1], [7, 7], "20000"),
        ] as [([Int64], [Int64], String)])
    func limitOfDescriptors(new: [Int64], old: [Int64], limit: String) throws {
        let scene = Scene()
        func call(_ type: ppm_event_code, _ limits: [Int64], _ pid: Int64?) throws -> [String] {
            try scene.event(type, ["proc.fdlimit"]) { builder in
                builder.append(Int64(0))
                for value in limits { builder.append(value) }
                if let pid { builder.append(pid) }
                builder.append(UInt8(7))
            }
        }
        #expect(try call(PPME_SYSCALL_GETRLIMIT_X, [20000, 20000], nil) == ["20000"])
        #expect(try call(PPME_SYSCALL_PRLIMIT_X, new + old, 0) == [limit])
    }

    @Test func askingForTheDirectoryTellsIt() throws {
        let got = try Scene().event(PPME_SYSCALL_GETCWD_X, ["proc.cwd"]) { builder in
            builder.append(Int64(5))
            builder.append(text: "/var/lib")
        }
        #expect(got == ["/var/lib/"])
    }

    /// How old an executable was when it was run, against the process and its pid namespace.
    @Test(arguments: [
        (UInt64(4_000), "6000", "<NA>"), (8_000, "2000", "3000"), (12_000, "18446744073709549616", "7000"), (0, "<NA>", "<NA>"),
    ])
    func ageOfTheExecutable(ctime: UInt64, beforeStart: String, afterNamespace: String) throws {
        let state = SystemState(threadsMax: 10)
        var row = ThreadRow()
        (row.tid, row.pid) = (7, 7)
        (row.startTimeNs, row.pidnsInitStartNs) = (10_000, 5_000)
        state.thread(row)
        state.finishSnapshot()
        var builder = EventBuilder()
        builder.begin(type: PPME_SYSCALL_EXECVE_19_X.code, tid: 7, timestampNs: 20_000)
        builder.append(Int64(0))
        for _ in 1..<23 { builder.appendEmpty() }
        for value in [9, ctime, ctime] { builder.append(value) }
        for _ in 26..<31 { builder.appendEmpty() }
        var bytes: [UInt8] = []
        builder.write(to: &bytes)
        try bytes.withUnsafeBytes { raw in
            var context = EventContext(event: try EventView(checking: Bytes(raw), cpu: 0))
            state.admit(context.event, into: &context)
            var scratch = ExtractionScratch()
            for (field, expected) in [
                ("proc.exe_ino.ctime_duration_proc_start", beforeStart),
                ("proc.exe_ino.ctime_duration_pidns_start", afterNamespace),
            ] {
                var text: [UInt8] = []
                let template = try OutputTemplate("*%" + field, catalogue: .builtin)
                _ = template.renderText(context: context, state: state, scratch: &scratch, into: &text)
                #expect(String(decoding: text, as: UTF8.self) == expected, "\(field)")
            }
        }
    }
}
