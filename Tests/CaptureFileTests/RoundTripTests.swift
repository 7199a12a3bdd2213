// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import CaptureReplay
import EventModel
import Foundation
import Testing

@testable import CaptureFile

/// Read, write, read: nothing is lost. Needs the conformance captures beside the repository, and says so where they are absent.
@Suite struct RoundTripTests {
    /// All of a capture: each section's rows, then its events.
    struct Whole: Equatable {
        var sections: [String] = []
        var events: [SeenEvent] = []
        /// Number of events before each section but the first.
        var sectionStarts: [Int] = []

        init(_ path: String, copyingTo writer: CaptureWriter? = nil) throws {
            let reader = try CaptureReader(path: path)
            let snapshot = CaptureSnapshot()
            try reader.snapshot(into: snapshot)
            try writer?.write(snapshot)
            sections.append(Self.text(snapshot))
            let batch = EventBatch()
            while try reader.nextBatch(into: batch) == .events {
                if snapshot.restarts == sections.count {
                    sections.append(Self.text(snapshot))
                    sectionStarts.append(events.count)
                    try writer?.writeSection(snapshot)
                }
                for event in batch.events {
                    events.append(SeenEvent(event))
                    try writer?.write(event)
                }
            }
            try writer?.close()
        }

        static func text(_ snapshot: CaptureSnapshot) -> String {
            var text = ""
            if let machine = snapshot.machine { dump(machine, to: &text) }
            dump(snapshot.interfaces, to: &text)
            dump(snapshot.users, to: &text)
            dump(snapshot.groups, to: &text)
            dump(snapshot.threads, to: &text)
            dump(snapshot.descriptors, to: &text)
            return text
        }
    }

    @Test(arguments: ReferenceSequenceTests.names)
    func nothingIsLost(name: String) throws {
        let copy = TemporaryFile()
        let writer = try CaptureWriter(path: copy.path, compression: .none)
        let original = try Whole(ReferenceSequenceTests.corpus.appending(path: "files/\(name)").path, copyingTo: writer)
        let again = try Whole(copy.path)
        #expect(again.sections == original.sections)
        #expect(again.sectionStarts == original.sectionStarts)
        #expect(again.events.count == original.events.count)
        #expect(again.events == original.events)
    }

    /// Today's blocks, laid out as today's Falco lays them out.
    @Test func todaysCaptureByteForByte() throws {
        guard ReferenceSequenceTests.names.contains("today/workload.scap") else { return }
        let path = ReferenceSequenceTests.corpus.appending(path: "files/today/workload.scap").path
        let copy = TemporaryFile()
        _ = try Whole(path, copyingTo: try CaptureWriter(path: copy.path, compression: .none))
        let expected = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let written = copy.bytes
        let difference = zip(written, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        #expect(difference == nil, "first difference at byte \(difference ?? 0)")
        #expect(written.count == expected.count)
        // What gzip makes of it is the same content.
        let packed = TemporaryFile()
        _ = try Whole(path, copyingTo: try CaptureWriter(path: packed.path, compression: .gzip))
        let header = Array(packed.bytes.prefix(10))
        #expect(header == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], "as zlib's own file functions write it")
    }
}
