// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import Glibc
import LinuxSystem
import Testing

@testable import CaptureProbe

/// Why live tests cannot run here, nil where they can. Said once, in one line.
let liveObstacle: String? = {
    guard case .unavailable(let reason) = ProbeSource.probeSupport() else { return nil }
    print("live probe tests are skipped: \(reason)")
    return reason
}()

/// A copy of one event that outlives its batch.
struct RecordedEvent {
    let type: UInt16
    let tid: Int64
    let timestampNs: UInt64
    let parameters: [[UInt8]]

    init(_ event: EventView) {
        (type, tid, timestampNs) = (event.type, event.tid, event.timestampNs)
        parameters = (0..<event.parameterCount).map { event.parameter($0)!.array }
    }
    var info: EventInfo { EventTable.events[Int(type)] }
    var name: String { info.name }
    /// The beginning of a call, which only the state sees.
    var isEnterOfCall: Bool { info.isEnter && info.category & UInt16(EC_SYSCALL.rawValue) != 0 }

    private func bytes(_ parameter: String) -> [UInt8]? {
        guard let index = info.parameterIndex(parameter), index < parameters.count else { return nil }
        return parameters[index]
    }
    func integer(_ parameter: String) -> Int64? {
        guard let index = info.parameterIndex(parameter), let bytes = bytes(parameter) else { return nil }
        return bytes.withUnsafeBytes { Bytes($0).signedInteger(signed: info.parameters[index].type.isSigned) }
    }
    func text(_ parameter: String) -> String? {
        bytes(parameter).map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    func list(_ parameter: String) -> [String]? {
        bytes(parameter).map {
            $0.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { String(decoding: $0, as: UTF8.self) }
        }
    }
    func raw(_ parameter: String) -> [UInt8]? { bytes(parameter) }
}

final class RecordingSink: SnapshotSink {
    var threads: [ThreadRow] = []
    var descriptors: [(tid: Int64, row: DescriptorRow)] = []
    var machines = 0
    var users = 0
    func machine(_ row: MachineRow) { machines += 1 }
    func interface(_ row: InterfaceRow) {}
    func user(_ row: UserRow) { users += 1 }
    func group(_ row: GroupRow) {}
    func thread(_ row: ThreadRow) { threads.append(row) }
    func descriptor(_ row: DescriptorRow, tid: Int64) { descriptors.append((tid, row)) }
    func restart() {}
}

extension InterestSet {
    /// The system calls of these names.
    init(named names: String...) {
        self.init()
        for name in names {
            guard let call = EventTable.syscalls.first(where: { $0.name == name }) else {
                preconditionFailure("no system call '\(name)'")
            }
            insert(syscall: call.number)
        }
    }
}

/// One child of ours, gated, alone in the probe's scope.
final class LiveSession {
    let child: ChildProcess
    let source: ProbeSource
    private(set) var events: [RecordedEvent] = []
    /// What only the state sees: the beginnings of calls, in their place among all the others.
    private(set) var all: [RecordedEvent] = []

    static func options(child: ChildProcess) -> ProbeOptions {
        var options = ProbeOptions()
        options.ringBytes = 1 << 20
        options.scope = .tree(pids: [child.pid])
        // To take the tracepoints off again takes the kernel a third of a second.
        options.enterEvents = .none
        return options
    }

    init(
        _ command: [String], interest: InterestSet, environment: [String]? = nil, ringBytes: Int = 1 << 20,
        cpusForEachBuffer: Int = 2, change: (inout ProbeOptions) -> Void = { _ in }
    ) throws {
        child = try ChildProcess(command, environment: environment)
        var options = Self.options(child: child)
        options.ringBytes = ringBytes
        options.cpusForEachBuffer = cpusForEachBuffer
        change(&options)
        source = try ProbeSource(options)
        try source.setInterest(interest)
        try source.attach()
    }

    /// Runs the command to its end and returns everything its tree did.
    @discardableResult
    func run(observe: (EventView) -> Void = { _ in }) throws -> [RecordedEvent] {
        try child.start()
        let batch = EventBatch(capacity: 1024)
        let deadlineNs = Clock.monotonicNs + 120_000_000_000
        var hasFinished = false
        while true {
            let result = try source.nextBatch(into: batch, waitMs: 20)
            for event in batch.events {
                observe(event)
                let recorded = RecordedEvent(event)
                all.append(recorded)
                if !event.isHidden { events.append(recorded) }
            }
            if result == .end { break }
            if !hasFinished, child.poll() != nil || Clock.monotonicNs > deadlineNs {
                source.finish()
                hasFinished = true
            }
        }
        return events
    }
}

/// Runs `script` in /bin/sh and returns what its tree did.
func eventsOf(script: String, _ interest: InterestSet) throws -> (events: [RecordedEvent], pid: Int64) {
    let session = try LiveSession(["/bin/sh", "-c", script], interest: interest)
    return (try session.run(), session.child.pid)
}

/// `path/ProbeActions`, built beside the tests.
let actions: String = {
    let own = String(decoding: (try? Files.link("/proc/self/exe")) ?? [], as: UTF8.self)
    let directory = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
    return [directory + "/ProbeActions", ".build/debug/ProbeActions"].first(where: Files.exists) ?? "ProbeActions"
}()

/// An own directory for the length of a test.
final class Scratch {
    let path: String
    private nonisolated(unsafe) static var count = 0
    init() {
        Self.count += 1
        path = "/tmp/falco-probe-\(getpid())-\(Self.count)"
        mkdir(path, 0o700)
    }
    deinit {
        for name in (try? Files.names(in: path)) ?? [] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}

func run(_ arguments: [String], _ interest: InterestSet) throws -> LiveSession {
    let session = try LiveSession([actions] + arguments, interest: interest)
    try session.run()
    try #require(session.child.wait() == 0, "the action itself failed")
    return session
}

/// Text of flags as a filter shows them, `O_CREAT|O_RDWR`, sorted.
func flags(_ event: RecordedEvent, _ parameter: String) -> Set<String> {
    let info = event.info.parameters[event.info.parameterIndex(parameter)!]
    let value = UInt32(truncatingIfNeeded: event.integer(parameter) ?? 0)
    return Set(EventTable.flagTables[info.flagTable].filter { $0.value != 0 && value & $0.value == $0.value }.map(\.name))
}

/// Everything that loads the probe, one after the other.
@Suite(.serialized, .enabled(if: liveObstacle == nil, "the kernel refuses BPF here")) enum Live {}

extension LiveSession {
    /// Number that the tree's process got for a directory.
    func directoryDescriptor(_ path: String) -> Int64? {
        events.last { $0.name == "openat" && $0.text("name") == path }?.integer("fd")
    }
}
