// SPDX-License-Identifier: Apache-2.0
import Capture
import CaptureFile
import Glibc
import LinuxSystem
import Synchronization

/// What the pipeline asks of the writing thread; between the events of the ring, in order.
enum RecordingCommand: Sendable {
    case open(RecordingFile, preamble: [UInt8])
    case append([UInt8])
    case close
    /// An older file of a rotation that goes away.
    case remove(String)
    case stop
}

/// One file of a recording.
public struct RecordingFile: Sendable {
    public var path: String
    public var isCompressed: Bool
    public var creation: CaptureOutput.Creation
    /// The writing ends when the file has so many bytes; 0 for no limit.
    public var bytesMax: UInt64
    public init(path: String, isCompressed: Bool, creation: CaptureOutput.Creation, bytesMax: UInt64 = 0) {
        (self.path, self.isCompressed, self.creation, self.bytesMax) = (path, isCompressed, creation, bytesMax)
    }
}

/// The thread that writes a recording, so that a slow disk holds up no event.
final class RecordingWriter: @unchecked Sendable {
    let ring: RecordRing
    /// First word of a ring entry: a command waits.
    static let commandMark: UInt32 = 1
    private let commands = Mutex<[RecordingCommand]>([])
    private let wakeUp: WakeUp
    private let poller: Poller

    // What the thread tells.
    /// Counts files that ended early, by a failure or at their limit: the pipeline looks at it for each event.
    let stops = Atomic<UInt32>(0)
    let fileBytes = Atomic<UInt64>(0)
    private let told = Mutex<Told>(Told())
    private let isFinished = Atomic<Bool>(false)

    struct Told: Sendable {
        var failure: CaptureError?
        var limit: (path: String, bytes: UInt64)?
    }

    // Only the thread touches these after `start`.
    private var output: CaptureOutput?
    private var file: RecordingFile?
    private var lastFlushNs: UInt64 = 0

    private static let chunkBytes = 64 * 1024
    private static let flushIntervalNs: UInt64 = 1_000_000_000
    private static let napNs: Int64 = 5_000_000

    init(ringBytes: Int) throws(CaptureError) {
        ring = RecordRing(capacity: ringBytes)
        do throws(Errno) {
            wakeUp = try WakeUp()
            poller = try Poller()
            try poller.add(wakeUp.descriptor, token: 0)
        } catch { throw CaptureError("could not start recording: \(error)") }
    }

    func start() throws(CaptureError) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<RecordingWriter>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw CaptureError("could not start the thread that records: \(Errno(code))")
        }
        pthread_detach(thread)
    }

    // MARK: pipeline's side

    /// The caller has put the mark for it into the ring, or does so next.
    func enqueue(_ command: RecordingCommand) {
        commands.withLock { $0.append(command) }
    }
    func wake() { wakeUp.signal() }
    var hasFinished: Bool { isFinished.load(ordering: .acquiring) }
    /// What happened since the last call.
    func takeTold() -> Told {
        told.withLock { told in
            defer { told = Told() }
            return told
        }
    }

    // MARK: the thread

    private func run() {
        while true {
            let bytes = ring.next()
            if bytes.isEmpty {
                rest()
                continue
            }
            if bytes.load(as: UInt32.self) == Self.commandMark {
                ring.release(8)
                if obey() { break }
                continue
            }
            let count = wholeBlocks(bytes)
            write(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            ring.release(count)
            if Clock.monotonicNs &- lastFlushNs >= Self.flushIntervalNs { flush() }
        }
        isFinished.store(true, ordering: .releasing)
    }

    /// Blocks up to the next mark, about one chunk of them.
    private func wholeBlocks(_ bytes: UnsafeRawBufferPointer) -> Int {
        var at = 0
        while at < bytes.count, at < Self.chunkBytes {
            let word = bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)
            guard word != 0, word != Self.commandMark else { break }
            at += Int(bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self))
        }
        precondition(at > 0 && at <= bytes.count, "the ring holds whole blocks")
        return at
    }

    /// True when the thread is to end.
    private func obey() -> Bool {
        let command = commands.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        switch command {
        case nil: preconditionFailure("a mark in the ring has its command")
        case .open(let file, let preamble): open(file, preamble)
        case .append(let bytes): bytes.withUnsafeBytes { write($0) }
        case .close: close()
        case .remove(let path): unlink(path)
        case .stop:
            close()
            return true
        }
        return false
    }

    private func open(_ file: RecordingFile, _ preamble: [UInt8]) {
        close()
        lastFlushNs = Clock.monotonicNs
        fileBytes.store(0, ordering: .relaxed)
        do throws(CaptureError) {
            output = try CaptureOutput(path: file.path, isCompressed: file.isCompressed, creation: file.creation)
            self.file = file
        } catch { fail(error) }
        preamble.withUnsafeBytes { bytes in
            // Whatever the limit is: without what comes first there is no capture.
            write(bytes, isLimited: false)
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, isLimited: Bool = true) {
        guard let output, let file else { return }
        let limit = isLimited ? file.bytesMax : 0
        if limit > 0 {
            // Compressed, the size shows afterwards; else nothing that does not fit is written.
            let next = output.fileBytes + (file.isCompressed ? 0 : UInt64(bytes.count))
            if file.isCompressed ? next >= limit : next > limit { return reachLimit() }
        }
        do throws(CaptureError) { try output.write(bytes) } catch { return fail(error) }
        fileBytes.store(output.fileBytes, ordering: .relaxed)
    }

    private func flush() {
        lastFlushNs = Clock.monotonicNs
        do throws(CaptureError) { try output?.flush() } catch { return fail(error) }
        if let output { fileBytes.store(output.fileBytes, ordering: .relaxed) }
    }

    private func reachLimit() {
        let path = file?.path ?? ""
        close()
        let bytes = fileBytes.load(ordering: .relaxed)
        told.withLock { $0.limit = (path, bytes) }
        stops.add(1, ordering: .releasing)
    }

    private func close() {
        guard let output else { return }
        do throws(CaptureError) { try output.close() } catch { return fail(error) }
        fileBytes.store(output.fileBytes, ordering: .relaxed)
        self.output = nil
        file = nil
    }

    /// The first failure ends the file; what is in it stays.
    private func fail(_ error: CaptureError) {
        output = nil
        file = nil
        told.withLock { if $0.failure == nil { $0.failure = error } }
        stops.add(1, ordering: .releasing)
    }

    /// While a file is open the ring is looked at often; else only a signal ends the rest.
    private func rest() {
        if output != nil, Clock.monotonicNs &- lastFlushNs >= Self.flushIntervalNs { flush() }
        _ = wakeUp.consume()
        guard ring.next().isEmpty else { return }
        // Should the kernel not let us wait, the loop goes on; it only turns faster.
        _ = try? poller.wait(timeoutNs: output == nil ? 1_000_000_000 : Self.napNs)
    }
}
