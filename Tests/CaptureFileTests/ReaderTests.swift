// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import CaptureReplay
import EventModel
import Testing

@testable import CaptureFile

@Suite struct ReaderTests {
    @Test(arguments: [CaptureWriter.Compression.none, .gzip])
    func whatTheWriterWritesIsReadBack(compression: CaptureWriter.Compression) throws {
        let snapshot = CaptureSnapshot()
        var machine = MachineRow()
        machine.cpuCount = 4
        machine.hostname = Array("host".utf8)
        machine.bootTimeNs = 99
        snapshot.machine(machine)
        var thread = ThreadRow()
        thread.tid = 10
        thread.args = Array(repeating: 0x61, count: 5000) + [0]
        thread.exeIno = 8
        thread.pgid = 3
        snapshot.thread(thread)
        for row in DescriptorListTests.rows { snapshot.descriptor(row, tid: 10) }
        let source = Reading(Self.events(5_000))
        let file = TemporaryFile()
        let writer = try CaptureWriter(path: file.path, compression: compression)
        try writer.write(snapshot)
        try Self.forEachEvent(Self.events(5_000)) { try writer.write($0) }
        try writer.close()

        let reading = Reading(bytes: file.bytes, batch: 4096)
        #expect(reading.error == nil)
        #expect(reading.events == source.events && reading.events.count == 5_000)
        #expect(reading.snapshot.machine?.hostname == machine.hostname && reading.snapshot.machine?.bootTimeNs == 99)
        let read = try #require(reading.snapshot.threads.first)
        #expect(read.args == Array(repeating: 0x61, count: 4095) + [0], "cut to what readers accept")
        #expect(read.exeIno == 8 && read.pgid == 3)
        #expect(reading.snapshot.descriptors.first?.rows.count == DescriptorListTests.rows.count)
    }

    /// Windows and arenas so small that batches end for want of room.
    @Test(arguments: [1, 7, 4096])
    func smallWindows(batch: Int) {
        var limits = CaptureReader.Limits()
        limits.windowBytes = 4096
        limits.arenaBytes = 256 * 1024
        let capture = Self.events(3_000)
        let reading = Reading(capture, batch: batch, limits: limits)
        #expect(reading.error == nil)
        #expect(reading.events == Reading(capture, batch: 100).events)
        #expect(reading.events.count == 3_000)
    }

    @Test func largePayloads() {
        var capture = TestCapture()
        let data = [UInt8](repeating: 7, count: 3_000_000)
        capture.event(PPME_PLUGINEVENT_E, [.u32(1), .raw(data)])
        capture.event(PPME_ASYNCEVENT_E, [.u32(1), .text("n"), .raw([1])], flags: 1)
        let reading = Reading(capture)
        #expect(reading.events.first?.parameters[1] == data)
        #expect(reading.events.last?.isStateOnly == true)
    }

    @Test func unknownBlocksAreSkipped() {
        var capture = TestCapture()
        capture.block(0x7777, Array(repeating: 1, count: 9_000_000))
        capture.event(PPME_PROCINFO_E, [.u64(1), .u64(2)])
        capture.block(0x7778, [1, 2, 3])
        capture.event(PPME_PROCINFO_E, [.u64(1), .u64(3)])
        let reading = Reading(capture)
        #expect(reading.error == nil)
        #expect(reading.events.count == 2)
    }

    @Test func sectionHeaderMayHaveOptions() {
        var capture = TestCapture(withSection: false)
        capture.block(
            0x0A0D_0D0A, [0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0] + Array(repeating: 0xff, count: 8) + Array(repeating: 5, count: 40))
        capture.event(PPME_PROCINFO_E, [.u64(1), .u64(2)])
        #expect(Reading(capture).error == nil)
        #expect(Reading(capture).events.count == 1)
    }

    @Test func appendedCaptureStartsOver() {
        func one(_ tid: Int64) -> TestCapture {
            var capture = TestCapture()
            var row = ThreadRow()
            row.tid = tid
            capture.encoder.append([row])
            capture.event(PPME_PROCINFO_E, [.u64(1), .u64(2)], tid: tid)
            return capture
        }
        let reading = Reading(bytes: one(1).bytes + one(2).bytes)
        #expect(reading.error == nil)
        #expect(reading.events.map(\.tid) == [1, 2])
        #expect(reading.snapshot.restarts == 1)
        #expect(reading.snapshot.threads.map(\.tid) == [2])
    }

