// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import Capture
import EventModel
import Glibc
import LinuxSystem
import Testing

@testable import CaptureProbe

extension Live {
    @Suite(.timeLimit(.minutes(10))) struct Scope {
        @Test func nothingOutsideTheTreeIsDelivered() throws {
            let outside = try ChildProcess([actions, "flood", "2000"])
            let session = try LiveSession(
                ["/bin/sh", "-c", "\(actions) flood 100; \(actions) flood 100"], interest: InterestSet(named: "openat", "close"))
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
            for _ in 0..<10_000 where child == nil {
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
            let proc = ProcFilesystem()
            let line = Set(sequence(first: child.pid) { proc.parent(of: $0).flatMap { $0 > 0 ? $0 : nil } })
            let before = Set(line.flatMap(proc.threadIDs))
            try source.snapshot(into: sink)
            let report = try #require(source.snapshotReport)
            #expect(report.method == (byIterators ? .iterators : .proc) && report.threads == sink.threads.count)
            print("first scan \(report)")
            #expect(sink.machines == 1 && sink.users > 0)
            let row = try #require(sink.threads.first { $0.tid == child.pid })
            #expect(row.pid == child.pid && row.comm == Array("ProbeActions".utf8))
            #expect(
                row.exe == Array(actions.utf8) && row.args == Array("wait\0for me\0".utf8) && row.env == Array("KEY=value\0".utf8)
            )
            let image = try Files.status(actions)
            #expect(row.uid == geteuid() && row.exeIno == image.inode)
            // The thread of ours that forked, or our main one.
            #expect(ProcFilesystem().thread(row.ptid)?.pid == Int64(getpid()))
            let expected = try #require(ProcFilesystem().thread(child.pid))
            #expect(row.exepath == expected.exepath && row.cwd == expected.cwd && row.root == expected.root)
            #expect(
                row.vtid == expected.vtid && row.vpid == expected.vpid && row.pgid == expected.pgid && row.vpgid == expected.vpgid
            )
            #expect(row.sid == expected.sid && row.tty == expected.tty && row.loginuid == expected.loginuid)
            #expect(row.capEffective == expected.capEffective && row.capPermitted == expected.capPermitted)
            #expect(row.fdlimit == expected.fdlimit && row.cgroups == expected.cgroups)
            #expect(Int64(bitPattern: row.startTimeNs &- expected.startTimeNs).magnitude < 50_000_000)
            #expect(Int64(bitPattern: row.pidnsInitStartNs &- ProcFilesystem().thread(1)!.startTimeNs).magnitude < 50_000_000)
            #expect(row.exeInoMtimeNs == expected.exeInoMtimeNs && row.exeInoCtimeNs == expected.exeInoCtimeNs)
            let descriptors = sink.descriptors.filter { $0.tid == child.pid }
            #expect(descriptors.contains { $0.row.fd == 1 })
            // The ancestors are known, with every thread that lived all the while, and nobody else is.
            let after = Set(line.flatMap(proc.threadIDs))
            #expect(Set(sink.threads.map(\.tid)).isSuperset(of: before.intersection(after)))
            #expect(Set(sink.threads.map(\.pid)).isSubset(of: line))
        }
    }
}
