// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import Fields
import Glibc
import LinuxSystem
import Pipeline
import RuleEngine
import SystemState
import Testing

@testable import CaptureProbe

/// The state behind a pipeline without rules, compared with /proc of the tree it watches.
private final class StateRun: MatchHandler {
    let child: ChildProcess
    let source: ProbeSource
    let state = SystemState()
    let proc = ProcFilesystem()
    private let inbox = PipelineInbox()
    /// Runs when the first scan is over: nobody reads the rings meanwhile.
    private let burst: (StateRun) throws -> Void
    private let isDone: (SystemState) -> Bool
    private let deadlineNs = Clock.monotonicNs + 120_000_000_000

    init(
        _ command: [String], ringBytes: Int, burst: @escaping (StateRun) throws -> Void, isDone: @escaping (SystemState) -> Bool
    ) throws {
        child = try ChildProcess(command)
        var options = LiveSession.options(child: child)
        options.ringBytes = ringBytes
        source = try ProbeSource(options)
        (self.burst, self.isDone) = (burst, isDone)
        var interest = InterestSet(
            named: "openat", "close", "dup2", "dup", "fcntl", "chdir", "fchdir", "setsid", "setpgid", "prctl", "pipe2", "socket",
            "close_range", "unshare", "clone", "clone3", "vfork", "fork")
        interest.events = [PPME_SYSCALL_CLONE_20_X.code, PPME_SYSCALL_EXECVE_19_X.code, PPME_PROCEXIT_1_E.code]
        try source.setInterest(interest)
        try source.attach()
    }

    deinit {
        for pid in source.livingInScope { kill(pid_t(pid), SIGKILL) }
        _ = child.wait()
    }

    func run(repairs: Bool, lookUp: (any TaskLookup)? = nil) throws {
        state.taskLookup = lookUp
        let rules = PipelineRules(program: RuleProgram(rules: []), firstOnly: false)
        let proc = proc
        let pipeline = EventPipeline(
            source: source, state: state, rules: rules, handler: self, inbox: inbox,
            isAlive: { tid, pid in Files.exists("\(proc.path)/\(pid)/task/\(tid)") },
            clock: repairs ? { Clock.monotonicNs } : nil)
        _ = try pipeline.run()
    }

    func snapshotEnded() throws(CaptureError) {
        do {
            try child.start()
            try burst(self)
        } catch { throw CaptureError("\(error)") }
    }
    func matched(rule: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch) {}
    func secondBegan(timestampNs: UInt64) {}
    func batchEnded(nowNs: UInt64) {
        if isDone(state) || Clock.monotonicNs > deadlineNs { inbox.stop() }
    }

    /// Returns when the script has written its marker and what is left of it are two shells and the sleeps of 61, 62 and 63 seconds.
    func settle(_ marker: String) throws {
        let left = ["sh", "sh", "sleep 61", "sleep 62", "sleep 63"]
        for _ in 0..<20_000 {
            Clock.sleep(ms: 5)
            guard Files.exists(marker) else { continue }
            let living = source.livingInScope.compactMap { proc.thread($0) }.map { row in
                let arguments = row.args.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                return row.comm == Array("sh".utf8)
                    ? "sh" : ([String(decoding: row.comm, as: UTF8.self)] + arguments).joined(separator: " ")
            }
            if living.sorted() == left { return }
        }
        throw CaptureError("what the script started did not come to rest")
    }

    /// What is not as /proc says, a line each.
    func differences() -> [String] {
        var found: [String] = []
        let living = source.livingInScope
        for pid in living {
            for tid in proc.threadIDs(of: pid) {
                guard let row = proc.thread(tid) else { continue }
                let slot = state.slot(tid: tid)
                guard slot.exists, !state[slot].isPlaceholder else {
                    found.append("\(tid) is missing")
                    continue
                }
                func check(
                    _ what: String, _ own: some Equatable & CustomStringConvertible, _ kernel: some CustomStringConvertible
                ) {
                    if own.description != kernel.description { found.append("\(tid) \(what): \(own), the kernel has \(kernel)") }
                }
                let record = state[slot]
                check("comm", state.pool[record.comm].string, String(decoding: row.comm, as: UTF8.self))
                check("exepath", state.pool[record.exepath].string, String(decoding: row.exepath, as: UTF8.self))
                let cwd = String(decoding: row.cwd, as: UTF8.self)
                check("cwd", state.cwd(of: slot).string, cwd == "/" ? cwd : cwd + "/")
                check("pid", record.pid, row.pid)
                check("session", record.sid, row.sid)
                check("group", record.pgid, row.pgid)
                check("uid", record.uid, row.uid)
                let parent = state.parent(of: slot)
                check("parent", parent.exists ? state[parent].pid : 0, row.ptid)
                check("threads", state.threadCount(of: slot), proc.threadIDs(of: pid).count)
                if tid == pid {
                    var own: [Int64] = []
                    state.forEachDescriptor(of: slot) { fd, _ in own.append(fd) }
                    let kernel = proc.descriptors(of: pid, sockets: SocketTable(proc, pid: pid)).map(\.fd)
                    check("descriptors", own.sorted(), kernel.sorted())
                }
            }
        }
        for tid in 1...(1 << 22) where state.slot(tid: Int64(tid)).exists {
            if !Files.exists("\(proc.path)/\(tid)") { found.append("\(tid) has ended") }
        }
        return found
    }
}

