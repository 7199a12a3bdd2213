// SPDX-License-Identifier: Apache-2.0
import CCounting
import CProbeABI
import Capture
import CaptureReplay
import EventModel
import FilterLanguage
import Fields
import Foundation
import Pipeline
import RuleEngine
import SystemState

/// Memory over a long run: a capture of a gigabyte beside sysdig, and tens of millions of events that each bring texts never seen
/// before.
struct Endurance {
    let corpus: URL
    let events: Int
    let directory: URL

    func run() throws {
        try replay()
        hostileStrings()
    }

    // MARK: a large capture

    private func replay() throws {
        let source = corpus.appending(path: "captures/files/sf-collector/mpm-event_full_capture.scap")
        guard let bytes = FileManager.default.contents(atPath: source.path) else {
            print("no large replay: the corpus is absent at \(corpus.path)")
            return
        }
        let path = directory.appending(path: "large.scap").path
        let size = try Self.repeatEvents(of: [UInt8](bytes), bytesMin: 1 << 30, to: path)
        print("replay of \(size >> 20) MiB: the events of \(source.lastPathComponent) again and again")
        let filter = "fd.name startswith /nowhere or fd.name contains no-such-name"
        var parser = ConditionParser(filter)
        let condition = try ConditionCompiler(catalogue: .builtin).compile(try parser.parse())
        let handler = ResidentCurve()
        let replay = try ReplaySource(path: path)
        let began = DispatchTime.now().uptimeNanoseconds
        let before = counting_thread_time_ns()
        let pipeline = EventPipeline(
            source: replay, state: SystemState(), rules: PipelineRules(program: RuleProgram(rules: [condition]), firstOnly: true),
            handler: handler)
        handler.records = { replay.counters.events }
        _ = try pipeline.run()
        let cpu = Double(counting_thread_time_ns() - before)
        let wall = Double(DispatchTime.now().uptimeNanoseconds - began)
        let records = Double(replay.counters.events)
        print(
            "  ours: \(Int(records)) event blocks, \(Int(records / wall * 1e9))/s (\(Int(records / cpu * 1e9))/s of processor time)"
        )
        print("  resident KiB at each tenth: \(handler.curve(of: replay.counters.events))")
        try peer(path, filter, records)
    }

    private func peer(_ path: String, _ filter: String, _ records: Double) throws {
        let sysdig = "/usr/bin/sysdig"
        guard FileManager.default.isExecutableFile(atPath: sysdig) else {
            print("  peer: \(sysdig) is not installed")
            return
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: sysdig)
        process.arguments = ["-r", path, filter]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        let before = Self.seconds(usage)
        let began = DispatchTime.now().uptimeNanoseconds
        try process.run()
        process.waitUntilExit()
        let wall = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        let cpu = Self.seconds(usage) - before
        guard process.terminationStatus == 0 else {
            print("  sysdig -r failed with \(process.terminationStatus)")
            return
        }
        print(
            "  sysdig: \(Int(records / wall))/s (\(Int(records / cpu))/s of processor time), at most \(usage.ru_maxrss) KiB resident"
        )
    }

    private static func seconds(_ usage: rusage) -> Double {
        func s(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return s(usage.ru_utime) + s(usage.ru_stime)
    }

    /// Metadata once, then all event blocks until the file is large enough; its size.
    private static func repeatEvents(of capture: [UInt8], bytesMin: Int, to path: String) throws -> Int {
        func word(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(capture[at + $1]) << (8 * $1) } }
        let eventTypes: Set<Int> = [0x204, 0x208, 0x216, 0x217, 0x221, 0x222]
        var first = 0
        while first + 8 <= capture.count, !eventTypes.contains(word(first)) { first += word(first + 4) }
        guard first < capture.count else { throw BenchError("the capture holds no event") }
        _ = FileManager.default.createFile(atPath: path, contents: Data(capture[..<first]))
        guard let file = FileHandle(forWritingAtPath: path) else { throw BenchError("could not write \(path)") }
        defer { file.closeFile() }
        var size = Int(try file.seekToEnd())
        let events = Data(capture[first...])
        while size < bytesMin {
            try file.write(contentsOf: events)
            size += events.count
        }
        return size
    }

