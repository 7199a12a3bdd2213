// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Testing

@testable import SystemState

/// What the kernel shares and copies, in the plainest way: every process names a table and a directory.
private struct SharingModel {
    var tables: [Int: [Int64: String]] = [0: [:]]
    var directories: [Int: String] = [0: "/home/u/"]
    var tableOf: [Int64: Int] = [100: 0]
    var directoryOf: [Int64: Int] = [100: 0]
    var next = 1

    mutating func fork(_ parent: Int64, _ child: Int64, _ flags: UInt32) {
        tableOf[child] = flags & CloneFlag.files != 0 ? tableOf[parent]! : copyTable(tableOf[parent]!)
        directoryOf[child] = flags & CloneFlag.fs != 0 ? directoryOf[parent]! : copyDirectory(directoryOf[parent]!)
    }
    mutating func copyTable(_ table: Int) -> Int {
        next += 1
        tables[next] = tables[table]!
        return next
    }
    mutating func copyDirectory(_ directory: Int) -> Int {
        next += 1
        directories[next] = directories[directory]!
        return next
    }
    mutating func unshare(_ tid: Int64, _ flags: UInt32) {
        if flags & CloneFlag.files != 0 { tableOf[tid] = copyTable(tableOf[tid]!) }
        if flags & CloneFlag.fs != 0 { directoryOf[tid] = copyDirectory(directoryOf[tid]!) }
    }
}

@Suite struct Sharing {
    @Test(arguments: [UInt64(21), 22, 23, 24, 25, 26]) func agreesWithTheModel(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let history = History()
        var model = SharingModel()
        var closing: [Int: Set<Int64>] = [:]
        for step in 0..<3000 {
            let tid = model.tableOf.keys.sorted().randomElement(using: &random)!
            let fd = Int64.random(in: 3...12, using: &random)
            let flags = UInt32.random(in: 0...3, using: &random)
            history.now += 2_000_000_000
            switch Int.random(in: 0..<9, using: &random) {
            case 0:
                let child = Int64(1000 + step)
                guard model.tableOf.count < 12 else { break }
                let steps: [() -> Void] = [
                    { history.clone(tid: tid, result: child, pid: tid, ptid: 1, flags: flags) },
                    { history.clone(tid: child, result: 0, pid: child, ptid: tid, flags: flags) },
                ]
                (Bool.random(using: &random) ? steps : steps.reversed()).forEach { $0() }
                model.fork(tid, child, flags)
                closing[model.tableOf[child]!] = closing[model.tableOf[tid]!]
            case 1:
                guard model.tableOf.count > 1 else { break }
                history.exit(tid: tid)
                model.tableOf[tid] = nil
                model.directoryOf[tid] = nil
            case 2, 3:
                let closes = Bool.random(using: &random)
                history.openat(tid: tid, fd: fd, "/f\(step)", flags: closes ? OpenFlag.closeOnExec | 1 : 1)
                model.tables[model.tableOf[tid]!]![fd] = "/f\(step)"
                if closes {
                    closing[model.tableOf[tid]!, default: []].insert(fd)
                } else {
                    closing[model.tableOf[tid]!]?.remove(fd)
                }
            case 4:
                history.close(tid: tid, fd: fd)
                model.tables[model.tableOf[tid]!]![fd] = nil
            case 5:
                history.chdir(tid: tid, "/d\(step)")
                model.directories[model.directoryOf[tid]!] = "/d\(step)/"
            case 6:
                history.unshare(tid: tid, flags: flags)
                let old = model.tableOf[tid]!
                model.unshare(tid, flags)
                closing[model.tableOf[tid]!] = closing[old]
            case 7:
                history.execve(tid: tid, exe: "x", args: [], path: "/bin/x")
                let old = model.tableOf[tid]!
                model.unshare(tid, CloneFlag.files)
                for number in closing[old] ?? [] { model.tables[model.tableOf[tid]!]![number] = nil }
            default:
                let last = Int64.random(in: fd...12, using: &random)
                let unshares = Bool.random(using: &random)
                history.event(PPME_SYSCALL_CLOSE_RANGE_X, tid: tid) { e in
                    e.append(Int64(0))
                    e.append(UInt32(fd))
                    e.append(UInt32(last))
                    e.append(UInt32(unshares ? 2 : 0))
                }
                let old = model.tableOf[tid]!
                if unshares { model.unshare(tid, CloneFlag.files) }
                closing[model.tableOf[tid]!] = closing[old]
                for number in fd...last { model.tables[model.tableOf[tid]!]![number] = nil }
            }
            for (tid, table) in model.tableOf {
                var seen: [Int64: String] = [:]
                history.state.forEachDescriptor(of: history.state.slot(tid: tid)) {
                    seen[$0] = history.state.pool[$1.name].string
                }
                #expect(seen == model.tables[table]!, "thread \(tid) after step \(step)")
                #expect(history.cwd(tid) == model.directories[model.directoryOf[tid]!]!)
            }
        }
        history.state.checkInvariants()
    }

    @Test func aThreadMayHaveATableOfItsOwn() {
        let history = History()
        history.openat(tid: 100, fd: 3, "/a")
        history.clone(tid: 101, result: 0, pid: 100, ptid: 1, flags: CloneFlag.thread | CloneFlag.fs)
        history.clone(tid: 102, result: 0, pid: 100, ptid: 1, flags: CloneFlag.thread | CloneFlag.fs | CloneFlag.files)
        history.close(tid: 101, fd: 3)
        #expect(history.name(101, fd: 3) == nil && history.name(102, fd: 3) == "/a")
        history.unshare(tid: 102, flags: CloneFlag.files)
        history.close(tid: 100, fd: 3)
        #expect(history.name(102, fd: 3) == "/a")
        history.chdir(tid: 102, "/srv")
        #expect(history.cwd(100) == "/srv/")
        history.state.checkInvariants()
    }

    @Test(arguments: [(32, "/", 0), (1 << 20, "/home/u/", (1 << 41) - 1), (0, "/", 0)] as [(UInt32, String, UInt64)])
    func anotherNamespaceIsEntered(type: UInt32, directory: String, capabilities: UInt64) {
        let history = History()
        history.openat(tid: 100, fd: 3, "/proc/77/ns/mnt")
        history.event(PPME_SYSCALL_SETNS_X, tid: 100) { e in
            e.append(Int64(0))
            e.append(Int64(3))
            e.append(type)
        }
        #expect(history.cwd(100) == directory)
        #expect(history.state[history.state.slot(tid: 100)].capEffective == capabilities)
    }

    @Test func anEmptyEnvironmentIsOne() {
        let history = History()
        history.execve(tid: 100, exe: "a", args: [], path: "/bin/a")
        #expect(!history.state[history.state.slot(tid: 100)].env.isEmpty)
    }

    @Test func whatTheKernelMakesCloseOnExecCloses() {
        let history = History()
        history.event(PPME_SYSCALL_EPOLL_CREATE1_X, tid: 100) { e in
            e.append(Int64(5))
            e.append(UInt32(1))
        }
        history.event(PPME_SYSCALL_EVENTFD2_X, tid: 100) { e in
            e.append(Int64(6))
            e.append(UInt16(0))
            e.append(UInt64(0))
        }
        history.event(PPME_SYSCALL_PIDFD_OPEN_X, tid: 100) { e in
            e.append(Int64(7))
            e.append(Int64(1))
            e.append(UInt32(0))
        }
        history.execve(tid: 100, exe: "a", args: [], path: "/bin/a")
        #expect(history.name(100, fd: 5) == nil && history.name(100, fd: 6) != nil && history.name(100, fd: 7) == nil)
    }
}
