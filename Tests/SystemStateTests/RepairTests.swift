// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Testing

@testable import SystemState

/// A state that somebody wants to be wrong: hostile captures, clocks that are set, late events, full tables.
@Suite struct HostileHistories {
    private func told(_ tid: Int64, pid: Int64, _ change: (inout ThreadDetails) -> Void) -> ThreadRow {
        var row = ListedTasks.thread(tid, pid: pid, ptid: 1)
        var details = ThreadDetails()
        change(&details)
        row.details = details
        return row
    }

    /// A recording that calls a main thread with members made up, and dead.
    @Test func whatBelongsToAProcessIsNoPlaceholder() {
        let history = History()
        let state = history.state
        state.restart()
        state.thread(told(100, pid: 100) { _ in })
        state.thread(
            told(200, pid: 200) {
                $0.isPlaceholder = true
                $0.isDead = true
            })
        state.thread(told(201, pid: 200) { _ in })
        state.finishSnapshot()
        history.clone(tid: 200, result: 5, pid: 100, ptid: 1)
        history.exit(tid: 201)
        state.checkInvariants()
        history.execve(tid: 100, exe: "x", args: [], path: "/bin/x")
        state.checkInvariants()
    }

    /// Any rows, any details, any events: the tables stay whole.
    @Test(arguments: [UInt64(41), 42, 43, 44]) func anyRecordedRowsKeepTheTablesWhole(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let history = History()
        for step in 0..<1500 {
            let tid = Int64.random(in: 1...8, using: &random)
            let pid = Int64.random(in: -1...8, using: &random)
            let flags = [UInt32(0), CloneFlag.thread, CloneFlag.files, CloneFlag.thread | CloneFlag.files].randomElement(
                using: &random)!
            history.now += UInt64.random(in: 0...2_000_000_000, using: &random)
            switch Int.random(in: 0..<9, using: &random) {
            case 0...2:
                let (made, dead) = (Bool.random(using: &random), Bool.random(using: &random))
                if step % 200 == 0 { history.state.restart() }
                history.state.thread(
                    told(tid, pid: pid) {
                        ($0.isPlaceholder, $0.isDead) = (made, dead)
                        $0.reaperTid = Int64(step % 9)
                    })
                history.state.descriptors(of: tid)
                if step % 200 == 0 { history.state.finishSnapshot() }
            case 3, 4: history.clone(tid: tid, result: Int64.random(in: 0...8, using: &random), pid: pid, ptid: tid, flags: flags)
            case 5: history.execve(tid: tid, exe: "x", args: [], path: "/bin/x")
            case 6: history.state.gone(tid: tid)
            case 7: history.close(tid: tid, fd: 3)
            default: history.exit(tid: tid, reaper: Int64.random(in: 0...8, using: &random))
            }
        }
        history.state.checkInvariants()
    }

    /// The main thread's end names another thread of the process as the one that gets the children; that one ends, too.
    @Test func childrenGetTheReaperOfTheLastThread() {
        let history = History()
        history.clone(tid: 200, result: 0, pid: 200, ptid: 100)
        history.clone(tid: 201, result: 0, pid: 200, ptid: 100, flags: CloneFlag.thread | CloneFlag.files)
        history.clone(tid: 300, result: 0, pid: 300, ptid: 200)
        history.exit(tid: 200, reaper: 201)
        #expect(history.parent(300) == 200)
        history.exit(tid: 201, reaper: 1)
        #expect(history.parent(300) == 1)
        history.state.checkInvariants()
    }

    /// A caller that was stopped inside its clone tells of a child that has lived for long by then.
    @Test func aLateCallerDoesNotReplaceTheChild() {
        let history = History()
        history.close(tid: 100, fd: 50)
        history.clone(tid: 200, result: 0, pid: 200, ptid: 100)
        history.execve(tid: 200, exe: "daemon", args: [], path: "/bin/daemon")
        history.openat(tid: 200, fd: 3, "/own")
        history.now += 60_000_000_000
        history.clone(tid: 100, result: 200, pid: 100, ptid: 1)
        #expect(history.comm(200) == "daemon" && history.name(200, fd: 3) == "/own")
        // Another child of the same number, long after.
        history.now += 60_000_000_000
        history.clone(tid: 100, result: 200, pid: 100, ptid: 1)
        #expect(history.comm(200) == "bash")
    }

