// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem

/// The bounded queue between a pipeline and the thread that writes alerts.
///
/// Bounded by a number of alerts, or by 64 MiB of text when that is 0. When it is full, a live pipeline drops the alert and counts it;
/// a replay waits, since there time does not run away.
public final class AlertQueue: @unchecked Sendable {
    public enum Note: Sendable { case notice, error, critical }
    public static let bytesMaxDefault = 64 << 20
    private static let failureReportNs: UInt64 = 60_000_000_000

    private let lock = ConditionLock()
    // Guarded by `lock`.
    private var waiting = AlertDeque()
    private var waitingBytes = 0
    private var closing = false
    private var reopening = false
    private var finished = false
    private var dropCount: UInt64 = 0
    private var failureCount: UInt64 = 0
    private var busy: (output: String, sinceNs: UInt64)?
    private var busyReported = false
    private var deaf = false
    private var latencies = LatencyHistogram()

    // Only the output thread touches these after `start`.
    private var outputs: [any AlertOutput]
    private var failureSaidNs: [String: UInt64] = [:]
    private var lostOutputs: Set<String> = []

    private let capacity: Int
    private let bytesMax: Int
    private let waitsWhenFull: Bool
    private let timeoutNs: UInt64
    private let report: @Sendable (Note, String) -> Void

    /// `report` may be called from any thread.
    public init(
        outputs: [any AlertOutput], capacity: Int, bytesMax: Int = bytesMaxDefault, waitsWhenFull: Bool, timeoutMs: Int,
        report: @escaping @Sendable (Note, String) -> Void
    ) {
        self.outputs = outputs
        self.capacity = capacity
        self.bytesMax = bytesMax
        self.waitsWhenFull = waitsWhenFull
        timeoutNs = UInt64(max(1, timeoutMs)) * 1_000_000
        self.report = report
    }

