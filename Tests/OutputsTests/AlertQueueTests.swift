// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem
import Testing

@testable import Outputs

/// Remembers what it was given; can be held up or made to fail.
private final class RecordingOutput: AlertOutput, @unchecked Sendable {
    let name = "test"
    private let lock = ConditionLock()
    private var lines: [String] = []
    private var held = false
    private var reopened = 0
    private var closed = false
    private var begun = 0
    let failure: OutputError?
    init(failure: OutputError? = nil) { self.failure = failure }

    func write(_ alert: RenderedAlert) throws(OutputError) {
        lock.locked {
            begun += 1
            lock.wakeAll()
            while held { lock.wait(ns: 1_000_000_000) }
            lines.append(String(decoding: alert.line, as: UTF8.self))
        }
        if let failure { throw failure }
    }
    func reopen() throws(OutputError) { lock.locked { reopened += 1 } }
    func close() throws(OutputError) { lock.locked { closed = true } }
    func hold(_ value: Bool) {
        lock.locked {
            held = value
            lock.wakeAll()
        }
    }
    /// Returns when `count` writes have begun, held or not.
    func waitUntilBegun(_ count: Int) {
        lock.locked { while begun < count { lock.wait(ns: 1_000_000_000) } }
    }
    var seen: (lines: [String], reopened: Int, closed: Bool) { lock.locked { (lines, reopened, closed) } }
}

private final class Notes: @unchecked Sendable {
    private let lock = ConditionLock()
    private var notes: [String] = []
    func add(_ note: AlertQueue.Note, _ text: String) { lock.locked { notes.append("\(note): \(text)") } }
    var all: [String] { lock.locked { notes } }
}

private func alert(_ text: String) -> RenderedAlert { RenderedAlert(line: Array(text.utf8), priority: 4, timestampNs: 0) }

@Suite struct AlertQueueTests {
    @Test func keepsTheOrderAndWritesEverythingBeforeItEnds() {
        let output = RecordingOutput()
        let queue = AlertQueue(outputs: [output], capacity: 2, waitsWhenFull: true, timeoutMs: 2000) { _, _ in }
        queue.start()
        let lines = (0..<500).map(String.init)
        for line in lines { #expect(queue.push(alert(line))) }
        queue.reopen()
        queue.stop()
        #expect(output.seen.lines == lines)
        #expect(output.seen.closed)
        #expect(queue.drops == 0)
    }

    /// A replay into an output that nobody reads must still end when it is told to.
    @Test(.timeLimit(.minutes(10))) func aWaitEndsWithAPendingSignal() {
        var (terminate, before, none) = (sigset_t(), sigset_t(), timespec())
        sigemptyset(&terminate)
        sigaddset(&terminate, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &terminate, &before)
        let output = RecordingOutput()
        output.hold(true)
        let queue = AlertQueue(outputs: [output], capacity: 1, waitsWhenFull: true, timeoutMs: 50) { _, _ in }
        #expect(queue.push(alert("fills the queue, nobody has started to write")))
        pthread_kill(pthread_self(), SIGTERM)
        #expect(!queue.push(alert("would wait for ever")))
        #expect(queue.drops == 1)
        sigtimedwait(&terminate, nil, &none)
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    @Test(arguments: [(capacity: 3, bytesMax: 1000, kept: 3), (capacity: 0, bytesMax: 8, kept: 4)])
    func liveSurplusIsCountedAndSaidOnce(capacity: Int, bytesMax: Int, kept: Int) {
        let notes = Notes()
        let output = RecordingOutput()
        // Not started: nobody takes anything out.
        let queue = AlertQueue(
            outputs: [output], capacity: capacity, bytesMax: bytesMax, waitsWhenFull: false, timeoutMs: 2000, report: notes.add)
        for _ in 0..<10 { queue.push(alert("ab")) }
        #expect(queue.drops == UInt64(10 - kept))
        #expect(notes.all == ["error: Outputs queue out of memory. Drop event and continue on ..."])
        queue.start()
        queue.stop()
        #expect(output.seen.lines.count == kept)
    }

    @Test func aBlockedOutputIsReportedAndGivenUp() {
        let notes = Notes()
        let output = RecordingOutput()
        output.hold(true)
        let queue = AlertQueue(outputs: [output], capacity: 0, waitsWhenFull: false, timeoutMs: 60, report: notes.add)
        queue.start()
        queue.push(alert("a"))
        output.waitUntilBegun(1)
        Clock.sleep(ms: 150)
        queue.watch()
        queue.watch()
        queue.stop()
        #expect(
            notes.all == [
                "critical: \"test\" output timeout, all output channels are blocked",
                "notice: output channels still blocked, discarding all remaining notifications",
            ])
        output.hold(false)
    }

    @Test func aFailingOutputIsNamedOnceAndTheOthersGoOn() {
        let notes = Notes()
        let good = RecordingOutput()
        let bad = RecordingOutput(failure: OutputError("no space"))
        let queue = AlertQueue(outputs: [bad, good], capacity: 0, waitsWhenFull: true, timeoutMs: 2000, report: notes.add)
        queue.start()
        for line in ["a", "b", "c"] { queue.push(alert(line)) }
        queue.stop()
        #expect(good.seen.lines == ["a", "b", "c"])
        #expect(queue.failures == 3)
        #expect(notes.all == ["error: test: no space"])
    }

    @Test func anOutputWithoutAReaderIsLeftAndTheLastOneIsSaid() {
        let lost = RecordingOutput(failure: OutputError("broken pipe", isFinal: true))
        let queue = AlertQueue(outputs: [lost], capacity: 0, waitsWhenFull: true, timeoutMs: 2000) { _, _ in }
        queue.start()
        #expect(!queue.isDeaf)
        for line in ["a", "b", "c"] { queue.push(alert(line)) }
        queue.stop()
        #expect(lost.seen.lines == ["a"])
        #expect(queue.failures == 1)
        #expect(queue.isDeaf)
    }

    @Test(arguments: [(waits: false, room: false, drops: 1), (waits: true, room: true, drops: 0)])
    func noAlertIsMadeForAFullQueue(waits: Bool, room: Bool, drops: UInt64) {
        let queue = AlertQueue(outputs: [RecordingOutput()], capacity: 2, waitsWhenFull: waits, timeoutMs: 10) { _, _ in }
        for _ in 0..<2 {
            #expect(queue.makesRoom())
            queue.push(alert("a"))
        }
        #expect(queue.makesRoom() == room)
        #expect(queue.drops == drops)
    }
}

@Suite struct FileAndProgramOutputTests {
    private func temporary() -> String {
        var template = Array("/tmp/falco-outputs-XXXXXX".utf8CString)
        return String(cString: mkdtemp(&template)!)
    }
    private func text(_ path: String) throws -> String { String(decoding: try Files.read(path), as: UTF8.self) }

