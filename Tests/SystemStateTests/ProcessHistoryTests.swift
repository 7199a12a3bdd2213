// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Testing

@testable import SystemState

/// A machine in a few words: each call is one event, admitted and retired.
final class History {
    let state: SystemState
    var builder = EventBuilder()
    var now: UInt64 = 1_000_000_000
    private var bytes: [UInt8] = []
    private(set) var lastName: String?
    private(set) var lastFD: Int64?

    init(textBytesMax: Int = 64 << 20) {
        state = SystemState(threadsMax: 1000, textBytesMax: textBytesMax)
        for (tid, pid, ptid, comm) in [(1, 1, 0, "init"), (100, 100, 1, "bash")] as [(Int64, Int64, Int64, String)] {
            var row = ThreadRow()
            (row.tid, row.pid, row.ptid, row.vtid, row.vpid) = (tid, pid, ptid, tid, pid)
            row.comm = Array(comm.utf8)
            row.exe = Array("/bin/\(comm)".utf8)
            row.cwd = Array("/home/u".utf8)
            (row.uid, row.gid, row.sid) = (0, 0, 100)
            state.thread(row)
        }
        state.finishSnapshot()
    }

    func event(_ type: ppm_event_code, tid: Int64, _ fill: (inout EventBuilder) -> Void) {
        now += 1000
        builder.begin(type: type.code, tid: tid, timestampNs: now)
        fill(&builder)
        bytes.removeAll()
        builder.write(to: &bytes)
        bytes.withUnsafeBytes { raw in
            guard let event = try? EventView(checking: Bytes(raw), cpu: 0) else {
                Issue.record("the builder made an event that does not decode")
                return
            }
            var context = EventContext(event: event)
            state.admit(event, into: &context)
            lastFD = context.fd
            lastName = context.hasDescriptor ? state.pool[context.descriptor.name].string : nil
            state.retire(context)
        }
    }

    /// Both clone events have the same parameters.
    func clone(
        _ type: ppm_event_code = PPME_SYSCALL_CLONE_20_X, tid: Int64, result: Int64, pid: Int64, ptid: Int64, flags: UInt32 = 0
    ) {
        event(type, tid: tid) { e in
            e.append(result)
            e.append(text: "/bin/bash")
            e.append(raw: Array("-c\0".utf8))
            for id in [tid, pid, ptid] { e.append(id) }
            e.append(text: "")
            for value: Int64 in [1024, 0, 0] { e.append(value) }
            for value: UInt32 in [1, 2, 3] { e.append(value) }
            e.append(text: "bash")
            e.append(raw: [])
            e.append(flags)
            for value: UInt32 in [0, 0] { e.append(value) }
            e.append(tid)
            e.append(pid)
            e.append(UInt64(0))
        }
    }

    func execve(tid: Int64, exe: String, args: [String], path: String, cgroups: String = "") {
        event(PPME_SYSCALL_EXECVE_19_X, tid: tid) { e in
            e.append(Int64(0))
            e.append(text: exe)
            e.append(raw: args.flatMap { Array($0.utf8) + [0] })
            for _ in 0..<3 { e.append(tid) }
            e.append(text: "")
            for value: UInt64 in [1024, 0, 0] { e.append(value) }
            for value: UInt32 in [1, 2, 3] { e.append(value) }
            e.append(text: String(path.split(separator: "/").last ?? "?"))
            e.append(raw: cgroups.isEmpty ? [] : Array(cgroups.utf8) + [0])
            e.append(raw: Array("HOME=/root\0".utf8))
            e.append(UInt32(34817))
            e.append(tid)
            e.append(UInt32(1000))
            e.append(UInt32(1))
            for value: UInt64 in [0, 0, 0, 7, 0, 0] { e.append(value) }
            e.append(UInt32(0))
            e.append(text: path)
            e.append(tid)
            e.append(UInt32(0))
            e.append(text: path)
        }
    }