    public func start() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let failure = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<AlertQueue>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context)
        precondition(failure == 0, "the output thread could not be started: \(Errno(failure))")
        pthread_detach(thread)
    }

    /// Alerts lost because the queue was full.
    public var drops: UInt64 { lock.locked { dropCount } }
    /// Writes that an output refused.
    public var failures: UInt64 { lock.locked { failureCount } }
    /// From the event's kernel timestamp to its written line.
    public var latency: LatencyHistogram { lock.locked { latencies } }

    /// Every output has lost its reader for good.
    public var isDeaf: Bool { lock.locked { deaf } }

    // MARK: Pipeline's side

    /// False when an alert pushed now would be lost. It is counted as lost then: making it is work that a flood can be spared.
    public func makesRoom() -> Bool {
        var firstLoss = false
        let room = lock.locked { () -> Bool in
            guard !waitsWhenFull, isFull(adding: 0) else { return true }
            firstLoss = noteLoss()
            return false
        }
        if firstLoss { reportFirstLoss() }
        return room
    }

    /// False when it was lost.
    @discardableResult
    public func push(_ alert: RenderedAlert) -> Bool {
        var firstLoss = false
        let taken = lock.locked { () -> Bool in
            while isFull(adding: alert.line.count) {
                if !waitsWhenFull || closing || finished || Self.isEndAskedFor {
                    firstLoss = noteLoss()
                    return false
                }
                lock.wait(ns: 100_000_000)
                checkBusy()
            }
            waiting.append(alert)
            waitingBytes += alert.line.count
            lock.wakeAll()
            return true
        }
        if firstLoss { reportFirstLoss() }
        return taken
    }

    /// SIGINT or SIGTERM is blocked and pending: the pipeline takes it when it has waited no longer.
    private static var isEndAskedFor: Bool {
        var pending = sigset_t()
        return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1)
    }

    /// Under the lock. True for the first one.
    private func noteLoss() -> Bool {
        dropCount += 1
        return dropCount == 1
    }
    private func reportFirstLoss() { report(.error, "Outputs queue out of memory. Drop event and continue on ...") }

    /// A single line larger than the bound still passes, alone.
    private func isFull(adding bytes: Int) -> Bool {
        capacity > 0 ? waiting.count >= capacity : !waiting.isEmpty && waitingBytes + bytes > bytesMax
    }

    /// Files are opened again before the next alert.
    public func reopen() {
        lock.locked {
            reopening = true
            lock.wakeAll()
        }
    }

    /// Says once when an output has been busy with one alert for longer than the timeout. Call it every now and then.
    public func watch() { lock.locked { checkBusy() } }

    private func checkBusy() {
        guard let busy, !busyReported, Clock.monotonicNs &- busy.sinceNs > timeoutNs else { return }
        busyReported = true
        report(.critical, "\"\(busy.output)\" output timeout, all output channels are blocked")
    }

    /// Writes what is waiting and ends the thread. An output that blocks for longer than the timeout loses the rest.
    public func stop() {
        let stuck = lock.locked { () -> Bool in
            closing = true
            lock.wakeAll()
            var progress = waiting.count
            var deadline = Clock.monotonicNs &+ timeoutNs
            while !finished {
                lock.wait(ns: 50_000_000)
                if waiting.count != progress || busy == nil {
                    (progress, deadline) = (waiting.count, Clock.monotonicNs &+ timeoutNs)
                }
                if Clock.monotonicNs > deadline { return true }
            }
            return false
        }
        if stuck { report(.notice, "output channels still blocked, discarding all remaining notifications") }
    }

    // MARK: Output thread

    private func run() {
        while true {
            var reopen = false
            var done = false
            let batch = lock.locked { () -> [RenderedAlert] in
                while waiting.isEmpty, !closing, !reopening { lock.wait(ns: 1_000_000_000) }
                reopen = reopening
                reopening = false
                done = closing && waiting.isEmpty
                // A limited batch keeps memory and the bound honest: what is taken no longer counts.
                let taken = waiting.take(64)
                waitingBytes -= taken.reduce(0) { $0 + $1.line.count }
                lock.wakeAll()
                return taken
            }
            if reopen {
                failureSaidNs = [:]
                each { (output) throws(OutputError) in try output.reopen() }
            }
            for alert in batch { each { (output) throws(OutputError) in try output.write(alert) } }
            each { (output) throws(OutputError) in try output.flush() }
            noteLatency(of: batch)
            if done { break }
        }
        each { (output) throws(OutputError) in try output.close() }
        lock.locked {
            finished = true
            lock.wakeAll()
        }
    }

    private func each(_ body: (inout any AlertOutput) throws(OutputError) -> Void) {
        for index in outputs.indices where !lostOutputs.contains(outputs[index].name) {
            let name = outputs[index].name
            lock.locked { (busy, busyReported) = ((name, Clock.monotonicNs), false) }
            var problem: OutputError?
            do throws(OutputError) { try body(&outputs[index]) } catch { problem = error }
            lock.locked {
                busy = nil
                if problem != nil { failureCount += 1 }
            }
            guard let problem else { continue }
            if problem.isFinal {
                lostOutputs.insert(name)
                lock.locked { deaf = lostOutputs.count == outputs.count }
            }
            // Once a minute per output, not once per alert; reopening starts anew.
            let now = Clock.monotonicNs
            if let said = failureSaidNs[name], now - said < Self.failureReportNs { continue }
            failureSaidNs[name] = now
            report(.error, "\(name): \(problem)")
        }
    }

    private func noteLatency(of batch: [RenderedAlert]) {
        guard !waitsWhenFull, !batch.isEmpty else { return }
        let now = Clock.realtimeNs
        lock.locked {
            for alert in batch where alert.timestampNs > 0 && alert.timestampNs <= now { latencies.add(now - alert.timestampNs) }
        }
    }
}

/// First in, first out; what was taken is given back in large steps, so that taking is O(1) however long the queue is.
private struct AlertDeque {
    private var items: [RenderedAlert?] = []
    private var head = 0

    var count: Int { items.count - head }
    var isEmpty: Bool { count == 0 }
    mutating func append(_ alert: RenderedAlert) { items.append(alert) }

    mutating func take(_ most: Int) -> [RenderedAlert] {
        let end = min(items.count, head + most)
        let taken = items[head..<end].map { $0! }
        for index in head..<end { items[index] = nil }
        head = end
        if head == items.count {
            items.removeAll(keepingCapacity: items.capacity < 4096)
            head = 0
        } else if head > 4096, head > items.count / 2 {
            items.removeFirst(head)
            head = 0
        }
        return taken
    }
}
