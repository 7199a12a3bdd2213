// SPDX-License-Identifier: Apache-2.0
import EventModel
import Glibc
import Testing

@testable import LinuxSystem

@Suite struct Errnos {
    @Test(arguments: [
        (EPERM, "EPERM (operation not permitted)"), (ENOENT, "ENOENT (no such file or directory)"),
        (9999, "errno 9999 (unknown error 9999)"),
    ])
    func printsNameAndSentence(_ code: Int32, _ text: String) { #expect(Errno(code).description == text) }
}

@Suite struct FileAccess {
    @Test func appendsAndReadsBack() throws {
        let path = "/tmp/falco-linuxsystem-\(getpid())"
        defer { unlink(path) }
        try Files.write(Array("one\n".utf8), to: path)
        let file = try AppendFile(path)
        try file.append(Array("two\n".utf8))
        #expect(try Files.read(path) == Array("one\ntwo\n".utf8))
        #expect(try Files.read(path, bytesMax: 5) == Array("one\nt".utf8))
        #expect(try Files.status(path).bytes == 8)
    }

    @Test(arguments: [("/nonexistent/file", Errno.notFound), ("/", Errno.isDirectory)])
    func saysWhyItCannotRead(_ path: String, _ reason: Errno) { #expect(throws: reason) { try Files.read(path) } }
}

@Suite struct AccountFiles {
    @Test func parsesPasswdAndLeavesOutWhatIsNoRow() {
        let rows = Accounts.parsePasswd(
            Array(
                "root:x:0:0:root:/root:/bin/bash\n# comment\n\nbroken:x:\nlate:x:4294967296:1:::\nme:x:1000:1001::/home/me:\n"
                    .utf8))
        #expect(rows.map { "\(String(decoding: $0.name, as: UTF8.self)) \($0.uid) \($0.gid)" } == ["root 0 0", "me 1000 1001"])
        #expect(rows[0].shell == Array("/bin/bash".utf8) && rows[1].home == Array("/home/me".utf8))
    }
    @Test func parsesGroup() {
        let rows = Accounts.parseGroup(Array("root:x:0:\nadm:x:4:a,b\nshort\n:x:5:\n".utf8))
        #expect(rows.map { "\(String(decoding: $0.name, as: UTF8.self)) \($0.gid)" } == ["root 0", "adm 4"])
    }
}

@Suite struct Clocks {
    @Test func anchorFollowsOnlyASetClock() {
        var anchor = ClockAnchor(offsetNs: 1_000_000_000)
        let drifted = anchor.adopt(1_000_000_000 + 400_000)
        #expect(!drifted)
        #expect(anchor.epochNs(boottimeNs: 5) == 1_000_000_005)
        let wasSet = anchor.adopt(999_000_000)
        #expect(wasSet)
        #expect(anchor.epochNs(boottimeNs: 5) == 999_000_005 && anchor.reanchored == 1)
    }
    @Test func anchorMeetsTheWallClock() {
        let difference = Int64(bitPattern: ClockAnchor().epochNs(boottimeNs: Clock.boottimeNs) &- Clock.realtimeNs)
        #expect(difference.magnitude < 50_000_000)
    }
}

@Suite struct Children {
    @Test func waitsAtTheGate() throws {
        let path = "/tmp/falco-gate-\(getpid())"
        defer { unlink(path) }
        let child = try ChildProcess(["sh", "-c", "echo ran > \(path); exit 3"])
        Clock.sleep(ms: 30)
        #expect(!Files.exists(path) && child.poll() == nil)
        try child.start()
        #expect(child.wait() == 3)
        #expect(try Files.read(path) == Array("ran\n".utf8))
    }
    @Test func reportsAFailedExec() throws {
        let child = try ChildProcess(["/nonexistent/program"])
        #expect(throws: Errno.notFound) { try child.start() }
        #expect(child.wait() == 127)
    }
    @Test func abandonedAtTheGateRunsNothing() throws {
        let path = "/tmp/falco-abandoned-\(getpid())"
        do { _ = try ChildProcess(["touch", path]) }
        Clock.sleep(ms: 50)
        #expect(!Files.exists(path))
    }
    @Test func tellsTheSignalThatKilled() throws {
        let child = try ChildProcess(["sleep", "60"])
        try child.start()
        child.signal(SIGKILL)
        #expect(child.wait() == 128 + SIGKILL)
    }
}

@Suite struct WaitingForOthers {
    @Test func wakeUpEndsAWaitFromAnotherThread() async throws {
        let wakeUp = try WakeUp()
        let poller = try Poller()
        try poller.add(wakeUp.descriptor, token: 7)
        #expect(try poller.wait(timeoutNs: 1_000_000) == 0)
        await Task.detached { wakeUp.signal() }.value
        #expect(try poller.wait(timeoutNs: 60_000_000_000) == 1)
        #expect(poller.token(0) == 7)
        #expect(wakeUp.consume() && !wakeUp.consume())
    }
}

@Suite struct ProcRows {
    @Test func describesAChild() throws {
        let child = try ChildProcess(["/bin/sh", "-c", "kill -STOP $$", "word"], environment: ["A=1", "PATH=/bin:/usr/bin"])
        try child.start()
        defer {
            child.signal(SIGKILL)
            _ = child.wait()
        }
        let row = try #require(ProcFilesystem().thread(child.pid))
        #expect(row.pid == child.pid && row.tid == child.pid && row.ptid == Int64(getpid()))
        #expect(row.exe == Array("/bin/sh".utf8))
        #expect(row.args == Array("-c\0kill -STOP $$\0word\0".utf8))
        #expect(row.env == Array("A=1\0PATH=/bin:/usr/bin\0".utf8))
        #expect(row.uid == geteuid() && row.vpid > 0 && row.exeIno != 0)
        #expect(row.startTimeNs > 1_500_000_000_000_000_000)
    }

