// SPDX-License-Identifier: Apache-2.0
import Capture
import CaptureFile
import CaptureReplay
import Glibc
import LinuxSystem
import Pipeline
import Recording
import SystemState

/// The recording that `-w` asks for: one file, or a row of files that each can be read by itself.
final class ContinuousRecording {
    let recorder: Recorder
    private let options: RecordingOptions
    private var fileBeganNs: UInt64 = 0
    private var names: [String] = []
    private let progress: ReplayProgress

    /// Compressed files grow where the pipeline does not see it at once: a conversion waits before it looks.
    private static let unseenBytesMax = 1 << 20

    /// `waits`: what does not fit into the queue waits, as nothing is lost in a conversion.
    init(_ options: RecordingOptions, waits: Bool) throws(CaptureError) {
        self.options = options
        recorder = try Recorder(waitsWhenFull: waits)
        progress = ReplayProgress()
    }

    /// The first file, with rows as a capture held them.
    func begin(_ snapshot: CaptureSnapshot, position: RunPosition?) {
        let path = options.path(ofFile: names.count + 1)
        names.append(path)
        recorder.begin(
            RecordingFile(path: path, isCompressed: options.isCompressed, creation: .replacing), snapshot, position: position)
        guard options.filesMax > 0, names.count > options.filesMax else { return }
        recorder.remove(names[names.count - 1 - options.filesMax])
    }

    /// A file that begins at this moment.
    func begin(_ pipeline: EventPipeline) {
        let snapshot = CaptureSnapshot()
        pipeline.state.writeRows(to: snapshot)
        var position = pipeline.position
        // Where records for the state alone stand for events, they have numbers as these had.
        if options.filter != nil { position.numbersStateOnly = true }
        begin(snapshot, position: position)
    }

    /// Can the first file be written at all? Waits until the thread has tried.
    func checkBeginning() throws(CaptureError) {
        var turns = 0
        while recorder.waitingBytes > 0, turns < 2_000 {
            Clock.sleep(ms: 1)
            turns += 1
        }
        if let failure = recorder.takeFailure() { throw failure }
    }

    /// Between two batches: time for another file?
    func batchEnded(_ pipeline: EventPipeline, nowNs: UInt64, _ source: any EventSource) {
        if let replay = (source as? RecordedReplay)?.inner as? ReplaySource {
            progress.show(replay, events: pipeline.counters.events, path: options.path ?? "")
        }
        guard options.rotates, recorder.isRecording, nowNs > 0 else { return }
        if fileBeganNs == 0 || nowNs < fileBeganNs { fileBeganNs = nowNs }
        let isLate = options.rotateNs > 0 && nowNs - fileBeganNs >= options.rotateNs
        if !isLate {
            guard options.rotateBytes > 0 else { return }
            if options.isCompressed, !source.isLive {
                while recorder.waitingBytes > Self.unseenBytesMax { Clock.sleep(ms: 1) }
            }
            guard (options.isCompressed ? recorder.fileBytes : recorder.bytesQueued) >= options.rotateBytes else { return }
        }
        fileBeganNs = nowNs
        begin(pipeline)
    }

    /// What was recorded, and what is missing. `givesUp`: nobody wants to wait for a slow disk any longer.
    func finish(_ log: Log, givesUp: () -> Bool) -> CaptureError? {
        progress.end()
        let isComplete = recorder.finish(givesUp: givesUp)
        let failure = recorder.takeFailure()
        let files = names.count == 1 ? "'\(names[0])'" : "\(names.count) files, the last '\(names.last ?? "")'"
        if failure == nil || recorder.eventsRecorded > 0 {
            log.info("Recorded \(recorder.eventsRecorded) events into \(files)")
        }
        if recorder.eventsLost > 0 {
            log.warning(
                "\(recorder.eventsLost) events are missing in the recording: the disk was slower than they came (the queue holds "
                    + "\(Recorder.queueBytesDefault >> 20) MB)")
        }
        if recorder.eventsTooLarge > 0 { log.warning("\(recorder.eventsTooLarge) events were too large for a capture") }
        if !isComplete { log.warning("the recording was not written to its end: its last events are missing") }
        return failure
    }
}

/// How far a long conversion is, on a terminal.
private final class ReplayProgress {
    private let isOn = isatty(STDERR_FILENO) == 1
    private var lastNs: UInt64 = Clock.monotonicNs
    private var isShown = false

    func show(_ replay: ReplaySource, events: UInt64, path: String) {
        guard isOn else { return }
        let nowNs = Clock.monotonicNs
        guard nowNs &- lastNs >= 500_000_000 else { return }
        lastNs = nowNs
        isShown = true
        let (read, total) = replay.progress
        let share = total > 0 ? "\(min(100, read * 100 / total)) % of \(replay.path)" : "\(read >> 20) MB of \(replay.path)"
        StandardOutput.write("\r\u{1b}[K\(StandardError.printable("\(share), \(events) events")) ", to: STDERR_FILENO)
    }

    func end() {
        if isShown { StandardOutput.write("\r\u{1b}[K", to: STDERR_FILENO) }
        isShown = false
    }
}