    @Test func farDescriptorsChangeAsNearOnesDo() {
        let history = History()
        for fd in [Int64(1_000_000), 1_000_001] { history.openat(tid: 100, fd: fd, "/far") }
        history.event(PPME_SYSCALL_FCNTL_X, tid: 100) { e in
            e.append(Int64(0))
            e.append(Int64(1_000_000))
            e.append(UInt8(3))  // F_SETFD
            e.append(UInt64(1))
        }
        history.event(PPME_SYSCALL_CLOSE_RANGE_X, tid: 100) { e in
            e.append(Int64(0))
            e.append(UInt32(1_000_001))
            e.append(UInt32(1_000_001))
            e.append(UInt32(4))  // CLOSE_RANGE_CLOEXEC
        }
        for fd in [Int64(1_000_000), 1_000_001] {
            #expect(history.state.descriptor(fd, of: history.state.slot(tid: 100))?.flags.contains(.closeOnExec) == true)
        }
        history.execve(tid: 100, exe: "x", args: [], path: "/bin/x")
        #expect(history.name(100, fd: 1_000_000) == nil && history.name(100, fd: 1_000_001) == nil)
    }

    /// A container without a name is not the host.
    @Test func cgroupsThatFoundNoRoomAreUnknown() {
        let history = History(textBytesMax: 1 << 20)
        let id = String(repeating: "b2", count: 32)
        // No length finds room any more.
        for length in [4000, 1000, 700, 500, 380, 250, 180, 120, 90, 60, 40, 20, 8] {
            let before = history.state.pool.refused
            var index = 0
            while history.state.pool.refused == before {
                index += 1
                _ = (Array("\(index)".utf8) + [UInt8](repeating: 33, count: length)).withBytes { history.state.pool.intern($0) }
            }
        }
        history.execve(tid: 100, exe: "x", args: [], path: "/bin/x", cgroups: "cpu=/docker/\(id)")
        #expect(history.state.containerID(of: history.state.slot(tid: 100)).string == "<NA>")
        #expect(history.state.containerID(of: history.state.slot(tid: 1)).string == "host")
        history.state.sweepPool()
        history.execve(tid: 100, exe: "x", args: [], path: "/bin/x", cgroups: "cpu=/docker/\(id)")
        #expect(history.state.containerID(of: history.state.slot(tid: 100)).string == "b2b2b2b2b2b2")
    }

    @Test func whatChangesADirectoryIsWatched() {
        #expect(StateColumns.directory.systemCalls.isSuperset(of: ["chdir", "fchdir", "chroot", "unshare", "setns"]))
        #expect(StateColumns.descriptors.systemCalls.isSuperset(of: ["unshare", "setns", "close_range", "chdir"]))
    }

