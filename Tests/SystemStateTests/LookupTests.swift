// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Testing

@testable import SystemState

/// A machine that answers from a list.
final class ListedTasks: TaskLookup {
    var threads: [Int64: ThreadRow] = [:]
    var descriptors: [Int64: [DescriptorRow]] = [:]
    var refuses = false
    private(set) var questions = 0

    func lookUp(tid: Int64, into sink: any SnapshotSink) -> LookupResult {
        questions += 1
        if refuses { return .refused }
        guard let row = threads[tid] else { return .gone }
        if row.pid != tid, let leader = threads[row.pid] { sink.thread(leader) }
        sink.thread(row)
        return lookUpDescriptors(pid: row.pid, into: sink)
    }
    func lookUpDescriptors(pid: Int64, into sink: any SnapshotSink) -> LookupResult {
        if refuses { return .refused }
        sink.descriptors(of: pid)
        for row in descriptors[pid] ?? [] { sink.descriptor(row, tid: pid) }
        return .found
    }
    static func thread(_ tid: Int64, pid: Int64? = nil, ptid: Int64, _ comm: String = "sh", startNs: UInt64 = 0) -> ThreadRow {
        var row = ThreadRow()
        (row.tid, row.pid, row.ptid, row.vtid, row.vpid) = (tid, pid ?? tid, ptid, tid, pid ?? tid)
        (row.comm, row.exepath, row.cwd) = (Array(comm.utf8), Array("/bin/\(comm)".utf8), Array("/w".utf8))
        (row.exeIno, row.startTimeNs) = (7, startNs)
        (row.sid, row.pgid, row.vpgid) = (100, 100, 100)
        if pid != nil { row.flags = CloneFlag.thread | CloneFlag.files }
        return row
    }
    static func file(_ fd: Int64, _ name: String, inode: UInt64) -> DescriptorRow {
        var row = DescriptorRow()
        (row.fd, row.kind, row.name, row.inode) = (fd, .fileV2, Array(name.utf8), inode)
        return row
    }
}

@Suite struct Lookups {
    @Test func aMissedThreadComesWithItsProcess() {
        let history = History()
        let tasks = ListedTasks()
        history.state.taskLookup = tasks
        tasks.threads = [
            500: ListedTasks.thread(500, ptid: 400), 501: ListedTasks.thread(501, pid: 500, ptid: 400),
            400: ListedTasks.thread(400, ptid: 300), 300: ListedTasks.thread(300, ptid: 1),
        ]
        tasks.descriptors = [500: [ListedTasks.file(7, "/log", inode: 9)], 300: [ListedTasks.file(1, "/tty", inode: 3)]]
        history.close(tid: 501, fd: 7)
        #expect(history.lastName == "/log")
        #expect(history.parent(500) == 400 && history.parent(400) == 300 && history.parent(300) == 1)
        #expect(history.name(300, fd: 1) == "/tty")
        #expect(history.state.threadCount(of: history.state.slot(tid: 501)) == 2)
        #expect(history.state.counters.threadLookupsElsewhere == 1)
        history.state.checkInvariants()
    }

    /// The machine answers from later than the event: what events told stays.
    @Test func aLookUpChangesNothingThatIsKnown() {
        let history = History()
        let tasks = ListedTasks()
        history.state.taskLookup = tasks
        history.openat(tid: 100, fd: 3, "/known")
        tasks.threads = [100: ListedTasks.thread(100, ptid: 1, "later"), 105: ListedTasks.thread(105, pid: 100, ptid: 1)]
        tasks.descriptors = [100: [ListedTasks.file(3, "/later", inode: 1), ListedTasks.file(4, "/missed", inode: 2)]]
        history.close(tid: 105, fd: 40)
        #expect(history.comm(100) == "bash")
        #expect(history.name(105, fd: 3) == "/known" && history.name(100, fd: 4) == "/missed")
    }

