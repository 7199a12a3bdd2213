// SPDX-License-Identifier: Apache-2.0
import Agent
import CCounting
import CaptureProbe
import Foundation

let usage = """
    usage: bench [captures] [cost] [flood] [endurance] [--filter TEXT] [--passes N] [--events N] [--seconds N] [--corpus DIR] [--callgrind]
      captures        reading, state, rules and replay of captures
      cost            a live system call, by what the probe does with it (as root)
      flood           the whole agent live, idle and under load (as root)
      endurance       memory and speed over a capture of a gigabyte, and over 50 million events of new texts (or --events N)
                      none of the four: the first three
      --filter TEXT   only benchmarks whose name contains TEXT
      --passes N      timed passes of each (default 7); the median counts
      --events N      events in each workload, about (default 300000)
      --seconds N     length of each flood (default 10)
      --corpus DIR    conformance corpus (default: ../shared/conformance beside the repository)
      --program       print the checks that the rules were compiled to, and nothing else
      --callgrind     count instructions with callgrind where the processor's counter is not supported (slow)

    """

struct Options {
    var parts: Set<String> = []
    var seconds = 10
    var filter = ""
    var passes = 7
    var events = 300_000
    var eventsAreGiven = false
    var corpus = URL(fileURLWithPath: #filePath).appending(path: "../../../../../shared/conformance").standardized
    var useCallgrind = false
    var listsProgram = false
    /// One pass of one benchmark, for callgrind.
    var once: String?

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        func value(_ option: String) throws -> String {
            guard let value = rest.popFirst() else { throw BenchError("\(option) needs a value\n\(usage)") }
            return value
        }
        func number(_ option: String) throws -> Int {
            guard let number = Int(try value(option)), number > 0 else { throw BenchError("\(option) needs a number\n\(usage)") }
            return number
        }
        while let option = rest.popFirst() {
            switch option {
            case "--filter": filter = try value(option)
            case "--passes": passes = try number(option)
            case "--events":
                events = try number(option)
                eventsAreGiven = true
            case "--corpus": corpus = URL(fileURLWithPath: try value(option))
            case "--seconds": seconds = try number(option)
            case "captures", "cost", "flood", "endurance": parts.insert(option)
            case "--program": listsProgram = true
            case "--callgrind": useCallgrind = true
            case "--once": once = try value(option)
            case "--help", "-h":
                print(usage)
                exit(0)
            default: throw BenchError("unknown option '\(option)'\n\(usage)")
            }
        }
        if parts.isEmpty { parts = ["captures", "cost", "flood"] }
        // Simulated passes are fifty times slower.
        if once != nil { events = 40_000 }
    }
}

func benchmarks(_ workloads: Workloads, _ rules: BenchRules) -> [any Benchmark] {
    let captures = [("today's format", workloads.synthetic)] + (workloads.recorded.map { [("capture of 2019", $0)] } ?? [])
    return captures.flatMap { name, path -> [any Benchmark] in
        [
            ReadBenchmark("read, \(name)", path: path),
            StateBenchmark("admit + retire, \(name)", path: path),
            RulesBenchmark("admit + rules + retire, \(name)", path: path, rules: rules),
            ReplayBenchmark("whole replay, \(name)", path: path, rules: rules),
        ]
    }
}

func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

func run() throws {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    if options.once != nil || options.parts.contains("captures") { try runCaptures(options) }
    if options.once == nil, !options.parts.isDisjoint(with: ["cost", "flood"]) { try runLive(options) }
    if options.once == nil, options.parts.contains("endurance") {
        let directory = FileManager.default.temporaryDirectory.appending(path: "falco-bench-endurance-\(getpid())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let events = options.eventsAreGiven ? options.events : 50_000_000
        try Endurance(corpus: options.corpus, events: events, directory: directory).run()
    }
}

func runLive(_ options: Options) throws {
    if case .unavailable(let reason) = ProbeSource.probeSupport() {
        print("not measured live: \(reason)")
        return
    }
    let directory = FileManager.default.temporaryDirectory.appending(path: "falco-bench-live-\(getpid())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    if options.parts.contains("cost") { try SystemCallCost(rounds: 3, directory: directory).run() }
    if options.parts.contains("flood") { try Flood(seconds: options.seconds, directory: directory).run() }
}

func runCaptures(_ options: Options) throws {
    let workloads = try Workloads(corpus: options.corpus, eventsMin: options.events)
    defer { workloads.remove() }
    let rules = try BenchRules(corpus: options.corpus)
    let list = benchmarks(workloads, rules)
    if let once = options.once {
        guard let benchmark = list.first(where: { $0.name == once }) else { throw BenchError("no benchmark '\(once)'") }
        return try Runner.once(benchmark)
    }
    if options.listsProgram {
        print(rules.program.listing())
        return
    }
    let runner = Runner(
        passes: options.passes, instructions: .find(callgrindCorpus: options.useCallgrind ? options.corpus.path : nil))
    print(runner.instructions.explanation)
    print("rules: \(rules.description)")
    if workloads.recorded == nil { print("no recorded capture: the corpus is absent at \(options.corpus.path)") }
    print(pad("", 36), pad("ns/event", 10), pad("spread", 8), pad("instr./event", 14), pad("alloc./event", 14), "events")
    for benchmark in list where options.filter.isEmpty || benchmark.name.contains(options.filter) {
        let result = try runner.measure(benchmark)
        print(
            pad(benchmark.name, 36), pad(String(format: "%.1f", result.nsPerEvent), 10),
            pad(String(format: "%.0f %%", result.spreadPercent), 8),
            pad(result.instructionsPerEvent.map { String(format: "%.0f", $0) } ?? "not supported", 14),
            pad(String(format: "%.4f", result.allocationsPerEvent), 14), result.events)
        if let rules = benchmark as? RulesBenchmark { print(rules.checksText) }
        fflush(nil)
    }
    if let long = workloads.recorded, let short = workloads.recordedOnce,
        options.filter.isEmpty || "sysdig".contains(options.filter)
    {
        try PeerComparison(short: short, long: long, passes: options.passes).run()
    }
}

func countRecords(_ path: String) throws -> Int {
    let benchmark = ReadBenchmark("", path: path)
    try benchmark.prepare()
    return try benchmark.run()
}

do {
    // The processes that live measurements need are this program too.
    switch CommandLine.arguments.dropFirst().first {
    case Traffic.word: exit(Traffic.main(Array(CommandLine.arguments.dropFirst(2))))
    case Flood.agentWord: exit(Falco.run(Array(CommandLine.arguments.dropFirst(2))))
    default: try run()
    }
} catch {
    FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
    exit(1)
}
