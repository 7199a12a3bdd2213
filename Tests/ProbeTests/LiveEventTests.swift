// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import Glibc
import LinuxSystem
import Testing

@testable import CaptureProbe

extension Live {
    @Suite(.timeLimit(.minutes(10))) struct Events {
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
                named: "chdir", "mkdir", "mkdirat", "chmod", "fchmodat", "chown", "link", "symlink", "symlinkat", "rename",
                "renameat2", "unlink",
                "unlinkat", "rmdir")
            let session = try run(["files", scratch.path], interest)
            let rows: [(String, [(String, String)])] = [
                ("chdir", [("path", scratch.path)]), ("mkdir", [("path", "made")]), ("mkdirat", [("path", "made/at")]),
                ("chmod", [("filename", "file")]), ("fchmodat", [("filename", "file")]), ("chown", [("path", "file")]),
                ("link", [("oldpath", "file"), ("newpath", "hard")]), ("symlink", [("target", "file"), ("linkpath", "soft")]),
                ("symlinkat", [("target", "file"), ("linkpath", "soft2")]),
                ("rename", [("oldpath", "file"), ("newpath", "renamed")]),
                ("renameat2", [("oldpath", "renamed"), ("newpath", "again")]), ("unlink", [("path", "again")]),
                ("unlinkat", [("name", "hard")]),
                ("unlink", [("path", "soft")]), ("unlink", [("path", "soft2")]), ("rmdir", [("path", "made/at")]),
                ("rmdir", [("path", "made")]),
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
            #expect(
                tuple.count == 13 && tuple[0] == 2 && Array(tuple[1..<5]) == [127, 0, 0, 1]
                    && Array(tuple[7..<11]) == [127, 0, 0, 1])
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

        /// A call that is wanted is wanted of the 32-bit entry too, and no other behind the same number.
        @Test func aWantedCallIsSeenByEitherEntry() throws {
            let scratch = Scratch()
            let session = try run(["entries", scratch.path + "/file"], InterestSet(named: "open", "connect"))
            let calls = session.events.filter { $0.name != "procexit" }
            #expect(calls.map(\.name) == ["open", "open", "connect", "connect"])
            #expect(calls.prefix(2).allSatisfy { $0.text("name") == scratch.path + "/file" })
            #expect(calls.suffix(2).allSatisfy { $0.integer("res") == Int64(-EBADF) })
            #expect(session.source.counters.dropsByReason["ia32"] == 0)
        }

        @Test func theLongestSnaplenFitsIntoAnEvent() throws {
            let session = try LiveSession([actions, "big"], interest: InterestSet(named: "write", "writev"), ringBytes: 1 << 20) {
                $0.snaplen = UInt32(PROBE_SNAPLEN_MAX)
            }
            try session.run()
            try #require(session.child.wait() == 0)
            let calls = session.events.filter { $0.name != "procexit" }
            #expect(calls.map(\.name) == ["write", "writev", "write"])
            #expect(calls.map { $0.raw("data")?.count } == [65000, 65000, 64999])
            #expect(calls.allSatisfy { $0.raw("data")?.allSatisfy { $0 == UInt8(ascii: "b") } ?? false })
            #expect(session.source.counters.drops == 0)
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
            #expect(exec.text("comm") == "ProbeActions" && exec.text("filename") == actions)
            // The thread of ours that forked.
            #expect(ProcFilesystem().thread(exec.integer("ptid") ?? -1)?.pid == Int64(getpid()))
            let image = try Files.status(actions)
            #expect(exec.integer("uid") == Int64(getuid()) && exec.integer("exe_ino") == Int64(image.inode))
            // Every fork told by both sides.
            let parents = events.filter {
                ["fork", "clone", "clone3", "vfork"].contains($0.name) && $0.tid == main && ($0.integer("res") ?? 0) > 0
            }
            #expect(parents.count == 4, "fork, fork, vfork, thread")
            for parent in parents {
                let child = parent.integer("res")!
                let told = try #require(
                    events.first { $0.tid == child && $0.integer("res") == 0 && $0.info.parameterIndex("ptid") != nil })
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
            let session = try run(
                ["descriptors"], InterestSet(named: "pipe2", "dup", "dup2", "dup3", "fcntl", "close", "memfd_create"))
            func first(_ name: String) throws -> RecordedEvent {
                try #require(session.events.last { $0.name == name }, "\(name)")
            }
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
            let session = try run(
                ["identity"], InterestSet(named: "setuid", "setgid", "setresuid", "chdir", "prctl", "kill", "getppid", "setsid"))
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
}