    @Test func aRefusedQuestionIsAskedAgain() {
        let history = History()
        let tasks = ListedTasks()
        history.state.taskLookup = tasks
        tasks.threads = [500: ListedTasks.thread(500, ptid: 1), 600: ListedTasks.thread(600, ptid: 500)]
        tasks.refuses = true
        history.close(tid: 500, fd: 7)
        #expect(history.comm(500) == "<NA>" && history.state.counters.lookupsRefused == 1)
        tasks.refuses = false
        history.close(tid: 600, fd: 7)
        #expect(history.parent(600) == 500)
        history.close(tid: 500, fd: 7)
        #expect(history.comm(500) == "sh" && history.parent(600) == 500)
        let asked = tasks.questions
        history.close(tid: 500, fd: 7)
        history.close(tid: 4242, fd: 7)
        history.close(tid: 4242, fd: 7)
        #expect(tasks.questions == asked + 1)
        history.state.checkInvariants()
    }

    @Test(arguments: [true, false]) func descriptorsThatCameWithAMessage(live: Bool) {
        let history = History()
        let tasks = ListedTasks()
        if live { history.state.taskLookup = tasks }
        tasks.descriptors = [100: [ListedTasks.file(5, "/received", inode: 1), ListedTasks.file(6, "/other", inode: 2)]]
        history.openat(tid: 100, fd: 5, "/closed/unseen")
        history.openat(tid: 100, fd: 8, "/stays")
        var control: [UInt8] = []
        func word(_ value: Int32) { withUnsafeBytes(of: value) { control += $0 } }
        for value: Int32 in [24, 0, 1, 1, 5, 6] { word(value) }  // SCM_RIGHTS with two
        for value: Int32 in [20, 0, 1, 4, 9, 0] { word(value) }  // SCM_PIDFD
        for value: Int32 in [0x7fff_ffff, 0, 1, 1, 8] { word(value) }  // a length that lies
        history.event(PPME_SOCKET_RECVMSG_X, tid: 100) { e in
            e.append(Int64(1))
            e.append(UInt32(1))
            e.append(raw: [65])
            e.append(raw: [])
            e.append(raw: control)
            e.append(Int64(4))
        }
        #expect(history.name(100, fd: 5) == (live ? "/received" : nil))
        #expect(history.name(100, fd: 6) == (live ? "/other" : nil))
        #expect(history.name(100, fd: 8) == "/stays")
        #expect(history.state.descriptor(9, of: history.state.slot(tid: 100))?.kind == .pidfd)
    }

    @Test func aPurgeAsksALittleAtATime() {
        let history = History()
        for tid in Int64(1000)..<1500 { history.clone(tid: tid, result: 0, pid: tid, ptid: 1) }
        var asked = 0
        var most = 0
        for step in 0..<20 {
            let before = asked
            history.state.maintain(nowNs: history.now + 400_000_000_000 + UInt64(step)) { _, _ in
                asked += 1
                return false
            }
            most = max(most, asked - before)
        }
        // The first call only sets the time of the first purge.
        for _ in 0..<20 {
            let before = asked
            history.state.maintain(nowNs: history.now + 800_000_000_000) { _, _ in
                asked += 1
                return false
            }
            most = max(most, asked - before)
        }
        #expect(asked >= 500 && most <= 64)
        #expect(history.state.threadCount == 0)
    }
}

@Suite struct Repairs {
    private func pass(_ history: History, _ rows: RepairRows, alive: Set<Int64> = [], lostImages: Bool = true) -> Set<Int64> {
        var changed: Set<Int64> = []
        history.state.beginRepair()
        history.state.lostDirectories = true
        history.state.repair(rows, lostImages: lostImages, changed: &changed)
        history.state.endRepair(startNs: rows.stampNs)
        while !history.state.continueRepairEnd(isAlive: { tid, _ in alive.contains(tid) }) {}
        history.state.checkInvariants()
        return changed
    }
    private func row(_ tid: Int64, ptid: Int64, _ comm: String) -> ThreadRow {
        var row = ListedTasks.thread(tid, ptid: ptid, comm)
        (row.uid, row.gid) = (0, 0)
        return row
    }

