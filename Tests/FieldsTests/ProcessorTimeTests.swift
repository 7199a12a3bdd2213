// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
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
}