    func openat(tid: Int64, fd: Int64, dirfd: Int64 = -100, _ name: String, flags: UInt32 = 1) {
        event(PPME_SYSCALL_OPENAT_2_X, tid: tid) { e in
            e.append(fd)
            e.append(dirfd)
            e.append(text: name)
            e.append(flags)
            e.append(UInt32(0))
            e.append(UInt32(0))
            e.append(UInt64(5))
        }
    }

    func close(tid: Int64, fd: Int64) {
        event(PPME_SYSCALL_CLOSE_X, tid: tid) { e in
            e.append(Int64(0))
            e.append(fd)
        }
    }

    func unshare(tid: Int64, flags: UInt32) {
        event(PPME_SYSCALL_UNSHARE_X, tid: tid) { e in
            e.append(Int64(0))
            e.append(flags)
        }
    }

    func chdir(tid: Int64, _ path: String) {
        event(PPME_SYSCALL_CHDIR_X, tid: tid) { e in
            e.append(Int64(0))
            e.append(text: path)
        }
    }

    func cwd(_ tid: Int64) -> String { state.cwd(of: state.slot(tid: tid)).string }

    func exit(tid: Int64, reaper: Int64 = 0) {
        event(PPME_PROCEXIT_1_E, tid: tid) { e in
            for _ in 0..<2 { e.append(Int64(0)) }
            e.append(UInt8(0))
            e.append(UInt8(0))
            e.append(reaper)
        }
    }

    func name(_ tid: Int64, fd: Int64) -> String? {
        state.descriptor(fd, of: state.slot(tid: tid)).map { state.pool[$0.name].string }
    }
    func comm(_ tid: Int64) -> String? {
        let slot = state.slot(tid: tid)
        return slot.exists ? state.pool[state[slot].comm].string : nil
    }
    func parent(_ tid: Int64) -> Int64? {
        let parent = state.parent(of: state.slot(tid: tid))
        return parent.exists ? state[parent].tid : nil
    }
}

@Suite struct ProcessHistories {
    @Test(arguments: [false, true]) func aForkIsTheSameInEitherOrder(childFirst: Bool) {
        let history = History()
        history.openat(tid: 100, fd: 3, "notes.txt")
        let steps: [() -> Void] = [
            { history.clone(tid: 100, result: 200, pid: 100, ptid: 1) },
            { history.clone(tid: 200, result: 0, pid: 200, ptid: 100) },
        ]
        for step in childFirst ? steps.reversed() : steps { step() }
        #expect(history.comm(200) == "bash")
        #expect(history.parent(200) == 100)
        #expect(history.name(200, fd: 3) == "/home/u/notes.txt")
        history.close(tid: 200, fd: 3)
        #expect(history.name(200, fd: 3) == nil)
        #expect(history.name(100, fd: 3) == "/home/u/notes.txt")
    }

    @Test func threadsShareDescriptorsAndDirectory() {
        let history = History()
        history.clone(tid: 101, result: 0, pid: 100, ptid: 1, flags: CloneFlag.thread | CloneFlag.files | CloneFlag.fs)
        history.openat(tid: 101, fd: 4, "/etc/hosts")
        #expect(history.name(100, fd: 4) == "/etc/hosts")
        history.event(PPME_SYSCALL_CHDIR_X, tid: 101) { e in
            e.append(Int64(0))
            e.append(text: "../v")
        }
        #expect(history.state.cwd(of: history.state.slot(tid: 100)).string == "/home/v/")
        #expect(history.state.threadCount(of: history.state.slot(tid: 100)) == 2)
        history.exit(tid: 101)
        #expect(history.state.threadCount(of: history.state.slot(tid: 100)) == 1)
        #expect(history.name(100, fd: 4) == "/etc/hosts")
    }

