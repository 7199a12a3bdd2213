// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Testing

@testable import Fields

@Suite struct ProcessFieldTests {
    @Test(arguments: [
        ("proc.name", "bash"), ("proc.exe", "-bash"), ("proc.exepath", "/usr/bin/bash"), ("proc.args", "-l two words"),
        ("proc.args[1]", "two words"),
        ("proc.args[2]", "<NA>"), ("proc.cmdline", "bash -l two words"), ("proc.exeline", "-bash -l two words"),
        ("proc.cmdnargs", "2"),
        ("proc.cmdlenargs", "11"), ("proc.env", "HOME=/home/bash LEVEL=20"), ("proc.env[LEVEL]", "20"), ("proc.env[LEV]", ""),
        ("proc.cwd", "/srv/"),
        ("proc.pid", "20"), ("proc.vpid", "1020"), ("proc.ppid", "10"), ("proc.pvpid", "1010"), ("proc.pname", "sshd"),
        ("proc.pexe", "/usr/sbin/sshd"),
        ("proc.pexepath", "/usr/bin/sshd"), ("proc.pcmdline", "sshd -D"), ("proc.aname[0]", "bash"), ("proc.aname[2]", "init"),
        ("proc.aname[3]", "<NA>"),
        ("proc.aname", "(sshd,init)"), ("proc.apid", "(10,1)"), ("proc.apid[1]", "10"), ("proc.acmdline[1]", "sshd -D"),
        ("proc.aargs[1]", "-D"),
        ("proc.aenv[LEVEL]", "10"), ("proc.aenv[UNSET]", ""), ("proc.exe_ino", "<NA>"), ("proc.exe_ino.ctime", "<NA>"),
        ("proc.pidns_init_start_ts", "<NA>"), ("proc.aenv[1]", "HOME=/home/sshd LEVEL=10"), ("proc.loginshellid", "20"),
        ("proc.sid", "20"),
        ("proc.sname", "bash"), ("proc.pgid", "20"), ("proc.is_pgid_leader", "true"), ("proc.is_sid_leader", "false"),
        ("proc.is_vpgid_leader", "true"),
        ("proc.duration", "5000000000"), ("proc.pid.ts", "1599999995123456789"), ("proc.fdopencount", "2"),
        ("proc.fdlimit", "1024"),
        ("proc.fdusage", "0.2"), ("proc.stdin.type", "pipe"), ("proc.stdin.name", "pipe:[7]"), ("proc.stdout.type", "<NA>"),
        ("proc.nthreads", "2"),
        ("proc.nchilds", "1"), ("thread.tid", "20"), ("thread.vtid", "1020"), ("thread.ismain", "true"),
        ("thread.cgroups", "cpu=/a memory=/b"),
        ("thread.cgroup.memory", "/b"), ("thread.cgroup.cpuset", "<NA>"), ("thread.nametid", "bash20"),
        ("thread.cap_effective", "CAP_CHOWN CAP_LINUX_IMMUTABLE CAP_NET_BROADCAST"), ("thread.cpu", "<NA>"),
        ("thread.exectime", "0"),
        ("user.uid", "1000"), ("user.name", "ada"), ("user.homedir", "/home/ada"), ("user.shell", "/bin/zsh"),
        ("user.loginuid", "-1"),
        ("user.loginname", "<NA>"), ("group.gid", "1000"), ("group.name", "lab"),
    ])
    func shell(field: String, text: String) throws {
        #expect(try Machine().read(field) == text)
    }

    @Test(arguments: [
        ("proc.name", "worker"), ("proc.pid", "20"), ("thread.tid", "21"), ("thread.ismain", "false"), ("proc.aname[0]", "bash"),
        ("proc.pname", "sshd"),
        ("proc.fdopencount", "2"), ("thread.vmsize", "0"),
    ])
    func threadOfTheShell(field: String, text: String) throws {
        #expect(try Machine().read(field, tid: 21) == text)
    }

    @Test(arguments: [
        ("proc.ppid", "<NA>"), ("proc.pname", "<NA>"), ("proc.aname", "()"), ("user.name", "root"), ("user.homedir", "/root"),
        ("user.shell", "<NA>"),
        ("group.name", "root"),
    ])
    func firstProcess(field: String, text: String) throws {
        #expect(try Machine().read(field, tid: 1) == text)
    }

    /// Outputs show what checks ask one by one.
    @Test(arguments: [
        ("proc.aname", "sshd init"), ("proc.apid", "20"), ("proc.aenv", "HOME=/home/bash LEVEL=20"),
        ("proc.acmdline", "sshd -D init"),
    ])
    func inOutput(field: String, text: String) throws {
        #expect(try Machine().read(field, inOutput: true) == text)
    }

    @Test func nothingIsKnownOfAnUnknownThread() throws {
        let machine = Machine()
        for definition in FieldCatalogue.builtin.classes.filter({ ["process", "user", "group"].contains($0.name) }).flatMap(
            \.definitions)
        where !definition.flags.contains(.argumentRequired) {
            // These two come with the event.
            let expected = ["thread.tid": "99", "thread.exectime": "0"][definition.name] ?? "<NA>"
            #expect(try machine.read(definition.name, tid: 99) == expected, "\(definition.name)")
        }
    }
}
