// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import Testing

@testable import CaptureFile

/// Whatever the bytes: no crash, the events before the damage, then one sentence.
@Suite struct DamagedCaptureTests {
    /// Every kind of block, old and new events.
    static let sample: TestCapture = {
        var capture = TestCapture()
        var machine = MachineRow()
        machine.hostname = Array("host".utf8)
        capture.encoder.append(machine)
        capture.encoder.append([InterfaceRow()])
        capture.encoder.append(users: [UserRow()], groups: [GroupRow()])
        var thread = ThreadRow()
        thread.tid = 10
        thread.comm = Array("cat".utf8)
        capture.encoder.append([thread])
        capture.encoder.append(DescriptorListTests.rows, tid: 10)
        capture.event(PPME_CONTAINER_JSON_2_E, [.text("{}")])
        capture.event(PPME_SYSCALL_OPEN_E, [.text("/a"), .u32(1), .u32(0)])
        capture.event(PPME_SYSCALL_OPEN_X, [.i64(3), .text("/a"), .u32(1), .u32(0)])
        capture.event(PPME_SYSCALL_CLOSE_E, [.i64(3)], version: 1)
        capture.event(PPME_SYSCALL_CLOSE_X, [.i64(0)], version: 1)
        capture.event(PPME_PROCINFO_E, [.u64(1), .u64(2)], version: 1, flags: 0)
        capture.event(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3)], flags: 1)
        return capture
    }()

    @Test func everyTruncationGivesTheEventsBeforeTheCut() {
        let whole = Reading(Self.sample)
        #expect(whole.error == nil)
        let delivered = whole.events
        // Blocks of events, and how many events were delivered when each was read.
        let ends = Self.sample.eventEnds
        let deliveredAt = ends.indices.map { index in
            ends[index] == ends.last ? delivered.count : Reading(bytes: Array(Self.sample.bytes[..<ends[index]])).events.count
        }
        let sectionEnd = 28
        for length in 0..<Self.sample.bytes.count {
            let reading = Reading(bytes: Array(Self.sample.bytes[..<length]))
            let before = ends.lastIndex { $0 <= length }.map { deliveredAt[$0] } ?? 0
            #expect(reading.events == Array(delivered[..<before]), "cut at \(length)")
            let isWhole = ends.contains(length) || Self.metadataEnds.contains(length)
            #expect((reading.error == nil) == isWhole, "cut at \(length)")
            if let error = reading.error, length >= sectionEnd {
                #expect(error.description.contains("ends at byte \(length), inside "), "cut at \(length)")
                #expect(error.description.contains("missing"), "cut at \(length)")
            }
        }
    }

    /// Where the metadata blocks of the sample end: a capture may end there too.
    static let metadataEnds: Set<Int> = {
        var ends: Set<Int> = []
        var at = 0
        while at + 8 <= sample.bytes.count {
            at += Int(sample.bytes[at + 4]) | Int(sample.bytes[at + 5]) << 8 | Int(sample.bytes[at + 6]) << 16
            ends.insert(at)
        }
        return ends
    }()

    @Test func truncatedGzipToo() throws {
        let raw = TemporaryFile(Self.sample.bytes)
        let packed = TemporaryFile(try gzip(Self.sample.bytes))
        #expect(Reading(bytes: packed.bytes).events == Reading(bytes: raw.bytes).events)
        for length in 0..<packed.bytes.count {
            let reading = Reading(bytes: Array(packed.bytes[..<length]))
            // The last eight bytes are checksum and length.
            if length < packed.bytes.count { #expect(reading.error != nil, "cut at \(length)") }
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func randomMutationsNeverCrash(seed: UInt64) {
        var random = SeededRandom(state: seed)
        let original = Self.sample.bytes
        for _ in 0..<400 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes[at] = 0xff
                case 3: bytes.remove(at: at)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                }
            }
            // More events than blocks would mean that something was read twice.
            #expect(Reading(bytes: bytes).events.count <= Self.sample.eventEnds.count)
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func randomMutationsOfGzipNeverCrash(seed: UInt64) throws {
        var random = SeededRandom(state: seed)
        let original = try gzip(Self.sample.bytes)
        for _ in 0..<200 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 2..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            #expect(Reading(bytes: bytes).events.count <= Self.sample.eventEnds.count)
        }
    }

    struct BadEvent: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let patch: @Sendable (inout [UInt8]) -> Void
        let reason: String
    }
    /// Offsets: processor 8, header 10, length 26, type 30, parameter count 32, lengths 36.
    static let badEvents: [BadEvent] = [
        BadEvent(testDescription: "length larger than the block", patch: { $0[26] = 200 }, reason: "length_outside"),
        BadEvent(testDescription: "length smaller than the header", patch: { $0[26] = 25 }, reason: "length_outside"),
        BadEvent(testDescription: "too many parameters", patch: { $0[33] = 1 }, reason: "parameters_outside"),
        BadEvent(testDescription: "a parameter larger than the record", patch: { $0[37] = 1 }, reason: "parameters_outside"),
        BadEvent(testDescription: "a type nobody knows", patch: { $0[31] = 9 }, reason: "unknown_type"),
    ]

    @Test(arguments: badEvents)
    func badRecordIsCountedAndLeftOut(_ bad: BadEvent) {
        var one = TestCapture(withSection: false)
        one.event(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3)])
        var bytes = one.bytes
        bad.patch(&bytes)
        var head = TestCapture()
        head.event(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(1)])
        let reading = Reading(bytes: head.bytes + bytes + one.bytes)
        #expect(reading.error == nil)
        #expect(reading.events.map { $0.parameters[1][0] } == [1, 3])
        #expect(reading.malformed == [bad.reason: 1])
    }

    struct BadBlock: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let patch: @Sendable (inout [UInt8]) -> Void
        let says: String
    }
    static let badBlocks: [BadBlock] = [
        BadBlock(
            testDescription: "different lengths", patch: { $0[$0.count - 4] ^= 4 }, says: "the two lengths of an event differ"),
        BadBlock(testDescription: "shorter than its frame", patch: { $0[4] = 8 }, says: "an event claims a length of 8 bytes"),
        BadBlock(testDescription: "longer than an event may be", patch: { $0[6] = 2 }, says: "an event claims a length of 131"),
    ]

    @Test(arguments: badBlocks)
    func badBlockEndsTheCapture(_ bad: BadBlock) {
        var one = TestCapture(withSection: false)
        one.event(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3)])
        var bytes = one.bytes
        bad.patch(&bytes)
        var head = TestCapture()
        head.event(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(1)])
        let reading = Reading(bytes: head.bytes + bytes)
        #expect(reading.events.count == 1)
        #expect(reading.error?.description.contains(bad.says) == true, "\(reading.error?.description ?? "no error")")
        #expect(reading.error?.description.contains("at byte \(head.bytes.count)") == true)
    }

    private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let file = TemporaryFile()
        let output = try CaptureOutput(path: file.path, isCompressed: true)
        try output.write(bytes)
        try output.close()
        return file.bytes
    }
}