    @Test func anExecChangesTheImageAndClosesWhatWasMarked() {
        let history = History()
        let closeOnExec = OpenFlag.closeOnExec | 1
        history.openat(tid: 100, fd: 3, "/tmp/secret", flags: closeOnExec)
        history.openat(tid: 100, fd: 4, "/tmp/kept")
        let id = String(repeating: "a1", count: 32)
        history.execve(tid: 100, exe: "cat", args: ["/etc/shadow"], path: "/usr/bin/cat", cgroups: "cpu=/docker/\(id)")
        let slot = history.state.slot(tid: 100)
        let record = history.state[slot]
        #expect(history.state.pool[record.exepath].string == "/usr/bin/cat")
        #expect(history.state.pool[record.args].array == Array("/etc/shadow\0".utf8))
        #expect(record.loginuid == 1000 && record.exeWritable)
        #expect(history.state.containerID(of: slot).string == "a1a1a1a1a1a1")
        #expect(history.state.fullContainerID(of: slot).string == id)
        #expect(history.name(100, fd: 3) == nil)
        #expect(history.name(100, fd: 4) == "/tmp/kept")
        history.clone(tid: 300, result: 0, pid: 300, ptid: 100)
        #expect(history.state.containerID(of: history.state.slot(tid: 300)).string == "a1a1a1a1a1a1")
    }

    @Test func anExecEndsTheOtherThreads() {
        let history = History()
        for tid: Int64 in [101, 102] { history.clone(tid: tid, result: 0, pid: 100, ptid: 1, flags: CloneFlag.thread) }
        history.execve(tid: 100, exe: "ls", args: [], path: "/bin/ls")
        #expect(history.state.threadCount(of: history.state.slot(tid: 100)) == 1)
        #expect(!history.state.slot(tid: 101).exists)
    }

    /// The kernel ends the other threads, the first one too, before the caller takes over its number.
    @Test(arguments: [1, 2]) func anExecByAnotherThreadRevivesTheFirst(left: Int64) {
        let history = History()
        for tid in 101...103 { history.clone(tid: Int64(tid), result: 0, pid: 100, ptid: 1, flags: CloneFlag.thread) }
        history.openat(tid: 100, fd: 5, "/etc/kept")
        for tid in stride(from: Int64(103), to: 100 + left, by: -1) { history.exit(tid: tid) }
        history.exit(tid: 100)
        history.execve(tid: 100, exe: "ls", args: [], path: "/bin/ls")
        #expect(history.comm(100) == "ls")
        #expect(history.state.threadCount(of: history.state.slot(tid: 100)) == 1)
        #expect(!history.state.slot(tid: 101).exists)
        history.state.maintain(nowNs: history.now, isAlive: { tid, _ in tid == 100 })
        history.state.maintain(nowNs: history.now + 400_000_000_000, isAlive: { tid, _ in tid == 100 })
        #expect(history.name(100, fd: 5) == "/etc/kept")
        history.exit(tid: 100)
        #expect(!history.state.slot(tid: 100).exists)
        history.state.checkInvariants()
    }

    @Test func anAppendedCaptureStartsOver() {
        let history = History()
        history.state.restart()
        #expect(history.state.isRestarted)
        for (tid, pid) in [(101, 100), (100, 100)] as [(Int64, Int64)] {
            var row = ThreadRow()
            (row.tid, row.pid, row.ptid) = (tid, pid, 1)
            row.cwd = Array("/srv".utf8)
            history.state.thread(row)
        }
        history.state.finishSnapshot()
        #expect(!history.state.isRestarted)
        #expect(!history.state.slot(tid: 1).exists)
        #expect(history.state.threadCount(of: history.state.slot(tid: 101)) == 2)
        history.state.checkInvariants()
    }

    @Test func noTimestampIsTooLarge() {
        let history = History()
        history.now = .max - 50_000
        for _ in 0..<2 {
            history.clone(tid: 200, result: 0, pid: 200, ptid: 100)
            history.clone(tid: 100, result: 200, pid: 100, ptid: 1)
            history.state.maintain(nowNs: history.now, isAlive: nil)
        }
        #expect(history.parent(200) == 100)
    }

