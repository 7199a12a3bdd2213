// SPDX-License-Identifier: Apache-2.0
import Capture
import CaptureFile
import EventModel

/// A capture that is played and recorded at once: what stands before its events is handed to the recording as it was read, so that a
/// conversion loses nothing of it.
public final class RecordedReplay: EventSource {
    public let inner: any EventSource
    private let recorder: Recorder
    /// Begins the recording with the rows read.
    private let begin: (CaptureSnapshot, RunPosition?) -> Void
    private var tee: SnapshotTee?

    public init(
        _ inner: any EventSource, _ recorder: Recorder, begin: @escaping (CaptureSnapshot, RunPosition?) -> Void
    ) {
        (self.inner, self.recorder, self.begin) = (inner, recorder, begin)
    }

    public var openingMessage: String { inner.openingMessage }
    public var isLive: Bool { inner.isLive }
    public var counters: CaptureCounters { inner.counters }
    public var startingPosition: RunPosition? { inner.startingPosition }

    public func snapshot(into sink: any SnapshotSink) throws(CaptureError) {
        let tee = SnapshotTee(sink)
        self.tee = tee
        try inner.snapshot(into: tee)
        begin(tee.take().rows, inner.startingPosition)
    }

    public func nextBatch(into batch: EventBatch, waitMs: Int) throws(CaptureError) -> BatchResult {
        let result = try inner.nextBatch(into: batch, waitMs: waitMs)
        guard let tee else { return result }
        // What stood between the events came before this batch's.
        let (rows, gone) = tee.take()
        if rows.restarts > 0 {
            // Another capture was appended.
            recorder.beginSection(rows)
        } else if !gone.isEmpty || !rows.threads.isEmpty {
            var encoder = CaptureEncoder()
            for tid in gone { encoder.appendRecord(gone: tid) }
            if !rows.threads.isEmpty { encoder.appendRecord(threads: rows.threads, descriptors: rows.descriptors) }
            recorder.append(encoder.bytes)
        }
        return result
    }

    public func setInterest(_ interest: InterestSet) throws(CaptureError) { try inner.setInterest(interest) }
    public func wake() { inner.wake() }
    public func close() { inner.close() }
}
