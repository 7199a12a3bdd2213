// SPDX-License-Identifier: Apache-2.0
import CCounting
import Foundation

/// Something to measure. `prepare` is not part of it; `run` is.
protocol Benchmark: AnyObject {
    var name: String { get }
    /// Called before every pass.
    func prepare() throws
    /// One pass; returns how many events it handled.
    func run() throws -> Int
    /// What the same work costs elsewhere, as a line, or nil where there is no peer.
    var peer: String? { get }
}

extension Benchmark {
    var peer: String? { nil }
}

struct Measurement {
    var nsPerEvent: Double
    var spreadPercent: Double
    var instructionsPerEvent: Double?
    var allocationsPerEvent: Double
    var events: Int
}

/// Runs a benchmark: warm-up passes, then timed ones; the median counts, the spread is shown beside it.
struct Runner {
    let passes: Int
    let instructions: InstructionCounter

    /// One pass inside `counting_region`: for callgrind, which starts this program again with `--once`.
    static func once(_ benchmark: any Benchmark) throws {
        try benchmark.prepare()
        _ = try benchmark.run()  // warm-up: buffers grow, tables are built
        try benchmark.prepare()
        print("events \(try region(benchmark))")
    }

    func measure(_ benchmark: any Benchmark) throws -> Measurement {
        for _ in 0..<2 {
            try benchmark.prepare()
            _ = try benchmark.run()
        }
        var ns: [Double] = []
        var allocations: [Double] = []
        var instructionCounts: [Double] = []
        var events = 0
        for _ in 0..<passes {
            try benchmark.prepare()
            let instructionsBefore = counting_instructions()
            let allocationsBefore = counting_allocations()
            let before = counting_thread_time_ns()
            events = try benchmark.run()
            let after = counting_thread_time_ns()
            let allocationsAfter = counting_allocations()
            let instructionsAfter = counting_instructions()
            guard events > 0 else { throw BenchError("'\(benchmark.name)' handled no event") }
            ns.append(Double(after - before) / Double(events))
            allocations.append(Double(allocationsAfter - allocationsBefore) / Double(events))
            instructionCounts.append(Double(instructionsAfter - instructionsBefore) / Double(events))
        }
        ns.sort()
        let median = ns[ns.count / 2]
        let perEvent: Double? =
            switch instructions {
            case .processor: instructionCounts.sorted()[instructionCounts.count / 2]
            case .callgrind(let tool): try tool.instructions(of: benchmark.name)
            case .none: nil
            }
        return Measurement(
            nsPerEvent: median, spreadPercent: (ns[ns.count - 1] - ns[0]) / median * 100, instructionsPerEvent: perEvent,
            allocationsPerEvent: allocations.min() ?? 0, events: events)
    }

    private static func region(_ benchmark: any Benchmark) throws -> Int {
        final class Call {
            let benchmark: any Benchmark
            var result: Result<Int, any Error>?
            init(_ benchmark: any Benchmark) { self.benchmark = benchmark }
        }
        let call = Call(benchmark)
        counting_region(
            { context in
                let call = Unmanaged<Call>.fromOpaque(context!).takeUnretainedValue()
                call.result = Result { try call.benchmark.run() }
            }, Unmanaged.passUnretained(call).toOpaque())
        return try call.result!.get()
    }
}

/// Where instruction counts come from on this machine.
enum InstructionCounter {
    /// The processor's counter.
    case processor
    /// Simulated: slow, and the same in every run.
    case callgrind(Callgrind)
    case none(String)

    /// `corpus`: callgrind gets it, where it is allowed.
    static func find(callgrindCorpus corpus: String?) -> InstructionCounter {
        let code = counting_instructions_open()
        if code == 0 { return .processor }
        let reason = String(cString: strerror(code))
        guard let corpus else { return .none("perf_event_open: \(reason)") }
        return Callgrind.find(corpus: corpus).map(InstructionCounter.callgrind)
            ?? .none("perf_event_open: \(reason); valgrind is not installed")
    }

    var explanation: String {
        switch self {
        case .processor: "instructions: the processor's counter, user mode"
        case .callgrind: "instructions: callgrind (the processor's counter is not supported here)"
        case .none(let reason): "instructions: not supported (\(reason))"
        }
    }
}

struct Callgrind {
    let valgrind: String
    let corpus: String

    static func find(corpus: String) -> Callgrind? {
        let places = ["/usr/bin/valgrind", "/usr/local/bin/valgrind"]
        return places.first { FileManager.default.isExecutableFile(atPath: $0) }.map { Callgrind(valgrind: $0, corpus: corpus) }
    }

    func instructions(of name: String) throws -> Double? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: valgrind)
        process.arguments = [
            "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=counting_region",
            CommandLine.arguments[0], "--corpus", corpus, "--once", name,
        ]
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let report = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        func number(after word: String, in text: String) -> Double? {
            guard let range = text.range(of: word) else { return nil }
            return Double(text[range.upperBound...].drop { $0 == " " || $0 == ":" }.prefix { $0.isNumber })
        }
        guard let events = number(after: "events", in: text), events > 0, let collected = number(after: "Collected", in: report)
        else { return nil }
        return collected / events
    }
}

struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
