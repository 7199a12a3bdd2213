// SPDX-License-Identifier: Apache-2.0
import Capture
import CaptureReplay
import EventModel
import Foundation
import Testing

@testable import CaptureFile

/// Captures of ten years against what today's Falco shows of them: number, time, processor, direction and thread of every event.
/// Needs the conformance corpus beside the repository; says so where that is absent.
@Suite struct ReferenceSequenceTests {
    static let corpus: URL = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let beside = root.deletingLastPathComponent()
        let candidates = [beside, beside.deletingLastPathComponent()].map { $0.appending(path: "shared/conformance/captures") }
        return candidates.first { FileManager.default.fileExists(atPath: $0.path) } ?? candidates[0]
    }()

    static let names: [String] = {
        let manager = FileManager.default
        let files = corpus.appending(path: "files")
        let origins = (try? manager.contentsOfDirectory(atPath: files.path)) ?? []
        let names = origins.flatMap { origin in
            ((try? manager.contentsOfDirectory(atPath: files.appending(path: origin).path)) ?? []).map { "\(origin)/\($0)" }
        }
        if names.isEmpty { print("skipped: no captures at \(corpus.path)") }
        return names.filter { $0.hasSuffix(".scap") }.sorted()
    }()

    @Test(arguments: names)
    func showsWhatFalcoShows(name: String) throws {
        let key = name.dropLast(".scap".count).replacing("/", with: "__")
        let expected = try Self.lines(Self.corpus.appending(path: "ref/falco-head/\(key).basic.txt.gz").path).map { line in
            let columns = line.split(separator: "|", maxSplits: 7, omittingEmptySubsequences: false)
            return [columns[0], columns[1], columns[2], columns[4], columns[6]].joined(separator: "|")
        }
        let source = try ReplaySource(path: Self.corpus.appending(path: "files/\(name)").path)
        try source.snapshot(into: CaptureSnapshot())
        let batch = EventBatch(capacity: 500)
        var seen: [String] = []
        var number = 0
        while try source.nextBatch(into: batch, waitMs: 0) == .events {
            for event in batch.events where !event.isStateOnly {
                number += 1
                guard !event.isHidden else { continue }
                seen.append("\(number)|\(event.timestampNs)|\(event.cpu)|\(event.isEnter ? ">" : "<")|\(event.tid)")
            }
        }
        #expect(seen.count == expected.count)
        let difference = zip(seen, expected).first { $0 != $1 }
        #expect(difference == nil)
        #expect(source.counters.malformed == 0)
    }

    /// The lines of a gzip file, read by the reader's own input.
    private static func lines(_ path: String) throws -> [String] {
        let input = try CaptureInput(path: path)
        var bytes: [UInt8] = []
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
        defer { chunk.deallocate() }
        while true {
            let count = try input.read(into: chunk)
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
