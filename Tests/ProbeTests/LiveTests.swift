// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import Glibc
import LinuxSystem
import Testing

@testable import CaptureProbe

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

@Suite(.serialized, .enabled(if: liveObstacle == nil, "the kernel refuses BPF here"), .timeLimit(.minutes(2)))
struct LiveProbe {
    @Test func opensCarryPathFlagsAndResult() throws {
        let scratch = Scratch()
        let path = scratch.path + "/file"
        let session = try run(["open", path], InterestSet(named: "open", "openat", "openat2", "creat"))
        let mine = session.events.filter { $0.text("name")?.hasSuffix("file") ?? false }
        #expect(mine.map(\.name) == ["creat", "open", "openat", "openat", "openat2", "openat"])
        try #require(mine.count == 6)
        #expect(mine[0].text("name") == path && mine[0].integer("mode") == 0o604)
        #expect(flags(mine[1], "flags").isSuperset(of: ["O_WRONLY", "O_APPEND"]))
        #expect(mine[2].integer("dirfd") == -100 && mine[2].integer("mode") == 0o640)
        #expect(flags(mine[2], "flags").isSuperset(of: ["O_RDWR", "O_CREAT", "O_TRUNC"]))
        let status = try Files.status(path)
        #expect(mine[2].integer("ino") == Int64(status.inode) && mine[2].integer("dev") == Int64(status.device))
        #expect(mine[3].text("name") == "file" && mine[3].integer("dirfd") == session.directoryDescriptor(scratch.path))
        #expect(mine[4].text("name") == path && (mine[4].integer("fd") ?? -1) > 2)
        #expect(mine[5].text("name") == "/nonexistent/file" && mine[5].integer("fd") == Int64(-ENOENT))
    }

