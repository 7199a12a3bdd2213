// SPDX-License-Identifier: Apache-2.0
import Capture
import CaptureFile
import EventModel

/// Plays a capture file as an event source: as fast as it is asked, every event, then `.end`.
public final class ReplaySource: EventSource {
    public let path: String
    private let reader: CaptureReader

    /// Opens the file; the error names it and says why, as today's Falco does.
    public init(path: String, limits: CaptureReader.Limits = .init()) throws(CaptureError) {
        self.path = path
        do throws(CaptureError) {
            reader = try CaptureReader(path: path, limits: limits)
        } catch {
            throw Self.cannotOpen(path, error)
        }
    }

    public var openingMessage: String { "Replaying events from the capture file: \(path)" }
    public var isLive: Bool { false }

    public func snapshot(into sink: any SnapshotSink) throws(CaptureError) {
        do throws(CaptureError) {
            try reader.snapshot(into: sink)
        } catch {
            throw Self.cannotOpen(path, error)
        }
    }

    public func nextBatch(into batch: EventBatch, waitMs: Int) throws(CaptureError) -> BatchResult {
        try reader.nextBatch(into: batch)
    }

    public var startingPosition: RunPosition? { reader.startingPosition }
    /// How far the file is read and how large it is, as it lies there.
    public var progress: (bytesRead: UInt64, bytesTotal: UInt64) { reader.progress }

    public func setInterest(_ interest: InterestSet) {}

    public var counters: CaptureCounters {
        var counters = CaptureCounters()
        counters.events = reader.recordsRead
        counters.malformed = reader.malformedTotal
        for (reason, count) in reader.malformed where count > 0 { counters.dropsByReason[reason] = count }
        if reader.enterEventsForgotten > 0 { counters.dropsByReason["enter_events_forgotten"] = reader.enterEventsForgotten }
        counters.drops = reader.malformedTotal
        return counters
    }

    /// Nothing waits here.
    public func wake() {}
    /// The file is closed with the source.
    public func close() {}

    private static func cannotOpen(_ path: String, _ error: CaptureError) -> CaptureError {
        CaptureError("Could not open trace filename \(path) for reading: \(error.description)")
    }
}
