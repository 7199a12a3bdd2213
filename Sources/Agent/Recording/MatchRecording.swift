// SPDX-License-Identifier: Apache-2.0
import Alerts
import Capture
import CaptureFile
import Fields
import LinuxSystem
import Pipeline
import Recording
import Rules
import Settings
import SystemState

/// Files around matches (`capture.*` and the rule keys `capture` and `capture_duration`): from the match on, for a duration that
/// further matches extend.
final class MatchRecording {
    let recorder: Recorder
    private let settings: Settings.Capture
    /// In a replay they do.
    private let numbersStateOnly: Bool
    private var retryNs: UInt64 = 0
    /// So long after a failure no file is tried again.
    private static let pauseNs: UInt64 = 60_000_000_000

    init(_ settings: Settings.Capture, waits: Bool) throws(CaptureError) {
        self.settings = settings
        numbersStateOnly = waits
        recorder = try Recorder(waitsWhenFull: waits)
    }

    /// `prefix_<time, 20 digits>_<number, 20 digits>.scap`
    static func path(prefix: String, timestampNs: UInt64, number: UInt64) -> String {
        func padded(_ value: UInt64) -> String {
            let digits = String(value)
            return String(repeating: "0", count: 20 - digits.count) + digits
        }
        return "\(prefix)_\(padded(timestampNs))_\(padded(number)).scap"
    }

    /// A rule matched; its event is not recorded yet.
    func matched(_ rule: Rule, _ context: borrowing EventContext, _ state: SystemState) {
        guard settings.allRules || rule.captures else { return }
        let timestampNs = context.event.timestampNs
        let durationMs = rule.captureDurationMs > 0 ? rule.captureDurationMs : UInt64(settings.defaultDurationMs)
        let deadlineNs = timestampNs &+ durationMs &* 1_000_000
        if recorder.isRecording, timestampNs <= recorder.deadlineNs {
            recorder.deadlineNs = max(recorder.deadlineNs, deadlineNs)
            return
        }
        guard timestampNs >= retryNs || timestampNs &+ Self.pauseNs < retryNs else { return }
        let snapshot = CaptureSnapshot()
        state.writeRows(to: snapshot, before: context.thread)
        var position = RunPosition()
        position.eventNumber = context.number - 1
        position.firstTimestampNs = context.firstTimestampNs
        position.previousTimestampNs = context.previousTimestampNs
        position.numbersStateOnly = numbersStateOnly
        let path = Self.path(prefix: settings.pathPrefix, timestampNs: timestampNs, number: context.number)
        recorder.begin(
            RecordingFile(path: path, isCompressed: true, creation: .new, bytesMax: UInt64(settings.fileMegabytesMax) << 20),
            snapshot,
            position: position)
        recorder.deadlineNs = deadlineNs
    }

    /// Between two batches. An alert when a file reached its limit.
    func batchEnded(_ log: Log, nowNs: UInt64) -> Alert? {
        // One that began before the last failure was known says the same again.
        if let failure = recorder.takeFailure(), nowNs >= retryNs {
            log.error("\(failure); no capture is tried for a minute")
            retryNs = nowNs &+ Self.pauseNs
        }
        guard let limit = recorder.takeLimit() else { return nil }
        let rule = "Falco internal: capture size limit reached"
        return Alert.ofOurselves(
            rule: rule, priority: .informational, timestampNs: nowNs,
            message: "\(rule). Configured limit: \(settings.fileMegabytesMax) MB.",
            fields: [
                AlertField("max_file_size_mb", .int(Int64(settings.fileMegabytesMax))),
                AlertField("written_bytes", .int(Int64(clamping: limit.bytes))),
            ])
    }

    func finish(_ log: Log, givesUp: () -> Bool) {
        let isComplete = recorder.finish(givesUp: givesUp)
        if let failure = recorder.takeFailure(), retryNs == 0 { log.error("\(failure)") }
        if recorder.eventsLost > 0 {
            log.warning("\(recorder.eventsLost) events are missing in captures: the disk was slower than they came")
        }
        if !isComplete { log.warning("the last capture was not written to its end") }
    }
}
