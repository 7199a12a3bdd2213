// SPDX-License-Identifier: Apache-2.0
import Capture
import CaptureFile
import EventModel
import LinuxSystem
import Synchronization

/// The pipeline's end of a recording: copies events into a bounded queue that a thread of its own empties into files.
///
/// Live, what finds no room is counted and lost; a conversion waits instead. One thread calls it, the pipeline's.
public final class Recorder {
    private let writer: RecordingWriter
    private var ring: RecordRing { writer.ring }
    private let waitsWhenFull: Bool
    /// Events are taken.
    public private(set) var isRecording = false
    private var seenStops: UInt32 = 0
    /// Event time after which the recording ends by itself.
    public var deadlineNs = UInt64.max
    /// Of all files.
    public private(set) var eventsRecorded: UInt64 = 0
    /// Found the queue full.
    public private(set) var eventsLost: UInt64 = 0
    /// No block can hold them.
    public private(set) var eventsTooLarge: UInt64 = 0
    public private(set) var filesBegun = 0
    /// Of the file at hand, uncompressed, written or still in the queue.
    public private(set) var bytesQueued: UInt64 = 0
    private var told = RecordingWriter.Told()
    private var isStopped = false

    public static let queueBytesDefault = 16 << 20

    /// `queueBytes`: a power of two. `waitsWhenFull`: time does not run away, as in a conversion.
    public init(queueBytes: Int = queueBytesDefault, waitsWhenFull: Bool) throws(CaptureError) {
        self.waitsWhenFull = waitsWhenFull
        writer = try RecordingWriter(ringBytes: queueBytes)
        try writer.start()
    }

    deinit { if !isStopped { command(.stop) } }

    /// Bytes in the file at hand, as far as they are written.
    public var fileBytes: UInt64 { writer.fileBytes.load(ordering: .relaxed) }
    /// Bytes that wait to be written.
    public var waitingBytes: Int { ring.waitingBytes }

    // MARK: per event

    /// Copies the event into the queue. No allocation, no lock; tens of nanoseconds.
    @inline(__always)
    public func record(_ event: EventView, isStateOnly: Bool = false) {
        guard isRecording else { return }
        if event.timestampNs > deadlineNs { return end() }
        guard writer.stops.load(ordering: .relaxed) == seenStops else { return noteStop() }
        guard let block = EventBlock(event, isStateOnly: isStateOnly) else {
            eventsTooLarge &+= 1
            return
        }
        guard block.byteCount <= ring.capacity / 4 else { return recordLarge(block) }
        var room = ring.reserve(block.byteCount)
        if room == nil, waitsWhenFull { room = waitForRoom(block.byteCount) }
        guard let room else {
            eventsLost &+= 1
            return
        }
        block.write(to: room)
        ring.commit()
        bytesQueued &+= UInt64(block.byteCount)
        eventsRecorded &+= 1
    }

    /// Plugin events may be megabytes.
    private func recordLarge(_ block: EventBlock) {
        let bytes = [UInt8](unsafeUninitializedCapacity: block.byteCount) { buffer, count in
            block.write(to: UnsafeMutableRawPointer(buffer.baseAddress!))
            count = block.byteCount
        }
        append(bytes)
        eventsRecorded &+= 1
    }

    private func waitForRoom(_ count: Int) -> UnsafeMutableRawPointer? {
        while writer.stops.load(ordering: .acquiring) == seenStops {
            Clock.sleep(ms: 1)
            if let room = ring.reserve(count) { return room }
        }
        noteStop()
        return nil
    }

    private func noteStop() {
        seenStops = writer.stops.load(ordering: .acquiring)
        isRecording = false
        let news = writer.takeTold()
        if let failure = news.failure { told.failure = failure }
        if let limit = news.limit { told.limit = limit }
    }

    // MARK: files

    /// Begins a file with what is known at this moment; ends the one at hand, if any.
    public func begin(_ file: RecordingFile, _ snapshot: CaptureSnapshot, position: RunPosition?) {
        var encoder = CaptureEncoder()
        encoder.appendSection(snapshot, position: position)
        if writer.stops.load(ordering: .acquiring) != seenStops { noteStop() }
        bytesQueued = UInt64(encoder.bytes.count)
        command(.open(file, preamble: encoder.bytes))
        isRecording = true
        deadlineNs = .max
        filesBegun += 1
    }

    /// In the file at hand, another capture begins.
    public func beginSection(_ snapshot: CaptureSnapshot) {
        var encoder = CaptureEncoder()
        encoder.appendSection(snapshot)
        append(encoder.bytes)
    }

    /// Whole blocks, between two events.
    public func append(_ bytes: [UInt8]) {
        guard isRecording else { return }
        // A large one is memory outside of the queue: not more than one of them at a time.
        while waitsWhenFull, ring.waitingBytes > ring.capacity / 2, writer.stops.load(ordering: .acquiring) == seenStops {
            Clock.sleep(ms: 1)
        }
        bytesQueued &+= UInt64(bytes.count)
        command(.append(bytes))
    }

    /// A file of ours that is to be removed, after everything before it was written.
    public func remove(_ path: String) { command(.remove(path)) }

    public func end() {
        guard isRecording else { return }
        isRecording = false
        command(.close)
    }

    private func command(_ command: RecordingCommand) {
        writer.enqueue(command)
        var room = ring.reserve(8, keepingFree: 0)
        // The reserve holds hundreds of marks: this waits only where the disk stands still through as many.
        while room == nil {
            writer.wake()
            Clock.sleep(ms: 1)
            room = ring.reserve(8, keepingFree: 0)
        }
        room!.storeBytes(of: RecordingWriter.commandMark, as: UInt32.self)
        room!.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)
        ring.commit()
        writer.wake()
    }

    /// Waits until everything is written, or `givesUp` says that nobody wants to wait any longer (asked ten times a second). False then.
    @discardableResult
    public func finish(givesUp: () -> Bool = { false }) -> Bool {
        if !isStopped {
            isStopped = true
            isRecording = false
            command(.stop)
        }
        var turns = 0
        while !writer.hasFinished {
            Clock.sleep(ms: 1)
            turns += 1
            if turns % 100 == 0, givesUp() { return false }
        }
        if writer.stops.load(ordering: .acquiring) != seenStops { noteStop() }
        return true
    }

    // MARK: what the thread told

    /// A file could not be made or written; told once.
    public func takeFailure() -> CaptureError? {
        if writer.stops.load(ordering: .acquiring) != seenStops { noteStop() }
        defer { told.failure = nil }
        return told.failure
    }

    /// A file reached its limit; told once.
    public func takeLimit() -> (path: String, bytes: UInt64)? {
        if writer.stops.load(ordering: .acquiring) != seenStops { noteStop() }
        defer { told.limit = nil }
        return told.limit
    }
}