    @Test func aClockThatIsSetBackDoesNotPutThePurgeOff() {
        let history = History()
        let then = history.now
        history.state.maintain(nowNs: then + 1_000_000_000_000_000, isAlive: nil)
        history.close(tid: 4242, fd: 1)
        history.state.maintain(nowNs: then, isAlive: nil)
        history.state.maintain(nowNs: then + 40_000_000_000, isAlive: nil)
        #expect(!history.state.slot(tid: 4242).exists)
    }

    @Test func aNumberUsedAgainIsANewProcess() {
        let history = History()
        history.clone(tid: 200, result: 0, pid: 200, ptid: 100)
        history.openat(tid: 200, fd: 9, "/etc/old")
        history.exit(tid: 200)
        #expect(!history.state.slot(tid: 200).exists)
        history.now += 5_000_000_000
        history.clone(tid: 200, result: 0, pid: 200, ptid: 1)
        #expect(history.parent(200) == 1)
        #expect(history.name(200, fd: 9) == nil)
    }

    @Test func aNumberUsedAgainUnseenIsANewProcessToo() {
        let history = History()
        history.clone(tid: 200, result: 0, pid: 200, ptid: 100)
        history.openat(tid: 200, fd: 9, "/etc/old")
        history.now += 5_000_000_000
        history.clone(tid: 200, result: 0, pid: 200, ptid: 1)
        #expect(history.name(200, fd: 9) == nil)
        #expect(history.parent(200) == 1)
    }

    @Test(arguments: [(Int64(1), Int64(1)), (0, 1), (100, 100)]) func orphansGoToTheReaper(told: Int64, expected: Int64) {
        let history = History()
        history.clone(tid: 200, result: 0, pid: 200, ptid: 100)
        history.clone(tid: 300, result: 0, pid: 300, ptid: 200)
        history.exit(tid: 200, reaper: told)
        #expect(history.parent(300) == expected)
    }

    @Test func descriptorsAreDuplicatedAndTurnedIntoSockets() {
        let history = History()
        history.event(PPME_SOCKET_SOCKET_X, tid: 100) { e in
            e.append(Int64(5))
            for value: UInt32 in [2, 1, 0, 0] { e.append(value) }
        }
        #expect(history.lastName == "")
        history.event(PPME_SOCKET_CONNECT_X, tid: 100) { e in
            e.append(Int64(-115))
            e.append(raw: [2, 127, 0, 0, 1, 0x39, 0x30, 10, 0, 0, 7, 0x50, 0])
            e.append(Int64(5))
            e.append(raw: [])
        }
        #expect(history.lastName == "127.0.0.1:12345->10.0.0.7:80")
        history.event(PPME_SYSCALL_DUP2_X, tid: 100) { e in for value: Int64 in [0, 5, 0] { e.append(value) } }
        #expect(history.name(100, fd: 0) == "127.0.0.1:12345->10.0.0.7:80")
        history.close(tid: 100, fd: 5)
        #expect(history.lastName == "127.0.0.1:12345->10.0.0.7:80")
        #expect(history.name(100, fd: 5) == nil)
        #expect(history.state.descriptor(0, of: history.state.slot(tid: 100))?.l4Protocol == 2)
    }

    @Test func pathsOfDirectoryDescriptors() {
        let history = History()
        history.openat(tid: 100, fd: 3, "/etc", flags: OpenFlag.directory | 1)
        history.openat(tid: 100, fd: 4, dirfd: 3, "ssl/../passwd")
        #expect(history.name(100, fd: 4) == "/etc/passwd")
        history.openat(tid: 100, fd: 5, dirfd: 77, "x")
        #expect(history.name(100, fd: 5) == "<UNKNOWN>x")
        history.openat(tid: 100, fd: -2, "/gone")
        #expect(history.name(100, fd: -2) == nil)
    }

    @Test func strangersGetAPlaceholderThatGoesAway() {
        let history = History()
        history.close(tid: 4242, fd: 1)
        #expect(history.comm(4242) == "<NA>")
        history.state.maintain(nowNs: history.now, isAlive: nil)
        history.state.maintain(nowNs: history.now + 40_000_000_000, isAlive: nil)
        #expect(!history.state.slot(tid: 4242).exists)
        #expect(history.state.slot(tid: 100).exists)
    }

