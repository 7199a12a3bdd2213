// SPDX-License-Identifier: Apache-2.0
import CCounting
import Capture
import CaptureReplay
import Fields
import FilterLanguage
import Foundation
import Pipeline
import RuleEngine
import SystemState

/// Debian's sysdig, the peer that reads the same old captures, beside ours doing the same: read, keep the state, ask one filter that
/// holds for no event.
///
/// Two lengths of one capture in turn, ours and theirs after each other; the difference of the lengths is what an event costs, without
/// what starting costs.
struct PeerComparison {
    private static let sysdig = "/usr/bin/sysdig"
    private static let filters = [
        ("no event passes", "evt.num=0"), ("process and descriptor", "proc.name=nobody and fd.name=x"),
        ("path", "fd.name startswith /nowhere or fd.name contains no-such-name"),
    ]
    let short: String
    let long: String
    let passes: Int

    func run() throws {
        guard FileManager.default.isExecutableFile(atPath: Self.sysdig) else {
            print("peer: \(Self.sysdig) is not installed")
            return
        }
        let events = Double(try countRecords(long) - countRecords(short))
        print("beside sysdig -r, processor ns per event of the 2019 capture (median of \(passes) pairs):")
        print(pad("  filter", 28), pad("ours", 10), pad("sysdig", 10), "ratio")
        for (name, filter) in Self.filters {
            var own: [Double] = []
            var theirs: [Double] = []
            for _ in 0..<passes {
                own.append((try ours(long, filter) - ours(short, filter)) / events)
                theirs.append((try sysdig(long, filter) - sysdig(short, filter)) / events)
            }
            let ratio = median(zip(own, theirs).map { $1 / $0 })
            print(
                pad("  \(name)", 28), pad(String(format: "%.0f", median(own)), 10),
                pad(String(format: "%.0f", median(theirs)), 10),
                String(format: "%.1f", ratio))
        }
    }

    private func ours(_ capture: String, _ filter: String) throws -> Double {
        var parser = ConditionParser(filter)
        let condition = try ConditionCompiler(catalogue: .builtin).compile(try parser.parse())
        let before = counting_thread_time_ns()
        let pipeline = EventPipeline(
            source: try ReplaySource(path: capture), state: SystemState(),
            rules: PipelineRules(program: RuleProgram(rules: [condition]), firstOnly: true), handler: NoMatches())
        _ = try pipeline.run()
        return Double(counting_thread_time_ns() - before)
    }

    private func sysdig(_ capture: String, _ filter: String) throws -> Double {
        let before = Self.childrenNs()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.sysdig)
        process.arguments = ["-r", capture, filter]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchError("sysdig -r failed with \(process.terminationStatus)") }
        return Self.childrenNs() - before
    }

    private static func childrenNs() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        func ns(_ time: timeval) -> Double { Double(time.tv_sec) * 1e9 + Double(time.tv_usec) * 1e3 }
        return ns(usage.ru_utime) + ns(usage.ru_stime)
    }
}

private final class NoMatches: MatchHandler {
    func matched(rule: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch) {}
    func secondBegan(timestampNs: UInt64) {}
    func batchEnded(nowNs: UInt64) {}
}