    /// Events before the appended capture are handed over before its rows reach the sink.
    @Test func rowsWaitForTheEventsBeforeThem() throws {
        var capture = TestCapture()
        capture.event(PPME_PROCINFO_E, [.u64(1), .u64(2)])
        let file = TemporaryFile(capture.bytes + capture.bytes)
        let reader = try CaptureReader(path: file.path)
        let sink = CaptureSnapshot()
        try reader.snapshot(into: sink)
        let batch = EventBatch(capacity: 100)
        #expect(try reader.nextBatch(into: batch) == .events)
        #expect(batch.events.count == 1 && sink.restarts == 0)
        #expect(try reader.nextBatch(into: batch) == .events)
        #expect(batch.events.count == 1 && sink.restarts == 1)
        #expect(try reader.nextBatch(into: batch) == .end)
        #expect(try reader.nextBatch(into: batch) == .end)
    }

    @Test(
        arguments: [
            ([], "is not a capture file: it has only 0 bytes"),
            (Array("not a capture at all".utf8), "is not a capture file: it does not begin with a section header"),
            (
                [0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0] + [0x1a, 0x2b, 0x3c, 0x4d] + Array(repeating: 0, count: 16),
                "of the other byte order"
            ),
            ([0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0] + [1, 1, 1, 1] + Array(repeating: 0, count: 16), "wrong magic number"),
            (
                [0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0] + [0x4d, 0x3c, 0x2b, 0x1a, 2, 0, 7, 0] + Array(repeating: 0, count: 12),
                "has format version 2.7; versions up to 1 can be read"
            ),
        ] as [([UInt8], String)])
    func noCapture(bytes: [UInt8], says: String) {
        let error = Reading(bytes: bytes).error
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "no error")")
    }

    @Test func replaySource() throws {
        let file = TemporaryFile(DamagedCaptureTests.sample.bytes)
        let source = try ReplaySource(path: file.path)
        #expect(source.openingMessage == "Replaying events from the capture file: \(file.path)")
        #expect(!source.isLive)
        try source.snapshot(into: CaptureSnapshot())
        let batch = EventBatch(capacity: 3)
        var count = 0
        while try source.nextBatch(into: batch, waitMs: 0) == .events { count += batch.events.count }
        #expect(count == Reading(DamagedCaptureTests.sample).events.count)
        #expect(source.counters.events == UInt64(DamagedCaptureTests.sample.eventEnds.count))
        #expect(source.counters.malformed == 0)
    }

    @Test func replaySourceNamesTheFileAndTheReason() {
        let file = TemporaryFile(Array("hello, I am a text".utf8))
        for (path, reason) in [
            ("/no/such/file.scap", "No such file or directory"), ("/tmp", "Is a directory"),
            (file.path, "'\(file.path)' is not a capture file: it does not begin with a section header"),
        ] {
            let error = #expect(throws: CaptureError.self) { try ReplaySource(path: path) }
            #expect(error?.description == "Could not open trace filename \(path) for reading: \(reason)")
        }
    }

    static func events(_ count: Int) -> TestCapture {
        var capture = TestCapture()
        for number in 0..<count / 2 {
            capture.event(PPME_SYSCALL_CLOSE_E, [.i64(Int64(number))], tid: Int64(number % 50), at: UInt64(number))
            capture.event(PPME_SYSCALL_CLOSE_X, [.i64(0)], tid: Int64(number % 50), at: UInt64(number))
            capture.event(
                PPME_SYSCALL_WRITE_X, [.i64(1), .raw(Array(repeating: 1, count: number % 700)), .i64(1), .u32(1)],
                at: UInt64(number))
        }
        return capture
    }

    static func forEachEvent(_ capture: TestCapture, _ body: (EventView) throws -> Void) throws {
        let file = TemporaryFile(capture.bytes)
        let reader = try CaptureReader(path: file.path)
        try reader.snapshot(into: CaptureSnapshot())
        let batch = EventBatch()
        while try reader.nextBatch(into: batch) == .events {
            for event in batch.events { try body(event) }
        }
    }
}
