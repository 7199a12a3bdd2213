// SPDX-License-Identifier: Apache-2.0
import Capture
import CaptureFile
import EventModel
import SystemState

/// From the file to event views: blocks, checks, conversion of old events. The metadata before them is not counted.
final class ReadBenchmark: Benchmark {
    let name: String
    let peer: String?
    private let path: String
    private let batch = EventBatch()
    private var reader: CaptureReader?
    private let sink = CaptureSnapshot()

    init(_ name: String, path: String, peer: String? = nil) { (self.name, self.path, self.peer) = (name, path, peer) }

    func prepare() throws {
        let reader = try CaptureReader(path: path)
        try reader.snapshot(into: sink)
        self.reader = reader
    }

    func run() throws -> Int {
        guard let reader else { return 0 }
        while try reader.nextBatch(into: batch) == .events {}
        return Int(reader.recordsRead)
    }
}

/// `admit` and `retire` over events that lie in memory, from the capture's own first state.
final class StateBenchmark: Benchmark {
    let name: String
    private let path: String
    private var recording: Recording?
    private var state = SystemState()

    init(_ name: String, path: String) { (self.name, self.path) = (name, path) }

    func prepare() throws {
        if recording == nil { recording = try Recording(path: path) }
        state = SystemState()
        recording?.snapshot(into: state)
        state.finishSnapshot()
    }

    func run() throws -> Int {
        guard let recording, let first = recording.events.first else { return 0 }
        var context = EventContext(event: first)
        var number = 0
        for event in recording.events {
            state.admit(event, into: &context)
            state.retire(context)
            // As the pipeline does between two batches.
            number += 1
            if number % 4096 == 0 { state.maintain(nowNs: event.timestampNs, isAlive: nil) }
        }
        return recording.events.count
    }
}

/// A capture's rows and events, kept in memory.
final class Recording {
    let rows = CaptureSnapshot()
    private(set) var events: ContiguousArray<EventView> = []
    private var chunks: [UnsafeMutableRawPointer] = []

    init(path: String) throws {
        let reader = try CaptureReader(path: path)
        try reader.snapshot(into: rows)
        let batch = EventBatch()
        while try reader.nextBatch(into: batch) == .events {
            let total = batch.events.reduce(0) { $0 + $1.bytes.count }
            let chunk = UnsafeMutableRawPointer.allocate(byteCount: total, alignment: 16)
            chunks.append(chunk)
            var at = chunk
            for event in batch.events {
                at.copyMemory(from: event.bytes.base, byteCount: event.bytes.count)
                let bytes = Bytes(base: UnsafePointer(at.assumingMemoryBound(to: UInt8.self)), count: event.bytes.count)
                events.append(
                    try EventView(checking: bytes, cpu: event.cpu, isStateOnly: event.isStateOnly, isHidden: event.isHidden))
                at += event.bytes.count
            }
        }
    }

    deinit { for chunk in chunks { chunk.deallocate() } }

    func snapshot(into sink: any SnapshotSink) {
        if let machine = rows.machine { sink.machine(machine) }
        for row in rows.interfaces { sink.interface(row) }
        for row in rows.users { sink.user(row) }
        for row in rows.groups { sink.group(row) }
        for row in rows.threads { sink.thread(row) }
        for (tid, descriptors) in rows.descriptors {
            for row in descriptors { sink.descriptor(row, tid: tid) }
        }
    }
}