    @Test func describesOwnDescriptors() throws {
        let path = "/tmp/falco-descriptor-\(getpid())"
        defer { unlink(path) }
        let file = try Descriptor(open: path, O_RDWR | O_CREAT | O_APPEND)
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { ends.forEach(closeDescriptor) }
        let proc = ProcFilesystem()
        let pid = Int64(getpid())
        let rows = proc.descriptors(of: pid, sockets: SocketTable(proc, pid: pid))
        let own = try #require(rows.first { $0.fd == Int64(file.number) })
        #expect(own.kind == .fileV2 && own.name == Array(path.utf8))
        #expect(own.openFlags & (3 | 8) == 3 | 8)  // O_RDWR, O_APPEND
        #expect(own.inode == (try Files.status(path).inode))
        #expect(rows.first { $0.fd == Int64(ends[0]) }?.kind == .fifo)
    }

    /// A name may look like the fields behind it.
    @Test(arguments: ["sh", "a b", ") R 1 1 1", "((", "x\ny)", "\u{1}\u{7f}"])
    func parsesAnyName(_ name: String) throws {
        let text = "77 (\(name)) S 5 6 7 8 -1 0 11 0 13 0 0 0 0 0 20 0 1 0 4200 0 0\n"
        let numbers = try #require(ProcFilesystem.statNumbers(Array(text.utf8)))
        #expect(numbers.name == Array(name.utf8))
        #expect(numbers.parent == 5 && numbers.processGroup == 6 && numbers.session == 7 && numbers.tty == 8)
        #expect(numbers.minorFaults == 11 && numbers.majorFaults == 13 && numbers.startTicks == 4200)
        for length in 0..<text.utf8.count { _ = ProcFilesystem.statNumbers(Array(text.utf8.prefix(length))) }
    }

    @Test func goneProcessIsNoRow() { #expect(ProcFilesystem().thread(1 << 40) == nil) }

    @Test(arguments: [
        ("0::/a/b\n", "cpuset=/a/b cpu=/a/b cpuacct=/a/b io=/a/b memory=/a/b"),
        ("4:memory:/m\n3:cpu,cpuacct:/c\n0::/u\n", "cpuset=/u cpu=/c cpuacct=/c io=/u memory=/m"),
        ("9:blkio:/x:y\n", "io=/x:y"), ("", ""), ("garbage\n::\n", "cpuset= cpu= cpuacct= io= memory="),
    ])
    func mapsControlGroups(_ text: String, _ expected: String) {
        let found = ProcFilesystem.cgroups(Array(text.utf8)).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        #expect(found.joined(separator: " ") == expected)
    }

    @Test func readsEndpoints() throws {
        let v4 = try #require(SocketTable.endpoint(Array("0100007F:1F90".utf8)[...], isIPv6: false))
        #expect(v4.port == 8080 && v4.address.ipv4NetworkOrder == 0x0100_007f)
        let v6 = try #require(SocketTable.endpoint(Array("00000000000000000000000001000000:0016".utf8)[...], isIPv6: true))
        #expect(v6.port == 22 && v6.address == AddressBytes(high: 0, low: 1 << 56))
        #expect(SocketTable.endpoint(Array("0100007F".utf8)[...], isIPv6: false) == nil)
    }
}

@Suite struct MachineFacts {
    @Test(arguments: [("0-3\n", [0, 1, 2, 3]), ("0,2-3,9", [0, 2, 3, 9]), ("5-2", []), ("", [])])
    func readsCPULists(_ text: String, _ expected: [Int]) { #expect(Machine.numbers(inList: Array(text.utf8)) == expected) }
    @Test func loopbackIsAnInterface() {
        #expect(Machine.interfaces().contains { !$0.isIPv6 && $0.address.ipv4NetworkOrder == 0x0100_007f })
    }

    /// Addresses written as numbers need nobody to look them up.
    @Test func hostLookup() {
        let four = HostLookup.addresses(of: "127.0.0.2")
        #expect(four.count == 1 && four[0].address == AddressBytes(ipv4NetworkOrder: 0x0200_007f) && !four[0].isIPv6)
        let six = HostLookup.addresses(of: "::1")
        #expect(six.count == 1 && six[0].address == AddressBytes(high: 0, low: 1 << 56) && six[0].isIPv6)
        #expect(HostLookup.addresses(of: "not a host name").isEmpty)
    }
}