    @Test func filesAreChangedByTheNamesPassed() throws {
        let scratch = Scratch()
        let interest = InterestSet(
            named: "chdir", "mkdir", "mkdirat", "chmod", "fchmodat", "chown", "link", "symlink", "symlinkat", "rename", "renameat2", "unlink",
            "unlinkat", "rmdir")
        let session = try run(["files", scratch.path], interest)
        let rows: [(String, [(String, String)])] = [
            ("chdir", [("path", scratch.path)]), ("mkdir", [("path", "made")]), ("mkdirat", [("path", "made/at")]),
            ("chmod", [("filename", "file")]), ("fchmodat", [("filename", "file")]), ("chown", [("path", "file")]),
            ("link", [("oldpath", "file"), ("newpath", "hard")]), ("symlink", [("target", "file"), ("linkpath", "soft")]),
            ("symlinkat", [("target", "file"), ("linkpath", "soft2")]), ("rename", [("oldpath", "file"), ("newpath", "renamed")]),
            ("renameat2", [("oldpath", "renamed"), ("newpath", "again")]), ("unlink", [("path", "again")]), ("unlinkat", [("name", "hard")]),
            ("unlink", [("path", "soft")]), ("unlink", [("path", "soft2")]), ("rmdir", [("path", "made/at")]), ("rmdir", [("path", "made")]),
        ]
        let calls = session.events.filter { $0.name != "procexit" }
        #expect(calls.map(\.name) == rows.map(\.0))
        for (event, row) in zip(calls, rows) where event.name == row.0 {
            for (parameter, value) in row.1 { #expect(event.text(parameter) == value, "\(row.0).\(parameter)") }
            #expect(event.integer("res") == 0, "\(row.0)")
        }
    }

    @Test func connectionsCarryBothEnds() throws {
        let interest = InterestSet(
            named: "socket", "bind", "listen", "connect", "accept4", "sendto", "recvfrom", "read", "write", "close")
        let session = try run(["inet"], interest)
        func only(_ name: String) -> [RecordedEvent] { session.events.filter { $0.name == name } }
        let connects = only("connect")
        try #require(connects.count == 2)
        let tuple = try #require(connects[0].raw("tuple"))
        #expect(connects[0].integer("res") == 0)
        // family, source address and port, destination address and port
        #expect(tuple.count == 13 && tuple[0] == 2 && Array(tuple[1..<5]) == [127, 0, 0, 1] && Array(tuple[7..<11]) == [127, 0, 0, 1])
        let bound = try #require(only("bind").first)
        #expect(bound.integer("res") == 0 && bound.raw("addr")?.prefix(5) == [2, 127, 0, 0, 1])
        let accepted = try #require(only("accept4").first)
        // The server sees the same pair of ends.
        #expect(accepted.raw("tuple") == tuple && (accepted.integer("fd") ?? -1) > 2)
        #expect(connects[1].integer("res") == Int64(-ECONNREFUSED))
        let refused = try #require(connects[1].raw("addr"))
        #expect(refused == [2, 127, 0, 0, 1, 1, 0])
        #expect(only("sendto").contains { $0.raw("data") == Array("hello".utf8) && $0.integer("res") == 5 })
        #expect(only("recvfrom").contains { $0.raw("data") == Array("hello".utf8) && $0.integer("size") == 16 })
        #expect(only("write").contains { $0.raw("data") == Array("answer".utf8) })
        #expect(only("read").contains { $0.raw("data") == Array("answer".utf8) })
        #expect(only("listen").first?.integer("backlog") == 5)
        #expect(flags(try #require(only("socket").dropFirst().first), "domain").contains("AF_INET"))
    }

    @Test func unixSocketsCarryTheirPath() throws {
        let scratch = Scratch()
        let path = scratch.path + "/socket"
        let session = try run(["unix", path], InterestSet(named: "bind", "connect", "socketpair"))
        let connect = try #require(session.events.first { $0.name == "connect" })
        let tuple = try #require(connect.raw("tuple"))
        #expect(tuple.first == 1 && tuple.dropFirst(17).elementsEqual(Array(path.utf8) + [0]))
        let bind = try #require(session.events.first { $0.name == "bind" })
        #expect(bind.raw("addr") == [1] + Array(path.utf8) + [0])
        #expect(session.events.contains { $0.name == "socketpair" && $0.integer("res") == 0 })
    }

    @Test func processesStartAndEnd() throws {
        let session = try run(["process"], InterestSet(named: "execve", "clone", "clone3", "fork", "vfork"))
        let events = session.events
        let main = session.child.pid
        // The action's own start.
        let exec = try #require(events.first { $0.name == "execve" && $0.tid == main })
        #expect(exec.integer("res") == 0 && exec.text("exe") == actions && exec.list("args") == ["process"])
        #expect(exec.text("comm") == "ProbeActions" && exec.text("filename") == actions && exec.integer("ptid") == Int64(getpid()))
        let image = try Files.status(actions)
        #expect(exec.integer("uid") == Int64(getuid()) && exec.integer("exe_ino") == Int64(image.inode))
        // Every fork told by both sides.
        let parents = events.filter { ["fork", "clone", "clone3", "vfork"].contains($0.name) && $0.tid == main && ($0.integer("res") ?? 0) > 0 }
        #expect(parents.count == 4, "fork, fork, vfork, thread")
        for parent in parents {
            let child = parent.integer("res")!
            let told = try #require(events.first { $0.tid == child && $0.integer("res") == 0 && $0.info.parameterIndex("ptid") != nil })
            #expect(told.integer("tid") == child && told.text("comm") == "ProbeActions" && told.text("exe") == actions)
        }
        let shell = try #require(events.first { $0.name == "execve" && $0.text("exe") == "shell" })
        #expect(shell.list("args") == ["-c", "exit 5"] && shell.integer("ptid") == main)
        // status is wait's word: code in the second byte, signal in the first.
        let exits = Dictionary(grouping: events.filter { $0.name == "procexit" }, by: \.tid).mapValues { $0[0] }
        #expect(exits.values.contains { $0.integer("status") == 7 << 8 && $0.integer("ret") == 7 && $0.integer("sig") == 0 })
        #expect(exits.values.contains { $0.integer("sig") == Int64(SIGTERM) })
        #expect(exits[shell.tid]?.integer("ret") == 5)
        #expect(exits.count == 5 && exits[main]?.integer("status") == 0)
    }

    @Test func descriptorsAreMadeAndCopied() throws {
        let session = try run(["descriptors"], InterestSet(named: "pipe2", "dup", "dup2", "dup3", "fcntl", "close", "memfd_create"))
        func first(_ name: String) throws -> RecordedEvent { try #require(session.events.last { $0.name == name }, "\(name)") }
        let pipe = try first("pipe2")
        let ends = (try #require(pipe.integer("fd1")), try #require(pipe.integer("fd2")))
        #expect(pipe.integer("res") == 0 && ends.1 == ends.0 + 1 && flags(pipe, "flags").contains("O_CLOEXEC"))
        #expect(try first("dup2").integer("oldfd") == ends.0 && first("dup2").integer("newfd") == 50)
        #expect(try first("dup3").integer("newfd") == 51 && flags(first("dup3"), "flags").contains("O_CLOEXEC"))
        let duplicate = try #require(session.events.last { $0.name == "fcntl" && $0.integer("fd") == ends.0 })
        #expect(duplicate.integer("res") == 60 && duplicate.integer("arg") == 60)
        #expect(session.events.contains { $0.name == "close" && $0.integer("fd") == 50 && $0.integer("res") == 0 })
        #expect(try first("memfd_create").text("name") == "named")
    }

    @Test func identityAndOtherCalls() throws {
        let session = try run(["identity"], InterestSet(named: "setuid", "setgid", "setresuid", "chdir", "prctl", "kill", "getppid", "setsid"))
        func one(_ name: String) throws -> RecordedEvent { try #require(session.events.last { $0.name == name }, "\(name)") }
        #expect(try one("setuid").integer("uid") == Int64(getuid()) && one("setgid").integer("gid") == Int64(getgid()))
        #expect(try one("chdir").text("path") == "/usr")
        #expect(try one("prctl").text("arg2_str") == "renamed")
        #expect(try one("kill").integer("pid") == session.child.pid && one("kill").integer("sig") == 0)
        let leader = try one("setsid")
        #expect(leader.integer("res") == leader.tid && leader.tid != session.child.pid)
        // A call without an event of its own names itself.
        let generic = try #require(session.events.last { $0.type == PPME_GENERIC_X.code })
        let code = try #require(EventTable.syscalls.first { $0.name == "getppid" }).sc
        #expect(generic.integer("ID") == Int64(code))
    }
}

@Suite(.serialized, .enabled(if: liveObstacle == nil, "the kernel refuses BPF here"), .timeLimit(.minutes(2)))
struct LiveScope {
    @Test func nothingOutsideTheTreeIsDelivered() throws {
        let outside = try ChildProcess([actions, "flood", "2000"])
        let session = try LiveSession(["/bin/sh", "-c", "\(actions) flood 100; \(actions) flood 100"], interest: InterestSet(named: "openat", "close"))
        try outside.start()
        try session.run()
        #expect(outside.wait() == 0)
        var tree: Set<Int64> = [session.child.pid]
        var everything = InterestSet(named: "openat", "close", "fork", "vfork", "clone")
        everything.events = []
        // The children's ids are known from their exits: the shell starts two.
        let exited = Set(session.events.filter { $0.name == "procexit" }.map(\.tid))
        #expect(exited.count == 3 && !exited.contains(outside.pid))
        tree.formUnion(exited)
        #expect(session.events.allSatisfy { tree.contains($0.tid) })
        #expect(session.events.filter { $0.name == "openat" && $0.text("name") == "/dev/null" }.count == 200)
    }

    @Test func existingDescendantsEnterWithTheirTree() throws {
        let parent = try ChildProcess(["/bin/sh", "-c", "\(actions) wait; exit 0"])
        try parent.start()
        defer {
            parent.signal(SIGKILL)
            _ = parent.wait()
        }
        let proc = ProcFilesystem()
        var child: Int64?
        for _ in 0..<200 where child == nil {
            child = proc.parents().first { $0.parent == parent.pid }?.pid
            Clock.sleep(ms: 5)
        }
        let waiting = try #require(child)
        var options = ProbeOptions()
        options.ringBytes = 1 << 16
        options.scope = .tree(pids: [parent.pid])
        let source = try ProbeSource(options)
        try source.setInterest(InterestSet())
        try source.attach()
        #expect(source.livingInScope == [parent.pid, waiting])
        #expect(!source.isSysExitAttached)
        kill(pid_t(waiting), SIGKILL)
        #expect(parent.wait() == 0)
        source.finish()
        let batch = EventBatch()
        var ended: Set<Int64> = []
        while try source.nextBatch(into: batch, waitMs: 100) != .end { for event in batch.events { ended.insert(event.tid) } }
        #expect(ended == [parent.pid, waiting])
    }

    @Test(arguments: [true, false]) func firstScanDescribesTheTree(byIterators: Bool) throws {
        let child = try ChildProcess([actions, "wait", "for me"], environment: ["KEY=value"])
        try child.start()
        defer {
            child.signal(SIGKILL)
            _ = child.wait()
        }
        var options = ProbeOptions()
        options.ringBytes = 1 << 16
        options.scope = .tree(pids: [child.pid])
        options.useIterators = byIterators
        let source = try ProbeSource(options)
        try source.attach()
        let sink = RecordingSink()
        try source.snapshot(into: sink)
        let report = try #require(source.snapshotReport)
        #expect(report.method == (byIterators ? .iterators : .proc) && report.threads == sink.threads.count)
        #expect(sink.machines == 1 && sink.users > 0)
        let row = try #require(sink.threads.first { $0.tid == child.pid })
        #expect(row.pid == child.pid && row.ptid == Int64(getpid()) && row.comm == Array("ProbeActions".utf8))
        #expect(row.exe == Array(actions.utf8) && row.args == Array("wait\0for me\0".utf8) && row.env == Array("KEY=value\0".utf8))
        let image = try Files.status(actions)
        #expect(row.uid == geteuid() && row.exeIno == image.inode)
        let expected = try #require(ProcFilesystem().thread(child.pid))
        #expect(row.exepath == expected.exepath && row.cwd == expected.cwd && row.root == expected.root)
        #expect(row.vtid == expected.vtid && row.vpid == expected.vpid && row.pgid == expected.pgid && row.vpgid == expected.vpgid)
        #expect(row.sid == expected.sid && row.tty == expected.tty && row.loginuid == expected.loginuid)
        #expect(row.capEffective == expected.capEffective && row.capPermitted == expected.capPermitted)
        #expect(row.fdlimit == expected.fdlimit && row.cgroups == expected.cgroups)
        #expect(Int64(bitPattern: row.startTimeNs &- expected.startTimeNs).magnitude < 50_000_000)
        #expect(row.exeInoMtimeNs == expected.exeInoMtimeNs && row.exeInoCtimeNs == expected.exeInoCtimeNs)
        let descriptors = sink.descriptors.filter { $0.tid == child.pid }
        #expect(descriptors.contains { $0.row.fd == 1 })
        // The ancestors are known by name, and nobody else is.
        let known = Set(sink.threads.map(\.pid))
        if byIterators { #expect(known.contains(Int64(getpid()))) }
        var line: Set<Int64> = [child.pid]
        var next = ProcFilesystem().parent(of: child.pid)
        while let pid = next, pid > 0 {
            line.insert(pid)
            next = ProcFilesystem().parent(of: pid)
        }
        #expect(known.isSubset(of: line))
    }
}

@Suite(.serialized, .enabled(if: liveObstacle == nil, "the kernel refuses BPF here"), .timeLimit(.minutes(2)))
struct LiveRings {
    /// A tiny ring and a reader that does not read: what is lost is counted, what is delivered is whole and in order.
    @Test func lossIsCounted() throws {
        let session = try LiveSession([actions, "flood", "50000"], interest: InterestSet(named: "openat"), ringBytes: 1 << 16)
        try session.child.start()
        #expect(session.child.wait() == 0)
        session.source.finish()
        let batch = EventBatch(capacity: 100)
        var delivered: UInt64 = 0
        var last: UInt64 = 0
        while try session.source.nextBatch(into: batch, waitMs: 10) != .end {
            #expect(batch.events.count <= 100)
            for event in batch.events {
                #expect(event.timestampNs >= last)
                last = event.timestampNs
                delivered += 1
            }
        }
        let counters = session.source.counters
        #expect(counters.events > 50_000 && counters.drops > 0 && delivered > 100)
        #expect(delivered + counters.drops == counters.events)
        #expect(counters.dropsByReason["ring_full"] == counters.drops && counters.malformed == 0)
        #expect((counters.dropsByClass["open"] ?? 0) + (counters.dropsByClass["proc"] ?? 0) == counters.drops)
        #expect(counters.eventsByCPU.reduce(0, +) == counters.events)
    }

    /// 100 000 opens read as they come: all of them, in order, over one ring and over one for each CPU.
    @Test(arguments: [0, 1]) func floodIsDrained(cpusForEachBuffer: Int) throws {
        let count = 100_000
        let session = try LiveSession(
            [actions, "flood", "\(count)"], interest: InterestSet(named: "openat"), ringBytes: 8 << 20, cpusForEachBuffer: cpusForEachBuffer)
        try session.child.start()
        let batch = EventBatch()
        var opens = 0
        var last: UInt64 = 0
        var finished = false
        let startNs = Clock.monotonicNs
        while try session.source.nextBatch(into: batch, waitMs: 20) != .end {
            for event in batch.events {
                if event.type == PPME_SYSCALL_OPENAT_2_X.code, let name = event.text(2), name == "/dev/null" { opens += 1 }
                #expect(event.timestampNs >= last)
                last = event.timestampNs
            }
            if !finished, session.child.poll() != nil {
                session.source.finish()
                finished = true
            }
        }
        let milliseconds = (Clock.monotonicNs - startNs) / 1_000_000
        let counters = session.source.counters
        print("flood: \(opens) of \(count) opens in \(milliseconds) ms, \(counters.drops) lost, \(session.source.ringCount) rings")
        #expect(UInt64(opens) + counters.drops >= UInt64(count))
        #expect(counters.drops == 0 && opens == count)
    }

    @Test func idleReaderIsWokenByAnEventAndByWake() throws {
        let session = try LiveSession([actions, "flood", "1"], interest: InterestSet(named: "openat"))
        let batch = EventBatch()
        #expect(try session.source.nextBatch(into: batch, waitMs: 60) == .idle)
        let wakeUp = session.source.wakeUp
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(wakeUp)
        pthread_create(&thread, nil, { raw in
            Clock.sleep(ms: 50)
            Unmanaged<WakeUp>.fromOpaque(raw!).takeRetainedValue().signal()
            return nil
        }, argument.toOpaque())
        var startNs = Clock.monotonicNs
        #expect(try session.source.nextBatch(into: batch, waitMs: 10_000) == .idle)
        #expect(Clock.monotonicNs - startNs < 2_000_000_000)
        pthread_join(thread, nil)
        try session.child.start()
        startNs = Clock.monotonicNs
        #expect(try session.source.nextBatch(into: batch, waitMs: 10_000) == .events)
        #expect(Clock.monotonicNs - startNs < 2_000_000_000)
        #expect(batch.events.first.map { abs(Int64($0.timestampNs) - Int64(Clock.realtimeNs)) < 5_000_000_000 } == true)
        _ = session.child.wait()
    }

    @Test func interestMayChangeWhileItRuns() throws {
        let session = try LiveSession([actions, "flood", "10"], interest: InterestSet())
        #expect(!session.source.isSysExitAttached)
        try session.source.setInterest(InterestSet(named: "close"))
        #expect(session.source.isSysExitAttached)
        let events = try session.run()
        #expect(events.filter { $0.name == "close" }.count >= 10 && !events.contains { $0.name == "openat" })
    }
}

extension LiveSession {
    /// Number that the tree's process got for a directory.
    func directoryDescriptor(_ path: String) -> Int64? { events.last { $0.name == "openat" && $0.text("name") == path }?.integer("fd") }
}
