// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import Foundation
import Testing

@testable import CaptureFile

/// Not at random: every byte of a capture that holds each kind of block, damaged in each way, one at a time.
@Suite struct SystematicDamageTests {
    static let sample = DamagedCaptureTests.sample
    static var blocks: [Range<Int>] {
        var blocks: [Range<Int>] = []
        var at = 0
        while at + 8 <= sample.bytes.count {
            let total = Int(sample.bytes[at + 4]) | Int(sample.bytes[at + 5]) << 8
            blocks.append(at..<at + total)
            at += total
        }
        return blocks
    }

    /// An event is delivered, or its loss has a reason, or the capture ends with a sentence that says where.
    private func expectAccount(_ reading: Reading, whole: Reading, _ what: @autoclosure () -> String) {
        if let error = reading.error {
            #expect(!error.description.isEmpty && !error.description.contains("\n"), "\(what())")
        } else {
            let lost = reading.malformed.values.reduce(0, +)
            // One enter event that is lost changes nothing that is delivered; one exit event is one less.
            #expect(reading.events.count + Int(lost) + 2 >= whole.events.count, "\(what())")
        }
    }

    @Test(arguments: [0x01, 0x80, 0xff] as [UInt8])
    func everyByteFlipped(_ mask: UInt8) {
        let whole = Reading(Self.sample)
        var refused = 0
        var counted = 0
        for at in Self.sample.bytes.indices {
            var bytes = Self.sample.bytes
            bytes[at] ^= mask
            let reading = Reading(bytes: bytes)
            expectAccount(reading, whole: whole, "byte \(at) ^ \(mask)")
            refused += reading.error == nil ? 0 : 1
            counted += reading.malformed.isEmpty ? 0 : 1
        }
        #expect(refused > 0 && counted > 0)
        print(
            "byte ^ \(mask): \(Self.sample.bytes.count) captures, \(refused) refused, in \(counted) a record was counted and left out"
        )
    }

    @Test func everyByteTakenOutOrRepeated() {
        for at in Self.sample.bytes.indices {
            var less = Self.sample.bytes
            less.remove(at: at)
            #expect(Reading(bytes: less).error != nil, "without byte \(at)")
            var more = Self.sample.bytes
            more.insert(more[at], at: at)
            #expect(Reading(bytes: more).error != nil, "byte \(at) twice")
        }
    }

    /// Whole blocks are the format's own units: one more, one fewer or another order is a capture.
    @Test func everyBlockTakenOutOrRepeated() {
        for (index, block) in Self.blocks.enumerated() where index > 0 {
            var less = Self.sample.bytes
            less.removeSubrange(block)
            #expect(Reading(bytes: less).error == nil, "without block \(index)")
            var more = Self.sample.bytes
            more.insert(contentsOf: Self.sample.bytes[block], at: block.upperBound)
            #expect(Reading(bytes: more).error == nil, "block \(index) twice")
        }
    }

    /// Both lengths of a block, wrong alike or each for itself.
    @Test func everyBlockLengthWrong() {
        for (index, block) in Self.blocks.enumerated() {
            let right = UInt32(block.count)
            for wrong in [
                right &- 1, right &+ 1, right &- 4, right &+ 4, 0, 8, 11, 12, 0xffff, 0x1_0000, 0x1_0004, .max, .max - 3,
            ] {
                for places in [[block.lowerBound + 4], [block.upperBound - 4], [block.lowerBound + 4, block.upperBound - 4]] {
                    var bytes = Self.sample.bytes
                    for place in places {
                        withUnsafeBytes(of: wrong.littleEndian) { bytes.replaceSubrange(place..<place + 4, with: $0) }
                    }
                    let reading = Reading(bytes: bytes)
                    #expect(reading.error != nil || wrong == right, "block \(index), length \(wrong) at \(places)")
                }
            }
        }
    }

    /// Events at the limit of what a block may hold, and one beyond.
    @Test func theLargestEvent() {
        for (payload, fits) in [(CaptureFormat.eventBlockBytesMax, true), (CaptureFormat.eventBlockBytesMax + 4, false)] {
            var capture = TestCapture()
            let overhead = 12 + 2 + 26 + 2 * 2 + 8
            capture.event(
                PPME_SYSCALL_CLOSE_X, [.i64(0), .raw([UInt8](repeating: 1, count: min(65535, payload - overhead - 2)))])
            let padding = payload - (capture.bytes.count - 28)
            #expect(padding >= 0 && padding < 8)
            var bytes = capture.bytes
            // The length in front and behind as `payload`, what lies between as padding.
            bytes.insert(contentsOf: [UInt8](repeating: 0, count: padding), at: bytes.count - 4)
            for place in [28 + 4, bytes.count - 4] {
                withUnsafeBytes(of: UInt32(payload).littleEndian) { bytes.replaceSubrange(place..<place + 4, with: $0) }
            }
            let reading = Reading(bytes: bytes)
            #expect(
                (reading.error == nil) == fits && reading.events.count == (fits ? 1 : 0), "\(reading.error?.description ?? "")")
        }
    }

    /// A few kilobytes that inflate to a gigabyte: read through a window, so memory stays as it is.
    @Test func aGzipBombCostsNoMemory() throws {
        let file = TemporaryFile()
        let output = try CaptureOutput(path: file.path, isCompressed: true)
        var head = TestCapture()
        head.event(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(3)])
        try output.write(head.bytes)
        // A block of a type that nobody knows is left out, whatever its length.
        let total: UInt32 = 256 << 20
        var front = TestCapture(withSection: false)
        front.encoder.put(UInt32(0x7777))
        front.encoder.put(total)
        try output.write(front.bytes)
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<255 { try output.write(zeros) }
        try output.write([UInt8](repeating: 0, count: (1 << 20) - 12))
        front = TestCapture(withSection: false)
        front.encoder.put(total)
        front.event(PPME_SYSCALL_CLOSE_X, [.i64(0), .i64(4)])
        try output.write(front.bytes)
        try output.close()
        #expect(file.bytes.count < 1 << 20)
        let before = Self.residentKiB
        let reading = try Reading(packed: file.path)
        #expect(reading.error == nil && reading.events.count == 2)
        #expect(Self.residentKiB - before < 64 << 10)
    }

    private static var residentKiB: Int {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        return text.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Int($0.1) } ?? 0
    }
}

extension Reading {
    /// Of a file that is there already.
    init(packed path: String) throws { self.init(bytes: Array(try Data(contentsOf: URL(filePath: path)))) }
}
