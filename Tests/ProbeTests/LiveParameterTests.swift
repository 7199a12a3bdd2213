// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import Glibc
import LinuxSystem
import Testing

@testable import CaptureProbe

/// What an action said that the probe reports (Tests/ProbeActions/expect.h): an event of a thread, some of its parameters.
struct ExpectedEvent {
    enum Value {
        case number(Int64)
        case bits(UInt64, mask: UInt64)
        case near(Int64, distance: Int64)
        case bytes([UInt8])
        case width(Int)
        case otherThan(Int64)
        case containing([UInt8])
        case unixTuple(path: [UInt8])
    }
    let label: String
    let number: Int64
    let tid: Int64
    /// Empty: nothing is expected between the case's mark and the next one.
    let name: String
    var parameters: [(name: String, value: Value)] = []
    /// `> open`: the beginning of the call.
    var isEnter: Bool { name.hasPrefix("> ") }
    var eventName: String { isEnter ? String(name.dropFirst(2)) : name }

    static func list(_ text: String) throws -> [ExpectedEvent] {
        var events: [ExpectedEvent] = []
        var current = (number: Int64(0), label: "")
        for line in text.split(separator: "\n") {
            let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            let last = words[words.count - 1]
            let value: Value
            switch words[0] {
            case "case":
                current = (try #require(Int64(words[1])), words[2])
                continue
            case "event":
                events.append(
                    ExpectedEvent(label: current.label, number: current.number, tid: try #require(Int64(words[1])), name: last))
                continue
            case "number": value = .number(try #require(Int64(last)))
            case "bits": value = .bits(try #require(UInt64(words[2])), mask: try #require(UInt64(last)))
            case "nothing":
                events.append(
                    ExpectedEvent(label: current.label, number: current.number, tid: try #require(Int64(last)), name: ""))
                continue
            case "other": value = .otherThan(try #require(Int64(last)))
            case "near": value = .near(try #require(Int64(words[2])), distance: try #require(Int64(last)))
            case "bytes": value = .bytes(try bytes(last))
            case "width": value = .width(try #require(Int(last)))
            case "containing": value = .containing(try bytes(last))
            case "unix": value = .unixTuple(path: try bytes(last))
            default: throw Errno(EINVAL)
            }
            try #require(!events.isEmpty)
            events[events.count - 1].parameters.append((words[1], value))
        }
        return events
    }

    private static func bytes(_ hexadecimal: String) throws -> [UInt8] {
        let digits = try hexadecimal.map { try #require($0.hexDigitValue) }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

extension ExpectedEvent.Value {
    /// Nil if the event's parameter is as expected, else what was found instead.
    func difference(_ event: RecordedEvent, _ parameter: String) -> String? {
        guard let found = event.raw(parameter) else { return "the event has no such parameter" }
        let shown = "\(event.integer(parameter).map { "\($0) " } ?? "")\(found.prefix(160))"
        let holds =
            switch self {
            case .number(let number): event.integer(parameter) == number
            case .bits(let bits, let mask): event.integer(parameter).map { UInt64(bitPattern: $0) & mask == bits & mask } ?? false
            case .near(let number, let distance):
                event.integer(parameter).map { abs($0 - number) <= distance } ?? false
            case .bytes(let bytes): found == bytes
            case .otherThan(let number): event.integer(parameter) != number
            case .width(let width): found.count == width
            case .containing(let part):
                (0...max(0, found.count - part.count)).contains { found.dropFirst($0).starts(with: part) }
            // A family and two kernel addresses stand before the path.
            case .unixTuple(let path): found.first == UInt8(AF_UNIX) && Array(found.dropFirst(17)) == path
            }
        return holds ? nil : "\(shown), expected \(self)"
    }
}

/// What an action expected and what was found.
final class ExpectedRun {
    let session: LiveSession
    let expected: [ExpectedEvent]
    private(set) var differences: [(label: String, text: String)] = []
    /// Cases that need a hook which this kernel refuses, and why it does.
    private(set) var refused: Set<String> = []
    var refusal: String { session.source.enterHooks.report ?? "not wanted" }

    private static var everySystemCall: InterestSet {
        var everything = InterestSet()
        for call in EventTable.syscalls { everything.insert(syscall: call.number) }
        for call in EventTable.ia32Calls { everything.insert(syscall: call.number) }
        return everything
    }

    /// Every call with the probe as it is usually set.
    nonisolated(unsafe) static let calls = Result {
        let directory = Scratch(), result = Scratch()
        return try withExtendedLifetime(directory) {
            try ExpectedRun(["expected", directory.path], in: result, interest: everySystemCall) { $0.enterEvents = .tracepoints }
        }
    }

    /// Where the probe looks at ports and first bytes; the range is Tests/ProbeActions/links.h's.
    nonisolated(unsafe) static let snaplen = Result {
        try ExpectedRun(["snaplen"], in: Scratch(), interest: everySystemCall) {
            $0.dynamicSnaplen = true
            $0.fullcapturePorts = 53100...53199
        }
    }

    /// With the events that are told only when a rule asks for them.
    nonisolated(unsafe) static let tracepoints = Result {
        var interest = InterestSet(named: "dup", "fork")
        for event in [PPME_SIGNALDELIVER_E, PPME_SCHEDSWITCH_6_E, PPME_PAGE_FAULT_E] { interest.events.insert(event.code) }
        return try ExpectedRun(["tracepoints"], in: Scratch(), interest: interest)
    }

    private init(
        _ action: [String], in result: Scratch, interest: InterestSet, _ options: (inout ProbeOptions) -> Void = { _ in }
    ) throws {
        let list = result.path + "/list"
        let session = try LiveSession([actions] + action + [list], interest: interest, ringBytes: 1 << 22, change: options)
        defer { session.source.close() }
        try session.run()
        try #require(session.child.wait() == 0, "the action itself failed")
        self.session = session
        expected = try ExpectedEvent.list(String(decoding: Files.read(list), as: UTF8.self))
        try #require(!expected.isEmpty)
        withExtendedLifetime(result) {}
        compare()
    }

    private func compare() {
        var taken: Set<Int> = []
        let tellsEnters = session.source.enterHooks.mode != PROBE_ENTER_NONE
        for wanted in expected {
            if wanted.isEnter, !tellsEnters {
                refused.insert(wanted.label)
                continue
            }
            if wanted.name.isEmpty {
                if let extra = eventBehindMark(of: wanted, in: session.events) {
                    differences.append((wanted.label, "an event \(extra), expected none"))
                }
                continue
            }
            guard let at = find(wanted, in: session.all, taken: taken) else {
                differences.append((wanted.label, "no event \(wanted.name) of thread \(wanted.tid)"))
                continue
            }
            taken.insert(at)
            for (parameter, value) in wanted.parameters {
                guard let difference = value.difference(session.all[at], parameter) else { continue }
                differences.append((wanted.label, "\(wanted.name).\(parameter) is \(difference)"))
            }
        }
    }

    private func isMark(_ event: RecordedEvent) -> Bool {
        event.type == PPME_SYSCALL_DUP_1_X.code && (event.integer("oldfd") ?? 0) <= -1000
    }

    /// The name of the thread's first event between the case's mark and the next one.
    private func eventBehindMark(of wanted: ExpectedEvent, in events: [RecordedEvent]) -> String? {
        let gettid: Int64 = 186
        // A mark begins with the question who the thread is.
        let own = events.filter { $0.tid == wanted.tid && $0.integer("nativeID") != gettid }
        guard let mark = own.lastIndex(where: { isMark($0) && $0.integer("oldfd") == -1000 - wanted.number }) else {
            return "is missing: the mark"
        }
        return own.dropFirst(mark + 1).first.flatMap { isMark($0) ? nil : $0.name }
    }

    /// The first event of that name behind the case's mark, which only the action's own thread leaves.
    private func find(_ wanted: ExpectedEvent, in events: [RecordedEvent], taken: Set<Int>) -> Int? {
        var start = 0
        for (n, event) in events.enumerated()
        where event.tid == wanted.tid && isMark(event) && event.integer("oldfd") == -1000 - wanted.number {
            start = n + 1
        }
        return events.indices.dropFirst(start).first {
            events[$0].tid == wanted.tid && events[$0].name == wanted.eventName && !taken.contains($0)
                && events[$0].isEnterOfCall == wanted.isEnter
        }
    }
}

extension Live {
    /// Every parameter that an action expects of the events of its own calls.
    @Suite(.timeLimit(.minutes(10))) struct Parameters {
        @Test func eventsCarryWhatTheActionsExpect() throws {
            let run = try ExpectedRun.calls.get()
            check(run)
            if run.session.source.enterHooks.mode == PROBE_ENTER_TRACEPOINTS { run.session.expectBeginnings() }
            #expect(run.session.source.counters.dropsByReason["ia32"] == 0)
        }

        @Test func portsAndProtocolsAreWorthMoreBytes() throws { check(try ExpectedRun.snaplen.get()) }

        @Test func switchesFaultsAndSignalsArriveWhenAskedFor() throws { check(try ExpectedRun.tracepoints.get()) }

        private func check(_ run: ExpectedRun) {
            let differences = run.differences.map { "\($0.label): \($0.text)" }
            #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
            if !run.refused.isEmpty {
                print("probe: refused \(run.refused.sorted().joined(separator: ", ")): \(run.refusal)")
            }
            let labels = Set(run.expected.map(\.label)).subtracting(run.refused).count
            let parameters = run.expected.reduce(0) { $0 + $1.parameters.count }
            print("probe: \(labels) cases, \(parameters) parameters as expected of them")
            expectWellFormed(run.session)
        }

        /// Of every event, expected or not: the parameters of its type, each as wide as its type, and a thread of the tree.
        private func expectWellFormed(_ session: LiveSession) {
            var tree: Set<Int64> = [session.child.pid]
            // A child's event may precede its parent's; its own numbers are the machine's.
            for event in session.events where event.info.parameterIndex("pidns_init_start_ts") != nil {
                let result = event.integer("res") ?? -1
                if result > 0 { tree.insert(result) }
                if result == 0, tree.contains(event.integer("ptid") ?? -1) || tree.contains(event.integer("pid") ?? -1) {
                    tree.insert(event.tid)
                }
            }
            var malformed: Set<String> = []
            for event in session.events {
                if !tree.contains(event.tid) { malformed.insert("\(event.name): thread \(event.tid) is not of the tree") }
                let infos = event.info.parameters
                if event.parameters.count != infos.count {
                    malformed.insert("\(event.name): \(event.parameters.count) parameters")
                }
                for (info, bytes) in zip(infos, event.parameters) {
                    guard let width = info.type.fixedBytes, bytes.count != width, !bytes.isEmpty else { continue }
                    malformed.insert("\(event.name).\(info.name): \(bytes.count) bytes for \(info.type.name)")
                }
            }
            #expect(malformed.isEmpty, "\(malformed.sorted().joined(separator: "\n"))")
        }
    }
}