    /// Another run's containers, accounts and times are not this one's.
    @Test func anAppendedCaptureStartsOver() {
        let history = History()
        history.event(PPME_USER_ADDED_E, tid: 1) { e in
            for id: UInt32 in [7, 7] { e.append(id) }
            for text in ["joe", "/", "/sh", "c1c1c1c1c1c1"] { e.append(text: text) }
        }
        history.event(PPME_CONTAINER_JSON_E, tid: 1) { e in e.append(text: #"{"container":{"id":"c1c1c1c1c1c1","name":"web"}}"#) }
        func known() -> (user: Bool, container: Bool) {
            let container = Array("c1c1c1c1c1c1".utf8)
            return container.withBytes { id in
                (
                    history.state.containerAccounts.user(7, in: history.state.pool.intern(id)) != nil,
                    history.state.containers.find(id) != nil
                )
            }
        }
        #expect(known() == (true, true))
        history.state.switchTimesNs[0] = 5
        history.state.restart()
        history.state.finishSnapshot()
        #expect(known() == (false, false))
        #expect(history.state.switchTimesNs[0] == 0 && history.state.threadCount == 0 && history.state.descriptorCount == 0)
    }
}

@Suite struct ClocksAndReplays {
    private func pass(_ history: History, _ rows: [ThreadRow]) {
        var found = RepairRows(stampNs: history.now + 10)
        found.threads = rows
        var changed: Set<Int64> = []
        history.state.beginRepair()
        history.state.repair(found, lostImages: false, changed: &changed)
        history.state.endRepair(startNs: found.stampNs)
        while !history.state.continueRepairEnd(isAlive: { _, _ in true }) {}
        history.state.checkInvariants()
    }

    @Test(arguments: [3_600_000_000_000, -3_600_000_000_000]) func aClockThatIsSetMakesNoOtherProcess(by step: Int64) {
        let history = History()
        let offset: UInt64 = 500_000_000_000_000
        history.now = offset + 100_000_000_000
        history.clone(tid: 200, result: 0, pid: 200, ptid: 100)
        let sinceBoot = history.now - offset
        history.openat(tid: 200, fd: 9, "/kept")
        let later = offset &+ UInt64(bitPattern: step)
        history.state.clockWasSet(before: offset, now: later)
        history.now = history.now &+ UInt64(bitPattern: step) + 1_000_000_000
        var row = ListedTasks.thread(200, ptid: 100, "bash", startNs: later + sinceBoot)
        pass(history, [row])
        #expect(history.name(200, fd: 9) == "/kept" && history.state.repairs.stale == 0)
        // A second step: two clocks ago is known, too.
        history.state.clockWasSet(before: later, now: later + 7_000_000_000)
        history.now += 7_000_000_000
        row.startTimeNs += 7_000_000_000
        pass(history, [row])
        #expect(history.name(200, fd: 9) == "/kept")
        // The number was used again in the meantime.
        row.startTimeNs += 30_000_000_000
        history.now += 60_000_000_000
        pass(history, [row])
        #expect(history.name(200, fd: 9) == nil)
        #expect(history.state.repairs.threadsAdded == 1)
    }

    @Test func theEndOfAPassAsksALittleAtATime() {
        let history = History()
        for tid in Int64(1000)..<1500 { history.clone(tid: tid, result: 0, pid: tid, ptid: 1) }
        history.state.beginRepair()
        history.state.endRepair(startNs: history.now + 10)
        var (asked, most, calls) = (0, 0, 0)
        repeat {
            let before = asked
            calls += 1
            let isDone = history.state.continueRepairEnd { _, _ in
                asked += 1
                return false
            }
            most = max(most, asked - before)
            if isDone { break }
            history.close(tid: 100, fd: 70)
        } while calls < 100
        #expect(asked >= 500 && most <= 64 && history.state.repairs.threadsRemoved >= 500 && history.state.repairs.passes == 1)
        history.state.checkInvariants()
    }

    /// What a look-up brought is tied to its leader and its parents in the replay as in the run that was recorded.
    @Test func recordedRowsAreTied() {
        let history = History()
        let state = history.state
        state.thread(ListedTasks.thread(501, pid: 500, ptid: 400))
        state.thread(ListedTasks.thread(500, ptid: 400))
        state.descriptors(of: 500)
        state.descriptor(ListedTasks.file(7, "/log", inode: 9), tid: 500)
        state.thread(ListedTasks.thread(400, ptid: 1))
        history.close(tid: 501, fd: 7)
        #expect(history.lastName == "/log")
        #expect(history.parent(500) == 400 && state.threadCount(of: state.slot(tid: 501)) == 2)
        history.exit(tid: 400, reaper: 1)
        #expect(history.parent(500) == 1 && history.parent(501) == 1)
        state.checkInvariants()
    }

    /// A recorded repair tells everything that a process has.
    @Test func aRecordedRepairThatFoundNothingEmptiesTheTable() throws {
        let live = History()
        live.openat(tid: 100, fd: 3, "/closed/unseen")
        let replay = History()
        replay.openat(tid: 100, fd: 3, "/closed/unseen")
        live.state.descriptors.removeAll(live.state.table(of: live.state.slot(tid: 100)))
        let rows = try #require(live.state.rows(of: 100))
        replay.state.thread(rows.thread)
        replay.state.descriptors(of: 100)
        for row in rows.descriptors { replay.state.descriptor(row, tid: 100) }
        #expect(replay.name(100, fd: 3) == nil)
        replay.openat(tid: 100, fd: 4, "/new")
        // A look-up's list adds to what is known.
        replay.state.descriptors(of: 100)
        replay.state.descriptor(ListedTasks.file(5, "/more", inode: 1), tid: 100)
        #expect(replay.name(100, fd: 4) == "/new" && replay.name(100, fd: 5) == "/more")
        replay.state.checkInvariants()
    }

    /// The local end of a connection that nobody saw begin: server where somebody listens on its port.
    @Test(arguments: [true, false]) func aConnectionFoundLaterHasARole(byRepair: Bool) throws {
        let history = History()
        func socket(_ fd: Int64, _ kind: DescriptorKind, port: UInt16) -> DescriptorRow {
            var row = DescriptorRow()
            (row.fd, row.kind, row.sourcePort, row.l4Protocol) = (fd, kind, port, 2)
            row.sourceAddress = AddressBytes(ipv4NetworkOrder: 0x0100_007f)
            if kind == .ipv4Socket {
                (row.destinationAddress, row.destinationPort) = (AddressBytes(ipv4NetworkOrder: 0x0200_007f), 40_000)
            }
            return row
        }
        let rows = [socket(3, .ipv4Server, port: 80), socket(4, .ipv4Socket, port: 80), socket(5, .ipv4Socket, port: 81)]
        if byRepair {
            var found = RepairRows(stampNs: history.now + 10)
            found.descriptors = [(100, rows)]
            var changed: Set<Int64> = []
            history.state.beginRepair()
            history.state.repair(found, lostImages: false, changed: &changed)
        } else {
            history.state.descriptors(of: 100)
            for row in rows { history.state.descriptor(row, tid: 100) }
        }
        let slot = history.state.slot(tid: 100)
        let server = try #require(history.state.descriptor(4, of: slot))
        #expect(server.flags.contains(.roleServer) && server.sourcePort == 40_000 && server.destinationPort == 80)
        #expect(history.name(100, fd: 4) == "127.0.0.2:40000->127.0.0.1:80")
        #expect(try #require(history.state.descriptor(5, of: slot)).flags.contains(.roleClient))
    }
}
