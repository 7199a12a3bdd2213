// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState
import Testing

@testable import Fields

/// A record of what the kernel knows, as the probe writes it: lengths of 32 bits.
enum KernelRecord {
    static func bytes(
        tid: Int64, path: String = "", fspath: String = "", argumentsBytes: UInt64 = 0, tail: [UInt8] = []
    ) -> [UInt8] {
        let parameters: [[UInt8]] = [
            path.isEmpty ? [] : Array(path.utf8) + [0], fspath.isEmpty ? [] : Array(fspath.utf8) + [0],
            argumentsBytes == 0 ? [] : little(argumentsBytes), tail,
        ]
        let data = parameters.flatMap { little(UInt32($0.count)) } + parameters.flatMap { $0 }
        return little(UInt64(1)) + little(tid) + little(UInt32(EventView.headerBytes + data.count))
            + little(UInt16(PROBE_KERNEL_RECORD)) + little(UInt32(parameters.count)) + data
    }

    private static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    static func admit(_ bytes: [UInt8], to state: SystemState) throws {
        try bytes.withUnsafeBytes { raw in
            let event = try EventView(checking: Bytes(raw), cpu: 0, isStateOnly: true)
            var context = EventContext(event: event)
            state.admit(event, into: &context)
            state.retire(context)
        }
    }
}

@Suite struct KernelFieldTests {
    private static let fields = ["kernel.path", "kernel.fspath", "kernel.path_differs"]
    private let scene = Scene()

    init() { scene.state.hasKernelRecords = true }

    private func record(tid: Int64 = 100, path: String = "", fspath: String = "") throws {
        try KernelRecord.admit(KernelRecord.bytes(tid: tid, path: path, fspath: fspath), to: scene.state)
    }

    @Test func theFileIsWhatTheKernelOpened() throws {
        try record(path: "/etc/shadow")
        #expect(try scene.open("/tmp/harmless", fd: 3, Self.fields) == ["/etc/shadow", "<NA>", "true"])
        // Later events of the descriptor, and of a copy of it.
        let read: (inout EventBuilder) -> Void = { e in
            e.append(Int64(1))
            e.append(raw: [1])
            e.append(Int64(3))
            e.append(UInt32(1))
        }
        #expect(try scene.event(PPME_SYSCALL_READ_X, ["kernel.path", "fd.name"], read) == ["/etc/shadow", "/tmp/harmless"])
    }

    @Test func withoutARecordTheNameIsTheKernels() throws {
        #expect(try scene.open("/etc/hosts", fd: 3, Self.fields) == ["/etc/hosts", "<NA>", "false"])
        try record(path: "/root/hosts")
        #expect(try scene.open("hosts", fd: 3, Self.fields) == ["/root/hosts", "<NA>", "false"], "the same in other words")
    }

    @Test func aBindMountIsTold() throws {
        try record(path: "/tmp/x", fspath: "/etc/shadow")
        #expect(try scene.open("/tmp/x", fd: 3, Self.fields) == ["/tmp/x", "/etc/shadow", "false"])
    }

    /// Its event was lost: no other call of the thread may have it, nor a call of another thread.
    @Test func aRecordIsForTheNextEventOfItsThreadAlone() throws {
        try record(path: "/etc/shadow")
        #expect(try scene.open("/tmp/b", fd: 3, tid: 200, Self.fields) == ["/tmp/b", "<NA>", "false"])
        try scene.event(PPME_SYSCALL_CLOSE_X) { e in
            e.append(Int64(0))
            e.append(Int64(9))
        }
        #expect(try scene.open("/tmp/a", fd: 3, Self.fields) == ["/tmp/a", "<NA>", "false"])
    }

    /// An old capture, or a source that was not asked: what is not known is not claimed.
    @Test func noValueWhereNobodyTells() throws {
        scene.state.hasKernelRecords = false
        #expect(try scene.open("/tmp/a", fd: 3, Self.fields) == ["<NA>", "<NA>", "<NA>"])
    }

    @Test func aRecordThatLiesIsRefusedOrHarmless() throws {
        let whole = KernelRecord.bytes(tid: 100, path: "/etc/shadow", fspath: "/x", argumentsBytes: 9000, tail: [65, 0])
        for length in 0..<whole.count { try? KernelRecord.admit(Array(whole.prefix(length)), to: scene.state) }
        for place in 0..<whole.count {
            for value: UInt8 in [0, 1, 0x7f, 0xff] {
                var bytes = whole
                bytes[place] = value
                try? KernelRecord.admit(bytes, to: scene.state)
            }
        }
        // Without the mark it is an event of a type that nobody knows.
        #expect(throws: DecodeError.unknownType) { try whole.withUnsafeBytes { _ = try EventView(checking: Bytes($0), cpu: 0) } }
    }
}
