// SPDX-License-Identifier: Apache-2.0
import CCounting
import CTraffic
import Capture
import CaptureProbe
import EventModel
import Foundation
import LinuxSystem

/// What a system call costs the program that makes it, by what the probe does with it.
///
/// The program is our own and the only one in scope; another own process that does nothing is the scope where it is to be outside.
/// Processor time of its thread, so that other work on the machine disturbs little; all cases in every round, the median counts.
struct SystemCallCost {
    private enum Case: String, CaseIterable {
        case nothing = "nothing attached"
        case schedulerOnly = "only the scheduler's hooks attached"
        case unwatched = "sys_exit attached, this call not watched"
        case outOfScope = "watched, not sent: out of scope"
        case failed = "watched, not sent: failed (drop_failed_exit)"
        case sent = "sent"
    }
    private struct Call {
        let word: String
        let text: String
        let watched: [String]
        let fails: Bool
    }
    private static let calls = [
        Call(word: "getppid", text: "getppid", watched: ["getppid"], fails: false),
        Call(word: "missing", text: "openat, fails", watched: ["openat"], fails: true),
        Call(word: "open", text: "openat + close, both watched", watched: ["openat", "close"], fails: false),
    ]
    private static let batches = 9
    private static let callsPerBatch = 20_000

    let rounds: Int
    let directory: URL

    func run() throws {
        let traffic = try Traffic(directory: directory)
        let bystander = try Traffic(directory: directory)
        defer {
            traffic.end()
            bystander.end()
        }
        traffic_pin(Int32(Traffic.otherCPU))
        var ns: [String: [Double]] = [:]
        var loadMs: [Double] = []
        var loadProcessorMs: [Double] = []
        var attachMs: [Double] = []
        var sent: UInt64 = 0
        var lost: UInt64 = 0
        for _ in 0..<rounds {
            for kind in Case.allCases {
                for call in Self.calls where kind != .failed || call.fails {
                    let source =
                        try kind == .nothing ? nil : open(kind, call, traffic, bystander, &loadMs, &loadProcessorMs, &attachMs)
                    ns["\(kind) \(call.word)", default: []] += try measure(call, traffic, source)
                    if let source {
                        let counters = source.counters
                        if kind == .sent {
                            sent += counters.events
                            lost += counters.drops
                        } else if counters.events > UInt64(Self.callsPerBatch) {
                            throw BenchError("'\(kind.rawValue)' sent \(counters.events) events")
                        }
                        source.close()
                    }
                }
            }
        }
        print("cost of a system call, ns of the caller's processor time; scope: one process of ours")
        print(
            "  median · fastest tenth of \(rounds * Self.batches) batches of \(Self.callsPerBatch)",
            "(difference of the fastest tenth to 'nothing attached')")
        print(pad("", 48) + Self.calls.map { pad($0.text, 30) }.joined())
        for kind in Case.allCases {
            let cells = Self.calls.map { call -> String in
                guard let values = ns["\(kind) \(call.word)"], let base = ns["\(Case.nothing) \(call.word)"] else {
                    return pad("-", 30)
                }
                let fast = percentile(values, 0.1)
                let cost = kind == .nothing ? "" : String(format: " (%+.0f)", fast - percentile(base, 0.1))
                return pad(String(format: "%.0f · %.0f", median(values), fast) + cost, 30)
            }
            print(pad(kind.rawValue, 48) + cells.joined())
        }
        print("  while 'sent': \(sent) events, \(lost) lost (a lost event costs its caller less)")
        print(
            String(
                format: "probe: load %.0f ms (%.0f ms of processor time), attach %.0f ms (medians of %d)", median(loadMs),
                median(loadProcessorMs), median(attachMs), loadMs.count))
    }

    private func open(
        _ kind: Case, _ call: Call, _ traffic: Traffic, _ bystander: Traffic, _ loadMs: inout [Double],
        _ loadProcessorMs: inout [Double], _ attachMs: inout [Double]
    ) throws -> ProbeSource {
        var options = ProbeOptions()
        options.scope = .tree(pids: [kind == .outOfScope ? bystander.pid : traffic.pid])
        options.dropFailed = kind == .failed
        let start = Clock.monotonicNs
        let startProcessorNs = counting_thread_time_ns()
        let source = try ProbeSource(options)
        loadProcessorMs.append(Double(counting_thread_time_ns() - startProcessorNs) / 1e6)
        let loaded = Clock.monotonicNs
        var interest = InterestSet()
        let names = kind == .unwatched ? ["mkdirat"] : kind == .schedulerOnly ? [] : call.watched
        for row in EventTable.syscalls where names.contains(row.name) { interest.insert(syscall: row.number) }
        try source.setInterest(interest)
        try source.attach()
        guard source.isSysExitAttached == (kind != .schedulerOnly) else { throw BenchError("sys_exit is not as it should be") }
        loadMs.append(Double(loaded - start) / 1e6)
        attachMs.append(Double(Clock.monotonicNs - loaded) / 1e6)
        return source
    }

    private func measure(_ call: Call, _ traffic: Traffic, _ source: ProbeSource?) throws -> [Double] {
        let batch = EventBatch()
        traffic.command("cost \(call.word) \(Self.batches) \(Self.callsPerBatch)")
        while true {
            // Someone has to read, or the ring fills up and a call costs less.
            if let source { _ = try source.nextBatch(into: batch, waitMs: 5) }
            if let answer = try traffic.answer(waitMs: source == nil ? 5 : 0) { return answer }
        }
    }
}
