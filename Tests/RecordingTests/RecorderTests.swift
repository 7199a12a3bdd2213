// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import CaptureFile
import CaptureReplay
import EventModel
import Foundation
import Testing

@testable import Recording

/// An own directory for the length of a test.
final class Scratch {
    let path: String
    init() {
        path = FileManager.default.temporaryDirectory.path + "/falco-recording-\(UUID().uuidString)"
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    subscript(name: String) -> String { path + "/" + name }
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
}

/// Bytes of an event, kept for as long as views of it are used.
final class OwnedEvent {
    private let bytes: UnsafeMutableRawBufferPointer
    let view: EventView
    init(number: UInt64, textBytes: Int = 10, isStateOnly: Bool = false) {
        var builder = EventBuilder()
        builder.begin(type: PPME_SYSCALL_CHDIR_X.code, tid: 7, timestampNs: 1_000 + number)
        builder.append(Int64(0))
        builder.append(raw: [UInt8](repeating: 0x61, count: textBytes) + [0])
        var output: [UInt8] = []
        builder.write(to: &output)
        bytes = .allocate(byteCount: output.count, alignment: 8)
        bytes.copyBytes(from: output)
        view = try! EventView(checking: Bytes(UnsafeRawBufferPointer(bytes)), cpu: 3, isStateOnly: isStateOnly)
    }
    deinit { bytes.deallocate() }
}

extension Recorder {
    func record(_ event: OwnedEvent) { withExtendedLifetime(event) { record(event.view) } }
}

/// What a file holds: the times of its events, and what ended the reading.
func read(_ path: String) -> (timesNs: [UInt64], snapshot: CaptureSnapshot, error: CaptureError?) {
    var times: [UInt64] = []
    let snapshot = CaptureSnapshot()
    do throws(CaptureError) {
        let reader = try CaptureReader(path: path)
        try reader.snapshot(into: snapshot)
        let batch = EventBatch()
        while try reader.nextBatch(into: batch) == .events { times += batch.events.map(\.timestampNs) }
        return (times, snapshot, nil)
    } catch { return (times, snapshot, error) }
}

func file(_ path: String, compressed: Bool = false, bytesMax: UInt64 = 0) -> RecordingFile {
    RecordingFile(path: path, isCompressed: compressed, creation: .replacing, bytesMax: bytesMax)
}

@Suite struct RecorderTests {
    let scratch = Scratch()

    @Test(arguments: [false, true])
    func whatIsRecordedIsReadBack(compressed: Bool) throws {
        let recorder = try Recorder(queueBytes: 8192, waitsWhenFull: true)
        let snapshot = CaptureSnapshot()
        var row = ThreadRow()
        row.tid = 7
        snapshot.thread(row)
        recorder.begin(file(scratch["a"], compressed: compressed), snapshot, position: nil)
        for number in 0..<5_000 { recorder.record(OwnedEvent(number: UInt64(number), textBytes: number % 900)) }
        #expect(recorder.finish())
        #expect(recorder.takeFailure() == nil)
        #expect(recorder.eventsRecorded == 5_000 && recorder.eventsLost == 0)
        let result = read(scratch["a"])
        #expect(result.error == nil)
        #expect(result.timesNs == (0..<5_000).map { 1_000 + $0 })
        #expect(result.snapshot.threads.map(\.tid) == [7])
    }

    /// Events larger than the queue's quarter take another way, and stay in order.
    @Test func largeEventsKeepTheirPlace() throws {
        let recorder = try Recorder(queueBytes: 8192, waitsWhenFull: true)
        recorder.begin(file(scratch["a"]), CaptureSnapshot(), position: nil)
        for number in 0..<200 {
            recorder.record(OwnedEvent(number: UInt64(number), textBytes: number % 7 == 0 ? 30_000 : 20))
        }
        recorder.finish()
        #expect(read(scratch["a"]).timesNs == (0..<200).map { 1_000 + $0 })
    }

    /// Live, a writer that stands still costs events, which are counted; never more memory, never a wait.
    @Test func aFullQueueLosesAndCounts() throws {
        let fifo = scratch["fifo"]
        #expect(mkfifo(fifo, 0o600) == 0)
        let recorder = try Recorder(queueBytes: 8192, waitsWhenFull: false)
        // The open waits until somebody reads: nothing leaves the queue.
        recorder.begin(file(fifo), CaptureSnapshot(), position: nil)
        for number in 0..<1_000 { recorder.record(OwnedEvent(number: UInt64(number))) }
        #expect(recorder.eventsLost > 0)
        #expect(recorder.eventsLost + recorder.eventsRecorded == 1_000)
        let recorded = recorder.eventsRecorded
        let target = scratch["copy"]
        let reader = Thread {
            let input = FileHandle(forReadingAtPath: fifo)!
            _ = FileManager.default.createFile(atPath: target, contents: input.readDataToEndOfFile())
        }
        reader.start()
        recorder.finish()
        while !reader.isFinished { usleep(1_000) }
        // As many as were counted, in order.
        let result = read(target)
        #expect(result.error == nil)
        #expect(UInt64(result.timesNs.count) == recorded && result.timesNs.first == 1_000)
        #expect(zip(result.timesNs, result.timesNs.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func aDeadlineEndsTheFile() throws {
        let recorder = try Recorder(waitsWhenFull: false)
        recorder.begin(file(scratch["a"]), CaptureSnapshot(), position: nil)
        recorder.deadlineNs = 1_010
        for number in 0..<20 { recorder.record(OwnedEvent(number: UInt64(number))) }
        #expect(!recorder.isRecording)
        recorder.finish()
        #expect(read(scratch["a"]).timesNs.last == 1_010)
    }