extension Live {
    @Suite(.timeLimit(.minutes(10))) struct State {
        /// A tiny ring and nobody who reads: starts, images, ends, descriptors and directories are lost, then repaired. Without the
        /// repair the state is wrong.
        @Test(arguments: [true, false]) func isRightAgainAfterALoss(repairs: Bool) throws {
            let scratch = Scratch()
            let marker = scratch.path + "/done"
            let script = """
                exec 7</etc/passwd 8</etc/hosts
                sleep 60 & early=$!
                \(actions) flood 3000
                (cd /tmp; exec 5</etc/group; exec sleep 61) &
                (sleep 62 & exec sleep 0.01) &
                setsid sh -c 'cd /usr; exec 6</etc/hosts; sleep 63 & wait' &
                kill $early
                for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done
                exec 7<&- 9</etc/group; cd /etc
                \(actions) flood 3000
                echo >\(marker)
                wait
                """
            let run = try StateRun(
                ["/bin/sh", "-c", script], ringBytes: 1 << 14,
                burst: { try $0.settle(marker) },
                isDone: { $0.repairs.passes > 0 || !repairs && $0.previousTimestampNs > 0 })
            try run.run(repairs: repairs)
            try run.runOnce()
            #expect(run.source.counters.drops > 1000)
            let differences = run.differences()
            let done = run.state.repairs
            print("after a loss of \(run.source.counters.drops) events: \(done)")
            if repairs {
                #expect(differences == [], "\(differences)")
                #expect(done.threadsRepaired >= 3 && done.descriptorsRepaired > 3 && done.stale == 0)
            } else {
                #expect(differences.count > 3)
            }
        }

        /// Nothing is lost: fork trees, threads, orphans, sessions, directories, descriptors, without a repair.
        @Test func followsATree() throws {
            let scratch = Scratch()
            let marker = scratch.path + "/done"
            let script = """
                exec 7</etc/passwd 8</etc/hosts
                (cd /tmp; exec 5</etc/group 7<&-; exec sleep 61) &
                (sleep 62 & exec sleep 0.01) &
                setsid sh -c 'cd /usr; exec 6</etc/hosts; sleep 63 & wait' &
                exec 7<&- 9</etc/group 6<&8; cd /etc
                echo >\(marker)
                wait
                """
            let run = try StateRun(
                ["/bin/sh", "-c", script], ringBytes: 1 << 20,
                burst: { try $0.settle(marker) }, isDone: { _ in true })
            try run.run(repairs: false)
            try run.runOnce()
            #expect(run.source.counters.drops == 0)
            let differences = run.differences()
            #expect(differences == [], "\(differences)")
        }

        /// The last two threads of a group end at once, hundreds of times: every end is told.
        @Test func everyThreadsEndIsTold() throws {
            let session = try LiveSession([actions, "ends", "150", "4"], interest: InterestSet(), ringBytes: 4 << 20)
            let events = try session.run()
            #expect(events.filter { $0.name == "procexit" }.count == 150 * 4 + 1)
            #expect(session.source.counters.drops == 0)
        }

        /// A thread that nobody told of, asked for by iterators and by /proc.
        @Test(arguments: [true, false]) func missedThreadIsLookedUp(byIterators: Bool) throws {
            let child = try ChildProcess(["/bin/sh", "-c", "exec 7</etc/hosts; \(actions) wait"])
            try child.start()
            defer {
                child.signal(SIGKILL)
                _ = child.wait()
            }
            let proc = ProcFilesystem()
            var grandchild: Int64?
            for _ in 0..<10_000 where grandchild == nil {
                grandchild = proc.parents().first { $0.parent == child.pid }?.pid
                Clock.sleep(ms: 5)
            }
            let waiting = try #require(grandchild)
            defer { kill(pid_t(waiting), SIGKILL) }
            Clock.sleep(ms: 50)
            var options = LiveSession.options(child: child)
            options.useIterators = byIterators
            let source = try ProbeSource(options)
            try source.attach()
            let sink = RecordingSink()
            let startNs = Clock.monotonicNs
            #expect(source.lookUp(tid: waiting, into: sink) == .found)
            print("look-up by \(byIterators ? "iterators" : "/proc"): \((Clock.monotonicNs - startNs) / 1000) µs")
            #expect(sink.threads.map(\.tid) == [waiting] && sink.threads[0].ptid == child.pid)
            #expect(sink.descriptors.contains { $0.tid == waiting && $0.row.fd == 7 && $0.row.name == Array("/etc/hosts".utf8) })
            #expect(sink.descriptors.allSatisfy { $0.tid == waiting })
            #expect(source.lookUp(tid: 1 << 40, into: sink) == .gone)
            var answers: Set<Bool> = []
            for _ in 0..<5000 { answers.insert(source.lookUp(tid: waiting, into: RecordingSink()) == .refused) }
            #expect(answers == [true, false])
        }
    }
}

extension StateRun {
    /// One more batch or more, until nothing comes.
    func runOnce() throws {
        let batch = EventBatch()
        while try source.nextBatch(into: batch, waitMs: 50) == .events {
            guard let first = batch.events.first else { continue }
            var context = EventContext(event: first)
            for event in batch.events {
                state.admit(event, into: &context)
                state.retire(context)
            }
        }
    }
}
