// SPDX-License-Identifier: Apache-2.0
import Agent
import Foundation
import LinuxSystem
import Synchronization

/// The whole agent under load: events in scope from a program of ours, the default rules, alerts as lines.
///
/// The agent is this program started again with the agent's `main` (`--agent`), so it is what `falco` is. One more rule than the
/// default ones makes an alert of every trickled open, whose text is the event's time.
struct Flood {
    static let agentWord = "--agent"

    struct Load {
        let text: String
        /// Pairs of openat and close per second; 0: as fast as possible; -1: none.
        let pairsPerSecond: Int
    }
    static let loads = [
        Load(text: "idle: nothing but the trickle", pairsPerSecond: -1),
        Load(text: "100 000 events/s", pairsPerSecond: 50_000),
        Load(text: "full speed", pairsPerSecond: 0),
    ]
    private static let tricklePerSecond = 20

    let seconds: Int
    let directory: URL

    func run() throws {
        print(
            "flood: \(seconds) s of openat and close by one program on one core, the default rules, \(Self.tricklePerSecond) alerts/s"
        )
        for load in Self.loads { try run(load) }
    }

    private func run(_ load: Load) throws {
        let traffic = try Traffic(directory: directory)
        defer { traffic.end() }
        let agent = try AgentProcess(scope: traffic.pid, rule: try writeRule(traffic.trickled))
        defer { agent.stop() }
        try agent.waitUntilWatching()
        let before = try agent.usage()
        traffic.command("flood \(seconds) \(load.pairsPerSecond) \(Self.tricklePerSecond)")
        var answer: [Double]?
        while answer == nil { answer = try traffic.answer(waitMs: 1000) }
        guard let answer, answer.count == 3 else { throw BenchError("the traffic program gave no account") }
        let after = try agent.usage()
        // What is still in the ring is the agent's too.
        Thread.sleep(forTimeInterval: 1)
        let memory = try agent.usage().peakKb
        let report = agent.stop()
        let latencies = agent.latenciesMs
        let elapsed = answer[2]
        let opens = Int(answer[0] + answer[1])
        guard let delivered = report["Captured Events"], let kernel = report["Driver Events"], let lost = report["Driver Drops"]
        else {
            throw BenchError("the agent ended without its counts: \(agent.errorText.suffix(400))")
        }
        print("\(load.text):")
        print("  system calls       \(2 * opens) in \(String(format: "%.2f", elapsed)) s (\(Int(Double(2 * opens) / elapsed))/s)")
        print("  events             produced \(kernel), delivered \(delivered), lost \(lost)\(agent.lossText)")
        print(
            String(
                format: "  agent              %.1f %% of a core, peak memory %.1f MB",
                (after.seconds - before.seconds) / elapsed * 100, Double(memory) / 1024))
        print(
            String(
                format: "  kernel to line     p50 %.2f ms, p99 %.2f ms, max %.2f ms over %d alerts of %d",
                median(latencies), percentile(latencies, 0.99), latencies.max() ?? .nan, latencies.count, Int(answer[1])))
        fflush(nil)
    }

    private func writeRule(_ path: String) throws -> String {
        let file = directory.appending(path: "trickle.yaml").path
        let text = """
            - rule: Trickle
              desc: The benchmark's own events.
              condition: evt.type = openat and fd.name = \(path)
              output: "trickle %evt.rawtime"
              priority: INFO

            """
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}

/// What the reading threads have heard from the agent.
private final class Heard: Sendable {
    let latenciesMs = Mutex<[Double]>([])
    let errors = Mutex<[UInt8]>([])
}

/// The agent as a process of its own, with the time at which each of its lines arrived.
private final class AgentProcess {
    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()
    private let heard = Heard()
    private let readers = DispatchGroup()
    private var report: [String: Int]?

    init(scope: Int64, rule: String) throws {
        let root = URL(fileURLWithPath: #filePath).appending(path: "../../../..").standardized
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [
            Flood.agentWord, "-c", root.appending(path: "config/falco.yaml").path, "-r",
            root.appending(path: "rules/falco_rules.yaml").path,
            "-r", rule, "--scope", "\(scope)", "-v", "-o", "syslog_output.enabled=false", "-o", "json_output=false",
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let (output, errors) = (output.fileHandleForReading, errors.fileHandleForReading)
        read(output) { [heard] data, nowNs in
            let marker = Data("trickle ".utf8)
            var from = data.startIndex
            while let found = data.range(of: marker, in: from..<data.endIndex) {
                let digits = data[found.upperBound...].prefix { $0 >= 48 && $0 < 58 }
                if let eventNs = UInt64(String(decoding: digits, as: UTF8.self)) {
                    heard.latenciesMs.withLock { $0.append((Double(nowNs) - Double(eventNs)) / 1e6) }
                }
                from = found.upperBound
            }
        }
        read(errors) { [heard] data, _ in heard.errors.withLock { $0 += data } }
    }

    /// A thread of its own, that looks at the clock as soon as bytes are there.
    private func read(_ handle: FileHandle, _ body: @escaping @Sendable (Data, UInt64) -> Void) {
        readers.enter()
        let thread = Thread { [readers] in
            while true {
                let data = handle.availableData
                if data.isEmpty { break }
                body(data, Clock.realtimeNs)
            }
            readers.leave()
        }
        thread.start()
    }

    var latenciesMs: [Double] { heard.latenciesMs.withLock { $0 } }
    var errorText: String { heard.errors.withLock { String(decoding: $0, as: UTF8.self) } }
    /// ` (ring_full 12)`
    var lossText: String {
        guard let range = errorText.range(of: "events were lost: ") else { return "" }
        return " (" + errorText[range.upperBound...].prefix { $0 != "\n" } + ")"
    }

    func waitUntilWatching() throws {
        for _ in 0..<300 {
            if errorText.contains("First scan") { return }
            guard process.isRunning else { throw BenchError("the agent ended: \(errorText.suffix(400))") }
            Thread.sleep(forTimeInterval: 0.1)
        }
        throw BenchError("the agent did not start: \(errorText.suffix(400))")
    }

    /// Processor time and peak resident memory of the agent so far.
    func usage() throws -> (seconds: Double, peakKb: Int) {
        let stat = try String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw BenchError("/proc/PID/stat is not as expected")
        }
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kilobytes = peak.flatMap { Int($0.split(whereSeparator: { $0 == " " || $0 == "\t" })[1]) } ?? 0
        return ((user + system) / Double(sysconf(Int32(_SC_CLK_TCK))), kilobytes)
    }

    /// Ends it and reads its last counts: `Name:number`, and `Name: number` in a line with others.
    @discardableResult
    func stop() -> [String: Int] {
        if let report { return report }
        process.interrupt()
        process.waitUntilExit()
        readers.wait()
        var counts: [String: Int] = [:]
        for part in errorText.split(whereSeparator: { $0 == "\n" || $0 == "," }) {
            let pair = part.split(separator: ":", maxSplits: 1)
            guard pair.count == 2 else { continue }
            counts[pair[0].trimmingCharacters(in: .whitespaces)] = Int(pair[1].trimmingCharacters(in: .whitespaces))
        }
        report = counts
        return counts
    }
}
