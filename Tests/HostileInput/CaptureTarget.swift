// SPDX-License-Identifier: Apache-2.0
import CLinux
import CZlib
import Capture
import CaptureFile
import CaptureReplay
import EventModel
import Glibc

/// A file in memory that can be opened by path.
final class MemoryFile {
    let descriptor: Int32
    var path: String { "/proc/self/fd/\(descriptor)" }

    init(_ bytes: Bytes) {
        descriptor = linux_memory_file("hostile")
        precondition(descriptor >= 0, "a file in memory can be made")
        var done = 0
        while done < bytes.count {
            let count = write(descriptor, bytes.base + done, bytes.count - done)
            precondition(count > 0, "a file in memory can be written")
            done += count
        }
    }
    deinit { close(descriptor) }
}

/// Input: how it is read (rule set, size of a batch, gzip), then the file.
enum CaptureTarget {
    static let eventsMax = 256

    static func run(_ input: Bytes) {
        guard input.count > 1 else { return }
        let mode = input[0]
        let content = input.from(1)
        if mode & 0x80 != 0 {
            stored(content).withUnsafeBytes { read(Bytes($0), mode) }
        } else {
            read(content, mode)
        }
    }

    private static func read(_ bytes: Bytes, _ mode: UInt8) {
        let file = MemoryFile(bytes)
        var limits = CaptureReader.Limits()
        limits.windowBytes = 4096
        limits.arenaBytes = 256 * 1024
        do throws(CaptureError) {
            let source = try ReplaySource(path: file.path, limits: limits)
            var run = HostileRun(rules: HostileRules.all[Int(mode & 15)])
            try source.snapshot(into: run.state)
            run.state.finishSnapshot()
            let batch = EventBatch(capacity: mode & 0x10 != 0 ? 2 : 64)
            var events = 0
            while events < eventsMax {
                let result = try source.nextBatch(into: batch, waitMs: 0)
                if run.state.isRestarted { run.state.finishSnapshot() }
                for event in batch.events { run.take(event) }
                events += batch.events.count
                run.maintain()
                if result == .end { break }
            }
            let counters = source.counters
            let reasons = counters.dropsByReason.values.reduce(0, +)
            precondition(reasons >= counters.malformed, "every record left out has a reason")
        } catch {
            precondition(!error.description.isEmpty && !error.description.contains("\n"), "an error is one sentence")
        }
    }

    /// One gzip member that stores the bytes.
    private static func stored(_ bytes: Bytes) -> [UInt8] {
        var out: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
        var rest = bytes
        repeat {
            let part = rest.prefix(0xffff)
            rest = rest.from(part.count)
            let count = UInt16(part.count)
            out += [rest.isEmpty ? 1 : 0, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)]
            out += part.array
        } while !rest.isEmpty
        let sum = UInt32(truncatingIfNeeded: crc32(0, bytes.base, UInt32(bytes.count)))
        for value in [sum, UInt32(bytes.count)] {
            for shift in [0, 8, 16, 24] { out.append(UInt8(value >> UInt32(shift) & 255)) }
        }
        return out
    }
}

/// Input: rule set, then records: u8 kind of block, u16 length, so many bytes of an event. The blocks around them are right.
enum ConversionTarget {
    static func run(_ input: Bytes) {
        guard input.count > 1 else { return }
        var file = CaptureEncoder.sectionBytes
        let identifiers: [UInt32] = [0x204, 0x216, 0x208, 0x217, 0x204, 0x221, 0x8010_ABCD, 0x222]
        var at = 1
        while let length: UInt16 = input.integer(at: at + 1), at + 3 <= input.count {
            let identifier = identifiers[Int(input[at] & 7)]
            let end = min(input.count, at + 3 + Int(length))
            let event = input[at + 3..<end]
            let isFlagged = [0x208, 0x217, 0x222].contains(identifier)
            let total = UInt32((12 + 2 + (isFlagged ? 4 : 0) + event.count + 3) & ~3)
            func put(_ value: UInt32) { for shift in [0, 8, 16, 24] { file.append(UInt8(value >> UInt32(shift) & 255)) } }
            let start = file.count
            put(identifier)
            put(total)
            file += [0, 0]
            if isFlagged { put(UInt32(input[at] >> 7)) }
            file += event.array
            while file.count - start < Int(total) - 4 { file.append(0) }
            put(total)
            at = end
        }
        var bytes = [input[0] & 0x1f]
        bytes += file
        bytes.withUnsafeBytes { CaptureTarget.run(Bytes($0)) }
    }
}

extension CaptureEncoder {
    /// The section header, with which every capture begins.
    static var sectionBytes: [UInt8] {
        var encoder = CaptureEncoder()
        encoder.appendSection()
        return encoder.bytes
    }
}