    @Test func everyTruncationOfAnEventIsSurvived() {
        let history = History()
        for info in EventTable.events where !info.isUnused {
            for count in 0...info.parameters.count {
                history.event(ppm_event_code(rawValue: UInt32(info.code)), tid: 100) { e in
                    for index in 0..<count {
                        switch index % 3 {
                        case 0:
                            e.append(raw: [UInt8](repeating: UInt8(index), count: info.parameters[index].type.fixedBytes ?? 3))
                        case 1: e.appendEmpty()
                        default: e.append(raw: [1, 2, 3, 4, 5])
                        }
                    }
                }
            }
        }
        #expect(history.state.slot(tid: 1).exists)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4]) func randomHistoriesLeaveTheTableSound(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let history = History()
        for _ in 0..<4000 {
            let tid = Int64.random(in: 100...130, using: &random)
            let other = Int64.random(in: 100...130, using: &random)
            history.now += UInt64.random(in: 0...2_000_000_000, using: &random)
            let flags = UInt32.random(in: 0...3, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 8: history.clone(tid: tid, result: other, pid: tid, ptid: 1, flags: flags)
            case 9: history.unshare(tid: tid, flags: flags)
            case 0: history.clone(tid: tid, result: other, pid: tid, ptid: 1)
            case 1: history.clone(tid: tid, result: 0, pid: tid, ptid: other)
            case 2: history.clone(tid: tid, result: 0, pid: other, ptid: 1, flags: CloneFlag.thread | flags)
            case 3: history.exit(tid: tid, reaper: Bool.random(using: &random) ? other : 0)
            case 4: history.execve(tid: tid, exe: "x", args: ["y"], path: "/bin/x")
            case 5: history.openat(tid: tid, fd: other, "f\(tid)")
            case 6: history.close(tid: tid, fd: other)
            default: history.state.maintain(nowNs: history.now, isAlive: { _, _ in false })
            }
            history.state.checkInvariants()
        }
    }
}

extension SystemState {
    /// Every link is answered by the other side.
    func checkInvariants() {
        var children: [Int32: Int32] = [:]
        var groups: [Int32: Int32] = [:]
        var tables: [Int32: Int] = [:]
        var kept: [Int32: Int] = [:]
        for index in 0..<threads.used where threads.rows[index].isInUse {
            let record = threads.rows[index]
            #expect(threads.find(record.tid).index == Int32(index))
            if record.linkedParent >= 0 {
                let parentIsInUse = threads.rows[Int(record.linkedParent)].isInUse
                #expect(parentIsInUse)
                #expect(threads.rows[Int(record.linkedParent)].tid == record.ptid)
                children[record.linkedParent, default: 0] += 1
            }
            if record.leader.exists {
                let leaderIsInUse = threads.rows[Int(record.leader.index)].isInUse
                #expect(leaderIsInUse)
                if !record.isDead { groups[record.leader.index, default: 0] += 1 }
            }
            tables[record.descriptors, default: 0] += 1
            kept[record.directory, default: 0] += 1
        }
        for (table, holders) in tables { #expect(table >= 0 && descriptors.holders(of: table) == holders) }
        for (directory, holders) in kept { #expect(directory >= 0 && directories.holders(of: directory) == holders) }
        for index in 0..<threads.used where threads.rows[index].isInUse {
            #expect(threads.rows[index].childCount == children[Int32(index)] ?? 0)
            var members: Int32 = 0
            var member = threads.rows[index].firstMember
            while member >= 0, members <= threads.count {
                #expect(threads.rows[Int(member)].leader.index == Int32(index))
                members += 1
                member = threads.rows[Int(member)].nextMember
            }
            if threads.rows[index].leader.index == Int32(index) {
                #expect(members == threads.rows[index].groupThreadCount - (threads.rows[index].isDead ? 0 : 1))
                #expect(threads.rows[index].groupThreadCount == groups[Int32(index)] ?? 0)
            }
        }
    }
}