    @Test func whatWasMissedIsThereAndWhatEndedIsGone() {
        let history = History()
        history.clone(tid: 200, result: 0, pid: 200, ptid: 100)
        history.clone(tid: 300, result: 0, pid: 300, ptid: 200)
        history.clone(tid: 301, result: 0, pid: 301, ptid: 1)
        history.openat(tid: 100, fd: 3, "/closed/unseen")
        history.openat(tid: 100, fd: 4, "link/name")  // inode 5, as the event says
        history.openat(tid: 100, fd: 6, "/replaced")
        var rows = RepairRows(stampNs: history.now + 10)
        rows.threads = [
            row(1, ptid: 0, "init"), row(100, ptid: 1, "python"), row(300, ptid: 1, "bash"), row(400, ptid: 100, "new"),
        ]
        rows.descriptors = [
            (
                100,
                [
                    ListedTasks.file(4, "/resolved", inode: 5), ListedTasks.file(5, "/opened/unseen", inode: 8),
                    ListedTasks.file(6, "/now", inode: 99),
                ]
            ), (400, [ListedTasks.file(0, "/dev/tty", inode: 1)]),
        ]
        let changed = pass(history, rows, alive: [301])
        #expect(changed.isSuperset(of: [100, 300, 400]))
        #expect(!history.state.slot(tid: 200).exists && history.state.slot(tid: 301).exists)
        #expect(history.parent(300) == 1 && history.parent(400) == 100)
        #expect(history.comm(100) == "python" && history.cwd(100) == "/w/")
        #expect(history.name(100, fd: 3) == nil && history.name(100, fd: 5) == "/opened/unseen")
        #expect(history.name(100, fd: 4) == "/home/u/link/name" && history.name(100, fd: 6) == "/now")
        #expect(history.name(400, fd: 0) == "/dev/tty")
        let repairs = history.state.repairs
        #expect(repairs.threadsRemoved == 1 && repairs.descriptorsRemoved == 1 && repairs.descriptorsRepaired == 3)
        // What is right is left alone.
        #expect(pass(history, rows, alive: [301]).isEmpty)
        #expect(history.state.repairs.passes == 2)
    }

    @Test func aRowOlderThanAnEventChangesNothing() {
        let history = History()
        var rows = RepairRows(stampNs: history.now + 10)
        rows.threads = [row(100, ptid: 1, "older")]
        rows.descriptors = [(100, [])]
        history.openat(tid: 100, fd: 3, "/younger")
        _ = pass(history, rows, alive: [1, 100])
        #expect(history.comm(100) == "bash" && history.name(100, fd: 3) == "/younger")
        #expect(history.state.repairs.stale == 2)
    }

    /// A process may rename itself and write over its arguments; that is no exec.
    @Test func aNewNameAloneIsNoNewImage() {
        let history = History()
        var first = row(100, ptid: 1, "bash")
        first.exepath = Array("/bin/bash".utf8)
        history.execve(tid: 100, exe: "bash", args: ["-i"], path: "/bin/bash")
        first.comm = Array("innocent".utf8)
        first.args = Array("forged\0".utf8)
        var rows = RepairRows(stampNs: history.now + 10)
        rows.threads = [row(1, ptid: 0, "init"), first]
        _ = pass(history, rows, lostImages: false)
        #expect(history.comm(100) == "bash")
        #expect(history.state.pool[history.state[history.state.slot(tid: 100)].args].array == Array("-i\0".utf8))
    }

    @Test func aNumberUsedAgainUnseenIsAnotherProcess() {
        let history = History()
        history.now = 100_000_000_000
        history.clone(tid: 200, result: 0, pid: 200, ptid: 100)
        history.openat(tid: 200, fd: 9, "/old")
        var fresh = ListedTasks.thread(200, ptid: 1, "fresh")
        fresh.startTimeNs = history.now + 5_000_000_000
        var rows = RepairRows(stampNs: fresh.startTimeNs + 10)
        rows.threads = [row(1, ptid: 0, "init"), row(100, ptid: 1, "bash"), fresh]
        _ = pass(history, rows)
        #expect(history.comm(200) == "fresh" && history.name(200, fd: 9) == nil && history.parent(200) == 1)
    }
}