    // MARK: texts without end

    /// Every event interns texts that never come again: paths, command lines, environments, cgroups, users, thread ids.
    private func hostileStrings() {
        let state = SystemState()
        var builder = EventBuilder()
        var bytes: [UInt8] = []
        var curve: [String] = []
        let began = counting_thread_time_ns()
        var context: EventContext?
        for number in 0..<events {
            let tid = Int64(1 + number % 400_000)
            let type = [
                PPME_SYSCALL_OPENAT_2_X, PPME_SYSCALL_CHDIR_X, PPME_SYSCALL_EXECVE_19_X, PPME_SYSCALL_OPENAT_2_X,
                PPME_SOCKET_BIND_X, PPME_USER_ADDED_E, PPME_GROUP_ADDED_E, PPME_SYSCALL_MEMFD_CREATE_X,
                PPME_SYSCALL_CLONE_20_X, PPME_SYSCALL_OPENAT_2_E,
            ][number % 10]
            builder.begin(type: type.code, tid: tid, timestampNs: 1_700_000_000_000_000_000 + UInt64(number) * 1000)
            for (index, parameter) in EventTable.events[Int(type.rawValue)].parameters.enumerated() {
                switch parameter.type {
                case .charbuf, .fspath, .fsrelpath: builder.append(text: "/\(number)/\(index)/a-path-that-nobody-opened-before")
                case .charbufarray, .bytebuf: builder.append(text: "A=\(number)-\(index)")
                case .sockaddr: builder.append(raw: [1] + Array("/run/\(number).sock".utf8) + [0])
                case .errno: builder.append(Int64(0))
                case .fd: builder.append(Int64(number % 5_000))
                default:
                    builder.append(
                        raw: Array(
                            repeating: UInt8(truncatingIfNeeded: number >> (index & 3) * 8), count: parameter.type.fixedBytes ?? 8
                        ))
                }
            }
            bytes.removeAll(keepingCapacity: true)
            builder.write(to: &bytes)
            bytes.withUnsafeBytes { raw in
                guard let event = try? EventView(checking: Bytes(raw), cpu: 0) else { return }
                var own = context ?? EventContext(event: event)
                state.admit(event, into: &own)
                state.retire(own)
                context = own
                if number % 4096 == 0 { state.maintain(nowNs: event.timestampNs, isAlive: nil) }
            }
            if (number + 1) % max(1, events / 10) == 0 { curve.append("\(ResidentCurve.residentKiB)") }
        }
        let seconds = Double(counting_thread_time_ns() - began) / 1e9
        print("\(events) events with texts never seen before, \(Int(Double(events) / seconds))/s:")
        print("  resident KiB at each tenth: \(curve.joined(separator: " "))")
        print(
            "  at the end: \(state.threadCount) threads (\(state.threadsRefused) refused), \(state.descriptorCount) descriptors "
                + "(\(state.descriptorsRefused) refused), \(state.pool.count) texts of \(state.pool.reservedBytes >> 20) MiB "
                + "(\(state.pool.refused) refused)")
    }
}

private final class ResidentCurve: MatchHandler {
    var records: () -> UInt64 = { 0 }
    private var samples: [(records: UInt64, kib: Int)] = []
    private var batches = 0

    func matched(rule: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch) {}
    func secondBegan(timestampNs: UInt64) {}
    func batchEnded(nowNs: UInt64) {
        batches += 1
        if batches % 64 == 0 { samples.append((records(), Self.residentKiB)) }
    }

    func curve(of total: UInt64) -> String {
        (1...10).map { tenth in
            let at = total / 10 * UInt64(tenth)
            return samples.last { $0.records <= at }.map { "\($0.kib)" } ?? "-"
        }.joined(separator: " ")
    }

    static var residentKiB: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii) else { return 0 }
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4
    }
}