    @Test(arguments: [true, false]) func fileAppendsAndReopens(keepAlive: Bool) throws {
        let folder = temporary()
        let path = folder + "/alerts"
        let output = try FileOutput(path: path, keepAlive: keepAlive)
        try output.write(alert("1\n"))
        rename(path, path + ".old")
        try output.reopen()
        try output.write(alert("2\n"))
        try output.close()
        #expect(try text(path + ".old") == "1\n")
        #expect(try text(path) == "2\n")
    }

    @Test func fileThatCannotBeOpenedShowsAtStart() {
        #expect { try FileOutput(path: "/nonexistent/x", keepAlive: true) } throws: {
            "\($0)" == "failed to open output file /nonexistent/x: ENOENT (no such file or directory)"
        }
    }

    @Test(arguments: [(true, "start\n1\n2\n"), (false, "start\n1\nstart\n2\n")])
    func programRunsPerAlertOrOnce(keepAlive: Bool, expected: String) throws {
        let path = temporary() + "/out"
        let output = ProgramOutput(command: "(echo start; cat) >> \(path)", keepAlive: keepAlive)
        try output.write(alert("1\n"))
        try output.write(alert("2\n"))
        try output.close()
        #expect(try text(path) == expected)
    }

    /// What we block for ourselves is not the program's: it can be ended.
    @Test func aProgramHasItsSignals() throws {
        var (terminate, before) = (sigset_t(), sigset_t())
        sigemptyset(&terminate)
        sigaddset(&terminate, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &terminate, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let path = temporary() + "/alerts"
        let output = ProgramOutput(command: "cat > \(path); kill -TERM $$; echo survived >> \(path)", keepAlive: true)
        try output.write(alert("1\n"))
        try output.close()
        #expect(try text(path) == "1\n")
    }
}

@Suite struct LatencyHistogramTests {
    @Test func percentilesAreNear() {
        var histogram = LatencyHistogram()
        for value in 1...1000 { histogram.add(UInt64(value) * 1000) }
        for (share, exact) in [(0.5, 500_000.0), (0.99, 990_000)] {
            let found = Double(histogram.percentile(share))
            #expect(found >= exact && found <= exact * 1.26)
        }
        #expect(histogram.percentile(1) == 1_000_000)
        #expect(LatencyHistogram().percentile(0.99) == 0)
    }
}