    @Test(arguments: [false, true])
    func theLimitEndsTheFile(compressed: Bool) throws {
        let recorder = try Recorder(waitsWhenFull: true)
        recorder.begin(file(scratch["a"], compressed: compressed, bytesMax: 200_000), CaptureSnapshot(), position: nil)
        var generator = SystemRandomNumberGenerator()
        for number in 0..<200_000 where recorder.isRecording {
            recorder.record(OwnedEvent(number: UInt64(number), textBytes: Int.random(in: 0...40, using: &generator)))
        }
        recorder.finish()
        let limit = try #require(recorder.takeLimit())
        #expect(recorder.takeLimit() == nil)
        #expect(limit.path == scratch["a"])
        let bytes = try #require(try FileManager.default.attributesOfItem(atPath: scratch["a"])[.size] as? Int)
        #expect(UInt64(bytes) == limit.bytes)
        #expect(compressed ? bytes < 300_000 : bytes <= 200_000)
        let result = read(scratch["a"])
        #expect(result.error == nil, "whole blocks, up to the limit")
        #expect(result.timesNs.count > 100)
    }

    @Test(arguments: [
        ("missing/a", "No such file or directory"), ("link", "it is a symbolic link, and links are not followed"),
        ("directory", "Is a directory"),
    ])
    func oneSentenceForWhatCannotBeMade(name: String, reason: String) throws {
        let victim = scratch["victim"]
        _ = FileManager.default.createFile(atPath: victim, contents: Data("mine".utf8))
        symlink(victim, scratch["link"])
        mkdir(scratch["directory"], 0o700)
        let recorder = try Recorder(waitsWhenFull: false)
        recorder.begin(file(scratch[name]), CaptureSnapshot(), position: nil)
        recorder.finish()
        let failure = try #require(recorder.takeFailure())
        #expect(failure.description.hasPrefix("could not create capture file '\(scratch[name])': \(reason)"), "\(failure)")
        #expect(FileManager.default.contents(atPath: victim) == Data("mine".utf8))
    }

    @Test func aFullDiskIsSaidOnce() throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        let recorder = try Recorder(waitsWhenFull: true)
        recorder.begin(file("/dev/full"), CaptureSnapshot(), position: nil)
        for number in 0..<100_000 where recorder.isRecording { recorder.record(OwnedEvent(number: UInt64(number))) }
        recorder.finish()
        let failure = try #require(recorder.takeFailure())
        #expect(failure.description.hasPrefix("could not write to capture file '/dev/full': No space left on device; make room"))
        #expect(recorder.takeFailure() == nil)
    }

    /// The file's limit is the process's here; the blocks before it stay whole.
    @Test func aFileIsPrivateAndReplacesItsNameOnly() throws {
        let path = scratch["a"]
        _ = FileManager.default.createFile(atPath: path, contents: Data("old".utf8), attributes: [.posixPermissions: 0o666])
        #expect(link(path, scratch["other-name"]) == 0)
        let recorder = try Recorder(waitsWhenFull: false)
        recorder.begin(file(path), CaptureSnapshot(), position: nil)
        recorder.finish()
        #expect(FileManager.default.contents(atPath: scratch["other-name"]) == Data("old".utf8), "a hard link keeps its content")
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        // Where a name is to be new, nothing that is there is touched.
        var new = file(path)
        new.creation = .new
        let second = try Recorder(waitsWhenFull: false)
        second.begin(new, CaptureSnapshot(), position: nil)
        second.finish()
        #expect(second.takeFailure()?.description.contains("there is something of that name already") == true)
    }

    /// A reader finds what was written up to a second ago, though the file was never closed: so it is when the process is killed.
    @Test func anUnfinishedCompressedFileCanBeRead() throws {
        let recorder = try Recorder(waitsWhenFull: false)
        recorder.begin(file(scratch["a"], compressed: true), CaptureSnapshot(), position: nil)
        for number in 0..<100 { recorder.record(OwnedEvent(number: UInt64(number))) }
        let deadline = Date(timeIntervalSinceNow: 60)
        while Date() < deadline, read(scratch["a"]).timesNs.count < 100 { usleep(50_000) }
        let result = read(scratch["a"])
        #expect(result.timesNs.count == 100)
        #expect(result.error?.description.contains("the gzip data ends early") == true)
        recorder.finish()
        #expect(read(scratch["a"]).error == nil)
    }
}

@Suite struct RecordRingTests {
    /// Sizes that do not divide the ring, far more than it holds: every entry in one piece and in order.
    @Test func wrapsAround() {
        let ring = RecordRing(capacity: 8192)
        var next: UInt32 = 16
        var expected: UInt32 = 16
        for round in 0..<10_000 {
            let count = 8 + 4 * (round % 500)
            while true {
                if let room = ring.reserve(count) {
                    room.storeBytes(of: next, as: UInt32.self)
                    room.storeBytes(of: UInt32(count), toByteOffset: 4, as: UInt32.self)
                    ring.commit()
                    next += 1
                    break
                }
                let bytes = ring.next()
                #expect(bytes.load(as: UInt32.self) == expected)
                expected += 1
                ring.release(Int(bytes.load(fromByteOffset: 4, as: UInt32.self)))
            }
        }
        #expect(next == 10_016 && expected > 9_000)
    }
}
